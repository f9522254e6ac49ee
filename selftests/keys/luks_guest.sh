#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: luks_guest.sh make|again. Disks with a LUKS2 header: made, whatever is done to
# the header, rotated; and opened after a reboot. Prints TAP.
cd /t || exit
# shellcheck source=selftests/keys/disk_lib.sh
. ./disk_lib.sh
NEW_TCB=db18000000000004

header()
{
	head -c 2097152 data.img | md5sum
}

usage()
{
	untouched /dev/loop0 2 'one of them' 'format: no tags with LUKS' disk format data /dev/loop0 \
		--record data.json --system measured --luks --integrity
	untouched /dev/loop0 2 'recovery is for --luks' 'format: key slots are of LUKS' disk format \
		data /dev/loop0 --record data.json --system measured --recovery rec
	# luks_slot has brought it along
	library=$(echo /usr/lib/*/libcryptsetup.so.12)
	mv "$library" away
	untouched /dev/loop0 4 'libcryptsetup' 'format: without the library' disk format data /dev/loop0 \
		--record data.json --system measured --luks --recovery rec
	mv away "$library"
	[ ! -e data.json ] && [ ! -e rec ] && no_drafts && nothing_open
	result $? 'format: nothing is left of those'
}

make_data()
{
	dd if=/dev/urandom of=pattern bs=4096 count=16 2>/dev/null
	dmsetup create data --notable
	try 1 '' 'format: where the name is taken' disk format data /dev/loop0 --record data.json \
		--system measured --luks --force --recovery rec
	[ ! -e data.json ] && [ ! -e rec ] && no_drafts
	result $? 'format: nothing is left of that, nor is a passphrase that opens nothing'
	dmsetup remove data
	try 0 '' 'format' disk format data /dev/loop0 --record data.json --system measured --luks \
		--force --recovery rec
	no_drafts && nothing_open && [ "$(wc -c <rec)" = 64 ] && [ "$(stat -c %a rec)" = 600 ]
	result $? 'format: nothing else is left but the passphrase of the other key slot'
	header >made
	try 1 'rec: is there already' 'format: not over a passphrase' disk format other /dev/loop1 \
		--record other.json --system measured --luks --recovery rec
	try 0 '' 'open' watched cvmctl disk open data /dev/loop0 --record data.json
	has table 'logon *cvm:data' && has_not table 'cvm:disk-master' && has_not exit 'cvm:'
	result $? "the disk's key is there to load, and gone at the end"
	dmsetup table data | grep -q '^0 12288 crypt aes-xts-plain64 :64:logon:cvm:data 0 7:0 4096 '
	result $? 'its table'
	try 0 'as_recorded *yes' 'status: as recorded' disk status data --record data.json
	grep -q 'luks *yes' /tmp/out
	result $? 'status: and with a header'
	write_data data && same_data data
	result $? 'what is written can be read'
	try 0 '' 'close' disk close data
	header | cmp - made
	result $? 'the header is as it was made'
	dd if=data.img of=outside bs=4096 skip=$((100 + 512)) count=16 2>/tmp/err
	[ "$(wc -c <outside)" = 65536 ] && ! cmp -s outside pattern
	result $? 'what is on the disk is not what was written'
	losetup -r /dev/loop2 data.img
	try 0 '' 'open: read-only' disk open data /dev/loop2 --record data.json --read-only
	same_data data
	result $? 'it can be read'
	disk close data
	losetup -d /dev/loop2
	echo other >wrong
	[ "$(luks_slot /dev/loop0 rec)" = 1 ] && ! luks_slot /dev/loop0 wrong
	result $? 'other tools know it, and open the other key slot'
}

# changed AT WHAT: one byte of the header, which is then put back
changed()
{
	local byte

	byte=$(od -An -v -tu1 -j "$1" -N 1 data.img)
	# shellcheck disable=SC2059 # a byte
	printf "\\$(printf %o $((byte ^ 1)))" | dd of=/dev/loop0 bs=1 seek="$1" conv=notrunc,fsync 2>/dev/null
	refused 'LUKS header is not the one' "$2" data.json
	# shellcheck disable=SC2059
	printf "\\$(printf %o "$byte")" | dd of=/dev/loop0 bs=1 seek="$1" conv=notrunc,fsync 2>/dev/null
}

test_header()
{
	changed 0 'another magic number'
	changed 4200 'another byte of its JSON'
	changed 20584 'another byte of the second JSON'
	changed 40000 'another byte of a key slot'
	changed 2097151 'its last byte'
	opens_again data.json
	result $? 'as it was: opens'
	dd if=/dev/zero of=/dev/loop1 bs=1M count=4 conv=fsync 2>/dev/null
	try 0 '' 'another disk' disk format safe /dev/loop1 --record safe.json --system measured --luks
	head -c 2097152 data.img >saved
	head -c 2097152 safe.img | dd of=/dev/loop0 bs=1M conv=notrunc,fsync 2>/dev/null
	refused 'LUKS header is not the one' "another disk's header" data.json
	dd if=saved of=/dev/loop0 bs=1M conv=notrunc,fsync 2>/dev/null
	opens_again data.json
	result $? 'as it was: opens'
	digest=$(sed -n 's/.*"key": ".*\(.\)".*/\1/p' data.json)
	sed "s/\\(\"key\": \".*\\)$digest\"/\\1$([ "$digest" = 0 ] && echo 1 || echo 0)\"/" data.json >changed.json
	refused 'MAC is wrong' 'a record of another header' changed.json
	refused 'not of "disk data"' 'the record of the other disk' safe.json
	fw measurement="$OTHER"
	refused 'another key' 'another measurement' data.json
	fw measurement="$MEASUREMENT"
	dmsetup create data --uuid CVM-DISK-data --table "0 12288 crypt cipher_null-ecb - 0 7:0 4096"
	try 1 'its table is another one' 'a null cipher in its table is found' \
		disk status data --record data.json
	dmsetup remove data
}

test_rotation()
{
	fw committed_tcb=$NEW_TCB
	cp data.json old.json
	try 0 'rotated: TCB '$NEW_TCB 'rotate' watched cvmctl disk rotate data --record data.json
	has_not exit 'cvm:' && no_drafts && header | cmp - made
	result $? 'nothing is left, and the header is as it was'
	opens_again data.json --min-tcb $NEW_TCB && opens_again old.json
	result $? 'the new record opens it, as does the old one'
	refused 'no less than' 'the old one, where it may not' old.json --min-tcb $NEW_TCB
}

again()
{
	fw committed_tcb=$NEW_TCB
	opens_again data.json --min-tcb $NEW_TCB
	result $? 'after a reboot the data are there'
	nothing_open
	result $? 'and nothing is open'
}

make()
{
	usage
	make_data
	test_header
	test_rotation
}

setup
case $1 in
make) make ;;
again) again ;;
esac
[ "$1" = make ] || echo "1..$n"
exit $failed
