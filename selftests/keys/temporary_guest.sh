#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: temporary disks, what they are made of and what they refuse. Prints TAP.
#   temporary_guest.sh snp|tdx
cd /t || exit
# shellcheck source=selftests/keys/disk_lib.sh
. ./disk_lib.sh
# in pages: a place in the middle of the disk, which nothing but a test writes to; and
# the same place of the device
PLACE=256 BEHIND=512

# temporary STATUS WORDS NAME OPTION...: it ends so, and says so
temporary()
{
	local want=$1 words=$2 name=$3

	shift 3
	try "$want" "$words" "$name" watched cvmctl disk temporary temp /dev/loop0 "$@"
}

none_open()	# NAME
{
	nothing_open
	result $? "$1: nothing is open"
}

# encrypted, between the ends, which are a mark and zeros
is_open()	# NAME
{
	dmsetup table temp >/tmp/err 2>&1
	[ "$(cat /tmp/err)" = '0 4096 crypt aes-xts-plain64 :64:encrypted:cvm:temp 0 7:0 2048 1 sector_size:4096' ]
	result $? "$1: its table"
	{ printf 'cvm-guest temporary disk 1\n'; head -c 1048549 /dev/zero; } >ends
	head -c 1048576 /dev/zero >>ends
	{ head -c 1048576 disk.img; tail -c 1048576 disk.img; } | cmp - ends 2>/tmp/err
	result $? "$1: its ends"
	has unwrap 'user *cvm:disk-master' && has_not table 'cvm:disk-master' &&
		has table 'encrypted *cvm:temp' && has_not exit 'cvm:'
	result $? "$1: the master is gone before the key is used, and both are at the end"
}

# what is written is not on the device, and what was is not read
write()
{
	dd if=pattern of=/dev/mapper/temp bs=4096 seek=$PLACE conv=fsync 2>/tmp/err
	echo 3 >/proc/sys/vm/drop_caches
	dd if=/dev/mapper/temp bs=4096 skip=$PLACE count=16 2>/tmp/err | cmp - pattern
	result $? "$1: what is written can be read"
	dd if=disk.img of=outside bs=4096 skip=$BEHIND count=16 2>/tmp/err
	! cmp -s outside pattern && [ "$(tr -d '\0' <outside | wc -c)" -gt 60000 ]
	result $? "$1: it is not on the device, where something else is"
}

close()
{
	cvmctl disk close temp 2>/tmp/err
	result $? "$1: close"
	none_open "$1"
}

again()	# NAME OPTION...
{
	local name=$1

	shift
	temporary 0 '' "$name" "$@"
	is_open "$name"
	dd if=/dev/mapper/temp of=inside bs=4096 skip=$PLACE count=16 2>/tmp/err
	[ "$(wc -c <inside)" = 65536 ] && ! cmp -s inside pattern
	result $? "$name: what was there cannot be read"
	dd if=disk.img bs=4096 skip=$BEHIND count=16 2>/tmp/err | cmp - outside 2>/tmp/err
	result $? "$name: though it is there"
	close "$name"
}

# signatures of what people put on disks, each where it lies
foreign()
{
	local what=$1 at=$2

	# shellcheck disable=SC2059 # escapes
	printf "$3" | dd of=/dev/loop0 bs=1 seek="$at" conv=notrunc,fsync 2>/tmp/err
	md5sum disk.img >before
	temporary 1 'neither blank nor a temporary disk' "$what: refused"
	none_open "$what"
	md5sum disk.img | cmp - before
	result $? "$what: nothing has happened to it"
}

refusals()
{
	# beside a mark that is still whole, each would be lost
	foreign 'a partition table' 510 '\125\252'
	again 'with --force' --force
	foreign 'an ext4 file system' 1080 '\123\357'
	again 'with --force' --force
	foreign 'swap' 4086 'SWAPSPACE2'
	again 'with --force' --force
	foreign 'a table at the end' $((4 * 1048576 - 512)) 'EFI PART'
	again 'with --force' --force
	foreign 'a RAID at 4096' 4096 '\374\116\053\251'
	again 'with --force' --force
	foreign 'a few bytes in the first MiB' 524288 'whatever'
	again 'with --force' --force
	foreign 'a RAID in the last MiB' $((3 * 1048576)) '\374\116\053\251'
	dd if=/dev/zero of=/dev/loop0 bs=4096 count=1 conv=fsync 2>/tmp/err
	foreign 'with the first page blank' $((3 * 1048576)) '\374\116\053\251'
	again 'with --force' --force
	dmsetup create temp --table '0 8 error'
	md5sum disk.img >before
	temporary 1 'temp already' 'a name that is taken'
	md5sum disk.img | cmp - before
	result $? 'a name that is taken: nothing has happened to the device'
	dmsetup table temp | grep -q '^0 8 error *$'
	result $? 'nor to who has it'
	dmsetup remove temp
	dmsetup create other --table '0 8 linear 7:0 0'
	temporary 1 'is in use' 'a device that is in use'
	dmsetup remove other
	# somebody's disk, which has data
	disk format temp /dev/loop1 --record temp.json --system measured &&
		disk open temp /dev/loop1 --record temp.json 2>/tmp/err
	try 1 'not a temporary disk' 'close of a temporary disk: not of one that stays' \
		disk close temp --temporary
	try 0 'as_recorded *yes' 'which is as it was' disk status temp --record temp.json
	disk close temp
	try 0 '' 'close of a temporary disk: none is open' disk close temp --temporary
	dmsetup create temp --table '0 8 error'
	try 1 'not a temporary disk' "nor of somebody else's device" disk close temp --temporary
	dmsetup remove temp
	temporary 0 '' 'a temporary disk' --force
	try 0 '' 'close of a temporary disk alone' disk close temp --temporary
	none_open 'close of a temporary disk alone'
	temporary 2 'takes no --record' 'no record' --record r.json
	temporary 2 'takes no --integrity' 'nor integrity' --integrity
	temporary 2 'neither derived nor random' 'a key of another kind' --key none
	[ ! -e r.json ]
	result $? 'no record is made'
}

modprobe -a loop dm-mod
losetup /dev/loop0 disk.img
losetup /dev/loop1 other.img
dd if=/dev/urandom of=pattern bs=4096 count=16 2>/dev/null
if [ "$1" = snp ]; then
	temporary 0 'by /dev/cvm/key' 'a blank device'
	is_open 'a blank device'
	write 'a blank device'
	temporary 1 'is in use' 'what is open'
	close 'a blank device'
	again 'once more'
	refusals
	rmmod cvm_guest
fi
temporary 4 'no firmware here that derives keys\|TDX derives no keys' 'without derived keys'
none_open 'without derived keys'
temporary 0 '' 'by random numbers' --key random
is_open 'by random numbers'
write 'by random numbers'
close 'by random numbers'
again 'by random numbers, again' --key random
echo "1..$n"
exit $failed
