# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What the scripts in the VM share: init, or early and session where a disk is
# booted. Sourced by busybox's shell, after settings. VM is their directory.

PORTS=/dev/virtio-ports

# what hangs ends the run, with its call trace, instead of waiting for the
# time-out; and everything from here on reaches the console
watch_kernel()
{
	echo 1 >/proc/sys/kernel/hung_task_panic
	echo 1 >/proc/sys/kernel/softlockup_panic
	echo "$HUNG_TASK" >/proc/sys/kernel/hung_task_timeout_secs
	echo 1 >/proc/sys/kernel/sysrq
	echo 7 >/proc/sys/kernel/printk
}

# what udev would do
name_ports()
{
	local name port have=0

	mkdir -p $PORTS
	for name in /sys/class/virtio-ports/*/name; do
		[ -e "$name" ] || continue
		port=${name%/name}
		ln -sf "../${port##*/}" "$PORTS/$(cat "$name")"
		have=$((have + 1))
	done
	[ "$have" -ge "$PORT_COUNT" ]
}

open_ports()
{
	local left=500

	until name_ports; do
		left=$((left - 1))
		[ $left -gt 0 ] || { echo 'vm: trouble: the ports did not appear'; reboot -f; }
		usleep 10000
	done
	exec 9>$PORTS/cvm.status
}

# await WHAT TRIES COMMAND...
await()
{
	local what=$1 left=$2

	shift 2
	until "$@"; do
		left=$((left - 1))
		[ "$left" -gt 0 ] || { trouble "$what"; return 1; }
		usleep 20000
	done
}

trouble()
{
	echo "trouble $*" >&9
	echo "vm: trouble: $*"
}

# the guest's own look at what hangs, before the host pulls the plug
watchdog()
{
	# only one may have the port open
	exec 9>&-
	sleep "$WATCHDOG"
	echo "vm: no end after $WATCHDOG s: blocked tasks and busy CPUs follow"
	echo w >/proc/sysrq-trigger
	echo l >/proc/sysrq-trigger
}

# booted with one CPU: booting patches the kernel's code hundreds of times, and
# QEMU before 8.1 may go on executing the old code on another CPU (see run)
start_cpus()
{
	local cpu

	for cpu in /sys/devices/system/cpu/cpu[0-9]*/online; do
		[ "$(cat "$cpu")" = 1 ] || echo 1 >"$cpu" || trouble "cannot start ${cpu%/online}"
	done
}

sim_is_ready()
{
	[ "$(cat /sys/kernel/cvm_platform_sim/ready 2>/dev/null)" = 1 ]
}

start_platform()
{
	[ "$PLATFORM" = none ] || start_simulator || return 1
	[ -z "$SIG_ENFORCE" ] || echo 1 >/sys/module/module/parameters/sig_enforce ||
		trouble 'module signatures cannot be enforced'
}

start_simulator()
{
	load cvm_platform_sim || { trouble 'cvm_platform_sim does not load'; return 1; }
	{ exec 9>&-; bridge --bridge /dev/cvm-fw $PORTS/cvm.fw; } &
	await 'the simulated platform did not become ready' 1500 sim_is_ready
}

# Azure's: the one address that the host has for its guests
join_host()
{
	load virtio_net || trouble 'virtio_net does not load'
	if ! ip link set eth0 up || ! ip addr add 169.254.169.15/24 dev eth0; then
		trouble "no way to the host's service"
	fi
}

send_files()
{
	local f

	[ -s "$VM/get" ] || return 0
	# busybox has no tar -T
	set --
	while read -r f; do
		[ ! -e "/$f" ] || set -- "$@" "$f"
	done <"$VM/get"
	[ $# -gt 0 ] || return 0
	tar -C / -cf $PORTS/cvm.get "$@" || trouble "cannot send files"
}

