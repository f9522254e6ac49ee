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

# has_files NAME FILE...: the list in $log has those, but modules that are built in
has_files()
{
	local file missing=''

	for file in "${@:2}"; do
		grep -q "$file" "$log" "$dir/machine/usr/lib/modules/$KVER/modules.builtin" || missing+=" $file"
	done
	[[ -z $missing ]]
	result $? "$1: all that takes${missing:+, but$missing}"
}

# without a root disk nothing of ours is in the initial RAM disk
initial_ram_disk()
{
	local config=$dir/machine/etc/cvm-guest/rootdisk
	local make="mkinitramfs -o /tmp/initrd $KVER && lsinitramfs /tmp/initrd && rm /tmp/initrd"

	in_machine "$debs" sh -c "$make" && ! grep -E 'bin/cvmctl|cvm_guest|conf.d/cvm-root' "$log"
	result $? 'an initial RAM disk with nothing of ours'
	printf '%s\n' DEVICE=/dev/vdb RECORD_DEVICE=/dev/vdc >"$config"
	in_machine "$debs" sh -c "$make"
	result $? 'one for a root disk'
	has_files 'it has' usr/bin/cvmctl etc/cvm-guest/rootdisk conf/conf.d/cvm-root scripts/cvm-root.sh \
		scripts/local-top/cvm-root scripts/init-bottom/cvm-root modprobe.d/cvm-guest.conf \
		lib{crypto,devmapper,keyutils,kmod,jansson}.so rules.d/95-dm-notify.rules \
		/{cvm_guest,dm-mod,dm-crypt,dm-integrity,encrypted-keys,vfat,nls_cp437,gcm,ctr,xts,authenc,ext4}.ko
	echo RECORD_FSTYPE=nonsense >>"$config"
	! in_machine "$debs" sh -c "$make" && grep -q 'lacks .*nonsense' "$log"
	result $? 'none that would not boot'
	rm "$config"
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
[[ ! $short ]] || initial_ram_disk
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
