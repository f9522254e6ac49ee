# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# The machine that a VM is: QEMU's arguments, how the kernel gets into it, and
# what stands beside it. Sourced by run.
# shellcheck disable=SC2154 # the options of run

OVMF=/usr/share/OVMF
STUB=/usr/lib/systemd/boot/efi/linuxx64.efi.stub

# the quieter the boot the quicker; init turns the console up. lpj: under TCG,
# measuring a second CPU's delay loop takes long and comes out wrong; delays are
# counted in the host's TSC, HZ is 250. tsc_early_khz: and so is time
kernel_arguments()
{
	echo "console=ttyS0 ${verbose:+loglevel=7} $quiet panic=-1 oops=panic maxcpus=1" \
		"lpj=$((4 * tsc_khz)) tsc_early_khz=$tsc_khz" "memmap=1M\$0x1f000000 mitigations=off" \
		"tsc=reliable no_timer_check random.trust_cpu=on audit=0 apparmor=0" \
		"cryptomgr.notests=1 8250.nr_uarts=1 $append"
}

# image OUT: kernel, command line and initial RAM disk as one EFI program, signed
image()
{
	local initrd_at=$((0x2000000 + (($(stat -L -c %s "$VMLINUZ") >> 20) + 1 << 20)))

	kernel_arguments >"$dir/cmdline"
	objcopy --add-section .cmdline="$dir/cmdline" --change-section-vma .cmdline=0x30000 \
		--add-section .linux="$VMLINUZ" --change-section-vma .linux=0x2000000 \
		--add-section .initrd="$dir/initrd" --change-section-vma .initrd=$initrd_at \
		$STUB "$1.unsigned" || return 1
	sbsign --key "$uefi/db.key" --cert "$uefi/db.pem" --output "$1" "$1.unsigned" 2>"$1.log" ||
		{ cat "$1.log" >&2; return 1; }
	rm -f "$1.unsigned"
}

# a disk with nothing but what the firmware boots
make_disk()
{
	local program=$dir/BOOTX64.EFI

	image "$program" || die 'cannot make the signed image (see above)'
	mkfs.vfat -C "$dir/esp" $(($(stat -c %s "$program") / 1000 + 2048)) >/dev/null &&
		mmd -i "$dir/esp" ::/EFI ::/EFI/BOOT &&
		mcopy -i "$dir/esp" "$program" ::/EFI/BOOT/ || die 'cannot make the disk'
	rm -f "$program" "$dir/initrd"
}

# the firmware with system management mode: nothing else may write its variables
uefi_arguments()
{
	qemu+=(-machine smm=on -global driver=cfi.pflash01,property=secure,value=on
		-global ICH9-LPC.disable_s3=1
		-drive "if=pflash,format=raw,unit=0,readonly=on,file=$OVMF/OVMF_CODE_4M.secboot.fd"
		-drive "if=pflash,format=raw,unit=1,file=$uefi/vars.fd"
		-drive 'if=none,id=esp,format=raw,file=esp' -device 'virtio-blk-pci,drive=esp')
}

# firmware that has nothing to boot waits for somebody to press a key
watch_firmware()
{
	tail -n +1 -s 0.2 -f --pid="$qemu_pid" "$dir/console.log" 2>/dev/null |
		grep -aqm 1 'No bootable option or device was found' || return 0
	: >"$dir/not-booted"
	kill -KILL "$qemu_pid"
}

start_tpm()
{
	local left=500

	[ -n "$tpm" ] && [[ $platform != azure-* ]] || return 0
	mkdir "$dir/tpm"
	(cd "$dir" && exec swtpm socket --tpm2 --tpmstate "dir=${tpm_state:-tpm}" --flags startup-none \
		--ctrl type=unixio,path=tpm.sock >tpm.log 2>&1) &
	tpm_pid=$!
	until [ -S "$dir/tpm.sock" ]; do
		kill -0 $tpm_pid 2>/dev/null && ((--left)) ||
			{ cat "$dir/tpm.log" >&2; fail 'swtpm did not start (see above)'; }
		sleep 0.02
	done
}

# what it keeps is on the disk, for the next run with it
stop_tpm()
{
	[ -n "$tpm_pid" ] || return 0
	kill "$tpm_pid" 2>/dev/null
	wait "$tpm_pid" 2>/dev/null
	tpm_pid=
}

# tpm_arguments DEVICE: swtpm, or the paravisor that is in front of it
tpm_arguments()
{
	qemu+=(-chardev 'socket,id=tpm,path=tpm.sock'
		-tpmdev 'emulator,id=tpm,chardev=tpm' -device "$1,tpmdev=tpm")
}

# a network of this one address, each of whose connections is a process here
imds_arguments()
{
	qemu+=(-netdev "user,id=host,restrict=on,net=169.254.169.0/24,host=169.254.169.2,dhcpstart=169.254.169.15,guestfwd=tcp:169.254.169.254:80-cmd:$TOP/selftests/vm/connect $(<"$dir/imds/port")"
		-device 'virtio-net-pci,netdev=host,romfile=')
}

qemu_arguments()
{
	local name n=0

	# ioeventfd=off: what the guest has written is in the file when its write
	# returns, so nothing is lost when the VM ends
	qemu=(qemu-system-x86_64 -nodefaults -no-user-config -no-reboot -display none
		-machine q35 -accel 'tcg,thread=multi' -cpu max
		-smp "$cpus" -m "$memory"
		-serial file:console.log
		-device 'virtio-serial-pci,ioeventfd=off,max_ports=16')
	for name in "${ports[@]}"; do
		n=$((n + 1))
		case $name in
		fw) qemu+=(-chardev 'socket,id=fw,path=fw.sock') ;;
		beside) qemu+=(-chardev 'pipe,id=beside,path=beside') ;;
		*) qemu+=(-chardev "file,id=$name,path=port.$name") ;;
		esac
		qemu+=(-device "virtserialport,nr=$n,chardev=$name,name=cvm.$name")
	done
	qemu+=("${drives[@]}")
	[ -z "$beside" ] || qemu+=(-machine memory-backend=ram
		-object "memory-backend-file,id=ram,size=${memory}M,mem-path=memory,share=on")
	# Azure's is of the kind that has a buffer for whole commands
	case $platform in
	azure-*) tpm_arguments tpm-crb
		qemu+=(-smbios 'type=1,manufacturer=Microsoft Corporation,product=Virtual Machine') ;;
	*) [ -z "$tpm" ] || tpm_arguments tpm-tis ;;
	esac
	[ -z "$imds" ] || imds_arguments
	if [ -n "$uefi" ]; then
		uefi_arguments
	else
		qemu+=(-kernel "$VMLINUZ" -initrd initrd -append "$(kernel_arguments)")
	fi
}
