#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: tpm_guest.sh make|again|other. Keys and disks under a secret of a TPM: made;
# after a reboot, and then with something else measured; with another TPM, and none.
# PLATFORM: snp, where the firmware derives keys too, or another. Prints TAP.
cd /t || exit
# shellcheck source=selftests/keys/disk_lib.sh
. ./disk_lib.sh
# shellcheck source=selftests/keys/tpm_lib.sh
. ./tpm_lib.sh
OURS=the-system-that-has-sealed-it...
LATER=what-has-been-measured-after-it.

# with the TPM's secret, as it must be bound
# shellcheck disable=SC2317 # by try
tpm_disk()	# ACTION ARGUMENT...
{
	disk "$@" --from tpm --pcrs 4,7,11
}

open_tpm()	# RECORD [PCRS]
{
	disk open data /dev/loop0 --record "$1" --from tpm --pcrs "${2:-4,7,11}"
}

tpm_opens()	# RECORD
{
	open_tpm "$1" 2>/tmp/err && same_data data && disk close data 2>/tmp/err
}

tpm_refused()	# WORDS NAME RECORD [PCRS]
{
	local words=$1 name=$2

	shift 2
	try 1 "$words" "$name: refused" open_tpm "$@"
	nothing_open
	result $? "$name: nothing is open"
}

tpm_key()	# FILE OPTION...
{
	local out=$1

	shift
	cvmctl key derive --from tpm --record key.json --pcrs 4,7,11 --out "$out" "$@" 2>/tmp/err
}

usage()
{
	untouched /dev/loop0 2 'say what the TPM' 'format: PCRs must be said' \
		disk format data /dev/loop0 --record data.json --from tpm
	untouched /dev/loop0 2 'pcrs is for' 'format: PCRs are for a TPM' \
		disk format data /dev/loop0 --record data.json --system measured --pcrs 7
	untouched /dev/loop0 2 'can be reset' 'format: none that can be reset' \
		disk format data /dev/loop0 --record data.json --from tpm --pcrs 7,16
	untouched /dev/loop0 2 'mix is for keys that the firmware derives' 'format: no mix' \
		tpm_disk format data /dev/loop0 --record data.json --tpm trusted --mix measurement
	untouched /dev/loop0 2 'without 4 and 7' 'format: none that say what has booted' \
		disk format data /dev/loop0 --record data.json --from tpm --pcrs 0,8,11
	untouched /dev/loop0 2 'say who runs the TPM' 'format: not without who runs the TPM' \
		tpm_disk format data /dev/loop0 --record data.json
	untouched /dev/loop0 4 'tells the host' "format: no TPM of the host's" \
		tpm_disk format data /dev/loop0 --record data.json --tpm host
	untouched /dev/loop0 2 'neither trusted nor host' 'format: whose it may be' \
		tpm_disk format data /dev/loop0 --record data.json --tpm mine
	untouched /dev/loop0 2 'tpm is for' 'format: no TPM, no word about it' \
		disk format data /dev/loop0 --record data.json --system measured --tpm trusted
	untouched /dev/loop0 4 'Secure Boot is off' 'format: 7 alone says nothing here' \
		disk format data /dev/loop0 --record data.json --from tpm --tpm trusted --pcrs 7,11
	untouched /dev/loop0 1 'measured into the TPM.s PCRs 11,12:' 'format: nothing is in one of them' \
		disk format data /dev/loop0 --record data.json --from tpm --tpm trusted --pcrs 4,7,11,12
	[ ! -e data.json ] && no_drafts
	result $? 'format: nothing is left of those'
	[ "$PLATFORM" = snp ] ||
		try 4 'a TPM can keep one (--from tpm)' 'no derived keys: what there is is said' \
			disk format data /dev/loop0 --record data.json --system measured
}

make_data()
{
	dd if=/dev/urandom of=pattern bs=4096 count=16 2>/dev/null
	try 0 'by /dev/tpmrm0' 'format' tpm_disk format data /dev/loop0 --record data.json --tpm trusted
	no_drafts && nothing_open
	result $? 'format: nothing else is left'
	try 0 '' 'open' watched cvmctl disk open data /dev/loop0 --record data.json --from tpm \
		--pcrs 7
	has unwrap 'user *cvm:disk-master' && has_not table 'cvm:disk-master' &&
		has table 'encrypted *cvm:data' && has_not exit 'cvm:'
	result $? 'the master is there to unwrap, and gone then; at the end all are'
	try 0 'sealed *opens' 'status: it opens' disk status data --record data.json
	grep -q 'as_recorded *yes' /tmp/out && grep -q 'pcrs *4,7,11' /tmp/out && ! grep -q rotation /tmp/out
	result $? 'status: as recorded, and which PCRs'
	write_data data && same_data data
	result $? 'what is written can be read'
	try 0 '' 'close' disk close data
	dd if=data.img of=outside bs=4096 skip=100 count=16 2>/tmp/err
	[ "$(wc -c <outside)" = 65536 ] && ! cmp -s outside pattern
	result $? 'what is on the disk is not what was written'
	echo 4,7,11 >pcrs
	try 0 '' 'PCRs in a file' disk open data /dev/loop0 --record data.json --from tpm --pcrs @/t/pcrs
	disk close data
}

test_refusals()
{
	tpm_refused 'not sealed to PCRs 5' 'fewer PCRs than must be' data.json 4,5,11
	sed 's/"sectors": 16384/"sectors": 8192/' data.json >changed.json
	tpm_refused 'MAC is wrong' 'a record that was changed' changed.json
	sed 's/"disk data"/"disk date"/' data.json >changed.json
	tpm_refused 'not of "disk data"' 'the record of another disk' changed.json
	sed 's/"pcrs": \[/"pcrs": [0,/' data.json >changed.json
	tpm_refused 'are not what they were' 'a record that says other PCRs' changed.json
	[ "$PLATFORM" != snp ] ||
		refused 'derived from the tpm' 'without --from' data.json
}

test_rotation()
{
	cp data.json old.json
	try 0 'a new secret' 'rotate' watched cvmctl disk rotate data --record data.json --from tpm \
		--pcrs 4,7,11
	has_not exit 'cvm:' && no_drafts && ! cmp -s old.json data.json
	result $? 'the record is another one, and no key is left'
	tpm_opens data.json && tpm_opens old.json
	result $? 'and it opens, as does the old one'
	try 1 'not sealed to PCRs 5' 'rotate: not with fewer PCRs than must be' \
		disk rotate data --record data.json --from tpm --pcrs 4,5
	rm old.json
}

test_keys()
{
	try 2 'record is missing' 'key seal: there must be a record' cvmctl key seal --pcrs 4,7,11
	try 0 'by /dev/tpmrm0' 'key seal' cvmctl key seal --record key.json --pcrs 4,7,11 --tpm trusted
	try 1 'is there already' 'key seal: not over a record' cvmctl key seal --record key.json \
		--pcrs 4,7,11 --tpm trusted
	try 2 'say who runs the TPM' 'key seal: not without who runs the TPM' cvmctl key seal \
		--record other.json --pcrs 4,7,11
	try 4 'tells the host' "key seal: no TPM of the host's" cvmctl key seal --record other.json \
		--pcrs 4,7,11 --tpm host
	try 2 'takes no --tpm' 'key derive: it is for seal' cvmctl key derive --from tpm \
		--record key.json --pcrs 4,7,11 --tpm trusted --out x
	[ ! -e other.json ]
	result $? 'and none of those is there'
	tpm_key tpm.key && tpm_key x && cmp tpm.key x && [ "$(wc -c <x)" = 32 ]
	result $? 'a key of it, and the same again'
	tpm_key x --label other && ! cmp -s tpm.key x && tpm_key y --salt 01 && ! cmp -s tpm.key y
	result $? 'another label or salt, another key'
	try 0 '' 'into a keyring' cvmctl key derive --from tpm --record key.json --pcrs 4,7,11 \
		--keyring user --name k
	grep -q 'logon *cvm:k' /proc/keys
	result $? 'where it is a logon key'
	rm -f x
	try 1 'record is of "key"' 'no disk of the record of a key' open_tpm key.json
	try 1 'is of "disk data"' 'no key of the record of a disk' cvmctl key derive --from tpm \
		--record data.json --pcrs 4,7,11 --out x
	try 2 'mix is for keys' 'nothing of the firmware' cvmctl key derive \
		--from tpm --record key.json --pcrs 4,7,11 --out x --mix tcb
	[ ! -e x ]
	result $? 'and no file'
	rm -f y
}

# the firmware's and the TPM's, for a measurement that covers the firmware alone
test_both()
{
	try 4 'from both' 'format: the firmware alone is everybody'"'"'s' \
		disk format both /dev/loop1 --record both.json --system firmware
	try 2 'say who runs the TPM' 'format: not without who runs the TPM' disk format both /dev/loop1 \
		--record both.json --system firmware --from both --pcrs 4,7,11
	try 4 'whatever the host boots' "format: nor with the host's" disk format both /dev/loop1 \
		--record both.json --system firmware --from both --pcrs 4,7,11 --tpm host
	try 0 'by /dev/tpmrm0' 'format: with a secret of the TPM it is not' disk format both /dev/loop1 \
		--record both.json --system firmware --from both --pcrs 4,7,11 --tpm trusted
	grep -q 'cvm/key' /tmp/err
	result $? 'and the user is told of both'
	try 0 '' 'open' disk open both /dev/loop1 --record both.json --from both --pcrs 4,7,11
	try 0 'rotation *current' 'status: of both' disk status both --record both.json
	grep -q 'sealed *opens' /tmp/out && grep -q 'as_recorded *yes' /tmp/out
	result $? 'status: it opens'
	disk close both
	try 1 'too, and only the firmware' 'open: not by the firmware alone' \
		disk open both /dev/loop1 --record both.json
	try 1 'derived from the vcek' 'open: nor by the TPM alone' \
		disk open both /dev/loop1 --record both.json --from tpm --pcrs 4,7,11
	try 0 'rotated: TCB' 'rotate' disk rotate both --record both.json --from both --pcrs 4,7,11
	fw measurement="$OTHER"
	try 1 'another key' 'open: not with another measurement' \
		disk open both /dev/loop1 --record both.json --from both --pcrs 4,7,11
	fw measurement="$MEASUREMENT"
	cvmctl key derive --from both --record key.json --pcrs 4,7,11 --out x 2>/tmp/err && ! cmp -s x tpm.key &&
		cvmctl key derive --out y 2>/tmp/err && ! cmp -s x y &&
		cvmctl key derive --from both --record key.json --pcrs 4,7,11 --out z 2>/tmp/err && cmp x z
	result $? 'a key of both is neither'
	nothing_open
	result $? 'nothing is open'
}

again()
{
	measure 11 $OURS
	tpm_opens data.json
	result $? 'after a reboot the data are there'
	tpm_key x && cmp tpm.key x
	result $? 'and the key is the same'
	measure 3 $LATER
	tpm_opens data.json
	result $? 'whatever is measured elsewhere'
	measure 11 $LATER
	tpm_refused 'PCRs 4,7,11 are not what they were' 'something else measured' data.json
	try 0 'sealed *other PCRs' 'status says so' disk status data --record data.json
	rm x
	! tpm_key x && grep -q 'PCRs 4,7,11 are not' /tmp/err && [ ! -e x ]
	result $? 'nor is there a key'
	try 1 'PCRs 4,7,11 are not what they were' 'nor is it rotated' \
		tpm_disk rotate data --record data.json
	no_drafts
	result $? 'and nothing is left of that'
	[ "$PLATFORM" != snp ] || try 1 'PCRs 4,7,11 are not what they were' \
		'both: nor with the firmware' disk open both /dev/loop1 --record both.json --from both --pcrs 4,7,11
}

# as the driver of a TPM that is gone
unbind()
{
	local device=/sys/class/tpm/tpm0/device

	basename "$(readlink -f $device)" >"$(readlink -f $device/driver)/unbind"
}

other()
{
	measure 11 $OURS
	tpm_refused 'by another TPM, or the TPM has been cleared' 'another TPM' data.json
	try 0 'sealed *another TPM' 'status says so' disk status data --record data.json
	! tpm_key x && grep -q 'another TPM' /tmp/err && [ ! -e x ]
	result $? 'nor is there a key'
	# as of a driver that gives it to one at a time: so does /dev/tpm0
	exec 7<>/dev/tpm0
	mount --bind /dev/tpm0 /dev/tpmrm0
	try 1 'somebody has the TPM for himself' 'a TPM that somebody has' open_tpm data.json
	nothing_open
	result $? 'nothing is open'
	umount /dev/tpmrm0
	exec 7>&-
	unbind
	try 4 'there is no TPM 2.0 here' 'no TPM' open_tpm data.json
	try 0 'sealed *unknown' 'status says so' disk status data --record data.json
	untouched /dev/loop1 4 'there is no TPM 2.0 here' 'format: no TPM' \
		tpm_disk format other /dev/loop1 --record other.json --tpm trusted --force
	nothing_open && [ ! -e other.json ] && no_drafts
	result $? 'nothing is left'
}

make()
{
	usage
	measure 11 $OURS
	make_data
	test_refusals
	test_rotation
	test_keys
	[ "$PLATFORM" != snp ] || test_both
}

setup
case $1 in
make) make ;;
again) again ;;
other) other ;;
esac
[ "$1" != other ] || echo "1..$n"
exit $failed
