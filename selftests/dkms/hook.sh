#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The kernel packages' hook and the postinst of cvm-guest-dkms, on a machine that is
# files below a folder, with a dkms that does what the test says: which kernels get
# the module, which do without, and when a package must not be installed. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 failed=0

result() {	# STATUS NAME
	((n++))
	if [[ $1 == 0 ]]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		sed 's/^/# /' "$dir/log"
		failed=1
	fi
}

# script FILE TO: with all that it looks at below $dir
script() {
	mkdir -p "${2%/*}"
	sed -E -e "s#(^|[^A-Za-z./\$])/(lib|etc|var|sys|run)/#\1$dir/\2/#g" -e 's/#VERSION#/2.0/' "$1" >"$2"
	chmod +x "$2"
}

fake() {	# NAME, its text on stdin
	{ echo '#!/bin/sh'; echo "dir=$dir"; cat; } >"$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}

mkdir "$dir/bin"
# the status with which a build ends is what $dir/build-KERNEL has, or 0
fake dkms <<'END'
verb=$1
shift
kernel=
while [ $# -gt 0 ]; do
	[ "$1" != -k ] || kernel=$2
	shift
done
case $verb in
add)	mkdir -p "$dir/var/lib/dkms/cvm-guest/2.0" ;;
status)	[ -d "$dir/var/lib/dkms/cvm-guest/2.0" ] || exit 0
	[ -n "$kernel" ] || echo 'cvm-guest/2.0: added'
	[ -z "$kernel" ] || [ ! -e "$dir/lib/modules/$kernel/updates/dkms/cvm_guest.ko" ] ||
		echo "cvm-guest/2.0, $kernel, x86_64: installed" ;;
install)
	echo "$kernel" >>"$dir/built"
	status=$(cat "$dir/build-$kernel" 2>/dev/null)
	[ -z "$status" ] || exit "$status"
	mkdir -p "$dir/lib/modules/$kernel/updates/dkms"
	echo >"$dir/lib/modules/$kernel/updates/dkms/cvm_guest.ko" ;;
esac
END
fake modinfo <<'END'
[ -n "$(find "$dir/lib/modules/$2" -name "$3.ko*")" ]
END
fake uname <<'END'
cat "$dir/running"
END
fake modprobe <<'END'
exit 1
END
export PATH=$dir/bin:$PATH

# machine RUNNING: a folder with no kernels
machine() {
	rm -rf "${dir:?}"/{lib,etc,var,sys,run} "$dir"/build-* "$dir/built"
	mkdir -p "$dir"/{lib/modules,etc/dkms,sys/module,var/lib/dkms/cvm-guest/2.0}
	echo "$1" >"$dir/running"
	for hook in postinst.d header_postinst.d; do
		script userspace/dkms/kernel-hook "$dir/etc/kernel/$hook/cvm-guest"
	done
}

# kernel RELEASE [headers|own|builtin|ours]...: one that has those
kernel() {
	local modules=$dir/lib/modules/$1 what

	mkdir -p "$modules/kernel"
	for what in "${@:2}"; do
		case $what in
		headers) mkdir -p "$modules/build/include" ;;
		own)	touch "$modules/kernel/sev-guest.ko.xz" "$modules/kernel/tdx-guest.ko.xz" ;;
		builtin) printf 'kernel/drivers/virt/coco/%s.ko\n' sev-guest/sev-guest tdx-guest/tdx-guest \
				>"$modules/modules.builtin" ;;
		ours)	mkdir -p "$modules/updates/dkms"
			touch "$modules/updates/dkms/cvm_guest.ko" ;;
		esac
	done
}

# hook STATUS FOLDER KERNEL PATTERN NAME: it ends so, and says that
hook() {
	"$dir/etc/kernel/$2/cvm-guest" "$3" >"$dir/log" 2>&1
	[[ $? == "$1" ]] && grep -q -- "$4" "$dir/log"
	result $? "$5: exit status $1"
}

# quiet FOLDER KERNEL NAME: nothing to say
quiet() {
	"$dir/etc/kernel/$1/cvm-guest" "$2" >"$dir/log" 2>&1 && [[ ! -s $dir/log ]]
	result $? "$3: nothing to say"
}

postinst() {	# STATUS NAME [OLD-VERSION]
	script userspace/packaging/debian/cvm-guest-dkms.postinst "$dir/postinst"
	"$dir/postinst" configure "${@:3}" >"$dir/log" 2>&1
	result "$([[ $? == "$1" ]]; echo $?)" "$2: exit status $1"
}

have() {	# NAME KERNEL...: just those have our module
	find "$dir/lib/modules" -name 'cvm_guest.ko' | sed -E "s|^$dir/lib/modules/([^/]*)/.*|\1|" | sort >"$dir/have"
	[[ $(paste -sd' ' "$dir/have") == "${*:2}" ]]
	result $? "$1: the module is there for ${*:2}"
}

says() { grep -q "$1" "$dir/log"; result $? "it says: $1"; }

machine 6.1-a
kernel 6.1-a headers ours
kernel 6.1-b headers
quiet postinst.d 6.1-b 'a kernel with headers'
have 'a kernel with headers' 6.1-a 6.1-b
kernel 6.1-c headers
echo 10 >"$dir/build-6.1-c"
hook 1 postinst.d 6.1-c 'no evidence under this kernel' 'a build that fails, and no other driver'
hook 1 header_postinst.d 6.1-c 'do not reboot' 'the same, by the headers'
kernel 6.12 headers own
echo 10 >"$dir/build-6.12"
hook 0 postinst.d 6.12 "kernel's own drivers take its place" 'a build that fails, and other drivers'
kernel 6.12-builtin headers builtin
echo 10 >"$dir/build-6.12-builtin"
hook 0 postinst.d 6.12-builtin "kernel's own drivers take its place" 'a build that fails, and drivers that are built in'
kernel 5.10 headers
echo 77 >"$dir/build-5.10"
hook 0 postinst.d 5.10 'not for this kernel' 'a kernel that the module is not for'

kernel 6.1-d
hook 1 postinst.d 6.1-d 'apt-get install linux-headers-6.1-d' 'no headers, where the kernel that runs has the module'
hook 0 header_postinst.d 6.1-d 'no evidence under this kernel' 'the same, by headers'
kernel 6.12-e own
quiet postinst.d 6.12-e 'no headers, and other drivers'
mkdir -p "$dir/lib/modules/6.1-f/build/include"
quiet header_postinst.d 6.1-f 'headers of a kernel that is not there'
have 'all that' 6.1-a 6.1-b
echo 6.1-d >"$dir/running"
hook 0 postinst.d 6.1-d 'no evidence under this kernel' 'no headers, where the kernel that runs has no module'
touch "$dir/etc/dkms/no-autoinstall"
quiet postinst.d 6.1-c 'no-autoinstall'
rm -r "$dir/etc/dkms/no-autoinstall" "$dir/var/lib/dkms/cvm-guest"
quiet postinst.d 6.1-c 'a package that is gone'

machine 6.12-a
rmdir "$dir/var/lib/dkms/cvm-guest/2.0"
for kernel in 6.1-b 6.12-a 6.12-b 7.3; do kernel $kernel headers own; done
postinst 0 'installation'
have 'installation' 6.1-b 6.12-a 6.12-b 7.3
rm -r "$dir"/lib/modules/*/updates "$dir/var/lib/dkms/cvm-guest/2.0"
echo 10 | tee "$dir/build-6.12-a" >"$dir/build-6.12-b"
postinst 0 'an upgrade that does not build for two kernels, one of which runs' 1.0
have 'that upgrade' 6.1-b 7.3
says '6\.12-b: the module is not built'

machine 6.1-a
rmdir "$dir/var/lib/dkms/cvm-guest/2.0"
kernel 6.1-a headers
kernel 6.1-b headers
kernel 6.12 headers own
echo 10 >"$dir/build-6.1-b"
postinst 0 'an upgrade that does not build for a kernel that does not run' 1.0
have 'that upgrade' 6.1-a 6.12
says 'not built for kernel 6\.1-b'
rm -r "$dir"/lib/modules/*/updates "$dir/var/lib/dkms/cvm-guest/2.0" "$dir/build-6.1-b"
echo 10 >"$dir/build-6.1-a"
postinst 1 'an upgrade that does not build for the kernel that runs, which has no other driver' 1.0
have 'that upgrade, nevertheless' 6.1-b 6.12
says 'dpkg --configure cvm-guest-dkms'
rm "$dir/build-6.1-a"
: >"$dir/built"
postinst 0 'when that is mended' 1.0
have 'when that is mended' 6.1-a 6.1-b 6.12
[[ $(<"$dir/built") == 6.1-a ]]
result $? 'what was built is not built again'
rm -r "$dir/lib/modules/6.1-a/updates" "$dir/lib/modules/6.1-a/build" "$dir/var/lib/dkms/cvm-guest/2.0"
mkdir "$dir/sys/module/cvm_guest"
postinst 1 'an upgrade without headers, where the kernel that runs has the module loaded' 1.0
rmdir "$dir/sys/module/cvm_guest"
postinst 0 'an installation without headers, which may come after it'
says '6\.1-a: no headers'
kernel 6.1-a headers
rm "$dir/etc/kernel/postinst.d/cvm-guest"
postinst 0 'a machine whose administrator has removed the hook'
have 'without the hook' 6.1-a 6.1-b 6.12

machine 6.8-host
rmdir "$dir/var/lib/dkms/cvm-guest/2.0"
kernel 6.1-a headers
kernel 6.12 headers own
echo 10 >"$dir/build-6.1-a"
postinst 0 'an image, under a kernel that it does not have'
have 'an image' 6.12
touch "$dir/etc/dkms/no-autoinstall"
rm -r "$dir/lib/modules/6.12/updates"
postinst 0 'no-autoinstall'
have 'no-autoinstall'
echo "1..$n"
exit $failed
