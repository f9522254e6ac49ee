#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# In the VM, with our module loaded: PROGRAM..., then keys beside what the in-tree
# driver gets from the firmware, where there is one. Prints one TAP.
tap=/tmp/key_guest.tap

# so many results of TAP there are
results() {
	grep -cE '^(not )?ok ' $tap
}

sh /t/report_guest.sh "$@" | grep -v '^1\.\.' >$tap
if modprobe -n -q sev-guest && [ -e /sys/bus/platform/devices/sev-guest ]; then
	rmmod cvm_guest && modprobe sev-guest && /t/key_client raw >/tmp/raw &&
		rmmod sev_guest && modprobe cvm_guest &&
		[ "$(grep -c '^[0-9a-f]\{64\}$' /tmp/raw)" = 11 ] &&
		/t/key_client derived </tmp/raw >>$tap
	good=$?
	n=$(($(results) + 1))
	[ $good = 0 ] || printf 'not ' >>$tap
	echo "ok $n - keys are HKDF of the in-tree driver's" >>$tap
fi
cat $tap
echo "1..$(results)"
