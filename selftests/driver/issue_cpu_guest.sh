#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Where the thread that talks to the firmware may run, by issue_cpu=.
set -u
param=/sys/module/cvm_guest/parameters/issue_cpu
n=0

worker() {
	for dir in /proc/[0-9]*; do
		[ "$(cat "$dir/comm" 2>/dev/null)" != cvm ] || { echo "$dir"; return; }
	done
}

runs_on() {	# CPUS WHAT
	n=$((n + 1))
	have=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "$(worker)/status")
	if [ "$have" = "$1" ]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2: $have"
	fi
}

refused() {	# VALUE
	n=$((n + 1))
	if echo "$1" 2>/dev/null >$param; then
		echo "not ok $n issue_cpu=$1 is refused"
	else
		echo "ok $n issue_cpu=$1 is refused"
	fi
}

echo 1..6
modprobe cvm_guest issue_cpu=1
# an answered request: the thread has run, and has placed itself
cvmctl report --report-data "$(printf '%0128d' 1)" --out /dev/null
runs_on 1 'given at load'
echo -1 >$param
runs_on 0-1 'taken back'
echo 0 >$param
runs_on 0 'given later'
refused 2
refused -2
runs_on 0 'a refused value changes nothing'
rmmod cvm_guest
