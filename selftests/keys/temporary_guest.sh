#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: temporary disks, what they are made of and what they refuse. Prints TAP.
#   temporary_guest.sh snp|tdx
n=0 failed=0
cd /t || exit

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

# temporary STATUS WORDS NAME OPTION...: it ends so, and says so
temporary()
{
	local want=$1 words=$2 name=$3 status good

	shift 3
	cvmctl disk temporary temp /dev/loop0 "$@" >/tmp/err 2>&1
	status=$?
	[ $status = "$want" ] && { [ -z "$words" ] || grep -q "$words" /tmp/err; }
	good=$?
	echo "exit status $status, wanted $want and '$words'" >>/tmp/err
	result $good "$name"
}

nothing_open()
{
	[ "$(echo /dev/mapper/*)" = /dev/mapper/control ]
	result $? "$1: nothing is open"
}

# encrypted, by a key that no keyring has any more, and behind the mark
is_open()	# NAME
{
	dmsetup table temp >/tmp/err 2>&1
	[ "$(cat /tmp/err)" = '0 8184 crypt aes-xts-plain64 :64:encrypted:cvm:temp 0 7:0 8 1 sector_size:4096' ]
	result $? "$1: its table"
}

# what is written is not on the device, and what was is not read
write()
{
	dd if=pattern of=/dev/mapper/temp bs=4096 conv=fsync 2>/tmp/err
	echo 3 >/proc/sys/vm/drop_caches
	dd if=/dev/mapper/temp bs=4096 count=16 2>/tmp/err | cmp - pattern
	result $? "$1: what is written can be read"
	dd if=disk.img of=outside bs=4096 skip=1 count=16 2>/tmp/err
	! cmp -s outside pattern
	result $? "$1: it is not on the device"
}

close()
{
	cvmctl disk close temp 2>/tmp/err
	result $? "$1: close"
	nothing_open "$1"
}

again()	# NAME OPTION...
{
	local name=$1

	shift
	temporary 0 '' "$name" "$@"
	is_open "$name"
	dd if=/dev/mapper/temp of=inside bs=4096 count=16 2>/tmp/err
	! cmp -s inside pattern
	result $? "$name: what was there cannot be read"
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
	nothing_open "$what"
	md5sum disk.img | cmp - before
	result $? "$what: nothing has happened to it"
}

refusals()
{
	# behind a mark that is still whole, each would be lost
	foreign 'a partition table' 510 '\125\252'
	again 'with --force' --force
	foreign 'an ext4 file system' 1080 '\123\357'
	again 'with --force' --force
	foreign 'swap' 4086 'SWAPSPACE2'
	dd if=/dev/zero of=/dev/loop0 bs=1M count=4 conv=fsync 2>/tmp/err
	foreign 'a table at the end' $((4 * 1048576 - 512)) 'EFI PART'
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
	temporary 2 'no --record' 'no record' --record r.json
	temporary 2 'no --integrity\|no --record' 'nor integrity' --integrity
	temporary 2 'neither derived nor random' 'a key of another kind' --key none
	[ ! -e r.json ]
	result $? 'no record is made'
}

modprobe -a loop dm-mod
losetup /dev/loop0 disk.img
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
nothing_open 'without derived keys'
temporary 0 '' 'by random numbers' --key random
is_open 'by random numbers'
write 'by random numbers'
close 'by random numbers'
again 'by random numbers, again' --key random
echo "1..$n"
exit $failed
