#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A Debian machine with our packages, from their installation to their removal:
#   selftests/dkms/root.sh 6.1|6.12|7.3 [short]
# Installed by chroot, as who builds images does; then booted with a root that
# cannot be written to, as a TDX guest where the kernel knows those; booted as an
# SNP guest, where the packages are upgraded while the module is in use; booted
# again, and the packages removed and installed in the running machine; at last
# upgraded and removed by chroot. A short one boots once, for the upgrade.
# Prints TAP.
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/dkms/lib.sh
. selftests/dkms/lib.sh
series=$1 short=${2:-}
next=$version.1
second=tdx
[[ $series != 6.1 ]] || second=snp

# other_version VERSION [LINE...]: the package of the module with that version in it,
# and these lines in a file of its source
other_version()
{
	local tree=$dir/tree-$1 src=usr/src/cvm-guest

	dpkg-deb -R "$debs"/cvm-guest-dkms_*.deb "$tree" &&
		mv "$tree/$src-$version" "$tree/$src-$1" &&
		sed -i "s/\b${version//./\\.}\b/$1/" "$tree"/DEBIAN/{control,postinst,prerm} \
			"$tree/$src-$1"/{dkms.conf,driver/version.h} &&
		sed -i "s|$src-$version|$src-$1|" "$tree/DEBIAN/md5sums" &&
		printf '%s\n' "${@:2}" >>"$tree/$src-$1/driver/version.h" &&
		mkdir -p "$dir/put" &&
		dpkg-deb --root-owner-group -b "$tree" "$dir/put/"
}

next_package()
{
	other_version "$next" && cp "$debs"/{cvm-guest,libcvmguest0}_*.deb "$dir/put/"
}

# What a compiler makes natively in seconds, it makes in the VM in minutes. DKMS
# does all else there: /etc/dkms/MODULE.conf is for such wishes of a machine.
compile_beforehand()
{
	local kernel

	for kernel in "${kernels[@]}"; do
		in_machine "$debs" sh -ec "
			mkdir -p /var/cache/built/$kernel
			cp -r /usr/src/cvm-guest-$version /tmp/src
			sed -i 's/\b$version\b/$next/' /tmp/src/driver/version.h
			make -s -j2 -C /lib/modules/$kernel/build M=/tmp/src modules
			mv /tmp/src/cvm_guest.ko /var/cache/built/$kernel/
			rm -r /tmp/src" || return
	done
	# shellcheck disable=SC2016 # DKMS expands it
	printf '%s\n' 'MAKE[0]="cp /var/cache/built/$kernelver/cvm_guest.ko ."' 'CLEAN="true"' \
		>"$dir/machine/etc/dkms/cvm-guest.conf"
}

# for each kernel, at once: DKMS alone would build for the newest
all_have_module()	# VERSION
{
	local kernel

	for kernel in "${kernels[@]}"; do
		has_module "$kernel" "$1"
	done
}

# as an image is made again and again
upgrade_by_chroot()
{
	in_machine "$dir/put" sh -c "dpkg -i /build/cvm-guest-dkms_${next}_all.deb"
	result $? 'an upgrade by chroot'
	all_have_module "$next"
	[[ $(modules | wc -l) == "${#kernels[@]}" ]]
	result $? 'and no other'
}

# a kernel that it builds for gets it whatever comes of the others
upgrade_for_one()
{
	local old new

	old=$(printf '%s\n' "${kernels[@]}" | sort -V | head -n 1)
	new=$(printf '%s\n' "${kernels[@]}" | sort -V | tail -n 1)
	other_version "$next.1" '#include <linux/version.h>' \
		'#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)' '#error not for this one' '#endif' >"$log" 2>&1 &&
		in_machine "$dir/put" sh -c "dpkg -i /build/cvm-guest-dkms_$next.1_all.deb" &&
		grep -q "not built for kernel $old" "$log"
	result $? 'an upgrade that does not build for one kernel goes through, and says so'
	has_module "$new" "$next.1"
	[[ -z $(modules "$old") ]]
	result $? 'and the other kernel has none'
}

make_packages
fresh_machine "$series"
next_package >"$log" 2>&1
result $? 'packages of the next version'
cp selftests/dkms/guest/attest.service "$dir/machine/etc/systemd/system/"
in_machine "$debs" systemctl enable attest.service
files >"$dir/before"
install_packages
all_have_module "$version"
in_machine "$debs" sh -c 'getent group cvm && cvmctl --version'
result $? 'the group, and cvmctl'
compile_beforehand
result $? 'compiled for what comes'
machine_disk "$dir/machine" "$dir/disk" 2>"$log"
result $? 'a disk'
rm -r "$dir/machine/etc/dkms/cvm-guest.conf" "$dir/machine/var/cache/built"
[[ $short ]] ||
	boot 'read-only' --platform $second --read-only --append systemd.volatile=state -- readonly.sh "$version"
boot 'installed' --platform snp --put "$dir/put:/run/vm/debs" -- installed.sh "$version" "$next"
if [[ ! $short ]]; then
	boot 'removed' --platform $second --fw strict=0 --put "$dir/put:/run/vm/debs" -- removed.sh "$next"
	upgrade_by_chroot
	[[ ${#kernels[@]} == 1 ]] || upgrade_for_one
fi
purge "$dir/before"
finish
