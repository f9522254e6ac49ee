#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: disks with a LUKS2 header, and keys and disks under a secret of a TPM, are
# made, used and given up; the watcher beside the VM is asked each time what is in memory.
# Prints TAP.
#   memory_sealed_guest.sh short|whole
OLD_TCB=0xd218000000000004 NEW_TCB=db18000000000004
OURS=the-system-that-has-sealed-it...
LATER=what-has-been-measured-after-it.
PCRS='--pcrs 4,7,11'
# of the header, with two key slots of 256 KiB
HEADER=557056
cd /t || exit
# shellcheck source=selftests/keys/memory_lib.sh
. ./memory_lib.sh
# shellcheck source=selftests/keys/tpm_lib.sh
. ./tpm_lib.sh

# what a process of cvmctl asks the watcher for, when: see watch_keys.c
at_add='' at_unseal=''

# with a TPM's secret noted, where nothing of it is left by that
noted()	# COMMAND...
{
	LD_PRELOAD=/usr/lib/watch_keys.so WATCH_MASKED=/tmp/masked WATCH_LOG=/tmp/places \
		WATCH_ADD=$at_add WATCH_UNSEAL=$at_unseal WATCH_FOUND=/tmp/seen "$@"
}

# the secret that the TPM has given out last, when noted, and how it came
know_sealed()	# NAME
{
	know sealed "$1" "$(sed -n 's/^sealed //p' /tmp/masked | tail -n 1)"
	# shellcheck disable=SC2046 # words
	know session "$1" $(sed -n 's/^session //p' /tmp/masked)
}

know_record()	# NAME [FILE]
{
	know disk "$1" "$(tr -d '\n' <"${2:-$1.json}")"
}

# streamed: it is no argument of a command
know_header()	# NAME DEVICE
{
	{ printf 'header %s ' "$1"; head -c $HEADER "$2" | base64 | tr -d '\n'; echo; } >&8
	read -r answer <&8
	[ "$answer" = known ] || result 1 "the watcher knows the header of $1"
}

looked()	# WHAT TEXT
{
	answer=$(cat /tmp/seen)
	[ "$answer" = "found $1" ]
	result $? "$2"
}

# open, and its key is where it cannot be done without; OTHERS are not
open_disk()	# NAME OTHERS DEVICE OPTION...
{
	local name=$1 others=$2

	shift 2
	cvmctl disk open "$name" "$@" --record "$name.json" 2>/tmp/err
	result $? "$name: open"
	ask look "$name.data"
	case $answer in
	"found $name.data:raw $name.data:aes"*) result 0 "$name: open: its key is there, expanded" ;;
	*) result 1 "$name: open: its key is there, expanded" ;;
	esac
	# shellcheck disable=SC2046,SC2086 # words
	nothing "$name: open: no key but the disk's" $(printf "$name.%s " $others)
	dd if=/dev/urandom of=/dev/mapper/"$name" bs=4096 count=16 conv=fsync 2>/tmp/err
	cvmctl disk close "$name" 2>/tmp/err
	result $? "$name: close"
	nothing "$name: closed" "$name"
}

# refused WORDS TEXT NAME COMMAND...: it fails so, and leaves nothing of NAME
refused()
{
	local words=$1 text=$2 name=$3

	shift 3
	! "$@" >/tmp/out 2>/tmp/err && grep -q "$words" /tmp/err
	result $? "$text: refused"
	nothing "$text" "$name"
}

full_keyring()	# NAME COMMAND...
{
	echo 1 >/proc/sys/kernel/keys/root_maxkeys
	refused quota "$1: a full keyring" "$@"
	echo 1000000 >/proc/sys/kernel/keys/root_maxkeys
}

# the device-mapper was given the disk's table and no other, the kernel's cipher nothing
in_process()	# TEXT
{
	[ "$(grep -c '^table$' /tmp/places)" = 1 ] && ! grep -q '^algif_skcipher' /proc/modules
	result $? "luks: $1: key slots are the process's affair"
}

# all but the volume's
LUKS_KEYS='raw prk mac unwrap passphrase recovery slot0 slot1 first0 first1 last0 last1'

luks()
{
	noted cvmctl disk format luks /dev/loop0 --record luks.json --system measured --luks \
		--recovery recovery 2>/tmp/err
	result $? 'luks: format'
	in_process format
	know recovery luks "$(key_use mask recovery)"
	know_header luks /dev/loop0
	know_record luks
	found luks luks.recovery:raw 'luks: of what was made the recovery passphrase is in its file, and nothing else'
	dd if=/dev/zero of=recovery bs=64 count=1 conv=notrunc 2>/tmp/err
	rm recovery
	nothing 'luks: formatted' luks
	at_add='luks.passphrase luks.data'
	noted cvmctl disk open luks /dev/loop0 --record luks.json 2>/tmp/err
	at_add=''
	in_process open
	looked 'luks.passphrase:raw luks.data:raw' \
		'control: passphrase and key of the volume are found when the kernel is given that'
	cvmctl disk close luks
	open_disk luks "$LUKS_KEYS" /dev/loop0
	full_keyring luks cvmctl disk open luks /dev/loop0 --record luks.json
	printf x | dd of=/dev/loop0 bs=1 seek=40000 conv=notrunc,fsync 2>/dev/null
	refused 'not the one' 'luks: another header' luks \
		cvmctl disk open luks /dev/loop0 --record luks.json
	fw committed_tcb=$NEW_TCB
	cvmctl disk rotate luks --record luks.json >/dev/null 2>/tmp/err
	result $? 'luks: rotate'
	nothing 'luks: rotated' luks
	fw committed_tcb=${OLD_TCB#0x}
}

# tpm NAME FROM OTHERS OPTION...: a disk under a secret of the TPM
tpm()
{
	local name=$1 from=$2 others=$3 luks=''

	shift 3
	[ "$1" != --luks ] || luks=1
	# shellcheck disable=SC2086 # words
	noted cvmctl disk format "$name" /dev/loop0 --force --record "$name.json" --from "$from" $PCRS \
		--tpm trusted "$@" 2>/tmp/err
	result $? "$name: format"
	know_sealed "$name"
	[ "$luks" = '' ] || know_header "$name" /dev/loop0
	know_record "$name"
	nothing "$name: formatted" "$name"
	at_unseal=$name.sealed
	# shellcheck disable=SC2086
	noted cvmctl disk open "$name" /dev/loop0 --record "$name.json" \
		--from "$from" $PCRS 2>/tmp/err
	at_unseal=''
	looked "$name.sealed:raw" "control: $name: the TPM's secret is found when it is given out"
	know_sealed "$name"
	cvmctl disk close "$name"
	# shellcheck disable=SC2086
	open_disk "$name" "$others" /dev/loop0 --from "$from" $PCRS
	# shellcheck disable=SC2086
	full_keyring "$name" cvmctl disk open "$name" /dev/loop0 --record "$name.json" --from "$from" $PCRS
	# shellcheck disable=SC2086
	noted cvmctl disk rotate "$name" --record "$name.json" --from "$from" $PCRS >/dev/null 2>/tmp/err
	result $? "$name: rotate"
	know_sealed "new-$name"
	[ "$luks" = '' ] || know_header "new-$name" /dev/loop0
	know_record "new-$name" "$name.json"
	nothing "$name: rotated" "$name" "new-$name"
}

tpm_keys()
{
	local serial

	# shellcheck disable=SC2086 # words
	noted cvmctl key seal --record key.json $PCRS --tpm trusted 2>/tmp/err
	result $? 'key seal'
	know_sealed key
	know_record key
	nothing 'key seal' key
	know key derived tpm=key label=memory length=64
	# shellcheck disable=SC2086
	serial=$(cvmctl key derive --from tpm --record key.json $PCRS --label memory --length 64 \
		--keyring user --name sealed 2>/tmp/err)
	found derived derived.okm:raw 'of a key of the TPM that is in a keyring that key is there, and nothing else'
	key_use invalidate "$serial"
	nothing 'a key of the TPM that was in a keyring' key derived
	# shellcheck disable=SC2086
	full_keyring derived cvmctl key derive --from tpm --record key.json $PCRS --label memory \
		--length 64 --keyring user --name sealed
}

modprobe -a loop dm-mod
losetup /dev/loop0 data.img
at_rest
controls
measure 11 $OURS
luks
tpm_keys
tpm tpm tpm 'sealed prk mac master wrap auth'
if [ "$1" = whole ]; then
	tpm tpm-luks tpm 'sealed prk mac unwrap passphrase slot0 first0 last0' --luks
	tpm both both 'sealed mixed raw prk mac master wrap auth' --system firmware
fi
measure 11 $LATER
# shellcheck disable=SC2086 # words
refused 'are not what they were' 'something else measured' tpm \
	cvmctl disk open tpm /dev/loop0 --record tpm.json --from tpm $PCRS
# shellcheck disable=SC2086 # words
nothing 'at the end' $all
echo "1..$n"
exit $failed
