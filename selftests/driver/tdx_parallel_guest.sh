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

# HOST SECONDS LEAST MOST [PARAMETER]: what is learned about it from the beginning
learns()
{
	modprobe cvm_guest ${5:+"$5"}
	ok "$1: every caller gets its quotes" callers "$2"
	ok "$1: as many in flight as are of use" between "$3" "$(inflight)" "$4"
}

places()
{
	ok 'no buffers: the module does not load' refused quote_buffers=0
	ok '17 buffers: nor then' refused quote_buffers=17
	learns 'four places' 5 3 4
	rmmod cvm_guest
	learns 'four places, 16 buffers' 5 3 6 quote_buffers=16
	rmmod cvm_guest
	learns 'four places, one buffer' 1 1 1 quote_buffers=1
	rmmod cvm_guest
	fw parallel=1
	learns 'one place' 5 1 1
}

# two are taken, the others refused
refusals()
{
	learns 'room for two' 4 1 2
	ok 'which the host has said' [ "$(cat $DEV/stats/throttled)" -gt 0 ]
}

"$1"
ok 'no rule was broken' [ "$(cat $SIM/violations)" = 0 ]
echo "1..$n"
