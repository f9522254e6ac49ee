#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# In the VM: see tdx_parallel.sh. Prints TAP.
SIM=/sys/kernel/cvm_platform_sim
DEV=/sys/class/misc/cvm_report
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
		echo "# $*"
		grep . $DEV/channel/* $DEV/stats/* 2>/dev/null | sed 's/^/# /'
		sed 's/^/# /' $SIM/seam
	fi
}

fw()
{
	local line

	for line; do
		echo "$line" >$SIM/control || echo "# cvm-fwd refused $line"
	done
}

refused()
{
	! modprobe cvm_guest "$1" 2>/dev/null
}

# 16 callers who always want a quote, without an error
callers()
{
	cvmctl bench --clients 16 --seconds "$1" --json | grep -q '"errors": 0,'
}

between()
{
	[ "$2" -ge "$1" ] && [ "$2" -le "$3" ] && return 0
	echo "# $2 is not in $1 to $3"
	return 1
}

inflight()
{
	cat $DEV/channel/max_inflight
}

# of a host that takes MS for a quote, from the beginning
learn()	# MS [PARAMETER]
{
	[ ! -d /sys/module/cvm_guest ] || rmmod cvm_guest
	fw "quote_ms=$1"
	modprobe cvm_guest ${2:+"$2"}
	callers $((4 + $1 / 16))
}

# HOST PARAMETER CONDITION...: what is learned of it. Where others have the CPU, what the
# guest itself takes for a quote is learned too; of a host that takes longer it is less.
learns()
{
	local host=$1 parameter=$2 ms all=yes

	shift 2
	for ms in 20 80 320; do
		learn $ms "$parameter" || all=no
		! "$@" || break
	done
	echo "# $host: of one that takes $ms ms"
	ok "$host: every caller gets its quotes" [ $all = yes ]
	ok "$host: as many in flight as are of use" "$@"
}

keeps()	# LEAST MOST
{
	between "$1" "$(inflight)" "$2"
}

places()
{
	ok 'no buffers: the module does not load' refused quote_buffers=0
	ok '17 buffers: nor then' refused quote_buffers=17
	learns 'four places' '' keeps 3 4
	learns 'four places, 16 buffers' quote_buffers=16 keeps 3 6
	learns 'four places, one buffer' quote_buffers=1 keeps 1 1
	fw parallel=1
	learns 'one place' '' keeps 1 1
}

# one more was tried than the host takes, which then refuses
keeps_two()
{
	keeps 1 2 && [ "$(cat $DEV/stats/throttled)" -gt 0 ]
}

# two are taken, the others refused
refusals()
{
	learns 'room for two' '' keeps_two
}

quote()
{
	cvmctl quote --report-data "$(od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n')" --out /dev/null
}

# N callers who wait for a second, each for a quote of his own
give_up()
{
	local i

	for i in $(seq "$1"); do
		timeout 1 cvmctl quote --report-data "$(printf '%0128d' "$i")" --out /dev/null 2>/dev/null &
	done
	wait
}

# FILE VALUE: of the channel, within a minute
becomes()
{
	local i

	for i in $(seq 600); do
		[ "$(cat $DEV/channel/"$1")" != "$2" ] || return 0
		usleep 100000
	done
	echo "# channel/$1 is $(cat $DEV/channel/"$1")"
	return 1
}

# 5 buffers: one, and the four that stand in for it
all_five()
{
	modprobe cvm_guest quote_buffers=1
	# how long this host takes
	for _ in 1 2 3 4 5 6; do
		quote
	done
}

# for no longer than he likes
who_asks_waits()
{
	local start

	start=$(date +%s)
	! cvmctl quote --timeout 1000 --report-data "$(printf '%0128d' 1)" --out /dev/null 2>/dev/null &&
		[ $(($(date +%s) - start)) -lt 20 ]
}

said()	# TIMES TEXT
{
	[ "$(dmesg | grep -c "$2")" = "$1" ]
}

late()
{
	all_five
	fw quote_ms=30000 parallel=16
	for i in 1 2 3 4 5; do
		give_up 1
		ok "$i that the host is late with" becomes late_buffers "$i"
	done
	ok 'it has all of them: requests wait' becomes state parked
	ok 'it gives them back' becomes late_buffers 0
	ok 'and is asked again' becomes state ready
	fw quote_ms=20
	ok 'as if nothing had been' quote
	ok 'nothing is lost when the module leaves' rmmod cvm_guest
	ok 'nor said' said 0 'quote buffers of .* are lost'

	all_five
	fw stuck_n=2
	give_up 1
	ok 'one that is never answered' becomes late_buffers 1
	give_up 1
	ok 'another one' becomes late_buffers 2
	ok 'others are' quote
	ok 'the module leaves, without what the host has' rmmod cvm_guest
	ok 'and says so once' said 1 '2 quote buffers of 128 KiB are lost: the host has not given them back'
	all_five
	ok 'it has others when it comes back' quote
	fw stuck_n=100
	for i in 1 2 3 4 5; do
		give_up 1
		ok "$i that is never answered" becomes late_buffers "$i"
	done
	ok 'the host has all of them' becomes state parked
	ok 'who asks now waits for no longer than he likes' who_asks_waits
	ok 'the module leaves all the same' rmmod cvm_guest
	ok 'without any of them' said 1 '5 quote buffers of 128 KiB are lost'
	fw stuck_n=0
	modprobe cvm_guest
	ok 'and comes back with others' quote
}

"$1"
ok 'no rule was broken' [ "$(cat $SIM/violations)" = 0 ]
echo "1..$n"
