# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# root_guest.sh first|second|third: a machine that has booted from its root disk.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh

common()
{
	[ "$(findmnt -n -o SOURCE /)" = /dev/mapper/root ] && [ "$(cat /etc/cvm-root)" = 'the root that was meant' ]
	result $? 'the root is what was meant'
	dmsetup table root >$log 2>&1 && grep -q ' crypt aes-xts-plain64 :64:encrypted:cvm:root ' $log
	result $? 'encrypted, with a key that is in the kernel alone'
	mkdir -p /run/boot
	mount -o ro /dev/vda /run/boot && cvmctl disk status root --record /run/boot/cvm-guest/root.json >$log 2>&1 &&
		grep -q 'as_recorded *yes' $log
	result $? 'its table is as recorded'
	[ "$(cat /sys/module/cvm_guest/version 2>$log)" ] && [ ! -d /sys/module/sev_guest ]
	result $? 'our driver has the platform'
	systemctl --failed --no-legend >$log
	[ ! -s $log ]
	result $? 'no unit has failed'
	! grep -q cvm-root /proc/mounts && [ ! -e /run/boot/cvm-guest/root.json.setup ]
	result $? 'nothing is left of what opened it'
}

case $1 in
first)
	common
	echo kept >/kept && sync
	result $? 'it can be written to'
	;;
second)
	common
	[ "$(cat /kept)" = kept ]
	result $? 'what was written is there'
	mount -o remount,rw /run/boot && cvmctl disk rotate root --record /run/boot/cvm-guest/root.json >$log 2>&1
	result $? 'after an update of the firmware it can be rotated'
	umount /run/boot
	;;
third)
	common
	cvmctl disk status root --record /run/boot/cvm-guest/root.json >$log 2>&1 && grep -q 'rotation *current' $log
	result $? 'and opens'
	;;
esac
end
