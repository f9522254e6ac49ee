#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl doctor on machines that are files below a folder: what a version, a
# missing module, a signature and a kernel's settings make it say. What needs a
# kernel is in doctor_guest.sh and in selftests/secureboot. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/vm/lib.sh
. selftests/vm/lib.sh

efi=sys/firmware/efi
images=d719b2cb-3d3a-4596-a3bc-dad00e67656f
shim=605dab50-e046-4300-abb6-3dd810dd8b23

# variable NAME GUID ATTRIBUTES FILE: of the firmware of $root
variable() { { printf '%b' "\\x$3\\0\\0\\0"; cat "$4"; } >"$root/$efi/efivars/$1-$2"; }

secure_boot() {	# 0 or 1
	printf '%b' "\\x0$1" >"$dir/value"
	variable SecureBoot 8be4df61-93ca-11d2-aa0d-00e098032b8c 06 "$dir/value"
}

# certificate NAME: $dir/NAME.key, .pem, .der, .esl
certificate() {
	openssl req -new -x509 -newkey rsa:2048 -nodes -sha256 -days 30 -subj "/CN=$1" \
		-keyout "$dir/$1.key" -out "$dir/$1.pem" 2>/dev/null
	openssl x509 -in "$dir/$1.pem" -outform DER -out "$dir/$1.der"
	cert-to-efi-sig-list "$dir/$1.pem" "$dir/$1.esl"
}

# signed NAME [FROM]: the module as it is, or FROM, is signed with NAME's key
signed() {
	cp "${2-$module}" "$ko"
	"$program" sha256 "$dir/$1.key" "$dir/$1.pem" "$ko"
}

# machine NAME RELEASE VERSION snp|tdx|none: a folder like a machine where all is well
machine() {
	root=$dir/$1 ko=$dir/$1/lib/modules/$2/updates/dkms/cvm_guest.ko
	mkdir -p "$root"/proc/sys/kernel "$root"/etc "$root"/dev "${ko%/*}" \
		"$root"/sys/module/{module/parameters,cvm_guest} "$root/$efi/efivars" \
		"$root"/sys/class/misc/cvm_report/channel \
		"$root"/sys/devices/system/clocksource/clocksource0 "$root"/sys/kernel/security
	echo "$2" >"$root/proc/sys/kernel/osrelease"
	echo "$3" >"$root/proc/sys/kernel/version"
	echo 0 >"$root/proc/sys/kernel/modules_disabled"
	echo "flags : fpu rdrand rdseed $([[ $4 != tdx ]] || echo tdx_guest)" >"$root/proc/cpuinfo"
	[[ $4 != snp ]] || mkdir -p "$root/sys/bus/platform/devices/sev-guest"
	echo Y >"$root/sys/module/module/parameters/sig_enforce"
	echo 'none [integrity] confidentiality' >"$root/sys/kernel/security/lockdown"
	secure_boot 1
	variable db $images 27 "$dir/image.esl"
	echo ready >"$root/sys/class/misc/cvm_report/channel/state"
	mkdir "$root/dev/cvm"
	ln -s /dev/console "$root/dev/cvm/report"
	echo tsc >"$root/sys/devices/system/clocksource/clocksource0/current_clocksource"
	echo 'cvm:x:990:' >"$root/etc/group"
	mkdir -p "$root/usr/lib/modprobe.d"
	cp userspace/udev/modprobe.conf "$root/usr/lib/modprobe.d/cvm-guest.conf"
	signed image
	depmod -b "$root" "$2" 2>/dev/null
}

# kernel's settings of $root
setting() {	# sig_enforce LOCKDOWN
	echo "$1" >"$root/sys/module/module/parameters/sig_enforce"
	echo "$2" >"$root/sys/kernel/security/lockdown"
}

no_firmware() { rm -r "${root:?}/$efi"; }
not_loaded() { rm -r "$root/sys/module/cvm_guest" "$root/sys/class/misc"; }

# examine STATUS NAME: cvmctl doctor of $root ends with STATUS
examine() {
	LD_PRELOAD=$dir/fake.so "$cvmctl" doctor --root "$root" --json "${with[@]}" >"$dir/json" 2>"$dir/stderr"
	result "$([[ $? == "$1" ]]; echo $?)" "$2: exit status $1" "$(cat "$dir/json" "$dir/stderr")"
}

with=()

# says fine CHECK PATTERN, or says ID PATTERN [COMMAND]: there is such a finding
# shellcheck disable=SC2016 # jq's variables
says() {
	local what='.id == $id and .severity != "fine" and (.check as $check | $id | startswith($check + "-")) and
		(.cause | test($cause)) and (.command // "no command" | test($command))'

	if [[ $1 == fine ]]; then
		what='.id == null and .severity == "fine" and .check == $cause and (.cause | test($command))'
	fi
	jq -e --arg id "$1" --arg cause "$2" --arg command "${3-}" ".findings | any($what)" "$dir/json" >/dev/null
	result $? "$1: $2" "$(cat "$dir/json")"
}

# silent TEXT: it is nowhere
silent() { result "$(! grep -q "$1" "$dir/json"; echo $?)" "no $1" "$(cat "$dir/json")"; }

mkdir "$dir/bin"
printf '#!/bin/sh\nexit 1\n' >"$dir/bin/reboot"
chmod +x "$dir/bin/reboot"
# time and random numbers of the machine that runs this are not what is tested
cat >"$dir/fake.c" <<'END'
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/timex.h>
#include <time.h>

time_t time(time_t *t)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (getenv("LATER"))
		now.tv_sec += 400 * 86400;
	if (t)
		*t = now.tv_sec;
	return now.tv_sec;
}

int adjtimex(struct timex *t)
{
	t->status = getenv("NOT_SYNCHRONISED") ? STA_UNSYNC : 0;
	return 0;
}

ssize_t getrandom(void *buffer, size_t size, unsigned int flags)
{
	if (!getenv("NOT_READY"))
		return (ssize_t)size;
	errno = EAGAIN;
	return -1;
}
END
"${CC:-cc}" -shared -fPIC -o "$dir/fake.so" "$dir/fake.c" || exit 1
# any module will do: what is looked at is where it is, and its signature
module=$dir/cvm_guest.ko
printf 'char info[] __attribute__((section(".modinfo"))) = "version=0.9\\0srcversion=1234";\n' | "${CC:-cc}" -c -x c -o "$module" - || exit 1
program=$(sign_file '') || exit 1
for name in image owner dkms package other; do certificate $name; done
deb12='#1 SMP Debian 6.12.117-1~deb12u1 (2026-11-14)'

machine tdx 7.3.4+deb13-cloud-amd64 '#1 SMP Debian 7.3.4-1~bpo13+1 (2026-11-15)' tdx
examine 0 'a TDX guest'
says fine platform 'TDX guest'
says fine clock tsc
says fine clock 'is synchronised'
machine snp 6.12.117+deb12-cloud-amd64 "$deb12" snp
examine 0 'an SNP guest'
says fine platform 'SEV-SNP guest, kernel 6\.12\.117'
says fine driver 'cvm_guest has the platform'
says fine module '^installed for this kernel: /lib/modules/.*/updates/dkms/cvm_guest\.ko'
says fine signature "by 'image', whose certificate is in UEFI's db"
says fine lockdown 'lockdown: integrity'
says fine secureboot 'is on'
says fine channel ready
says fine nodes '/dev/cvm/report'
says fine kernel '6\.12\.117 has the known fixes'
says fine entropy 'processor'
says kernel-no-fix CVE-2024-25743 'no command'
says clock-tsc 'unless the guest has Secure TSC'
says tpm-none 'no TPM'
says containers-unseen 'only seen by root' 'sudo cvmctl doctor'

silent dropin
mkdir "$root/sys/module/cvm_guest/parameters"
echo Y >"$root/sys/module/cvm_guest/parameters/drop_in"
examine 0 'with the node of the older driver'
says dropin-keys '/dev/sev-guest gives both reports and the keys' 'cvm_guest drop_in=0'
echo N >"$root/sys/module/cvm_guest/parameters/drop_in"
examine 0 'without it'
says fine dropin 'no /dev/sev-guest'
mkdir "$root/sys/class/misc/sev-guest"
examine 0 "with another driver's"
says dropin-taken "another driver's" 'no command'
rm -r "$root/sys/class/misc/sev-guest" "$root/sys/module/cvm_guest/parameters"

machine old 6.1.0-20-cloud-amd64 '#1 SMP Debian 6.1.85-1 (2024-04-11)' snp
examine 1 'an old kernel'
says kernel-fix '6\.1\.85 .*CVE-2024-36331.*came with 6\.1\.148' full-upgrade
says kernel-fix '6\.1\.85 .*CVE-2024-25742.*never got it' 'no command'
echo VERSION_CODENAME=bookworm >"$root/etc/os-release"
examine 1 'an old kernel of Debian 12'
says kernel-fix '6\.1\.85 .*CVE-2024-25742.*never got it' 'linux-image-6\.12-cloud-amd64 linux-headers-6\.12-cloud-amd64$'
echo VERSION_CODENAME=trixie >"$root/etc/os-release"
examine 1 'an old kernel under another release of Debian'
says kernel-fix '6\.1\.85 .*CVE-2024-25742.*never got it' 'no command'
silent 'CVE-2024-25744'
silent 'CVE-2023-46813'
silent 'CVE-2024-35875'
silent 'CVE-2024-47727'
machine oldtdx 6.12.9 '#1 SMP' tdx
examine 1 'an old TDX guest'
says kernel-fix 'CVE-2026-89751.*6\.12\.111'
silent 'CVE-2024-36331'
silent kernel-driver
rm -r "$root/sys/module/cvm_guest"
mkdir "$root/sys/module/tdx_guest"
examine 1 "the kernel's own driver, as old"
says kernel-driver "the quote's length" '^modprobe -r tdx-guest && modprobe tdx-guest$'
says kernel-driver "the quote's status"
machine mainline 6.5.0 '#1 SMP' snp
examine 1 'a mainline kernel'
says kernel-fix 'CVE-2023-46813'
says kernel-fix 'CVE-2024-25744'
machine between 7.0.9 '#1 SMP' tdx
echo VERSION_CODENAME=bookworm >"$root/etc/os-release"
examine 1 'a series that ended, after the one that a command could name'
says kernel-fix 'CVE-2026-89751.*never got it' 'no command'
machine strange next '#1 SMP' snp
examine 0 'a version that is none'
says kernel-unknown "'next' is not understood"

machine unsupported 6.12.117 '#1 SMP' none
examine 1 'no confidential VM'
says platform-none 'no SEV-SNP or TDX'
silent '"module"'
silent '"signature"'
mkdir -p "$root/sys/class/dmi/id"
echo 7783-7084-3265-9085-8269-3286-77 >"$root/sys/class/dmi/id/chassis_asset_tag"
examine 1 'a VM of Azure'
says platform-azure 'is not there' '^modprobe cvm_guest$'
silent platform-none
mkdir -p "$root/sys/class/tpm/tpm0/pcr-sha256"
echo none >"$root/sys/class/misc/cvm_report/channel/trouble"
examine 0 'a confidential VM of Azure'
says fine platform 'a confidential VM of Azure'
silent platform-azure
echo owner-password >"$root/sys/class/misc/cvm_report/channel/trouble"
examine 0 'one whose paravisor is hindered'
says platform-paravisor 'owner-password' 'no command'

machine other 6.12.117 '#1 SMP' snp
not_loaded
mkdir "$root/sys/module/sev_guest"
examine 0 "the kernel's own driver"
says driver-in-tree 'one request at a time' '^modprobe -r sev-guest && modprobe sev-guest$'
says kernel-driver 'pages that stay shared' '^modprobe -r sev-guest && modprobe sev-guest$'
rm "$root/usr/lib/modprobe.d/cvm-guest.conf"
examine 0 "the kernel's own driver, which would only come back"
says driver-in-tree 'one request at a time' 'no command'
cp userspace/udev/modprobe.conf "$root/usr/lib/modprobe.d/cvm-guest.conf"
rm -r "$root/sys/module/sev_guest"
examine 1 'no driver'
says driver-none 'no driver is loaded' 'cvmctl module load'
silent module-loading-off
echo 1 >"$root/proc/sys/kernel/modules_disabled"
examine 1 'no driver, and no way to load it'
says module-loading-off 'until the next boot' 'modules-load\.d.*reboot'
says driver-none 'no driver is loaded' 'no command'
echo 0 >"$root/proc/sys/kernel/modules_disabled"
mkdir -p "$root/etc/modprobe.d"
echo 'blacklist cvm-guest' >"$root/etc/modprobe.d/local.conf"
echo 'quiet module_blacklist=nouveau,other splash cvm_guest' >"$root/proc/cmdline"
mkdir "$root/sys/module/sev_guest"
examine 0 "the kernel's own driver, and a blacklist"
says driver-in-tree 'one request at a time' 'no command'
rmdir "$root/sys/module/sev_guest"
examine 1 'a blacklist'
says module-blacklisted 'modprobe has been told .*modprobe\.d' 'sed -i .*/etc/modprobe\.d'
silent 'the kernel has been told'
rm "$root/etc/modprobe.d/local.conf"
echo 'quiet module_blacklist=other module_blacklist=nouveau,cvm_guest splash' >"$root/proc/cmdline"
examine 1 'a blacklist of the kernel'
says module-blacklisted 'the kernel has been told' 'no command'
silent 'modprobe has been told'
echo 'quiet modprobe.blacklist=cvm-guest' >"$root/proc/cmdline"
examine 1 "modprobe's blacklist on the kernel's command line"
says module-blacklisted 'modprobe has been told .*modprobe\.blacklist=' 'no command'
silent 'the kernel has been told'
: >"$root/proc/cmdline"

machine rivals 6.12.117 "$deb12" snp
mkdir "$root/lib/modules/6.12.117/kernel"
cp "$module" "$root/lib/modules/6.12.117/kernel/sev-guest.ko"
depmod -b "$root" 6.12.117 2>/dev/null
rm "$root/usr/lib/modprobe.d/cvm-guest.conf"
examine 0 "no rule for the kernel's own driver"
says module-not-preferred 'before /lib/modules/6\.12\.117/kernel/sev-guest\.ko' 'reinstall cvm-guest$'
cp userspace/udev/modprobe.conf "$root/usr/lib/modprobe.d/cvm-guest.conf"
examine 0 'our rule'
silent module-not-preferred
echo 'install sev-guest /bin/true' >"$root/usr/lib/modprobe.d/cvm-guest.conf"
examine 0 'another rule'
says module-not-preferred 'no rule'
machine both 6.12.117 '#1 SMP' snp
rm -r "$root/sys/class/misc"
mkdir "$root/sys/module/sev_guest"
examine 1 'a driver without the platform'
says driver-no-node 'another driver has' '^modprobe -r cvm_guest sev-guest && modprobe sev-guest$'
silent module-loading-off

machine upgraded 6.12.117 '#1 SMP' snp
echo 1234 >"$root/sys/module/cvm_guest/srcversion"
examine 0 'the module that is installed is the one that runs'
silent module-old
echo 0.8 >"$root/sys/module/cvm_guest/version"
examine 0 'another version of which modinfo knows no other sources'
says module-old 'version 0.8\) is another than .*\(0.9\)' '^modprobe -r cvm_guest && modprobe sev-guest$'
echo 0.9 >"$root/sys/module/cvm_guest/version"
echo 5678 >"$root/sys/module/cvm_guest/srcversion"
examine 0 'one that was upgraded while it was in use'
says module-old 'srcversion 5678\) is another than .*\(1234\)' '^modprobe -r cvm_guest && modprobe sev-guest$'
cp "$module" "$ko"
examine 0 'an upgrade that this kernel would refuse'
says module-old 'srcversion 5678' 'no command'

machine unbuilt 6.12.117 '#1 SMP' snp
rm "$ko"
depmod -b "$root" 6.12.117 2>/dev/null
examine 0 'no module'
says module-not-added 'no sources' '^apt-get install cvm-guest-dkms$'
mkdir -p "$root/usr/share/cvm-guest"
echo >"$root/usr/share/cvm-guest/6.12.1-Other_kernel.der"
examine 0 'no module, on an image with prebuilt ones'
says module-not-added 'no sources' '^apt-get install cvm-guest-module-6\.12\.117$'
rm -r "${root:?}/usr/share/cvm-guest"
mkdir -p "$root/usr/src/cvm-guest-0.0.9"
examine 0 'sources that DKMS has not been asked to build'
says module-no-headers 'headers are not installed'
rm -r "$root/usr/src"
mkdir -p "$root/var/lib/dkms/cvm-guest"/{0.10.1,0.9.1,kernel-6.12.117-x86_64}
examine 0 'no headers'
says module-no-headers 'headers are not installed' 'apt-get install linux-headers-6\.12\.117'
mkdir "$root/lib/modules/6.12.117/build"
examine 0 'a build that failed'
says module-not-built 'failed.*make\.log' '^dkms install cvm-guest/0\.10\.1 -k 6\.12\.117$'

# where the kernel insists on signatures: of the module that DKMS made
machine signatures 6.12.117 '#1 SMP' snp
not_loaded
mkdir -p "$root/sys/module/sev_guest" "$root/var/lib/dkms/cvm-guest/0.3"
cp "$module" "$ko"
examine 0 'a module that is not signed'
says signature-missing 'updates/dkms/cvm_guest.ko\) is not signed' '^dkms build --force cvm-guest/0\.3 -k 6\.12\.117 && dkms install --force cvm-guest/0\.3 -k 6\.12\.117$'
says driver-in-tree 'one request at a time' 'no command'
says kernel-driver 'pages that stay shared' 'no command'
rmdir "$root/sys/module/sev_guest"
examine 1 'no driver, and none that the kernel would take'
says driver-none 'no driver is loaded' 'no command'
mkdir "$root/lib/modules/6.12.117/kernel"
cp "$module" "$root/lib/modules/6.12.117/kernel/sev-guest.ko"
depmod -b "$root" 6.12.117 2>/dev/null
examine 1 "no driver, and the kernel's own"
says driver-none 'no driver is loaded' '^modprobe sev-guest$'
mkdir "$root/sys/module/sev_guest"
signed image
printf x | dd of="$ko" bs=1 seek=100 conv=notrunc 2>/dev/null
examine 1 'a module that was changed'
says signature-wrong "not what 'image' has signed" 'dkms build --force'
signed image
truncate -s -30 "$ko"
printf 'xx~Module signature appended~\n' >>"$ko"
examine 1 'a signature that is damaged'
says signature-wrong 'damaged'
signed dkms
examine 0 'a key whose certificate is nowhere'
says signature-not-enrolled "key of 'dkms'" 'dkms build --force'
mkdir -p "$root/var/lib/dkms"
strange=$'\e[2J\377'
openssl req -new -x509 -key "$dir/other.key" -days 30 -subj "/CN=$strange" -out "$dir/strange.pem" 2>/dev/null
ln -f "$dir/other.key" "$dir/strange.key"
signed strange
examine 0 'a signer whose name is not text'
says signature-not-enrolled "key of '\?\[2J"
signed dkms
cp "$dir/dkms.der" "$root/var/lib/dkms/mok.pub"
examine 0 "DKMS's key, not enrolled, without shim"
says signature-not-enrolled "key of 'dkms'" 'mok\.pub.*efi-updatevar -a -c cert\.pem -k KEK\.key db'
mkdir -p "$root/$efi/mok-variables"
cp "$dir/owner.esl" "$root/$efi/mok-variables/MokListRT"
examine 0 "DKMS's key, not enrolled, with shim"
says signature-not-enrolled "key of 'dkms'" 'mokutil --import /var/lib/dkms/mok\.pub'
cat "$dir/dkms.esl" >>"$root/$efi/mok-variables/MokListRT"
examine 0 "DKMS's key as the second of the machine owner's"
says fine signature "'dkms', whose certificate is in the machine owner's keys"
silent signature-key-here
echo >"$root/var/lib/dkms/mok.key"
examine 0 'the same, with the key on the machine'
says fine signature "'dkms', whose certificate is in the machine owner's keys"
says signature-key-here "the key of 'dkms' is on this machine" 'no command'
rm -r "$root/$efi/mok-variables"
variable MokListRT $shim 06 "$dir/dkms.esl"
examine 0 'the same in a variable'
says fine signature "'dkms', whose certificate is in the machine owner's keys"
silent secureboot-mok
variable MokListRT $shim 07 "$dir/dkms.esl"
examine 1 'the same in a variable that is stored'
says secureboot-mok 'whoever put them there' 'chattr -i /sys/firmware/efi/efivars/MokListRT-.* && rm '
secure_boot 0
examine 0 "a machine owner's key without Secure Boot"
says signature-not-enrolled "key of 'dkms'"
says secureboot-mok-ignored 'which does not count while Secure Boot is off' 'chattr -i /sys/firmware/efi/efivars/MokListRT-.* && rm '
rm "$root/$efi/efivars/MokListRT-$shim"
secure_boot 1
signed package
mkdir -p "$root/usr/share/cvm-guest"
cp "$dir/package.der" "$root/usr/share/cvm-guest/6.12.117.der"
examine 0 "the package's key, not enrolled"
says signature-not-enrolled "key of 'package'" '-in /usr/share/cvm-guest/6\.12\.117\.der'
mkdir "$root/sys/module/cvm_guest"
examine 1 'the same, loaded: the key is built into the kernel'
says fine signature 'the kernel has taken it'
rmdir "$root/sys/module/cvm_guest"
variable dbx $images 27 "$dir/package.esl"
examine 0 'a key that was revoked'
says signature-revoked "'package', whose certificate is in UEFI's dbx" 'no command'
variable db $images 27 "$dir/package.esl"
examine 0 'a key that is in db and was revoked'
says signature-revoked "'package'"
head -c 100 "$dir/package.esl" >"$dir/value"
variable dbx $images 27 "$dir/value"
examine 0 'a list of revoked keys that is cut short'
says signature-unseen "whether the key of 'package' is revoked .*dbx is damaged"
says fine signature "'package', whose certificate is in UEFI's db"
rm "$root/$efi/efivars/dbx-$images"
variable MokListXRT $shim 06 "$dir/package.esl"
examine 0 'a key that shim has revoked'
says signature-revoked "'package', whose certificate is in MokListXRT" 'no command'
rm "$root/$efi/efivars/MokListXRT-$shim"
mkdir "$root/$efi/mok-variables"
cp "$dir/package.esl" "$root/$efi/mok-variables/MokListXRT"
examine 0 'the same in a table'
says signature-revoked "'package', whose certificate is in MokListXRT"
rm -r "$root/$efi/mok-variables"
examine 0 "the package's key in db"
says fine signature "'package', whose certificate is in UEFI's db"
silent signature-key-here
# a list as from a hostile firmware: longer than it is
head -c 100 "$dir/package.esl" >"$dir/value"
variable db $images 27 "$dir/value"
examine 0 'a list of certificates that is cut short'
says signature-not-enrolled "key of 'package'"
no_firmware
examine 0 'a key without UEFI'
says signature-not-enrolled 'booted without UEFI, it trusts no key but its own' 'no command'

machine compressed 6.12.117 '#1 SMP' snp
xz --check=crc32 "$ko"
depmod -b "$root" 6.12.117 2>/dev/null
examine 0 'a module that is compressed'
says fine signature "'image', whose certificate is in UEFI's db"
printf 'xx' | dd of="$ko.xz" bs=1 seek=100 conv=notrunc 2>/dev/null
examine 0 'a module that cannot be decompressed'
says signature-unseen 'is not to be seen in .*cvm_guest\.ko\.xz'

# where it does not
machine open 6.12.117 '#1 SMP' snp
setting N '[none] integrity confidentiality'
secure_boot 0
examine 0 'a kernel that takes any module, and a key in db'
says lockdown-open 'takes unsigned modules' 'module\.sig_enforce=1'
command=$(jq -r '.findings[] | select(.id == "lockdown-open").command' "$dir/json")
command=${command//\/etc\//"$root"/etc/}
! PATH=$dir/bin /bin/sh -c "$command" >/dev/null && [[ ! -e $root/etc/default ]]
result $? 'its command does nothing where there is no GRUB' "$command"
# shellcheck disable=SC2016 # for those two
printf '#!/bin/sh\necho "${0##*/}" >>%s/done\n' "$dir" | tee "$dir/bin/update-grub" >"$dir/bin/reboot"
chmod +x "$dir"/bin/{update-grub,reboot}
PATH=$dir/bin:$PATH sh -c "$command" >/dev/null
PATH=$dir/bin:$PATH sh -c "$command" >/dev/null
# shellcheck disable=SC2016 # likewise
[[ $(GRUB_CMDLINE_LINUX=quiet sh -c 'for cfg; do . "$cfg"; done; echo "$GRUB_CMDLINE_LINUX"' sh "$root"/etc/default/grub.d/*.cfg) == 'quiet module.sig_enforce=1' &&
	$(paste -sd' ' "$dir/done") == 'update-grub reboot update-grub reboot' ]]
result $? 'with GRUB it makes that a part of the command line, once' "$command"
says secureboot-off 'is off' 'no command'
says fine signature "whose certificate is in UEFI's db"
cp "$module" "$ko"
examine 0 'a kernel that takes any module, and one that is not signed'
says lockdown-open 'enrol the key of cvm_guest' 'no command'
says signature-not-needed 'not signed, and this kernel does not ask' 'no command'
mkdir -p "$root/usr/src/cvm-guest-0.3"
examine 0 'the same, with its sources'
says signature-not-needed 'not signed, and this kernel does not ask' 'dkms build --force cvm-guest/0\.3 '
mkdir "$root/lib/modules/6.12.117/updates/x"
mv "$ko" "$root/lib/modules/6.12.117/updates/x/"
depmod -b "$root" 6.12.117 2>/dev/null
examine 0 'the same, of a package'
says signature-not-needed 'not signed' '^apt-get install --reinstall cvm-guest-module-6\.12\.117$'
mv "$root/lib/modules/6.12.117/updates/x/cvm_guest.ko" "$ko"
depmod -b "$root" 6.12.117 2>/dev/null
signed dkms
examine 0 'a kernel that takes any module, and a key that nobody vouches for'
says signature-not-needed 'the firmware does not vouch for'
says lockdown-open 'enrol the key of cvm_guest' 'no command'
rm -r "$root/$efi/efivars"/*
examine 0 'variables that are not to be seen'
says secureboot-unseen 'not to be seen' 'mount -t efivarfs'
no_firmware
examine 0 'no UEFI'
says secureboot-none 'not booted by UEFI'
says lockdown-open 'takes unsigned modules' 'no command'
setting N 'none [integrity] confidentiality'
examine 0 'lockdown'
says fine lockdown 'lockdown: integrity'
setting Y '[none] integrity confidentiality'
examine 0 'signatures alone'
says fine lockdown 'lockdown: none'

machine settings 6.12.117 '#1 SMP' snp
echo kvm-clock >"$root/sys/devices/system/clocksource/clocksource0/current_clocksource"
echo parked >"$root/sys/class/misc/cvm_report/channel/state"
NOT_SYNCHRONISED=1 examine 0 'weak settings'
says clock-host 'kvm-clock, whose pace the host sets' clocksource=tsc
says clock-not-synchronised "compared with nobody's" 'timedatectl'
says channel-parked 'not answered' 'cvmctl status'
echo dead >"$root/sys/class/misc/cvm_report/channel/state"
echo 'flags : fpu' >"$root/proc/cpuinfo"
rm -r "$root/sys/devices"
examine 1 'a dead channel'
says channel-dead 'until the next boot' reboot
says entropy-host 'came through the host'
says clock-unseen 'not to be seen' sysfs
NOT_READY=1 examine 1 'random numbers that are not ready'
says entropy-not-ready 'are not ready' reboot

machine tsm 6.12.117 '#1 SMP' snp
examine 0 'a driver that does not say'
silent '"tsm'
state=$root/sys/class/misc/cvm_report/channel/tsm reports=$root/sys/kernel/config/tsm/report
echo registered >"$state"
examine 0 'configfs that is not mounted'
says tsm-unseen 'not mounted' 'mount -t configfs'
mkdir -p "$reports"
examine 0 'our provider'
says fine tsm 'provides for configfs-tsm'
echo busy >"$state"
examine 0 'another provider, or entries, once'
says tsm-busy 'when cvm_guest was loaded' '^modprobe -r cvm_guest && modprobe cvm_guest'
mkdir "$reports/agent" "$reports/other"
examine 0 'entries of a provider that has gone'
says tsm-busy 'no provider: entries .*, 2 in ' 'rmdir .*/report/[*] && modprobe -r cvm_guest'
echo somebody >"$reports/other/provider"
examine 0 'another provider'
says tsm-busy "another provider, 'somebody'" 'no command'
for other in off none; do
	echo $other >"$state"
	examine 0 "configfs-tsm: $other"
	silent '"tsm'
done

machine nodes 6.12.117 '#1 SMP' snp
rm "$root/dev/cvm/report"
examine 0 'a node that udev has not made'
says nodes-missing '/dev/cvm/report.*udev has not made it' 'udevadm trigger'
echo >"$root/dev/cvm/report"
examine 1 'a node that is a file'
says nodes-false '/dev/cvm/report is no device' 'rm -r /dev/cvm/report'
ln -sf /dev/null "$root/dev/cvm/report"
examine 1 'a node that is open to everybody'
says nodes-open 'REPORT_DATA, and everybody' 'chown root:root /dev/cvm/report && chmod 0660'
ln -sf /dev/console "$root/dev/cvm/report"
ln -s /dev/console "$root/dev/cvm/batch"
examine 0 "a batch node that is root's"
says group-node 'not for the group cvm' 'chown root:cvm /dev/cvm/batch && chmod 0660'
: >"$root/etc/group"
examine 0 'no group'
says group-missing 'no group cvm' 'groupadd --system cvm'

machine tpm 6.12.117 '#1 SMP' snp
mkdir -p "$root/sys/class/tpm/tpm0/pcr-sha1"
ln -s /dev/null "$root/dev/tpm0"
examine 1 'a TPM that is open to everybody, without SHA-256'
says tpm-open 'everybody may open /dev/tpm0' 'chmod 0660 /dev/tpm0'
says tpm-banks 'no SHA-256' 'no command'
says tpm-unseen '/dev/tpmrm0 is not to be opened' 'sudo cvmctl doctor'
silent tpm-none

mkdir -p "$root/sys/class/tpmrm/tpmrm0"
examine 1 'one that udev has made no node of'
says tpm-no-manager 'no /dev/tpmrm0' '^udevadm trigger'

# ---- a guest of Azure, whose paravisor is simulated

# paravisor NAME KEY=VALUE...: and all is well, or as these say
paravisor() {
	machine "hcl-$1" 6.12.117 "$deb12" none
	mkdir -p "$root"/sys/class/{dmi/id,tpm/tpm0/pcr-sha256} "$root/sys/kernel/security/tpm0"
	echo 7783-7084-3265-9085-8269-3286-77 >"$root/sys/class/dmi/id/chassis_asset_tag"
	echo none >"$root/sys/class/misc/cvm_report/channel/trouble"
	touch "$root"/sys/kernel/security/{lsm,tpm0/binary_bios_measurements}
	CVM_FW_STATE=$dir/state simulate "$dir/$1" --tpm "$dir/$1.tpm" platform=azure-snp console=0 "${@:2}"
	export TPM2TOOLS_TCTI=swtpm:path=$dir/$1.tpm
	with=(--tpm "$TPM2TOOLS_TCTI" --imds-url "http://127.0.0.1:$(<"$dir/port")")
}

tpm2() { command tpm2 "$@" >"$dir/stdout" 2>&1 || sed 's/^/# /' "$dir/stdout"; }

# mends ID: the command that was named for it
mends() {
	PATH=$PATH:/sbin sh -c "$(jq -r --arg id "$1" '.findings[] | select(.id == $id).command' "$dir/json")" >"$dir/stdout" 2>&1
	result $? "$1: its command runs" "$(cat "$dir/stdout")"
}

python3 -c '
import socket, sys
s = socket.create_server(("127.0.0.1", 0))
print(s.getsockname()[1], flush=True)
while True:
    s.accept()[0].close()' >"$dir/port" &
fwds+=($!)
until [[ -s $dir/port ]]; do sleep 0.05; done
mkdir "$dir/state"

paravisor good nv_input=good
examine 0 'an Azure guest'
says fine azure 'the report, what it is to be about'
says tpm-no-password 'lockout hierarchy has no password'
silent '"azure-'
boots=$(build/bin/fw_ask "$dir/good" status | grep -E '^hcl_(reports|reads|stale)=' | paste -sd' ')
examine 0 'the same, again'
[[ $(build/bin/fw_ask "$dir/good" status | grep -E '^hcl_(reports|stale)=' | paste -sd' ') == 'hcl_reports=0 hcl_stale=0' ]]
result $? 'no report was made for it' "$boots"
echo contended >"$root/sys/class/misc/cvm_report/channel/trouble"
examine 0 'a window that somebody else has'
says azure-contended 'by the TPM itself' 'no command'
echo none >"$root/sys/class/misc/cvm_report/channel/trouble"
(umask 077; echo >"$root/dev/tpmrm0")
mkfifo "$dir/go"
flock "$root/dev/tpmrm0" sh -c "echo >'$dir/locked'; exec cat '$dir/go'" &
until [[ -s $dir/locked ]]; do sleep 0.05; done
examine 0 'a process that asks for a report'
says azure-contended 'has /dev/tpmrm0 locked' 'no command'
echo >"$dir/go"
wait $!
examine 0 'when it has one'
says fine azure 'the report, what it is to be about'
rm "$root/dev/tpmrm0" "$root/sys/kernel/security/tpm0/binary_bios_measurements"
examine 0 'no event log'
says azure-no-log 'the kernel has no event log' 'no command'
rm "$root/sys/kernel/security/lsm"
examine 0 'no securityfs'
says azure-no-log 'is not mounted' '^mount -t securityfs'
secure_boot 0
examine 0 'Secure Boot that UEFI has no keys for'
says azure-secure-boot-keys 'UEFI says that it is off' 'no command'
LATER=1 examine 0 'a certificate that has expired'
says azure-cert-expired 'has expired' '^tpm2_nvread'
with[3]=http://127.0.0.1:1
examine 0 'a host that nobody can reach'
says azure-imds 'http://127.0.0.1:1\) .*: Connection refused' 'no command'
with[3]=http://imds.example
examine 0 'a host by its name'
says azure-imds 'no address' 'no command'
set_fw "$dir/good" set claims_size=70000 claims_size_n=9 vm_reset=now
examine 1 'a report that is none'
says azure-report-bad 'cannot be read' 'no command'

paravisor claims nv_input=good secure_boot=0 tpm_persisted=0 console=1
examine 0 'claims that are worse than need be'
says azure-secure-boot 'that Secure Boot is off' 'no command'
says azure-tpm-fleeting 'lost when the VM is deallocated' 'no command'
says azure-console 'the host sees' 'no command'
set_fw "$dir/claims" set interactive_console=1 vm_reset=now
examine 0 'claims of a console that the host types at'
says azure-console-input 'may type' 'no command'
silent '"azure-console"'

paravisor keys
examine 0 'no index of what is asked for'
says azure-index-missing 'no index 0x1400002' '^tpm2_nvdefine'
mends azure-index-missing
examine 0 'one that its command has made'
says fine azure 'the report, what it is to be about'
set_fw "$dir/keys" set no_certificate=1 vm_reset=now
examine 0 'no certificate'
says azure-cert-missing 'no certificate' '^tpm2_nvread'
tpm2 evictcontrol -C o -c 0x81000003
examine 1 'no key'
says azure-ak-missing 'no key 0x81000003' '^reboot$'
tpm2 createprimary -C e -G rsa -c "$dir/key"
tpm2 evictcontrol -C o -c "$dir/key" 0x81000003
examine 1 'another key'
says azure-ak-other 'not the one that' '^reboot$'
set_fw "$dir/keys" set nv_rc=0x18b nv_rc_n=9
examine 1 'no report'
says azure-report-missing 'no report 0x1400001' 'no command'

for kind in short long; do
	paravisor $kind nv_input=$kind
	examine 1 "an index that is too $kind"
	says azure-index-size 'bytes where 64 are needed' '^tpm2_nvundefine -C o 0x1400002$'
done
mends azure-index-size
examine 0 'that one removed'
says azure-index-missing 'no index 0x1400002'
paravisor unreadable nv_input=unreadable
examine 1 'an index that its owner cannot read'
says azure-index-rights "not the owner's to read" '^tpm2_nvundefine -C o 0x1400002$'
paravisor password nv_input=good owner_password=1
examine 1 'a TPM whose owner has a password'
says azure-owner-password 'stay as old as it is' 'no command'
with=()
rm -r "$root/sys/class/tpm"
examine 1 'no TPM'
says azure-no-tpm 'has no TPM' '^modprobe tpm_crb$'

systemd=usr/lib/x86_64-linux-gnu/systemd/libsystemd-shared
machine credentials 6.12.117 "$deb12" snp
examine 0 'no systemd'
silent '"credentials'
mkdir -p "$root/${systemd%/*}"
: >"$root/$systemd-252.so"
examine 0 'a systemd that asks the host'
says credentials-host 'systemd 252 takes credentials' 'systemd.import_credentials=no'
echo 'quiet systemd.import_credentials=no' >"$root/proc/cmdline"
examine 0 'one that is told not to'
says fine credentials 'systemd 252 is told'
rm "$root/proc/cmdline"
mv "$root/$systemd-252.so" "$root/$systemd-254.so"
examine 0 'one that does not, if it sees what this is'
says credentials-host 'systemd 254 takes credentials' 'systemd.import_credentials=no'
machine credentials-td 6.12.117 "$deb12" tdx
mkdir -p "$root/${systemd%/*}"
: >"$root/$systemd-254.so"
examine 0 'one that sees a TD'
says fine credentials 'systemd 254 takes no'

# a container as whoever is in it wants it to look
machine container 6.12.117 "$deb12" snp
its=$root/proc/7/root
for pid in 1 7; do
	mkdir -p "$root/proc/$pid"/{ns,root}
	echo >"$root/proc/$pid/ns/mnt"
done
mkdir -p "$its/dev/cvm"
ln -s /dev/console "$its/dev/cvm/report"
printf '\377\033[2J"' >"$root/proc/7/comm"
examine 0 'a container with a node, whose process has no printable name'
says containers-node 'process 7 \(\?\?\[2J"\) has .*/dev/cvm/report' 'no command'
"$cvmctl" doctor --root "$root" 2>&1 | LC_ALL=C grep -q '[^ -~]'
result $((! $?)) 'nothing but text gets to the terminal'
rm "$its/dev/cvm/report"
examine 0 'a container without a node'
says fine containers 'no container has a node'

root=$dir/nothing
"$cvmctl" doctor --root "$root" >"$dir/stdout" 2>"$dir/stderr"
result "$([[ $? == 1 && ! -s $dir/stdout ]] && grep -q 'is /proc mounted' "$dir/stderr"; echo $?)" 'no machine'

# what can be found is asserted somewhere: here, in a VM, under Secure Boot
"$cvmctl" doctor --list --json >"$dir/json"
mapfile -t ids < <(jq -r '.findings[].id' "$dir/json")
[[ ${#ids[@]} -gt 30 && $(sort <<<"$(printf '%s\n' "${ids[@]}")" | uniq -d) == '' ]]
result $? "${#ids[@]} things that may be found, each with a name of its own"
untested=
for id in "${ids[@]}"; do
	grep -qE "says .*\b$id\b" selftests/cvmctl/test_doctor.sh \
		selftests/cvmctl/doctor_guest.sh selftests/secureboot/*.sh || untested+=" $id"
done
result "$([[ -z $untested ]]; echo $?)" 'each of them is asserted by a test' "not tested:$untested"
finish
