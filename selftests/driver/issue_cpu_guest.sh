#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Where the thread that talks to the firmware may run, by issue_cpu=.
set -u
param=/sys/module/cvm_guest/parameters/issue_cpu
seam=/sys/kernel/cvm_platform_sim/seam
n=0

worker() {
	for dir in /proc/[0-9]*; do
		[ "$(cat "$dir/comm" 2>/dev/null)" != cvm ] || { echo "$dir"; return; }
	done
}

check() {	# STATUS WHAT
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n $2"; else echo "not ok $n $2: $have"; fi
}

runs_on() {	# CPUS WHAT
	have=$(sed -n 's/^Cpus_allowed_list:[[:space:]]*//p' "$(worker)/status")
	[ "$have" = "$1" ]
	check $? "$2"
}

ask() {
	cvmctl report --report-data "$(printf '%0128d' 1)" --out /dev/null
}

# whatever the thread may do: from where the firmware was asked
asks_from() {	# MASK WHAT
	echo 0 >$seam
	for _ in 1 2 3 4 5; do
		ask
	done
	have=$(sed -n 's/^cpus=//p' $seam)
	[ "$have" = "$1" ]
	check $? "$2"
}

refused() {	# VALUE
	n=$((n + 1))
	if echo "$1" 2>/dev/null >$param; then
		echo "not ok $n issue_cpu=$1 is refused"
	else
		echo "ok $n issue_cpu=$1 is refused"
	fi
}

cpuset=/sys/fs/cgroup/isolated

# a CPU for somebody alone; kthreads are placed elsewhere, some say for good
isolate() {
	grep -q cgroup2 /proc/mounts || mount -t cgroup2 none /sys/fs/cgroup
	echo +cpuset >/sys/fs/cgroup/cgroup.subtree_control && mkdir $cpuset &&
		echo 1 >$cpuset/cpuset.cpus && echo isolated >$cpuset/cpuset.cpus.partition
}

echo 1..14
modprobe cvm_guest issue_cpu=1
# an answered request: the thread has run, and has placed itself
ask
runs_on 1 'given at load'
asks_from 0x2 'the firmware is asked there'
echo -1 >$param
runs_on 0-1 'taken back'
echo 0 >$param
runs_on 0 'given later'
asks_from 0x1 'the firmware is asked there'
refused 2
refused -2
runs_on 0 'a refused value changes nothing'

echo 1 >$param
echo 0 >/sys/devices/system/cpu/cpu1/online
asks_from 0x1 'the CPU is gone: it is asked from another one'
echo 1 >/sys/devices/system/cpu/cpu1/online
ask
asks_from 0x2 'the CPU is back: from there again'
runs_on 1 'and only from there'

echo 0 >$param
have=$(isolate 2>&1)
check $? 'the other CPU is isolated'
ask
asks_from 0x1 'it is asked from where it was'
echo member >$cpuset/cpuset.cpus.partition
echo 1 >$param
echo isolated >$cpuset/cpuset.cpus.partition
ask
asks_from 0x2 'on the isolated CPU, if that was chosen'
echo member >$cpuset/cpuset.cpus.partition
rmmod cvm_guest
