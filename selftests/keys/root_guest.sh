# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# root_guest.sh first|second|third [integrity]: a machine that has booted from its root disk.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh

# every 4096 bytes of the last 16 MiB, each by itself
read_end()
{
	local blocks

	blocks=$(($(blockdev --getsize64 /dev/mapper/root) / 4096))
	dd if=/dev/mapper/root of=/dev/null bs=4096 skip=$((blocks - 4096)) iflag=direct conv=noerror 2>$log
}

# what is beneath is nobody's: neither what is in it nor a link says what it is
beneath()
{
	local node

	udevadm settle
	node=$(dmsetup info -c --noheadings -o blkdevname root+tags) || return
	udevadm info -q property -n "$node" >$log 2>&1 && ! grep -q '^ID_FS_' $log &&
		! find /dev/disk -lname "*/$node" | grep . >>$log
}

authenticated()
{
	dmsetup table root >$log 2>&1 &&
		grep -q ' crypt capi:authenc(hmac(sha256),xts(aes))-plain64 :96:encrypted:cvm:root .* integrity:32:aead' $log
	result $? 'encrypted and authenticated, with a key that is in the kernel alone'
	dmsetup table root+tags >$log 2>&1 && grep -q ' integrity .* 32 J ' $log
	result $? 'with tags beneath it'
	beneath
	result $? 'at which nobody looks'
	[ "$1" != third ] || return 0
	# a sector that was never written would have no tag
	read_end
	result $? 'what nobody has written since it was formatted can be read'
}

changed()
{
	read_end
	[ "$(grep -c '^dd: error reading' $log)" = 1 ]
	result $? 'a byte that the host has changed makes one sector unreadable, and no other'
}

encrypted()
{
	dmsetup table root >$log 2>&1 && grep -q ' crypt aes-xts-plain64 :64:encrypted:cvm:root ' $log
	result $? 'encrypted, with a key that is in the kernel alone'
}

common()
{
	[ "$(findmnt -n -o SOURCE /)" = /dev/mapper/root ] && [ "$(cat /etc/cvm-root)" = 'the root that was meant' ]
	result $? 'the root is what was meant'
	if [ "$2" = integrity ]; then
		authenticated "$1"
	else
		encrypted
	fi
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
	common "$@"
	echo kept >/kept && sync
	result $? 'it can be written to'
	;;
second)
	common "$@"
	[ "$(cat /kept)" = kept ]
	result $? 'what was written is there'
	mount -o remount,rw /run/boot && cvmctl disk rotate root --record /run/boot/cvm-guest/root.json >$log 2>&1
	result $? 'after an update of the firmware it can be rotated'
	umount /run/boot
	;;
third)
	common "$@"
	cvmctl disk status root --record /run/boot/cvm-guest/root.json >$log 2>&1 && grep -q 'rotation *current' $log
	result $? 'and opens'
	[ "$2" != integrity ] || changed
	;;
esac
end
