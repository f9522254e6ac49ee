#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: makes keys, uses them and gives them up; the watcher beside the VM is asked
# each time what is in memory. Prints TAP.
#   memory_guest.sh short|whole
OLD_TCB=0xd218000000000004 NEW_TCB=db18000000000004
MIX=policy,image,family,measurement,svn,tcb
cd /t || exit
# shellcheck source=selftests/keys/memory_lib.sh
. ./memory_lib.sh

# a key of the chip for this label
know_key()	# NAME LABEL LENGTH
{
	know key "$1" mix=0x3f svn=3 tcb=$OLD_TCB label="$2" length="$3"
}

derive()	# NAME LABEL LENGTH
{
	cvmctl key derive --name "$1" --keyring user --mix $MIX --label "$2" --length "$3" \
		2>/tmp/err
}

# ---- keys in keyrings

keyrings()
{
	local serial

	know_key logon memory 64
	serial=$(derive logon memory 64)
	found logon logon.okm:raw "$1: of a key in a keyring that key is there, once, and nothing else"
	key_use invalidate "$serial"
	nothing "$1: a key that was in a keyring" logon

	know_key quota quota 64
	echo 1 >/proc/sys/kernel/keys/root_maxkeys
	derive quota quota 64
	[ $? = 1 ] && grep -q quota /tmp/err
	result $? "$1: a keyring beyond its quota is an error"
	echo 1000000 >/proc/sys/kernel/keys/root_maxkeys
	nothing "$1: a full keyring" quota

	know_key taken taken 64
	serial=$(derive name other 32)
	derive name taken 64
	[ $? = 1 ] && grep -q 'of that name\|exists' /tmp/err
	result $? "$1: a name that is taken is an error"
	live=1
	nothing "$1: a name that is taken" taken
	live=0
	key_use invalidate "$serial"
}

faults()
{
	know_key fault fault 64
	key_use fault 0x3f 3 $OLD_TCB fault 2>/tmp/err
	result $? 'keys that cannot be written'
	nothing 'keys that cannot be written' fault

	know_key signal signal 64
	fw busy_ms=3000
	key_use signal 0x3f 3 $OLD_TCB signal 2>/tmp/err
	result $? 'a signal'
	nothing 'a signal' signal
	# behind the one that nobody waits for
	derive after after 32 >/tmp/serial
	result $? 'the next key'
	live=1
	nothing 'the answer that nobody waits for' signal
	live=0
	key_use invalidate "$(cat /tmp/serial)"
}

unload()
{
	know_key unload unload 64
	derive unload unload 64 >/tmp/serial
	rmmod cvm_guest 2>/tmp/err
	result $? 'the module goes'
	found unload unload.okm:raw 'and leaves the key in its keyring'
	key_use invalidate "$(cat /tmp/serial)"
	# shellcheck disable=SC2086 # words
	nothing 'the module gone' $all
}

# ---- disks

# all of NAME but the disk's own key
other_keys()
{
	echo "$1.raw $1.prk $1.master $1.mac $1.wrap $1.auth"
}

disk()	# NAME DEVICE FORMAT-OPTION...
{
	local name=$1 device=$2

	shift 2
	cvmctl disk format "$name" "$device" --record "$name.json" --system measured "$@" 2>/tmp/err
	result $? "$name: format"
	know disk "$name" "$(tr -d '\n' <"$name.json")"
	nothing "$name: formatted" "$name"
	cvmctl disk open "$name" "$device" --record "$name.json" 2>/tmp/err
	result $? "$name: open"
	ask look "$name.data"
	# dm-crypt's own, which it cannot do without, and what AES makes of it
	case $answer in
	"found $name.data:raw $name.data:aes"*) result 0 "$name: open: its key is there, expanded" ;;
	*) result 1 "$name: open: its key is there, expanded" ;;
	esac
	# shellcheck disable=SC2046 # words
	nothing "$name: open: no key but the disk's" $(other_keys "$name")
	dd if=/dev/urandom of=/dev/mapper/"$name" bs=4096 count=16 conv=fsync 2>/tmp/err
	cvmctl disk close "$name" 2>/tmp/err
	result $? "$name: close"
	nothing "$name: closed" "$name"
}

# of what opens it, nothing is kept
temporary()	# NAME DEVICE
{
	local name=$1 salt wrapped

	LD_PRELOAD=/usr/lib/watch_keys.so WATCH_MASKED=/tmp/masked \
		cvmctl disk temporary "$name" "$2" --force --mix $MIX 2>/tmp/err
	result $? "$name: open"
	salt=$(sed -n 's/^salt //p' /tmp/masked | tail -n 1)
	wrapped=$(sed -n 's/^wrapped //p' /tmp/masked | tail -n 1)
	# it unwraps to a key: so they are what they are said to be
	know temporary "$name" 0x3f 3 $OLD_TCB "$salt" "$wrapped"
	ask look "$name.data"
	case $answer in
	"found $name.data:raw $name.data:aes"*) result 0 "$name: open: its key is there, expanded" ;;
	*) result 1 "$name: open: its key is there, expanded" ;;
	esac
	# shellcheck disable=SC2046 # words
	nothing "$name: open: no salt, no wrapped key, no other key" $(other_keys "$name") \
		"$name.salt" "$name.wrapped"
	cvmctl disk close "$name" 2>/tmp/err
	result $? "$name: close"
	nothing "$name: closed" "$name"
}

rotate()	# NAME
{
	fw committed_tcb=$NEW_TCB
	cvmctl disk rotate "$1" --record "$1.json" >/dev/null 2>/tmp/err
	result $? "$1: rotate"
	know disk "new-$1" "$(tr -d '\n' <"$1.json")"
	nothing "$1: rotated" "$1" "new-$1"
	fw committed_tcb=d218000000000004
}

modprobe -a loop dm-mod
losetup /dev/loop0 data.img
losetup /dev/loop1 safe.img
at_rest
controls
keyrings module
faults
unload
modprobe cvm_guest
# by our /dev/sev-guest, as programs do that know no other node
mv /dev/cvm/key /dev/cvm/elsewhere
keyrings drop-in
mv /dev/cvm/elsewhere /dev/cvm/key
disk data /dev/loop0
rotate data
temporary temp /dev/loop0
[ "$1" = short ] || disk safe /dev/loop1 --integrity
# shellcheck disable=SC2086 # words
nothing 'at the end' $all

# by the kernel's own driver keys pass through user space
if [ "$1" = whole ] && modprobe -n -q sev-guest; then
	all=''
	rmmod cvm_guest && modprobe sev-guest
	result $? "the kernel's own driver"
	keyrings native
	dd if=/dev/zero of=/dev/loop0 bs=1M count=4 conv=fsync 2>/dev/null
	rm data.json
	disk data /dev/loop0
	# shellcheck disable=SC2086 # words
	nothing 'native, at the end' $all
fi
echo "1..$n"
exit $failed
