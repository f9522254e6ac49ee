#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: tsm_guest.sh PLATFORM: our provider of configfs-tsm, from load to
# unload, with parameters, beside others, and under a host that is slow or silent.
# Prints TAP.
platform=$1
SIM=/sys/kernel/cvm_platform_sim
REPORTS=/sys/kernel/config/tsm/report
STATE=/sys/class/misc/cvm_report/channel/tsm
name=sev_guest
[ "$platform" = snp ] || name=tdx_guest
n=0

ok()	# NAME CONDITION...
{
	local name=$1

	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		dmesg | tail -n 5 | sed 's/^/# /'
	fi
}

fw()
{
	local line

	for line; do
		echo "$line" >$SIM/control || echo "# cvm-fwd refused $line"
	done
}

# how long the firmware, or the host, takes for one
takes() { if [ "$platform" = snp ]; then fw "report_ms=$1"; else fw "quote_ms=$1"; fi; }

state_is() { [ "$(cat $STATE)" = "$1" ]; }
said() { dmesg | grep -q "$1"; }
random() { head -c 64 /dev/urandom; }
provider_is() { [ "$(cat "$REPORTS/$2/provider")" = "$1" ]; }

# ENTRY DATA: outblob of it is in /tmp/out; what cat says is in /tmp/err
ask()
{
	cat "$2" >"$REPORTS/$1/inblob" && cat "$REPORTS/$1/outblob" >/tmp/out 2>/tmp/err
}

# what was asked for last is in /tmp/out
carries()
{
	local hex

	hex=$(od -An -v -tx1 "$1" | tr -d ' \n')
	od -An -v -tx1 /tmp/out | tr -d ' \n' | grep -q "$hex"
}

ask_well() { ask "$1" "$2" && carries "$2"; }
refused_with() { ! ask "$1" "$2" && grep -q "$3" /tmp/err; }
no_entry() { ! mkdir $REPORTS/none 2>/tmp/err && grep -q 'No such device or address' /tmp/err; }
now_ms() { awk '{ print int($1 * 1000) }' /proc/uptime; }
took_ms() { echo $(($(now_ms) - start)); }
between() { [ "$2" -ge "$1" ] && [ "$2" -le "$3" ] && return 0; echo "# $2 is not in $1 to $3"; return 1; }

random >/tmp/data
random >/tmp/data2

modprobe cvm_guest tsm=0
ok 'off: no provider' no_entry
ok 'off: and it says so' state_is off
ok 'off: its own nodes work' [ -c /dev/cvm/report ]
rmmod cvm_guest

modprobe cvm_guest tsm_name=somebody
ok 'another name' state_is registered
mkdir $REPORTS/a
ok 'another name: clients see it' provider_is somebody a
rmdir $REPORTS/a
rmmod cvm_guest

modprobe cvm_guest
ok 'provider' state_is registered
mkdir $REPORTS/a $REPORTS/b
ok 'its name' provider_is $name a
ok 'a report' ask_well a /tmp/data
# what begins so marks batch evidence
{ printf CVMGBAT; head -c 57 /dev/urandom; } >/tmp/tagged
ok 'the reserved tag is refused' refused_with a /tmp/tagged 'Invalid argument'
{ printf CVMGBAU; head -c 57 /dev/urandom; } >/tmp/beside
ok 'what is not the tag is not' ask_well a /tmp/beside
cvmctl doctor >/tmp/doctor 2>/dev/null
ok 'doctor: fine' grep -q '^fine  *tsm ' /tmp/doctor
if [ "$platform" = snp ]; then
	ok 'the library, by configfs' cvmctl report --backend tsm --report-data @/tmp/data --out /tmp/out --certs /tmp/certs
	ok 'with certificates' [ -s /tmp/certs ]
else
	ok 'the library, by configfs' cvmctl quote --backend tsm --report-data @/tmp/data --out /tmp/out
fi
ok 'carries what was asked for' carries /tmp/data

# 64 at a time, each after the other: as long as their reports take
takes 20
start=$(now_ms)
ok '64 users' [ "$(/t/tsm_client 64 | grep -c '64 of 64 got what they asked for')" = 1 ]
echo "# with all else that a client does: $(took_ms) ms"
takes 5

# who waits is served in turn; told by counting who was served meanwhile. The kernel lets
# one at a time write what he asks for, as well as have it made: two turns of the others,
# and some for those who come just when its lock is free. A user who is starved counts up to 504
echo 0 >$SIM/seam
/t/tsm_users rounds 8 64 >/tmp/turns
figure() { sed -n "s/^ *\"$1\": *\([0-9]*\).*/\1/p" /tmp/turns; }
ok '64 users, eight times each: all get theirs' [ "$(figure count) $(figure errors)" = '512 0' ]
ok 'the hardware is asked once for each' [ "$(sed -n 's/^requests=//p' $SIM/seam)" = 512 ]
ok 'nobody waits for more than four turns of the others' between 1 "$(figure gap)" 256

# others get what they ask for, while the one who has asked by configfs waits
takes 3000
start=$(now_ms)
ask a /tmp/data &
usleep 300000
if [ "$platform" = tdx ]; then
	cvmctl quote --tdreport --report-data @/tmp/data2 --out /tmp/tdreport
	ok 'a TDREPORT meanwhile' between 0 "$(took_ms)" 2900
fi
wait
ok 'a slow host: as long as it takes' between 2900 "$(took_ms)" 8000
ok 'a slow host: what was asked for' carries /tmp/data

# who is killed goes at once, and costs nobody anything
random >/tmp/data
cat /tmp/data >$REPORTS/a/inblob
start=$(now_ms)
cat $REPORTS/a/outblob >/dev/null &
usleep 300000
kill -KILL $!
wait $!
ok 'killed: gone at once' between 0 "$(took_ms)" 2900
takes 5
ok 'the next one is served' ask_well b /tmp/data2

if [ "$platform" = snp ]; then
	fw busy_ms=2000
	start=$(now_ms)
	ok 'a throttled host: a report' ask_well a /tmp/data
	ok 'as soon as it may' between 1500 "$(took_ms)" 4000
	ok 'a lower level' ask_well b /tmp/data2
fi

# unload while somebody reads: he has his answer, or that the driver goes
takes 2000
random >/tmp/data
{ ask a /tmp/data; echo $? >/tmp/status; } &
usleep 500000
ok 'unload while outblob is read' rmmod cvm_guest
wait
answered() { [ "$(cat /tmp/status)" = 0 ] && carries /tmp/data; }
ok 'who read has his answer' answered
takes 5
ok 'the entries are there' [ -d $REPORTS/a ]
ok 'without a provider' [ "$(cat $REPORTS/a/provider 2>&1 | grep -c 'No such device or address')" = 1 ]
ok 'nor can one be made' no_entry

# entries keep everybody out; doctor says which, and its command mends it
modprobe cvm_guest
ok 'entries of the one before' state_is busy
ok 'it loads all the same, and says so' said 'not the provider of configfs-tsm'
ok 'its own nodes work' [ -c /dev/cvm/report ]
cvmctl doctor >/tmp/doctor 2>/dev/null
ok 'doctor: entries' grep -q '^warning  *tsm-busy  *configfs-tsm has no provider: entries .* 2 in ' /tmp/doctor
grep -A 1 'tsm-busy' /tmp/doctor | sed -n 's/^ *run: //p' >/tmp/command
ok 'with a command' grep -q '^rmdir .* && modprobe -r cvm_guest && modprobe cvm_guest$' /tmp/command
ok 'which works' sh /tmp/command
ok 'without them' state_is registered
umount /sys/kernel/config
cvmctl doctor >/tmp/doctor 2>/dev/null
ok 'doctor: not mounted' grep -q '^note  *tsm-unseen ' /tmp/doctor
mount -t configfs configfs /sys/kernel/config

# a host that never answers, and readers who wait behind each other
if [ "$platform" = tdx ]; then
	mkdir $REPORTS/a $REPORTS/b
	fw stuck_n=100
	cat /tmp/data >$REPORTS/a/inblob
	cat /tmp/data >$REPORTS/b/inblob
	cat $REPORTS/a/outblob >/dev/null 2>/tmp/err &
	cat $REPORTS/b/outblob >/dev/null 2>/tmp/err2 &
	usleep 500000
	start=$(now_ms)
	ok 'unload while the host does not answer' rmmod cvm_guest
	ok 'within what draining takes' between 0 "$(took_ms)" 9000
	wait
	ok 'who waited is told' grep -q 'canceled\|No such device or address' /tmp/err
	ok 'so is who waited for him' grep -q 'canceled\|No such device or address' /tmp/err2
	rmdir $REPORTS/*
	fw stuck_n=0
	modprobe cvm_guest
	ok 'it comes back' state_is registered
fi
ok 'no rule was broken' [ "$(cat $SIM/violations)" = 0 ]
echo "1..$n"
