#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: disk_guest.sh make|again|doors. Disks under derived keys: made, and all
# that must not open them; opened again after a reboot; by each door to the keys.
# KILL: files|all, the calls to kill a rotation before (see kill_at.c). Prints TAP.
SIM=/sys/kernel/cvm_platform_sim
OLD_TCB=d218000000000004 NEW_TCB=db18000000000004
OTHER=$(printf '5e%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 \
	25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48)
# results of the boot before
n=${BEFORE:-0} failed=0
cd /t || exit

fw()
{
	local line

	for line; do
		echo "$line" >$SIM/control || echo "# cvm-fwd refused $line"
	done
}

result()	# STATUS NAME
{
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		sed 's/^/# /' /tmp/err
		failed=1
	fi
}

# try STATUS WORDS NAME COMMAND...: it ends so, and says these words if there are any
try()
{
	local want=$1 words=$2 name=$3 status good

	shift 3
	"$@" >/tmp/out 2>/tmp/err
	status=$?
	[ $status = "$want" ] && { [ -z "$words" ] || grep -q "$words" /tmp/err /tmp/out; }
	good=$?
	echo "exit status $status, wanted $want and '$words'" >>/tmp/err
	result $good "$name"
}

disk()
{
	cvmctl disk "$@"
}

open_data()	# RECORD OPTION...
{
	local record=$1

	shift
	disk open data /dev/loop0 --record "$record" "$@"
}

# the disk holds what was written
same_data()	# NAME
{
	echo 3 >/proc/sys/vm/drop_caches
	dd if=/dev/mapper/"$1" bs=4096 skip=100 count=16 2>/dev/null | cmp - pattern
}

write_data()	# NAME
{
	dd if=pattern of=/dev/mapper/"$1" bs=4096 seek=100 conv=fsync 2>/dev/null
}

# nothing is left of a disk that is closed, or was refused
nothing_open()
{
	[ "$(echo /dev/mapper/*)" = /dev/mapper/control ]
}

no_keys_left()
{
	# the kernel frees them a moment later
	local left=100

	while grep -E 'encrypte|disk-master' /proc/keys >>/tmp/err; do
		left=$((left - 1))
		[ $left -gt 0 ] || return 1
		usleep 50000
	done
}

opens_again()	# RECORD OPTION...
{
	open_data "$@" 2>/tmp/err && same_data data && disk close data 2>/tmp/err
}

# as it was closed, but for one thing
refused()	# WORDS NAME RECORD OPTION...
{
	local words=$1 name=$2

	shift 2
	try 1 "$words" "$name: refused" open_data "$@"
	nothing_open
	result $? "$name: nothing is open"
}

setup()
{
	modprobe -a loop dm-mod
	losetup /dev/loop0 data.img
	losetup /dev/loop1 safe.img
}

make_data()
{
	dd if=/dev/urandom of=pattern bs=4096 count=16 2>/dev/null
	try 2 'say what' 'format: what is measured must be said' \
		disk format data /dev/loop0 --record data.json
	try 2 'any guest on this chip' 'format: no mix without the measurement' \
		disk format data /dev/loop0 --record data.json --system measured --mix policy,tcb
	try 4 'whoever runs the same firmware' 'format: nor with that of the firmware alone' \
		disk format data /dev/loop0 --record data.json --system firmware
	try 0 '' 'format' disk format data /dev/loop0 --record data.json --system measured
	try 1 'is there already' 'format: not over a record' \
		disk format data /dev/loop0 --record data.json --system measured
	try 0 '' 'open' open_data data.json
	try 0 'as_recorded *yes' 'status: the table is as recorded' \
		disk status data --record data.json
	try 1 'is in use' 'open: not what is open' open_data data.json
	write_data data && same_data data
	result $? 'what is written can be read'
	no_keys_left
	result $? 'no key is left in a keyring while the disk is open'
	try 0 '' 'close' disk close data
	dd if=data.img of=outside bs=4096 skip=100 count=16 2>/tmp/err
	nothing_open && [ "$(wc -c <outside)" = 65536 ] && ! cmp -s outside pattern
	result $? 'what is on the disk is not what was written'
	try 1 'is not blank' 'format: not over data' \
		disk format other /dev/loop0 --record other.json --system measured
}

test_refusals()
{
	fw measurement="$OTHER"
	refused 'another key' 'another measurement' data.json
	fw measurement="$MEASUREMENT" policy=20000
	refused 'another key' 'another policy' data.json
	fw policy=30000 guest_svn=0
	opens_again data.json
	result $? 'as it was: opens'
	fw guest_svn=3
	opens_again data.json
	result $? 'a newer guest: opens'
	sed 's/"disk data"/"disk date"/' data.json >changed.json
	refused 'not of "disk data"' 'the record of another disk' changed.json
	sed 's/"sectors": 16384/"sectors": 8192/' data.json >changed.json
	refused 'MAC is wrong' 'a record that was changed' changed.json
	sed "s/$OLD_TCB/c0ffee0000000004/" data.json >changed.json
	refused 'rolled back' 'a TCB above the committed one' changed.json
	sed "s/$OLD_TCB/d118000000000003/" data.json >changed.json
	refused 'another key' 'another TCB' changed.json
	sed 's/"vmpl": 0/"vmpl": 3/' data.json >changed.json
	refused 'of VMPL 3' 'the key of a less privileged VMPL' changed.json
	sed 's/aes-xts-plain64/cipher_null-ecb/' data.json >changed.json
	refused '"cipher"' 'a null cipher' changed.json
	sed 's/"version"/"comment": 1, "version"/' data.json >changed.json
	refused 'comment' 'an unknown member' changed.json
}

# whoever has the disk can write a record of what he can derive himself
test_weak()
{
	try 0 '' 'format with a weaker mix, which is said by name' disk format data /dev/loop1 \
		--record weak.json --system measured --mix policy,measurement
	refused 'weaker.*image,family,svn,tcb' 'a weaker mix' weak.json
	try 0 '' 'a weaker mix, which is accepted by name' \
		disk open data /dev/loop1 --record weak.json --mix policy,measurement
	disk close data
	echo policy,measurement,tcb >mix
	refused 'weaker.*tcb' 'a mix weaker than that in a file' weak.json --mix @/t/mix
	refused 'derived from the vcek' 'another root' weak.json --mix policy,measurement --root vmrk
}

# a device of our name whose table is somebody else's
test_table()
{
	dmsetup create data --uuid CVM-DISK-data --table "0 16384 linear 7:0 0"
	try 1 'its table is another one' 'a table that is not the recorded one is found' \
		disk status data --record data.json
	dmsetup remove data
	dmsetup create data --uuid CVM-DISK-data \
		--table "0 16384 crypt cipher_null-ecb - 0 7:0 0"
	try 1 'its table is another one' 'a null cipher is found' \
		disk status data --record data.json
	dmsetup remove data
	dmsetup create data --table "0 16384 linear 7:0 0"
	try 1 'not a disk of cvmctl' 'another device of that name is not closed' disk close data
	dmsetup remove data
}

# killed before each call that changes something, then repeated
test_rotation()
{
	local at=1 killed=0 lost=0 status

	fw committed_tcb=$NEW_TCB
	try 0 'rotation *due' 'status: a firmware update makes rotation due' \
		disk status data --record data.json
	opens_again data.json
	result $? 'before it is rotated it opens'
	refused 'no less than' 'an older TCB than what is accepted' data.json --min-tcb $NEW_TCB
	cp data.json old.json
	while :; do
		cp old.json data.json
		kill_at "$KILL" $at cvmctl disk rotate data --record data.json >/tmp/out 2>/tmp/err
		status=$?
		[ $status = 137 ] || break
		killed=$((killed + 1))
		opens_again data.json || { lost=$((lost + 1)); echo "# lost at $at"; }
		at=$((at + 1))
	done
	echo "# killed at $killed places"
	# a new file, written, synced, renamed, its directory synced; and once more
	[ $status = 0 ] && [ $killed -ge 8 ] && [ $lost = 0 ]
	result $? 'killed wherever, the data are there'
	no_keys_left
	result $? 'and no key is'
	try 0 'rotated: TCB '$NEW_TCB 'repeated' disk rotate data --record data.json
	opens_again data.json --min-tcb $NEW_TCB && ! [ -e data.json.new ]
	result $? 'after it is rotated it opens'
	try 0 'rotation *current' 'status: there is nothing to rotate' \
		disk status data --record data.json
	fw committed_tcb=$OLD_TCB
	refused 'rolled back' 'after a roll-back' data.json
	try 1 'rolled back' 'after a roll-back: not rotated' disk rotate data --record data.json
	fw committed_tcb=$NEW_TCB
}

make_safe()
{
	try 0 '' 'format with integrity' \
		disk format safe /dev/loop1 --record safe.json --system measured --integrity
	try 0 '' 'open with integrity' disk open safe /dev/loop1 --record safe.json
	try 0 'as_recorded *yes' 'status: the tables are as recorded' \
		disk status safe --record safe.json
	write_data safe && same_data safe
	result $? 'what is written can be read'
	try 0 '' 'close' disk close safe
	nothing_open
	result $? 'nothing is open'
}

# a byte of the file has been changed while the VM was off
again()
{
	local bad

	opens_again data.json
	result $? 'after a reboot the data are there'
	try 0 '' 'open with integrity' disk open safe /dev/loop1 --record safe.json
	same_data safe
	result $? 'after a reboot the authenticated data are there'
	# each sector by itself, not with what is read ahead: all but one can be read
	dd if=/dev/mapper/safe of=/tmp/copy bs=4096 conv=noerror iflag=direct,fullblock 2>/tmp/err
	# the block layer's word for it, EILSEQ, is what direct reads give
	bad=$(grep -c 'Invalid or incomplete multibyte' /tmp/err)
	[ "$bad" = 1 ] && [ "$(grep -c '^dd: ' /tmp/err)" = 1 ]
	result $? 'a byte that was changed outside makes one sector unreadable, and no other'
	try 1 'Input/output error\|I/O error' 'it is an I/O error to who reads it as a file system does' \
		dd if=/dev/mapper/safe of=/dev/null bs=4096
	disk close safe
	fw measurement="$OTHER"
	refused 'another key' 'another measurement, after a reboot' data.json
	fw measurement="$MEASUREMENT" guest_svn=2
	refused 'SVN 3, which is above' 'an older guest, after a reboot' data.json
}

derive()	# FILE OPTION...
{
	local out=$1

	shift
	[ "$1" = --label ] || set -- --label test "$@"
	cvmctl key derive --out "$out" --length 64 --salt 0102 "$@" 2>/tmp/err
}

# the same keys from each door, and the user is told which it is
doors()
{
	derive native.key && grep -q 'sev-guest.*pass through this process' /tmp/err
	result $? 'by the kernel: the user is told'
	derive again.key && cmp native.key again.key && [ "$(wc -c <native.key)" = 64 ]
	result $? 'the same key again'
	derive other.key --label other && ! cmp -s native.key other.key
	result $? 'another label, another key'
	derive vmrk.key --root vmrk && derive svn.key --mix policy,svn --svn 0 && derive vmpl.key --vmpl 3
	result $? 'keys of other inputs'
	try 4 'mit' 'what this door cannot ask for' cvmctl key derive --out x --mix policy,mit
	try 0 '' 'into a keyring' cvmctl key derive --keyring user --name k --timeout 60
	grep -q 'logon *cvm:k' /proc/keys
	result $? 'where it is a logon key'
	try 1 'a key of that name\|File exists' 'not over a key' \
		cvmctl key derive --keyring user --name k
	dd if=/dev/urandom of=pattern bs=4096 count=16 2>/dev/null
	try 0 '' 'format' disk format data /dev/loop0 --record data.json --system measured
	try 0 '' 'open' open_data data.json
	write_data data
	try 0 '' 'close' disk close data
	fw committed_tcb=$NEW_TCB
	try 0 'rotated' 'rotate' disk rotate data --record data.json
	refused_native
	rmmod sev_guest && modprobe cvm_guest
	result $? 'another driver'
	opens_again data.json && no_keys_left
	result $? 'opens what the other door has made'
	derive cvm.key --tcb $OLD_TCB && grep -q 'cvm/key: keys go into keyrings' /tmp/err &&
		cmp native.key cvm.key
	result $? 'and gives the same key, and says so'
	derive x --tcb $OLD_TCB --root vmrk && cmp x vmrk.key &&
		derive x --mix policy,svn --svn 0 && cmp x svn.key &&
		derive x --tcb $OLD_TCB --vmpl 3 && cmp x vmpl.key
	result $? 'of other inputs too'
}

refused_native()
{
	fw measurement="$OTHER"
	refused 'another key' 'another measurement' data.json
	fw measurement="$MEASUREMENT"
	no_keys_left
	result $? 'no key is left'
}

# of the launch, by its report
MEASUREMENT=$(cvmctl report --report-data "$OTHER$(printf '%032d' 0)" 2>/dev/null | cvmctl show - --json |
	sed -n 's/.*"measurement": "\([0-9a-f]*\)".*/\1/p')
setup
case $1 in
make) make_data; test_refusals; test_table; test_rotation; test_weak; make_safe ;;
again) again ;;
doors) doors ;;
esac
[ "$1" = make ] || echo "1..$n"
exit $failed
