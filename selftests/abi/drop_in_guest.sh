#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM, with our module loaded: drop_in_guest.sh PLATFORM [patience]. The node of
# the kernel's own driver as programs find it; with a host that throttles for longer
# than it waits. Prints TAP.
platform=$1
SIM=/sys/kernel/cvm_platform_sim
PARAM=/sys/module/cvm_guest/parameters/drop_in
tap=/tmp/drop_in.tap
[ "$platform" = snp ] && node=sev-guest || node=tdx_guest
: >$tap

results() {
	grep -cE '^(not )?ok ' $tap
}

result() {	# STATUS NAME
	n=$(($(results) + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2" >>$tap
	else
		echo "not ok $n - $2" >>$tap
		sed 's/^/# /' /tmp/log >>$tap
	fi
}

# NAME COMMAND...
ok() {
	name=$1
	shift
	"$@" >/tmp/log 2>&1
	result $? "$name"
}

# PROGRAM...: one that prints TAP of its own
program() {
	"$@" >/tmp/log 2>&1
	status=$?
	grep -E '^(#|(not )?ok )' /tmp/log |
		awk -v n="$(results)" '/^(not )?ok / { sub(/ok [0-9]+/, "ok " ++n) } { print }' >>$tap
	[ $status = 0 ] && grep -q '^ok ' /tmp/log
	result $? "${1##*/}"
}

fw() {
	for line; do
		echo "$line" >$SIM/control
	done
}

refuses() {
	! "$@"
}

is() {
	[ "$(cat "$1")" = "$2" ]
}

works() {
	if [ "$platform" = snp ]; then
		/t/calls_snp next
	else
		/t/calls_tdx next
	fi | tee /tmp/line
	grep -q '=> ok' /tmp/line
}

# a caller that is killed while the host throttles, and whoever comes then
killed() {
	fw busy_ms=2000
	/t/calls_snp next >/tmp/line &
	sleep 0.3
	kill -9 $!
	wait $!
	[ $? = 137 ] && is /sys/class/misc/cvm_report/channel/state parked && works
}

# a host that throttles for longer than a call lasts
patience() {
	fw busy_ms=64000
	/t/calls_snp next | tee /tmp/line
	grep -q '=> ETIMEDOUT 0x200000000 ' /tmp/line &&
		is /sys/class/misc/cvm_report/channel/state parked && works
}

# programs that are sent signals get no EINTR; the host lets one through in 200 ms
signalled() {
	fw busy_ms=1000
	/t/calls_snp next >/tmp/line &
	pid=$!
	for _ in 1 2 3 4 5; do
		sleep 0.1
		kill -STOP $pid
		kill -CONT $pid
	done
	wait $pid
	cat /tmp/line
	grep -q '=> ok' /tmp/line
}

# messages that have reached the host
messages() {
	sed -n 's/^requests=//p' $SIM/status
}

# the first one takes a message, in two forms; the second takes none
handshakes() {
	rmmod cvm_guest && modprobe cvm_guest || return
	for messages in more none; do
		before=$(messages)
		/t/calls_snp handshake | tee /tmp/line
		grep -q '=> EIO 0x100000000 ' /tmp/line || return
		after=$(messages)
		echo "$messages: from $before to $after"
		if [ $messages = more ]; then
			[ "$after" -gt "$before" ] || return
		else
			[ "$after" = "$before" ] || return
		fi
	done
	works
}

held() {
	exec 9<>"/dev/$node"
	refuses rmmod cvm_guest && works
	status=$?
	exec 9>&-
	return $status
}

reloaded() {
	rmmod cvm_guest && modprobe cvm_guest "$@"
}

# the kernel's own driver, loaded while ours has not its names
beside() {
	reloaded drop_in=0 tsm=0 && modprobe tdx-guest && works &&
		cvmctl quote --backend cvm --tdreport --report-data "$(printf %0128d 7)" --out /tmp/e
	status=$?
	rmmod tdx_guest && return $status
}

# it cannot be without configfs-tsm, which is ours
refused_tsm() {
	reloaded drop_in=0 && refuses modprobe tdx-guest && refuses test -e "/dev/$node" &&
		is /sys/class/misc/cvm_report/channel/tsm registered
}

# SNP has a device, and one driver of it
unbound() {
	refuses modprobe sev-guest || rmmod sev_guest
	refuses test -e "/dev/$node" && [ -c /dev/cvm/report ]
}

taken() {
	rmmod cvm_guest && insmod /t/cvm_vm_fixture.ko do="name:$node" && modprobe cvm_guest
}

one_line() {
	dmesg | grep "/dev/$node is not ours"
	[ "$(dmesg | grep -c "/dev/$node is not ours")" = 1 ]
}

if [ "${2:-}" = patience ]; then
	ok 'a call ends after 60 s of throttling, and the next gets its answer' patience
	cat $tap
	echo "1..$(results)"
	exit
fi
ok "/dev/$node is there" test -c "/dev/$node"
ok 'the parameter says so' is $PARAM Y
ok "its mode is the kernel's own" test "$(stat -c '%a %u %g' "/dev/$node")" = '600 0 0'
if [ "$platform" = snp ]; then
	mkdir /tmp/evidence
	program /t/intree_snp /tmp/evidence
	ok 'a caller who is killed while the host throttles costs nothing' killed
	ok 'nor does a signal end a call' signalled
	ok 'how long the certificates are is asked once' handshakes
else
	program /t/tdx_guest_test
fi
program /t/drop_in_crowd 64 12
ok 'the module does not go while the node is open' held
ok 'and goes then' reloaded
ok 'the node is there again' works
ok 'it can be left out' reloaded drop_in=0
ok 'then there is none' refuses test -e "/dev/$node"
ok 'and the parameter says so' is $PARAM N
if [ "$platform" = tdx ]; then
	ok "and the kernel's own driver can be beside ours" beside
	ok 'unless configfs-tsm is ours' refused_tsm
elif modprobe -n -q sev-guest; then
	ok "nor one of the kernel's own driver, which finds no device" unbound
fi
if [ "$platform" = snp ]; then
	ok 'the module comes where the name is taken' taken
	ok 'and says so, once' one_line
	ok 'the parameter says so, too' is $PARAM N
	ok 'evidence is there' cvmctl report --report-data \
		"$(od -An -v -tx1 -N64 /dev/urandom | tr -d ' \n')" --out /tmp/e
	ok 'it goes again' rmmod cvm_guest
	ok "and the name's owner, whose name it still is" rmmod cvm_vm_fixture
	ok 'it comes back' modprobe cvm_guest
else
	ok 'it comes back' reloaded
fi
ok 'with the node' works
cat $tap
echo "1..$(results)"
