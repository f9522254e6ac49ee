# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# What came of a run: COMMAND's own status and output, or what is wrong with the
# kernel, the firmware or the VM and where the log is. Sourced by run.

# shellcheck disable=SC2154 # dir, timeout, platform...: set by run

# fail TEXT [LINE-NUMBER]: the log around the line, or its end
fail()
{
	local from

	if [ -s "$dir/console.log" ]; then
		from=$((${2:-$(wc -l <"$dir/console.log")} - 25))
		tail -n +$((from > 1 ? from : 1)) "$dir/console.log" | head -n 60 |
			tr -d '\r' | sed 's/^/  | /' >&2
	fi
	{
		echo "run: $1"
		[ ! -e "$dir/console.log" ] || echo "run: log: $dir/console.log"
		[ ! -s "$dir/port.journal" ] || echo "run: journal: $dir/port.journal"
		echo "run: again: selftests/vm/run$again"
	} >&2
	exit "${3:-125}"
}

# QEMU before 8.1 translates code while another CPU patches it and may keep what
# it read half-way: a breakpoint that the kernel took away long ago. That is the
# emulator's fault and not what is tested, unless it is in a module of ours.
stale_breakpoint()
{
	grep -aqE '\bint3: 0000' "$dir/console.log" &&
		! grep -aE -A 12 -m 1 '\bint3: 0000' "$dir/console.log" | grep -aq 'RIP:.*\[cvm_'
}

# Nor is anything tested yet where Debian's kernel faults twice at once, as its
# first task, before it has loaded any module.
early_double_fault()
{
	grep -aq 'PANIC: double fault' "$dir/console.log" &&
		grep -aqE 'PID: 0 Comm: swapper/0 ' "$dir/console.log" &&
		! grep -aqE 'Modules linked in: *[[:alnum:]]' "$dir/console.log"
}

try_again()
{
	[ "${CVM_VM_ATTEMPT:-1}" -lt 3 ] ||
		fail 'three times in a row, a fault of QEMU in the kernel'
	echo "run: QEMU executed what the kernel is not ($dir/console.log): trying again" >&2
	CVM_VM_ATTEMPT=$((${CVM_VM_ATTEMPT:-1} + 1)) exec "$0" "${arguments[@]}"
}

status_lines()
{
	tr -d '\r' <"$dir/port.status" 2>/dev/null | sed -n "s/^$1 //p"
}

timed_out()
{
	local text="no end after $timeout s${status:+ (COMMAND had ended with $status)}"
	local hits first marker

	# the guest's own look at itself is full of call traces, not of trouble
	marker=$(grep -an -m 1 '^vm: no end after' "$dir/console.log")
	marker=${marker%%:*}
	hits=$("$TOP/selftests/vm/scan" "$dir/console.log")
	first=${hits%%:*}
	if [ -n "$first" ] && [ "$first" -lt "${marker:-$((first + 1))}" ]; then
		fail "$text; before, the kernel complained: $(head -n 1 <<<"$hits" | tr -d '\r')" \
			"$first" 124
	fi
	fail "$text" "${marker:+$((marker + 25))}" 124
}

check_kernel()
{
	local hits

	hits=$("$TOP/selftests/vm/scan" "$dir/console.log") && {
		# what the console lost, the ring buffer may have
		[ -s "$dir/port.dmesg" ] || return 0
		hits=$("$TOP/selftests/vm/scan" "$dir/port.dmesg") && return 0
		cp "$dir/port.dmesg" "$dir/console.log"
	}
	fail "the kernel complained: $(head -n 1 <<<"$hits" | tr -d '\r')" "${hits%%:*}"
}

check_firmware()
{
	[ "$platform" != none ] || return 0
	[ ! -s "$dir/fw.log" ] || { [ "$fw_status" = 0 ] && [ -z "$verbose" ]; } ||
		sed 's/^/  | /' "$dir/fw.log" >&2
	case $fw_status in
	0) ;;
	3) fail 'the guest broke a rule of the platform (cvm-fwd: above)' ;;
	*) fail "cvm-fwd ended with status $fw_status" ;;
	esac
}

check_beside()
{
	[ -n "$beside" ] || return 0
	if [ "$beside_status" != 0 ] || [ -n "$verbose" ]; then
		sed 's/^/  | /' "$dir/beside.log" >&2
	fi
	[ "$beside_status" = 0 ] || fail "the program beside the VM ended with status $beside_status"
}

fetch_files()
{
	local pair from

	[ ${#gets[@]} -gt 0 ] || return 0
	mkdir "$dir/files"
	tar -xf "$dir/port.get" -C "$dir/files" --no-same-owner 2>"$dir/get.log"
	for pair in "${gets[@]}"; do
		from=$dir/files/${pair%%:*}
		[ -e "$from" ] || { missing+=" ${pair%%:*}"; continue; }
		cp -rT "$from" "${pair#*:}" || exit 1
	done
	rm -rf "$dir/files"
}

verdict()
{
	local status text

	cat "$dir/port.err" >&2 2>/dev/null
	cat "$dir/port.out" 2>/dev/null
	fetch_files
	# of the last boot
	status=$(status_lines exit | tail -n 1)
	[ ! -e "$dir/timed-out" ] || timed_out
	[ ! -e "$dir/not-booted" ] || fail 'the firmware does not boot this kernel (see above)'
	check_kernel
	text=$(status_lines trouble)
	[ -z "$text" ] || fail "${text//$'\n'/; }"
	check_firmware
	check_beside
	grep -qx 'done' "$dir/port.status" 2>/dev/null ||
		fail "the VM ended early (QEMU: status $qemu_status $(head -c 300 "$dir/qemu.log"))"
	[ -z "$missing" ] || [ "$status" != 0 ] ||
		fail "COMMAND ended with 0 but left no$missing"
	[ -z "$missing" ] || echo "run: COMMAND left no$missing" >&2
	keep_disk
	# has been handed on; the logs stay
	rm -f "$dir"/port.{out,err,get}
	exit "$status"
}
