# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# removed.sh VERSION: the machine has booted with what the upgrade brought. The
# packages are removed while the module is in use, and leave nothing; then they
# are installed, which is all it takes.
# shellcheck source=selftests/dkms/guest/lib.sh
. /run/vm/guest/lib.sh

# what the kernel does for each device that it finds
find_devices()
{
	udevadm trigger --action=add --subsystem-match=platform --subsystem-match=cpu --settle
}

own=
[ -z "$(find /lib/modules/"$kernel"/kernel/ -name 'sev-guest.ko*')" ] ||
	{ is_snp && own=sev_guest || own=tdx_guest; }

driver cvm_guest 'after the upgrade'
[ "$(cat /sys/module/cvm_guest/version)" = "$1" ]
result $? "it is version $1"
waited
evidence cvm 'after the upgrade'

# the test's own, once the packages' is gone
mkdir /run/vm/own
cp /usr/bin/cvmctl /run/vm/own/
PATH=$PATH:/run/vm/own
exec 8</dev/cvm/report
dpkg -P cvm-guest cvm-guest-dkms libcvmguest0 >$log 2>&1
result $? 'dpkg -P'
find / -xdev \( -path /run -o -path /var/log -o -path /var/cache -o -path '/usr/src/linux-*' -o -path /etc/dkms/cvm-guest.conf \) \
	-prune -o -iname '*cvm*' -print >$log
[ ! -s $log ]
result $? 'no file of ours is left'
! grep -la cvm_guest /lib/modules/"$kernel"/modules.* >$log
result $? 'nor a word of it in the index of modules'
for image in /boot/initrd.img-*; do
	lsinitramfs "$image"
done | grep -i cvm >$log
[ ! -s $log ]
result $? 'nor in an initial RAM disk'
evidence cvm 'what is loaded serves on'
exec 8<&-
hash -r
modprobe -r cvm_guest 2>$log || rmmod cvm_guest 2>>$log
result $? 'and goes when nobody has it'
find_devices
driver "$own" "what the kernel has of its own"
if [ "$own" ]; then
	evidence '' 'from that'
	modprobe -r $own
fi

rm /run/vm/own/cvmctl
hash -r
dpkg -i /run/vm/debs/cvm-guest_*.deb /run/vm/debs/cvm-guest-dkms_"$1"_all.deb >$log 2>&1
result $? 'dpkg -i in a running machine'
evidence '' 'without another command'
driver cvm_guest 'without another command'
nodes
end
