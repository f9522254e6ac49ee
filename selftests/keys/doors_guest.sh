#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: the same keys and disks by the kernel's driver and by ours, and whatever the
# host does with its VLEK. OLD_TCB: committed, NEW_TCB: after an update; MIT: set where
# the firmware knows launch mitigations. Prints TAP.
cd /t || exit
# shellcheck source=selftests/keys/disk_lib.sh
. ./disk_lib.sh
# what either door can ask for
COMMON=policy,image,family,measurement,svn,tcb

derive()	# FILE OPTION...
{
	local out=$1

	shift
	[ "$1" = --label ] || set -- --label test "$@"
	cvmctl key derive --out "$out" --length 64 --salt 0102 "$@" 2>/tmp/err
}

native_keys()
{
	derive native.key && grep -q 'sev-guest.*pass through this process' /tmp/err
	result $? 'by the kernel: the user is told'
	derive again.key --mix $COMMON && cmp native.key again.key && [ "$(wc -c <native.key)" = 64 ]
	result $? 'of all that this door can ask for, and the same key again'
	derive other.key --label other && ! cmp -s native.key other.key
	result $? 'another label, another key'
	derive vmrk.key --root vmrk --mix $COMMON && derive svn.key --mix policy,svn --svn 0 &&
		derive vmpl.key --vmpl 3 --mix $COMMON
	result $? 'keys of other inputs'
	try 4 "${MIT:+cannot ask for }mit" 'what this door cannot ask for' \
		cvmctl key derive --out x --mix policy,mit
}

native_keyring()
{
	try 0 '' 'into a keyring' cvmctl key derive --keyring user --name k --timeout 60
	grep -q 'logon *cvm:k' /proc/keys
	result $? 'where it is a logon key'
	try 1 'a key of that name' 'not over a key' cvmctl key derive --keyring user --name k
	export WATCH_PLANT=cvm:theirs
	try 1 'a key of that name' "nor over somebody else's" \
		watched cvmctl key derive --keyring session --name theirs --type user
	has start 'user *cvm:theirs: 7$' && has exit 'user *cvm:theirs: 7$'
	result $? 'which is as it was'
	unset WATCH_PLANT
}

vlek_signs()
{
	cvmctl report --report-data "$OTHER$(printf '%032d' 0)" 2>/dev/null |
		cvmctl show - --json | grep -q '"signing_key": "vlek"'
}

# the host loads one when it likes; older firmware takes the name of the VCEK for an error
test_vlek()
{
	fw report_version=2
	derive x --mix $COMMON && cmp native.key x
	result $? 'older firmware: the key of the chip'
	rm -f x
	export WATCH_DERIVE="echo signing_key=vlek >$SIM/control"
	try 1 'has just loaded a VLEK' 'older firmware, a VLEK just before: no key' \
		watched cvmctl key derive --out x --length 64
	[ ! -e x ] && vlek_signs
	result $? 'and no file'
	derive x --mix $COMMON && cmp native.key x
	result $? 'a VLEK long before: the key of the chip'
	fw signing_key=vcek report_version=3
	! vlek_signs && watched cvmctl key derive --out x --length 64 --salt 0102 --label test \
		--mix $COMMON 2>/tmp/err
	cmp native.key x && vlek_signs
	result $? 'a VLEK just before: the key of the chip'
	unset WATCH_DERIVE
	fw signing_key=vcek report_version="$REPORT_VERSION"
}

# what user space has is wiped, and the master gone, before the process ends
test_signal()
{
	# shellcheck disable=SC2016 # of the shell that runs it
	export WATCH_DERIVE='kill -TERM $PPID'
	try 143 '' 'a signal ends it' watched cvmctl disk open data /dev/loop0 --record data.json
	has drop 'user *cvm:disk-master' && nothing_open
	result $? 'when the master is gone'
	rm -f x
	try 143 '' 'a signal ends it' watched cvmctl key derive --out x --length 64
	[ "$(wc -c <x)" = 64 ]
	result $? 'when what was asked for is there'
	unset WATCH_DERIVE
}

native_disk()
{
	dd if=/dev/urandom of=pattern bs=4096 count=16 2>/dev/null
	try 0 '' 'format' disk format data /dev/loop0 --record data.json --system measured
	try 0 '' 'open' watched cvmctl disk open data /dev/loop0 --record data.json
	has unwrap 'user *cvm:disk-master' && has_not table 'cvm:disk-master' &&
		has table 'encrypted *cvm:data' && has_not exit 'cvm:'
	result $? 'the master is there to unwrap, and gone then; at the end all are'
	write_data data
	try 0 '' 'close' disk close data
	fw committed_tcb="$NEW_TCB"
	try 0 'rotated' 'rotate' disk rotate data --record data.json
	fw measurement="$OTHER"
	refused 'another key' 'another measurement' data.json
	fw measurement="$MEASUREMENT"
}

# a key takes a request of its own, by the door that is there and no other
benched()	# BACKEND OTHER WORDS
{
	try 0 '"attestations_per_report": 1\.0\b' "bench: keys by $1" \
		cvmctl bench --mode key --clients 2 --seconds 2 --backend "$1" --json
	grep -q '"errors": 0\b' /tmp/out && ! grep -q '"count": 0\b' /tmp/out
	result $? "bench: keys by $1, without an error"
	try 4 "$3" "bench: none by $2" \
		cvmctl bench --mode key --seconds 1 --backend "$2"
}

other_door()
{
	rmmod sev_guest && modprobe cvm_guest drop_in=0
	result $? 'another driver'
	opens_again data.json
	result $? 'opens what the other door has made'
	derive cvm.key --tcb "$OLD_TCB" --mix $COMMON && cmp native.key cvm.key &&
		grep -q 'cvm/key: keys go into keyrings' /tmp/err
	result $? 'and gives the same key, and says so'
	derive x --tcb "$OLD_TCB" --root vmrk --mix $COMMON && cmp x vmrk.key &&
		derive x --mix policy,svn --svn 0 && cmp x svn.key &&
		derive x --tcb "$OLD_TCB" --vmpl 3 --mix $COMMON && cmp x vmpl.key
	result $? 'of other inputs too'
}

# number of the key NAME of the user's keyring, and its bytes are those of FILE
is_key()	# NAME FILE NUMBER
{
	keyctl pipe "$3" >x 2>/tmp/err && cmp x "$2" &&
		[ "$(keyctl search @u user "cvm:$1")" = "$3" ]
}

rotate()	# NAME OPTION...
{
	local name=$1

	shift
	cvmctl key rotate --name "$name" --keyring user --type user --length 64 --salt 0102 \
		--label test --mix $COMMON "$@" >/tmp/out 2>/tmp/err
}

# the firmware has been updated: what the key was, and what it is from now on
test_rotation()
{
	local former

	derive new.key --mix $COMMON && ! cmp -s new.key native.key &&
		cvmctl key derive --name r --keyring user --type user --length 64 --salt 0102 \
			--label test --mix $COMMON --tcb "$OLD_TCB" >former 2>/tmp/err
	result $? 'a key of the firmware before'
	former=$(cat former)
	is_key r native.key "$former"
	result $? 'is in the keyring'
	try 1 'above the committed' 'rotate: not from a firmware that is not here' \
		rotate r --tcb ff18000000000004
	is_key r native.key "$former"
	result $? 'which leaves the key there'
	rotate r --tcb "$OLD_TCB" && [ "$(wc -l </tmp/out)" = 2 ] &&
		is_key r new.key "$(sed -n 1p /tmp/out)" &&
		is_key r.old native.key "$(sed -n 2p /tmp/out)"
	result $? 'rotate: the new key, and the old one by another name'
	! keyctl pipe "$former" >x 2>&1
	result $? 'and the former one is gone'
	rotate r --tcb "$OLD_TCB" && is_key r new.key "$(sed -n 1p /tmp/out)" &&
		is_key r.old native.key "$(sed -n 2p /tmp/out)"
	result $? 'and once more'
	rotate r --tcb "$NEW_TCB" && [ "$(wc -l </tmp/out)" = 1 ] &&
		is_key r new.key "$(cat /tmp/out)"
	result $? 'nothing has changed: one key'
	former=$(cat /tmp/out)
	export WATCH_DERIVE="echo report_status=22 >$SIM/control"
	try 1 '' 'the firmware refuses' watched cvmctl key rotate --name r --keyring user \
		--type user --tcb "$OLD_TCB"
	unset WATCH_DERIVE
	is_key r new.key "$former"
	result $? 'the key is there as before'
	keyctl clear @u
}

# a disk of the other door, or of older firmware, has them from its next rotation on
test_mitigations()
{
	derive x && derive y --mix $COMMON,mit && cmp x y && derive y --mix $COMMON && ! cmp -s x y
	result $? 'mitigations are mixed in where nothing is said'
	derive y --mit 0000000000000000 && ! cmp -s x y
	result $? 'and others can be named'
	refused 'weaker.*mit' 'a disk without them, where they are asked for' data.json \
		--mix $COMMON,mit
	try 0 'rotation *due' 'status: a rotation would mix them in' disk status data --record data.json
	try 0 'rotated' 'rotate' disk rotate data --record data.json
	opens_again data.json --mix $COMMON,mit
	result $? 'which it has'
	try 0 'rotation *current' 'status: no other would' disk status data --record data.json
	rmmod cvm_guest && modprobe sev_guest
	result $? "the kernel's driver again"
	try 4 'cannot ask for mit' 'cannot open a disk with them' open_data data.json
	nothing_open
	result $? 'and nothing is open'
}

setup
native_keys
native_keyring
test_vlek
native_disk
test_signal
benched native cvm 'cvm-guest driver is not loaded'
other_door
test_rotation
benched cvm native 'neither /dev/sev-guest nor'
[ -z "$MIT" ] || test_mitigations
echo "1..$n"
exit $failed
