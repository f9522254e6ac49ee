#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: disk_guest.sh make|again. Disks under derived keys: made, and all that must
# not open them; opened again after a reboot.
# KILL: files, a rotation is killed before each call that changes files (see kill_at.c);
# dm, and open and close before each of the device-mapper; all, and format, and a rotation
# before each call that changes anything. Prints TAP.
cd /t || exit
# shellcheck source=selftests/keys/disk_lib.sh
. ./disk_lib.sh
OLD_TCB=d218000000000004 NEW_TCB=db18000000000004
CALLS=files
[ "$KILL" != all ] || CALLS=all

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
	no_drafts && nothing_open
	result $? 'format: nothing else is left'
	try 1 'is there already' 'format: not over a record' \
		disk format data /dev/loop0 --record data.json --system measured
	try 1 'is not blank' 'format: not over a disk' \
		disk format other /dev/loop0 --record other.json --system measured
	export WATCH_PLANT=cvm:planted
	try 0 '' 'open' watched cvmctl disk open data /dev/loop0 --record data.json
	unset WATCH_PLANT
	has unwrap 'user *cvm:disk-master' && has_not table 'cvm:disk-master'
	result $? 'the master is there to unwrap, and gone then'
	has table 'encrypted *cvm:data' && has_not exit 'cvm:'
	result $? "the disk's key is there to load, and gone at the end"
	has start 'user *cvm:planted' && has_not unwrap 'cvm:planted'
	result $? "no key of the caller's keyrings can be found in place of them"
	try 0 'as_recorded *yes' 'status: the table is as recorded' \
		disk status data --record data.json
	try 0 '"as_recorded": true' 'status: as JSON' disk status data --record data.json --json
	try 1 'is in use' 'open: not what is open' open_data data.json
	write_data data && same_data data
	result $? 'what is written can be read'
	try 0 '' 'close' disk close data
	dd if=data.img of=outside bs=4096 skip=100 count=16 2>/tmp/err
	nothing_open && [ "$(wc -c <outside)" = 65536 ] && ! cmp -s outside pattern
	result $? 'what is on the disk is not what was written'
	losetup -r /dev/loop2 data.img
	try 0 '' 'open: read-only, of what can only be read' \
		disk open data /dev/loop2 --record data.json --read-only
	same_data data && ! write_data data 2>/tmp/err
	result $? 'it can be read, and not written'
	disk close data
	losetup -d /dev/loop2
}

# a device, or a record, that anybody may want
test_format()
{
	local before

	printf 'an old signature' | dd of=/dev/loop1 bs=1 seek=$(((4 << 20) - 512)) conv=notrunc 2>/dev/null
	printf 'an old signature' | dd of=/dev/loop1 bs=1 seek=1024 conv=notrunc,fsync 2>/dev/null
	untouched /dev/loop1 1 'none/.*No such file' 'format: no place for the record' \
		disk format other /dev/loop1 --record none/other.json --system measured --force
	before=$(cat /proc/sys/kernel/keys/root_maxkeys)
	echo 1 >/proc/sys/kernel/keys/root_maxkeys
	untouched /dev/loop1 1 'quota for keys' 'format: no room for its key' \
		disk format other /dev/loop1 --record other.json --system measured --force
	echo "$before" >/proc/sys/kernel/keys/root_maxkeys
	untouched /dev/loop1 4 'does not know mit' 'format: a mix that the firmware does not know' \
		disk format other /dev/loop1 --record other.json --system measured --force \
		--mix measurement,mit
	[ ! -e other.json ] && no_drafts
	result $? 'format: nothing is left of those'
	grep -q 'an old signature' safe.img
	result $? 'what was on the device is there'
	export WATCH_DERIVE='echo theirs >/t/other.json'
	try 1 'has made it meanwhile' 'format: not over a record that comes meanwhile' \
		watched cvmctl disk format other /dev/loop1 --record other.json --system measured --force
	unset WATCH_DERIVE
	[ "$(cat other.json)" = theirs ]
	result $? 'which is as it was'
	! grep -q 'an old signature' safe.img
	result $? 'and what was on the device is not'
	mv .other.json.cvmctl-* other.json
	try 0 '' 'the record that had no place is good' disk open other /dev/loop1 --record other.json
	disk close other
	rm other.json
}

# one disk's name and what is made of another's
test_names()
{
	try 0 '' 'a disk whose name is near' disk format data-integrity /dev/loop1 \
		--record near.json --system measured --force
	disk open data-integrity /dev/loop1 --record near.json && open_data data.json
	result $? 'both are open'
	try 0 '' 'close one' disk close data
	[ "$(echo /dev/mapper/*)" = '/dev/mapper/control /dev/mapper/data-integrity' ]
	result $? 'the other is open'
	disk close data-integrity
	dmsetup create data+tags --table '0 8 error'
	open_data data.json && try 0 '' "close, beside somebody else's device" disk close data
	nothing_open && [ "$(wc -l </tmp/err)" = 1 ] && dmsetup info data+tags >>/tmp/err 2>&1
	result $? 'which is left alone, without a word'
	dmsetup remove data+tags
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
		--record weak.json --system measured --mix policy,measurement --force
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
		kill_at "$CALLS" $at cvmctl disk rotate data --record data.json >/tmp/out 2>/tmp/err
		status=$?
		[ $status = 137 ] || break
		killed=$((killed + 1))
		opens_again data.json || { lost=$((lost + 1)); echo "# lost at $at"; }
		at=$((at + 1))
	done
	echo "# killed at $killed places"
	# an old draft removed, a new one made, written, synced, renamed, its directory synced
	[ $status = 0 ] && [ $killed -ge 6 ] && [ $lost = 0 ]
	result $? 'killed wherever, the data are there'
	rm data.json
	mkdir -p elsewhere
	mv old.json elsewhere/real.json
	chmod 640 elsewhere/real.json
	ln -s elsewhere/real.json data.json
	try 0 'rotated: TCB '$NEW_TCB 'repeated, by a link' \
		watched cvmctl disk rotate data --record data.json
	has unwrap 'user *cvm:disk-master' && has_not exit 'cvm:'
	result $? 'no key is left'
	[ -L data.json ] && [ "$(stat -c %a elsewhere/real.json)" = 640 ] && no_drafts
	result $? 'what it points to has been replaced, as it was'
	cp elsewhere/real.json new.json
	mv new.json data.json
	opens_again data.json --min-tcb $NEW_TCB
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
		disk format safe /dev/loop1 --record safe.json --system measured --integrity --force
	try 0 '' 'open with integrity' disk open safe /dev/loop1 --record safe.json
	try 0 'as_recorded *yes' 'status: the tables are as recorded' \
		disk status safe --record safe.json
	write_data safe && same_data safe
	result $? 'what is written can be read'
	try 0 '' 'close' disk close safe
	nothing_open
	result $? 'nothing is open'
	losetup -r /dev/loop2 safe.img
	try 0 '' 'open: read-only, with integrity' disk open safe /dev/loop2 --record safe.json --read-only
	same_data safe
	result $? 'it can be read'
	disk close safe
	losetup -d /dev/loop2
}

# safe, killed before each call of the device-mapper: what is left can be closed
killed_at_dm()	# NAME LEAST COMMAND...
{
	local name=$1 least=$2 at=1 killed=0 left=0 status

	shift 2
	while :; do
		"$@" "$at" >/tmp/out 2>/tmp/err
		status=$?
		[ $status = 137 ] || break
		killed=$((killed + 1))
		disk close safe >/tmp/out 2>/tmp/err
		nothing_open || { left=$((left + 1)); echo "# something is left at $at"; }
		at=$((at + 1))
	done
	echo "# killed at $killed places"
	[ $status = 0 ] && [ $killed -ge "$least" ] && [ $left = 0 ]
	result $? "$name: killed wherever, what is left can be closed"
}

# shellcheck disable=SC2317 # by killed_at_dm
open_killed()	# AT
{
	kill_at dm "$1" cvmctl disk open safe /dev/loop1 --record safe.json
}

# shellcheck disable=SC2317
close_killed()	# AT
{
	disk open safe /dev/loop1 --record safe.json && kill_at dm "$1" cvmctl disk close safe
}

# shellcheck disable=SC2317
format_killed()	# AT
{
	rm -f killed.json
	kill_at dm "$1" cvmctl disk format safe /dev/loop1 --record killed.json --system measured \
		--integrity --force
}

test_killed()
{
	killed_at_dm open 8 open_killed
	disk close safe
	killed_at_dm close 4 close_killed
	try 0 '' 'and it opens' disk open safe /dev/loop1 --record safe.json
	same_data safe
	result $? 'with its data'
	disk close safe
}

# last: what was on safe is lost
test_killed_format()
{
	killed_at_dm format 16 format_killed
	try 0 '' 'and the last one opens' disk open safe /dev/loop1 --record killed.json
	disk close safe
	rm -f .killed.json.cvmctl-*
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

make()
{
	make_data
	test_refusals
	test_table
	test_format
	test_names
	test_rotation
	test_weak
	[ "$KILL" != all ] || { make_safe; test_killed_format; rm safe.json; }
	make_safe
	[ "$KILL" = files ] || test_killed
}

setup
case $1 in
make) make ;;
again) again ;;
esac
[ "$1" = make ] || echo "1..$n"
exit $failed
