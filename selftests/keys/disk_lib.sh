# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What the scripts of selftests/keys share in the VM: results, and the disks data, on
# /dev/loop0, and safe, on /dev/loop1. Sourced, in /t.
SIM=/sys/kernel/cvm_platform_sim
OTHER=$(printf '5e%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 \
	25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48)
# results of the boot before
n=${BEFORE:-0} failed=0

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

# cvmctl with an eye on the keys of its process: see watch_keys.c
watched()	# COMMAND...
{
	rm -f /tmp/seen
	LD_PRELOAD=/usr/lib/watch_keys.so WATCH_LOG=/tmp/seen "$@"
}

came_by()	# PLACE
{
	grep -q "^$1\$" /tmp/seen
}

has()	# PLACE KEY: the key is there then
{
	came_by "$1" && grep -qE "^$1 .*$2" /tmp/seen
}

has_not()	# PLACE KEY
{
	came_by "$1" && ! grep -E "^$1 .*$2" /tmp/seen
}

# nothing on @device has been changed by COMMAND, which fails
untouched()	# DEVICE STATUS WORDS NAME COMMAND...
{
	local device=$1 before

	shift
	before=$(md5sum <"$device")
	try "$@"
	[ "$before" ] && [ "$(md5sum <"$device")" = "$before" ]
	result $? "$3: the device is as it was"
}

no_drafts()
{
	[ "$(find /t -name '.*cvmctl*')" = '' ]
}

setup()
{
	modprobe -a loop dm-mod
	losetup /dev/loop0 data.img
	losetup /dev/loop1 safe.img
	# of the launch, by its report
	MEASUREMENT=$(cvmctl report --report-data "$OTHER$(printf '%032d' 0)" 2>/dev/null |
		cvmctl show - --json | sed -n 's/.*"measurement": "\([0-9a-f]*\)".*/\1/p')
}
