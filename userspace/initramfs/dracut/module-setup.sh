#!/bin/bash
# SPDX-License-Identifier: MIT
# dracut: what opens the root disk, into the initial RAM disk of a machine that has
# /etc/cvm-guest/rootdisk. See cvm-root(8).
# shellcheck disable=SC2154 # dracut's variables

check()
{
	[[ -e /etc/cvm-guest/rootdisk ]] || return 255
	require_binaries cvmctl modinfo
}

depends()
{
	echo dm rootfs-block
}

# setting NAME: of cvm-root.sh, without what else it has in dracut's own shell
setting()
{
	(
		# shellcheck source=userspace/initramfs/cvm-root.sh
		. "$moddir/cvm-root.sh"
		fail() { dfatal "cvm-root: $*"; exit 1; }
		read_config
		echo "${!1}"
	)
}

# as a module, or built in
has()	# MODULE
{
	modinfo -k "$kernel" "$1" &>/dev/null
}

# better no initial RAM disk than one that does not boot
check_kernel()
{
	local module needed

	needed=$(setting needed) || exit 1
	for module in $needed; do
		has "$module" && continue
		dfatal "cvm-root: kernel $kernel lacks $module: no root disk"
		exit 1
	done
	if ! has cvm_guest && ! has sev-guest; then
		dfatal "cvm-root: kernel $kernel has neither cvm_guest nor a driver of its own: no keys, no root disk"
		exit 1
	fi
}

installkernel()
{
	check_kernel
	# shellcheck disable=SC2046 # words
	hostonly='' instmods -s $(setting modules) "$(setting record_fstype)"
}

install()
{
	local rules

	setting name >/dev/null || exit 1
	inst_multiple cvmctl modprobe mkdir mount umount mv rm sync sleep
	inst_simple /etc/cvm-guest/rootdisk
	[[ ! -x /etc/cvm-guest/rootdisk.setup ]] || inst_script /etc/cvm-guest/rootdisk.setup
	for rules in {/usr,/usr/local}/lib/modprobe.d/cvm-guest.conf; do
		[[ ! -e $rules ]] || inst_simple "$rules" /usr/lib/modprobe.d/cvm-guest.conf
	done
	inst_simple "$moddir/cvm-root.sh" /usr/lib/cvm-guest/cvm-root.sh
	inst_script "$moddir/cvm-root" /usr/sbin/cvm-root
	inst_hook cmdline 10 "$moddir/cvm-root-check.sh"
	inst_hook initqueue/settled 10 "$moddir/cvm-root-open.sh"
	inst_hook initqueue/finished 10 "$moddir/cvm-root-finished.sh"
	inst_hook pre-mount 10 "$moddir/cvm-root-opened.sh"
	dracut_need_initqueue
	# no shell on a console that is the host's; the command line may say otherwise
	mkdir -p "$initdir/etc/cmdline.d"
	echo "rd.shell=0 rd.emergency=reboot" >"$initdir/etc/cmdline.d/99-cvm-root.conf"
}
