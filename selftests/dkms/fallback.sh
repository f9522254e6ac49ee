#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A kernel without our module, on a Debian machine that has our packages:
#   selftests/dkms/fallback.sh 6.1|6.12|7.3 build|headers|refused snp|tdx
# An upgrade to it whose module does not build; one without its headers; or it
# refuses modules that are not signed with a key that it has. When that kernel
# has drivers of its own there is evidence after the reboot, and doctor says what
# is missing. When it has none (6.1), its installation fails: when the build does, and
# without headers when the kernel that runs has the module; of the others doctor
# says so. With what was missing the module is built, and goes with its kernel.
# Prints TAP.
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/dkms/lib.sh
. selftests/dkms/lib.sh
series=$1 cause=$2 platform=$3
source_file=$dir/machine/usr/src/cvm-guest-$version/driver/version.h

# purge_kernel: nothing of it is left, and of the module for it
purge_kernel()
{
	local names

	mapfile -t names < <(sed -n '/^linux-base /!s/ .*//p' "$packages/.complete")
	in_machine "$dir" dpkg --purge --force-depends "${names[@]}" &&
		[[ ! -e $dir/machine/usr/lib/modules/$KVER ]]
	result $? 'a machine without this kernel'
}

# install_kernel PATTERN...: packages of the kernel, as an upgrade does
install_kernel()
{
	in_machine "$packages" sh -c "cd /build && PATH=/usr/local/bin:\$PATH dpkg -i --force-depends $*"
}

# stands for the boot loader's, which is run last
boot_loader()
{
	local hook=$dir/machine/etc/kernel/postinst.d/zz-boot-loader

	# shellcheck disable=SC2016 # for that hook
	printf '%s\n' '#!/bin/sh' 'echo "$1" >/boot/boots-next' >"$hook"
	chmod +x "$hook"
}

boots_next()
{
	[[ -s $dir/machine/boot/initrd.img-$KVER && $(cat "$dir/machine/boot/boots-next" 2>/dev/null) == "$KVER" ]]
}

without_module()
{
	[[ -z $(modules "$KVER") ]] && boots_next
	result $? 'without our module, with its initial RAM disk, for the next boot'
}

# The installation has failed, and says so. /vmlinuz may point to that kernel by now,
# which is why it also says that there must be no reboot.
not_installed()	# STATUS
{
	[[ $1 != 0 ]] && grep -q 'no evidence under this kernel' "$log" && grep -q 'do not reboot' "$log"
	result $? 'a kernel without any driver: its installation fails'
	grep -qs "^Status: install ok half-configured" \
		<(sed -n "/^Package: linux-image-$KVER\$/,/^\$/p" "$dir/machine/var/lib/dpkg/status")
	result $? 'dpkg knows that it is not done'
	! boots_next
	result $? 'and the boot loader has not been told of it'
}

upgrade_without_build()
{
	local status

	echo '#error this kernel is not supported yet' >>"$source_file"
	install_kernel '*.deb'
	status=$?
	if [[ $series == 6.1 ]]; then
		not_installed $status
		return
	fi
	result $status 'the module does not build, the kernel is installed'
	without_module
}

# the machine's other kernel has the module, and seems to run; without it the machine
# is an image in the making
upgrade_from_one_with_module()
{
	local running fake=$dir/machine/usr/local/bin/uname

	running=$(printf '%s\n' "${kernels[@]}" | grep -vxF "$KVER")
	printf '%s\n' '#!/bin/sh' "[ \"\$*\" != -r ] || exec echo $running" 'exec /usr/bin/uname "$@"' >"$fake"
	chmod +x "$fake"
	[[ -n $(modules "$running") ]]
	result $? 'the kernel that runs has the module'
	install_kernel "$1"
	not_installed $?
	rm "$fake"
	in_machine "$dir" dpkg --force-depends --configure -a
}

upgrade_without_headers()
{
	# shellcheck disable=SC2016 # for the shell in the machine
	local what='$(ls *.deb | grep -v -e headers -e kbuild)'

	if [[ $series == 6.1 ]]; then upgrade_from_one_with_module "$what"; else install_kernel "$what"; fi
	result $? 'the kernel is installed, without headers'
	without_module
}

# the same once more, when what was missing is there
mended()
{
	sed -i '/#error/d' "$source_file"
	install_kernel '*.deb' && boots_next
	result $? 'when that is mended, the next update goes through'
	has_module "$KVER"
	purge_kernel
}

# what DKMS made, and the same without a signature
prepare_refusal()
{
	local ko

	install_packages
	ko=$(modules "$KVER")
	in_machine "$dir" sh -ec "
		cd /usr/lib/modules/$KVER/updates/dkms
		mkdir /var/cache/signed
		cp cvm_guest.ko* /var/cache/signed/
		[ ! -e cvm_guest.ko.xz ] || xz -d cvm_guest.ko.xz
		objcopy --strip-debug cvm_guest.ko
		case $ko in *.xz) xz --check=crc32 cvm_guest.ko ;; esac
		depmod $KVER" &&
		[[ -z $(modinfo -F signer "$ko") ]]
	result $? 'a module without a signature'
}

prepare_upgrade()
{
	kernel_packages "$series" 2>"$log"
	result $? 'packages of the kernel'
	purge_kernel
	install_packages
	boot_loader
}

make_packages
fresh_machine "$series"
if [[ $series != 6.1 ]]; then
	cp selftests/dkms/guest/attest.service "$dir/machine/etc/systemd/system/"
	in_machine "$debs" systemctl enable attest.service
fi
options=(--platform "$platform" --fw strict=0)
case $cause in
build) prepare_upgrade; upgrade_without_build ;;
headers) prepare_upgrade; upgrade_without_headers ;;
refused) prepare_refusal; options+=(--sig-enforce) ;;
esac
if [[ $series:$cause != 6.1:build ]]; then
	machine_disk "$dir/machine" "$dir/disk" 2>"$log"
	result $? 'a disk'
	boot 'after the reboot' "${options[@]}" -- fallback.sh "$cause" "$version"
fi
[[ $cause == refused ]] || mended
finish
