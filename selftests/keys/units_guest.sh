# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# units_guest.sh first|second|none: a machine that has booted with a temporary disk and
# swap, as an SNP guest or as no confidential VM at all.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh
# shellcheck source=selftests/keys/units_credential.sh
. /run/vm/units_credential.sh
state=/var/lib/units
secret=this-was-written-in-an-earlier-boot

# unit NAME STATE TEXT
unit()
{
	systemctl status "$1" >$log 2>&1
	journalctl -b -u "$1" --no-pager -n 20 >>$log 2>&1
	[ "$(systemctl is-active "$1")" = "$2" ]
	result $? "$3"
}

# fails NAME WORDS TEXT: starting it does, for this reason, and leaves nothing
fails()
{
	systemctl start "$1" >$log 2>&1
	status=$?
	journalctl -b -u "$1" --no-pager >>$log 2>&1
	[ $status != 0 ] && grep -q "$2" $log
	result $? "$3: the unit fails, and says why"
}

mapped()	# NAME
{
	dmsetup table "$1" 2>$log | grep -q " crypt aes-xts-plain64 :64:encrypted:cvm:$1 "
}

comes_up()
{
	# nofail: the boot does not wait for it
	systemctl start scratch.mount units-user.service >$log 2>&1
	unit cvm-tempdisk@scratch.service active 'the temporary disk is there'
	mapped scratch
	result $? 'encrypted, with a key that is in the kernel alone'
	[ "$(findmnt -n -o SOURCE,FSTYPE /scratch)" = '/dev/mapper/scratch ext4' ]
	result $? 'and mounted'
	[ "$(echo /scratch/*)" = '/scratch/by-user /scratch/lost+found' ] && [ -e /run/units-user ]
	result $? 'with nothing in it but what a service has written that requires it'
	unit cvm-swap@swap.service active 'swap is there'
	mapped swap
	result $? 'encrypted'
	[ "$(swapon --show=NAME --noheadings)" = "$(readlink -f /dev/mapper/swap)" ]
	result $? 'and is all the swap there is'
	systemctl --failed --no-legend >$log
	[ ! -s $log ]
	result $? 'no unit has failed'
}

# enough of it that it is on the device, and in its clear text nowhere
write()
{
	yes $secret | head -c 8000000 >/scratch/file && sync && echo 3 >/proc/sys/vm/drop_caches &&
		[ "$(head -n 1 /scratch/file)" = $secret ]
	result $? 'it can be written and read'
	! grep -qa $secret $state/scratch.img
	result $? 'the device has nothing of it in clear'
	cp $state/scratch.img $state/earlier.img
}

# what the device had is as good as random, with the key of this boot
unreadable()
{
	systemctl stop units-user.service
	umount /scratch && systemctl stop cvm-tempdisk@scratch.service && [ ! -e /dev/mapper/scratch ]
	result $? 'stopped, it is gone'
	# what the boot before has left, under this boot's key
	cp $state/earlier.img $state/scratch.img
	losetup -c /dev/loop0
	cvmctl disk temporary scratch /dev/loop0 2>$log && ! grep -qa $secret /dev/mapper/scratch &&
		! blkid -p /dev/mapper/scratch >>$log
	result $? 'what an earlier boot has written cannot be read'
	cvmctl disk close scratch 2>$log
	systemctl start scratch.mount >$log 2>&1
	unit cvm-tempdisk@scratch.service active 'mounting it starts the unit'
	[ "$(findmnt -n -o SOURCE /scratch)" = /dev/mapper/scratch ] && [ ! -e /scratch/file ]
	result $? 'and it is empty'
}

closed()
{
	cp $state/foreign.img /run/vm/foreign.img
	fails cvm-tempdisk@foreign.service 'neither blank nor a temporary disk' 'a file system of somebody'
	fails cvm-swap@foreign.service 'neither blank nor a temporary disk' 'the same for swap'
	cmp $state/foreign.img /run/vm/foreign.img >$log 2>&1 && [ ! -e /dev/mapper/foreign ]
	result $? 'and nothing has happened to it'
	dmsetup create taken --table '0 8 error'
	fails cvm-tempdisk@taken.service 'taken already' 'a name that is taken'
	fails cvm-swap@taken.service 'taken already' 'the same for swap'
	dmsetup table taken | grep -q '^0 8 error *$' && cmp -n 4096 $state/taken.img /dev/zero 2>$log
	result $? 'and nothing has happened to either'
	dmsetup remove taken
	mount /dev/loop2 /mnt
	fails cvm-tempdisk@foreign.service 'is in use' 'a device that is mounted'
	umount /mnt
	[ "$(swapon --show=NAME --noheadings | wc -l)" = 1 ]
	result $? 'no other swap'
}

# whoever has turned it off has not closed it
swapped_off()
{
	swapoff -a && systemctl stop cvm-swap@swap.service >$log 2>&1 && [ ! -e /dev/mapper/swap ]
	result $? 'swap that somebody has turned off: stopped, it is gone'
	systemctl start cvm-swap@swap.service >$log 2>&1 && mapped swap &&
		[ "$(swapon --show=NAME --noheadings)" = "$(readlink -f /dev/mapper/swap)" ]
	result $? 'started, it is there'
}

# a start that is cancelled while mkfs waits for somebody
cancelled()
{
	# nothing ever comes, and it is not closed
	mkfifo /run/units-badblocks
	exec 3<>/run/units-badblocks
	echo 'MKFS_OPTIONS=-l /run/units-badblocks' >>/etc/cvm-guest/taken.conf
	systemctl start --no-block cvm-tempdisk@taken.service
	timeout 120 sh -c 'until grep -qsx mkfs.ext4 /proc/[0-9]*/comm; do sleep 0.1; done'
	mapped taken && [ "$(systemctl is-active cvm-tempdisk@taken.service)" = activating ]
	result $? 'a start that waits'
	systemctl stop cvm-tempdisk@taken.service >$log 2>&1
	exec 3>&-
	[ ! -e /dev/mapper/taken ] && ! dmsetup info taken >>$log 2>&1
	result $? 'cancelled, it leaves nothing open'
	sed -i /MKFS_OPTIONS/d /etc/cvm-guest/taken.conf
	systemctl reset-failed cvm-tempdisk@taken.service
	systemctl start cvm-tempdisk@taken.service >$log 2>&1 && mapped taken
	result $? 'and can be started'
	systemctl stop cvm-tempdisk@taken.service
	[ ! -e /dev/mapper/taken ]
	result $? 'and stopped'
}

# told to, it takes what is there
forced()
{
	echo OPTIONS=--force >>/etc/cvm-guest/foreign.conf
	systemctl start cvm-tempdisk@foreign.service >$log 2>&1 && mapped foreign &&
		[ "$(blkid -o value -s TYPE /dev/mapper/foreign)" = ext4 ]
	result $? 'with --force in its configuration it takes a file system of somebody'
	systemctl stop cvm-tempdisk@foreign.service
	sed -i /OPTIONS/d /etc/cvm-guest/foreign.conf
	systemctl start cvm-tempdisk@foreign.service >$log 2>&1
	result $? 'and, once it was its own, without'
	systemctl stop cvm-tempdisk@foreign.service
	mkfs.ext4 -q -F /dev/loop2 >$log 2>&1
	fails cvm-tempdisk@foreign.service 'neither blank nor a temporary disk' \
		'a file system that somebody has made since'
}

missing()
{
	systemctl start cvm-tempdisk@missing.service cvm-swap@missing.service >$log 2>&1
	journalctl -b -u cvm-tempdisk@missing.service -u cvm-swap@missing.service --no-pager >$log
	[ "$(grep -c 'Timed out for waiting devices' $log)" = 2 ]
	result $? 'a device that does not come: both say so'
	unit cvm-tempdisk@missing.service failed 'a device that does not come: the unit fails'
	unit cvm-swap@missing.service failed 'the same for swap'
	[ ! -e /dev/mapper/missing ] && [ ! -e /dev/nothing ]
	result $? 'nothing has come'
}

# a machine whose memory the host can read: nothing falls back to the device
none()
{
	unit cvm-tempdisk@scratch.service failed 'no keys: no temporary disk'
	! findmnt /scratch >$log && [ ! -e /dev/mapper/scratch ]
	result $? 'and nothing is mounted'
	unit units-user.service inactive 'a service that requires the mount has not started'
	[ ! -e /run/units-user ] && [ -z "$(ls -A /scratch)" ]
	result $? 'and has written nothing beneath'
	unit cvm-swap@swap.service failed 'no keys: no swap'
	[ -z "$(swapon --show=NAME --noheadings)" ] && [ ! -e /dev/mapper/swap ]
	result $? 'none at all'
	journalctl -b -u cvm-swap@swap.service --no-pager >$log
	grep -q 'no firmware here that derives keys\|no source of evidence' $log
	result $? 'it says why'
	echo 'OPTIONS=--key random' >>/etc/cvm-guest/swap.conf
	systemctl start cvm-swap@swap.service >$log 2>&1 && mapped swap &&
		[ "$(swapon --show=NAME --noheadings)" = "$(readlink -f /dev/mapper/swap)" ]
	result $? 'unless random numbers will do'
	systemctl stop cvm-swap@swap.service >$log 2>&1 && [ ! -e /dev/mapper/swap ] &&
		[ -z "$(swapon --show=NAME --noheadings)" ]
	result $? 'stopped, it is gone'
}

case $1 in
first)	comes_up; credentials; another_mix; write; closed; forced; swapped_off; cancelled ;;
second)	comes_up; credentials; unreadable; missing ;;
none)	none; no_credentials ;;
esac
end
