#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl doctor on machines that are files below a folder: what a version, a
# missing module and a kernel's settings make it say. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

# machine NAME RELEASE VERSION snp|tdx: a folder like a machine where all is well
machine() {
	root=$dir/$1
	mkdir -p "$root"/proc/sys/kernel "$root"/etc "$root"/dev \
		"$root"/lib/modules/"$2"/updates/dkms \
		"$root"/sys/module/{module/parameters,cvm_guest} \
		"$root"/sys/class/misc/cvm_report/channel "$root"/sys/class/tpm/tpm0 \
		"$root"/sys/devices/system/clocksource/clocksource0 "$root"/sys/kernel/security
	echo "$2" >"$root/proc/sys/kernel/osrelease"
	echo "$3" >"$root/proc/sys/kernel/version"
	echo "flags : fpu rdrand rdseed $([[ $4 != tdx ]] || echo tdx_guest)" >"$root/proc/cpuinfo"
	[[ $4 != snp ]] || mkdir -p "$root/sys/bus/platform/devices/sev-guest"
	echo Y >"$root/sys/module/module/parameters/sig_enforce"
	echo '[none] integrity confidentiality' >"$root/sys/kernel/security/lockdown"
	echo ready >"$root/sys/class/misc/cvm_report/channel/state"
	echo tsc >"$root/sys/devices/system/clocksource/clocksource0/current_clocksource"
	echo 'cvm:x:990:' >"$root/etc/group"
	cp "$module" "$root/lib/modules/$2/updates/dkms/cvm_guest.ko"
	depmod -b "$root" "$2" 2>/dev/null
}

# examine STATUS NAME: cvmctl doctor of $root ends with STATUS
examine() {
	"$cvmctl" doctor --root "$root" --json >"$dir/json" 2>"$dir/stderr"
	result "$([[ $? == "$1" ]]; echo $?)" "$2: exit status $1" "$(cat "$dir/json" "$dir/stderr")"
}

# says SEVERITY CHECK PATTERN [COMMAND]: there is such a finding
says() {
	python3 - "$dir/json" "$@" <<-'END'
	import json, re, sys
	path, severity, check, cause, *command = sys.argv[1:]
	with open(path, encoding="utf-8") as file:
	    found = [f for f in json.load(file)["findings"]
	             if (f["severity"], f["check"]) == (severity, check)
	             and re.search(cause, f["cause"])
	             and (not command or re.search(command[0], f["command"] or ""))]
	sys.exit(not found)
	END
	result $? "$1: $2: $3" "$(cat "$dir/json")"
}

# any module will do: what is looked at is where it is, and its signature
module=$dir/cvm_guest.ko
printf 'int x;\n' | "${CC:-cc}" -c -x c -o "$module" - || exit 1

machine snp 6.12.117+deb12-cloud-amd64 '#1 SMP Debian 6.12.117-1~deb12u1 (2026-11-14)' snp
examine 0 'an SNP guest'
says fine platform 'SEV-SNP guest, kernel 6\.12\.117'
says fine driver 'cvm_guest has the platform'
says fine module 'updates/dkms/cvm_guest\.ko'
says fine channel ready
says fine kernel '6\.12\.117 has the known fixes'
says fine entropy 'processor'
machine tdx 7.3.4+deb13-cloud-amd64 '#1 SMP Debian 7.3.4-1~bpo13+1 (2026-11-15)' tdx
examine 0 'a TDX guest'
says fine platform 'TDX guest'

machine old 6.1.0-20-cloud-amd64 '#1 SMP Debian 6.1.85-1 (2024-04-11)' snp
examine 1 'an old kernel'
says unsafe kernel '6\.1\.85 .*CVE-2024-36331' full-upgrade
says unsafe kernel '6\.1\.85 .*CVE-2024-25742'
result "$(! grep -q 'CVE-2024-25744\|CVE-2023-46813' "$dir/json"; echo $?)" 'what it has is not missed'
machine oldtdx 6.12.9 '#1 SMP' tdx
examine 0 'what concerns SNP only does not concern TDX'
machine mainline 6.5.0 '#1 SMP' snp
examine 1 'a mainline kernel'
says unsafe kernel 'CVE-2023-46813'
says unsafe kernel 'CVE-2024-25744'

machine unsupported 6.12.117 '#1 SMP' none
examine 1 'no confidential VM'
says unsafe platform 'no SEV-SNP or TDX'

machine other 6.12.117 '#1 SMP' snp
rm -r "$root/sys/module/cvm_guest" "$root/sys/class/misc"
mkdir "$root/sys/module/sev_guest"
examine 0 "the kernel's own driver"
says warning driver 'one request at a time' 'modprobe -r sev-guest && cvmctl module load'
rm -r "$root/sys/module/sev_guest"
examine 1 'no driver'
says unsafe driver 'no driver is loaded' 'cvmctl module load'
mkdir "$root/sys/module/cvm_guest" "$root/sys/module/sev_guest"
examine 1 'a driver without the platform'
says unsafe driver 'another driver has' 'modprobe -r cvm_guest sev-guest'

machine unbuilt 6.12.117 '#1 SMP' snp
rm "$root/lib/modules/6.12.117/updates/dkms/cvm_guest.ko"
depmod -b "$root" 6.12.117 2>/dev/null
examine 0 'no module'
says warning module 'DKMS does not know' 'dkms add'
mkdir -p "$root/var/lib/dkms/cvm-guest"
examine 0 'no headers'
says warning module 'headers are not installed' 'apt-get install linux-headers-6\.12\.117'
mkdir "$root/lib/modules/6.12.117/build"
examine 0 'a build that failed'
says warning module 'failed.*make\.log' 'dkms install cvm-guest/.* -k 6\.12\.117'

machine settings 6.12.117 '#1 SMP' snp
echo N >"$root/sys/module/module/parameters/sig_enforce"
echo kvm-clock >"$root/sys/devices/system/clocksource/clocksource0/current_clocksource"
echo parked >"$root/sys/class/misc/cvm_report/channel/state"
examine 0 'weak settings'
says warning signature 'takes unsigned modules' 'module\.sig_enforce=1'
says warning clock 'kvm-clock, whose pace the host sets' clocksource=tsc
says warning channel 'not answered'
echo 'none [integrity] confidentiality' >"$root/sys/kernel/security/lockdown"
echo dead >"$root/sys/class/misc/cvm_report/channel/state"
echo 'flags : fpu' >"$root/proc/cpuinfo"
examine 1 'a dead channel'
says fine signature 'only signed modules'
says unsafe channel 'until the next boot' reboot
says unsafe entropy 'came through the host'

root=$dir/nothing
"$cvmctl" doctor --root "$root" >"$dir/stdout" 2>"$dir/stderr"
result "$([[ $? == 1 && ! -s $dir/stdout ]] && grep -q 'is /proc mounted' "$dir/stderr"; echo $?)" 'no machine'
finish
