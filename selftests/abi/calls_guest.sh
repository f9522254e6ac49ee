#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM, with our module loaded: calls_guest.sh KIND SEED COUNT. The same
# calls by our driver and then by the kernel's own, into /tmp/ours and
# /tmp/in-tree. What costs the kernel's own its key is tried with one after another
# of the four, so a part of it in each KIND: milan, turin, tdx, tdx-busy.
kind=$1 seed=$2 count=$3
SIM=/sys/kernel/cvm_platform_sim

fw() {
	for line; do
		echo "$line" >$SIM/control || exit
	done
}

die() {
	echo "calls_guest.sh: $*" >&2
	exit 1
}

# KEY: the driver that is tried now, with this VMPCK
load() {
	if [ "$driver" = ours ]; then
		[ ! -d /sys/module/cvm_guest ] || rmmod cvm_guest
		modprobe cvm_guest vmpck="$1"
	else
		[ ! -d /sys/module/sev_guest ] || rmmod sev_guest
		modprobe sev-guest vmpck_id="$1"
	fi || die "no driver with VMPCK$1"
}

one() {
	for class; do
		/t/calls_snp "$class" || die "$class"
	done
}

milan() {
	load 0
	/t/calls_snp "$seed" "$count" || die 'the calls'
	one key-v2-unknown next
	load 1
	fw fw_error=5
	one firmware-error next
	load 2
	fw generic_n=1
	one host-error next
	load 3
	one key-v3 next
}

# what is remembered of a host's certificates when it has others, or none
certs() {
	one handshake certs-of-four
	fw certs=0
	one certs-of-four handshake
	fw certs=1 certs_pages=6
	one handshake certs-of-four
	fw certs_pages=3
	one handshake
}

turin() {
	load 0
	/t/calls_snp "$seed" "$count" || die 'the calls'
	certs
	fw busy_n=1
	one busy
	fw bad_report_data_n=1
	one other-report report-v2 next
	load 1
	one key-v2 next
	# of which ours dies, too: each with a key that the other does not need
	if [ "$driver" = ours ]; then load 3; else load 2; fi
	fw bad_tag_n=1
	one spoilt next no-request
}

tdx() {
	/t/calls_tdx "$seed" "$count" || die 'the calls'
	[ "$1" = tdx ] && return
	fw tdreport_busy_n=1
	/t/calls_tdx busy || die busy
}

calls() {
	case $kind in
	milan) milan ;;
	turin) turin ;;
	tdx*) tdx "$kind" ;;
	esac
}

driver=ours
calls >/tmp/ours || exit
rmmod cvm_guest || die 'ours does not go'
# the kernel's own breaks rules about pages that ours must keep
fw strict=0
case $kind in
tdx*) modprobe tdx-guest || die 'no tdx-guest' ;;
esac
driver=in-tree
calls >/tmp/in-tree || exit
case $kind in
tdx*) rmmod tdx_guest ;;
*) rmmod sev_guest ;;
esac
