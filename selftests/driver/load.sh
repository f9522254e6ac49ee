#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# When the module loads and goes, and what it says when it does not load: where there
# is no platform, and where the kernel's own driver has it.
#   selftests/driver/load.sh KERNEL
set -u
cd "$(dirname "$0")/../.." || exit

kernel=$1
n=0

ok()
{
	local name=$1

	shift
	n=$((n + 1))
	if "$@"; then
		echo "ok $n - $name"
	else
		echo "not ok $n - $name"
		printf '%s\n' "$said" | sed 's/^/# /'
	fi
}

# loads the module in a VM; what modprobe and the kernel said, and the node
load()
{
	local platform=$1 driver=$2

	# shellcheck disable=SC2016 # for the shell in the VM
	said=$(selftests/vm/run --kernel "$kernel" --platform "$platform" --driver "$driver" -- sh -c '
		modprobe cvm_guest 2>&1
		echo "modprobe: $?"
		dmesg | grep "cvm_guest: [^ ]* *[a-z]" | grep -v -e taint -e signature
		ls /dev/cvm 2>&1' 2>&1)
}

said_once() { [ "$(grep -c -e "$1" <<<"$said")" = 1 ]; }
one_message() { [ "$(grep -c 'cvm_guest: ' <<<"$said")" = 1 ]; }
no_node() { grep -q '^modprobe: ' <<<"$said" && ! grep -qx report <<<"$said"; }

no_platform()
{
	load none none
	ok "$kernel, no platform: not loaded" said_once 'No such device'
	ok "$kernel, no platform: one message" one_message
	ok "$kernel, no platform: which" said_once 'nothing to drive here'
	ok "$kernel, no platform: no node" no_node
}

taken()
{
	local platform=$1 message=$2

	load "$platform" intree
	ok "$kernel, $platform taken: not loaded" said_once 'resource busy'
	ok "$kernel, $platform taken: what to do" said_once "$message"
	ok "$kernel, $platform taken: no node" no_node
}

# with what it had loaded before it, of which nothing may stand in its way
goes()
{
	said=$(selftests/vm/run --kernel "$kernel" --platform snp -- sh -c '
		modprobe -r cvm_guest 2>&1; echo "modprobe -r: $?"; ls -d /sys/module/cvm_guest' 2>&1)
	ok "$kernel: modprobe -r" said_once '^modprobe -r: 0$'
	ok "$kernel: it is gone" said_once "^ls: .*/cvm_guest.*No such file"
}

# what the kernel asks for on such a machine
alias_of() { modinfo -F alias build/modules/"$kernel".*/cvm_guest.ko 2>&1; }

aliases()
{
	said=$(alias_of)
	ok "$kernel: loads for the sev-guest device" said_once '^platform:sev-guest$'
	[ "$kernel" = 6.1 ] ||
		ok "$kernel: loads for a CPU in a TD" said_once '^cpu:type:x86,.*feature:'
}

no_platform
goes
aliases
if [ "$kernel" != 6.1 ]; then
	taken tdx 'modprobe -r tdx_guest'
	taken snp 'modprobe -r sev-guest'
fi
echo "1..$n"
