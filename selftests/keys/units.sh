#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvm-tempdisk@.service, cvm-swap@.service and cvm-credential.socket in a Debian machine with
# our packages, over two boots as an SNP guest and one as none; see units_guest.sh.
#   selftests/keys/units.sh 6.1|6.12|7.3
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/dkms/lib.sh
. selftests/dkms/lib.sh
series=$1

# devices that are there before the units look for them: files, as loop devices
devices()
{
	local etc=$dir/machine/etc

	install -m 755 selftests/keys/units_devices "$dir/machine/usr/local/sbin/"
	cp selftests/keys/units-devices.service selftests/keys/units-user.service \
		selftests/keys/units-credential@.service "$etc/systemd/system/"
	# one that is what such units are, and begins in a cgroup below its own where it can
	mkdir -p "$etc/systemd/system/units-credential@confined.service.d"
	printf '%s\n' '[Service]' DynamicUser=yes PrivateUsers=yes PrivateNetwork=yes PrivateDevices=yes \
		CapabilityBoundingSet= Delegate=yes DelegateSubgroup=main \
		>"$etc/systemd/system/units-credential@confined.service.d/confined.conf"
	mkdir -p "$dir/machine/var/lib/units" "$dir/machine/scratch"
	truncate -s 64M "$dir/machine/var/lib/units"/{scratch,swap,foreign,taken}.img
	# somebody's file system
	mke2fs -q -t ext4 -L precious "$dir/machine/var/lib/units/foreign.img"
}

# configure NAME LINE...
configure()
{
	printf '%s\n' "${@:2}" >"$dir/machine/etc/cvm-guest/$1.conf"
}

configuration()
{
	mkdir -p "$dir/machine/etc/cvm-guest"
	configure scratch DEVICE=/dev/loop0
	configure swap DEVICE=/dev/loop1
	configure foreign DEVICE=/dev/loop2
	configure taken DEVICE=/dev/loop3
	configure missing DEVICE=/dev/nothing
	echo '/dev/mapper/scratch /scratch ext4 nofail,x-systemd.requires=cvm-tempdisk@scratch.service 0 0' \
		>>"$dir/machine/etc/fstab"
}

make_packages
# what is recommended for temporary disks: Debian 13 has it no more of itself
fresh_machine "$series" e2fsprogs
install_packages
devices && configuration && in_machine "$debs" systemctl enable units-devices.service \
	units-user.service cvm-swap@swap.service cvm-credential.socket \
	units-credential@a.service units-credential@b.service units-credential@confined.service
result $? 'units, and devices for them'
machine_disk "$dir/machine" "$dir/disk" 2>"$log"
result $? 'a disk'
put=(--put selftests/keys/units_guest.sh:/run/vm/units_guest.sh
	--put selftests/keys/units_credential.sh:/run/vm/units_credential.sh
	--put build/tests/credential:/run/vm/credential)
guest=../units_guest.sh
boot 'first boot' --platform snp "${put[@]}" -- $guest first
boot 'second boot' --platform snp "${put[@]}" -- $guest second
boot 'no keys' --platform none "${put[@]}" -- $guest none
finish
