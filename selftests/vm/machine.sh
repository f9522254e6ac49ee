# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Debian machines for `run --disk`: directories that are worked on natively by
# chroot, because a compiler in a VM without KVM is slow, and then made disks.
# None of it needs root. Sourced after lib.sh, fetch.sh and root.sh.

# what an image for the cloud has, and what builds a module
MACHINE_PACKAGES=(systemd-sysv systemd udev kmod initramfs-tools dkms openssl)

# machine_kernels SERIES: the series that a machine has of which one is SERIES;
# Debian 12's own before its reboot into a newer one has both
machine_kernels()
{
	case $1 in
	6.1) echo 6.1 6.12 ;;
	*) echo "$1" ;;
	esac
}

# machine_root SERIES [PACKAGE...]: sets root
machine_root()
{
	local release KVER suffix='' series
	local wanted=("${MACHINE_PACKAGES[@]}" "${@:2}")

	read -r release _ <<<"$(series_source "$1")"
	[ "$release" != trixie ] || suffix=/trixie-backports
	wanted+=("linux-base$suffix")
	for series in $(machine_kernels "$1"); do
		eval "$("$TOP/selftests/vm/kernel" "$series")"
		wanted+=("linux-image-$KVER$suffix" "linux-headers-$KVER$suffix")
	done
	cached_root "$release" "${wanted[@]}" ||
		fetch_trouble "if the mirror has newer kernels than the cache: selftests/vm/kernel --refresh $1"
}

# new_machine SERIES DIR [PACKAGE...]
new_machine()
{
	local root

	machine_root "$1" "${@:3}" && cp -a "$root" "$2" && rm "$2/.complete"
}

fetch_kernel_packages()
{
	local dir=$1 release=$2 KVER=$3

	[ ! -s "$dir/.complete" ] || return 0
	rm -rf "$dir.new" &&
		apt_update "$release" &&
		closure '^linux-(image|binary|modules|headers|kbuild|base)-[0-9]' \
			"linux-image-$KVER" "linux-headers-$KVER" >"$dir.list" &&
		download "$dir.new" <"$dir.list" &&
		mv "$dir.list" "$dir.new/.complete" && publish "$dir.new" "$dir"
}

# kernel_packages SERIES: those of its image and headers, for who installs them;
# sets packages, a directory
kernel_packages()
{
	local release KVER

	read -r release _ <<<"$(series_source "$1")"
	eval "$("$TOP/selftests/vm/kernel" "$1")"
	packages=$CACHE/debs/$KVER
	mkdir -p "$CACHE/debs"
	with_lock "debs-$KVER" fetch_kernel_packages "$packages" "$release" "$KVER"
}

# machine_disk DIR IMAGE: no fstab, as where partitions are found by their types
machine_disk()
{
	local as_root=''

	[ "$(id -u)" = 0 ] || as_root='unshare -r'
	[ ! -d "$1/build" ] || rmdir "$1/build"
	rm -f "$2"
	$as_root mke2fs -q -t ext4 -d "$1" "$2" 4G >/dev/null
}
