# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# A machine that is a disk: its own kernel, initial RAM disk and init, with the
# platform put under it (see early). Sourced by run.

# shellcheck disable=SC2154 # disk, dir, KVER, puts, base...: set by run

# disk_link NAME: where a symbolic link on the disk points
disk_link()
{
	debugfs -R "stat $1" "$disk" 2>/dev/null |
		sed -n 's/^Fast link dest: "\(.*\)"$/\1/p'
}

# disk_file NAME TO: a copy of a file on the disk
disk_file()
{
	debugfs -R "dump $1 $2" "$disk" >/dev/null 2>&1
	[ -s "$2" ] || die "$disk: no $1"
}

# the series that a boot loader would take: Debian keeps a link to the newest
find_disk_series()
{
	local newest

	newest=$(disk_link /vmlinuz)
	newest=${newest##*/vmlinuz-}
	[ -n "$newest" ] || die "$disk: /vmlinuz names no kernel"
	series=$(cut -d. -f1,2 <<<"${newest%%-*}")
	[[ " $SERIES_LIST " == *" $series "* ]] ||
		die "$disk: its kernel $newest is of none of: $SERIES_LIST"
}

# add_platform TREE: the simulator, what it needs, and the ports' modules
add_platform()
{
	local tree=$1/vm modules=$1/vm/lib/modules/$KVER program=$TOP/build/bin/cvm-fwd

	mkdir -p "$tree"/{bin,lib} "$modules/updates"
	cp /bin/busybox "$tree/bin/"
	cp -a "$base/tree/usr/lib/modules/$KVER/." "$modules/"
	for f in "${kernel_modules[@]}"; do
		cp "$f" "$modules/updates/" || return 1
	done
	depmod -b "$tree" "$KVER" || return 1
	[ "$platform" != none ] || return 0
	cp "$program" "$tree/bin/"
	libraries_of "$program" | while read -r f; do
		cp -L "$f" "$tree/lib/" || return 1
	done
	ln -s ../lib/ld-linux-x86-64.so.2 "$tree/bin/@cvm-fwd"
}

# a --put is for the session; the disk is made beforehand, by who has made it
put_for_session()
{
	local pair to

	for pair in "${puts[@]}"; do
		to=${pair##*:}
		[[ $to == /run/vm/?* && $to != *..* ]] ||
			bad_usage "--put with --disk is for what is below /run/vm, not '$to'"
		to=$1/vm/run/${to#/run/vm/}
		[ -e "${pair%:*}" ] || die "--put: no file ${pair%:*}"
		mkdir -p "$(dirname "$to")"
		cp -rL --preserve=mode "${pair%:*}" "$to" || exit 1
	done
}

# before the machine's own initial RAM disk, which is compressed
make_disk_initrd()
{
	local tree=$dir/tree vm=$TOP/selftests/vm

	disk_file "/boot/vmlinuz-$KVER" "$dir/vmlinuz"
	disk_file "/boot/initrd.img-$KVER" "$dir/initrd.machine"
	VMLINUZ=vmlinuz
	mkdir -p "$tree/vm/run/bin"
	add_platform "$tree" || die 'cannot collect the platform for the VM (see above)'
	install -m 755 "$vm"/{early,bottom} "$tree/vm/"
	install -m 755 "$vm"/{guest.sh,session} "$TOP/build/vm/exec" "$tree/vm/run/"
	cp /bin/busybox "$tree/vm/run/bin/"
	put_for_session "$tree"
	write_session "$tree/vm/run"
	{ pack "$tree" && cat "$dir/initrd.machine"; } >"$dir/initrd" ||
		die 'cannot make the initial RAM disk'
	rm -rf "$tree" "$dir/initrd.machine"
}

# What fails the run leaves the image as it was, so that it can be repeated.
use_disk()
{
	local rights=rw i

	[ -z "$read_only" ] || rights=ro
	# it has no fstab that would say otherwise later; and no confidential VM
	# virtualises, while QEMU's processor offers it
	[ "${#data[@]}" != 0 ] || append="root=/dev/vda $append"
	append="$rights rdinit=/vm/early module_blacklist=kvm_amd,kvm_intel $append"
	ports+=(journal)
	if [ -n "$read_only" ]; then
		drives=(-drive "file=$disk,format=raw,if=virtio,readonly=on")
	else
		add_drive "$disk" disk
	fi
	for i in "${!data[@]}"; do
		add_drive "${data[i]}" "data.$i"
	done
}

# add_drive IMAGE COPY: what is written goes to the copy
add_drive()
{
	cp --sparse=always --reflink=auto "$1" "$dir/$2" || exit 1
	drives+=(-drive "file=$2,format=raw,if=virtio,cache=unsafe")
}

keep_disk()
{
	local i

	[ ! -e "$dir/disk" ] || mv "$dir/disk" "$disk"
	for i in "${!data[@]}"; do
		mv "$dir/data.$i" "${data[i]}"
	done
}
