#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What opens the root disk in the initial RAM disk, where all that it sees is files below
# a folder, and all that it calls is a line in one: when it opens it, when it sets it up,
# and that otherwise nobody goes on, or gets a shell. By two shells. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
n=0 failed=0

result() {	# STATUS NAME
	((n++))
	if [[ $1 == 0 ]]; then
		echo "ok $n $shell: $2"
	else
		echo "not ok $n $shell: $2"
		sed 's/^/# /' "$dir/out" "$dir/calls" 2>/dev/null
		failed=1
	fi
}

# script FILE TO: with all that it looks at below $dir, where devices are files
script() {
	mkdir -p "${2%/*}"
	sed -E -e "s#(^|[^A-Za-z./\$])/(etc|dev|run|scripts|usr|lib|proc|sys)/#\1$dir/\2/#g" \
		-e 's/\[ -b /[ -e /' "userspace/initramfs/$1" >"$2"
	chmod +x "$2"
}

fake() {	# NAME, its text on stdin
	{ echo '#!/bin/sh'; echo "dir=$dir"; cat; } >"$dir/bin/$1"
	chmod +x "$dir/bin/$1"
}

fakes() {
	mkdir -p "$dir"/{bin,scripts,lib,usr/bin,usr/share/initramfs-tools,ramdisk/{scripts,conf/conf.d}}
	# each fails once there is a file fail-NAME; as cvmctl no record is overwritten
	fake cvmctl <<'OUT'
echo "cvmctl $*" >>"$dir/calls"
[ ! -e "$dir/fail-$2" ] || exit 1
case $2 in
open)	touch "$dir/dev/mapper/$3" ;;
format)	[ ! -e "$6" ] || exit 1
	touch "$6" ;;
esac
OUT
	fake mount <<'OUT'
echo "mount $*" >>"$dir/calls"
[ ! -e "$dir/fail-mount" ]
OUT
	fake umount <<'OUT'
echo "umount $*" >>"$dir/calls"
[ ! -e "$dir/fail-umount" ]
OUT
	fake modprobe <<'OUT'
[ "$*" = "-qab dm-mod dm-crypt dm-integrity encrypted-keys vfat" ] || echo "modprobe $*" >>"$dir/calls"
[ ! -e "$dir/fail-modprobe" ]
OUT
	fake sync </dev/null
	fake run-init <<'OUT'
echo "run-init $*" >>"$dir/calls"
[ ! -e "$dir/fail-run-init" ]
OUT
	# the end of who does not go on; and what comes while somebody waits
	fake sleep <<'OUT'
[ "$1" != 60 ] || { kill -KILL $PPID; exit; }
echo sleep >>"$dir/slept"
[ "$(wc -l <"$dir/slept")" != 3 ] || touch "$dir/dev/late"
OUT
	# of a kernel, whose modules are all but those of a file
	fake modinfo <<'OUT'
for module; do :; done
! grep -qx -e "$module" "$dir/lacks"
OUT
	cp "$dir/bin/cvmctl" "$dir/usr/bin/"
	cat >"$dir/usr/share/initramfs-tools/hook-functions" <<'OUT'
copy_exec() { :; }
copy_file() { :; }
manual_add_modules() { echo "modules $* " >>"${DESTDIR%/*}/calls"; }
OUT
	cat >"$dir/dracut" <<'OUT'
dfatal() { echo "E: $*"; }
instmods() { echo "modules $* " >>"${moddir%/*}/calls"; }
moddir=${0%/*}/scripts kernel=1
. userspace/initramfs/dracut/module-setup.sh
installkernel
OUT
	cat >"$dir/scripts/functions" <<'OUT'
panic() { echo "panic='$panic': $*"; }
OUT
	cat >"$dir/lib/dracut-lib.sh" <<'OUT'
warn() { echo "warning: $*"; }
getarg() { eval "[ \"\${arg_$(echo "${1%=}" | tr . _)+set}\" ] && echo \"\$arg_$(echo "${1%=}" | tr . _)\""; }
getargbool() { [ "$(getarg "$2")" != 0 ]; }
OUT
	export PATH=$dir/bin:$PATH
}

# machine LINE...: that is configured so, and has its devices
machine() {
	rm -rf "${dir:?}"/{etc,dev,run,proc,sys} "$dir"/fail-* "$dir/slept"
	mkdir -p "$dir"/{etc/cvm-guest,dev/mapper,run/cvm-root/cvm-guest,proc,sys/block}
	touch "$dir"/dev/{data,esp}
	command_line "${line_given[@]}"
	# longest first
	script cvm-root.sh "$dir/scripts/cvm-root.sh"
	script cvm-root.sh "$dir/usr/lib/cvm-guest/cvm-root.sh"
	script cvm-root.sh "$dir/ramdisk/scripts/cvm-root.sh"
	printf '%s\n' "${@//@/$dir}" >"$dir/etc/cvm-guest/rootdisk"
}

command_line() {	# WORD...
	echo "${*//@/$dir}" >"$dir/proc/cmdline"
}

# node UUID: device-mapper has one of the root's name
node() {
	mkdir -p "$dir"/sys/block/{sda,dm-0/dm,dm-1/dm}
	echo other >"$dir/sys/block/dm-0/dm/name"
	echo CVM-DISK-root >"$dir/sys/block/dm-0/dm/uuid"
	echo root >"$dir/sys/block/dm-1/dm/name"
	echo "$1" >"$dir/sys/block/dm-1/dm/uuid"
	touch "$dir/dev/mapper/root"
}

with_record() {
	echo '{}' >"$dir/run/cvm-root/${1:-cvm-guest/root.json}"
}

with_setup() {	# COMMAND
	printf '%s\n' '#!/bin/sh' "echo \"setup \$*\" >>$dir/calls" "$1" >"$dir/etc/cvm-guest/rootdisk.setup"
	chmod +x "$dir/etc/cvm-guest/rootdisk.setup"
}

# run NAME [VARIABLE=VALUE...]: that script, in this environment
run() {
	: >"$dir/calls"
	script "$1" "$dir/script"
	# shellcheck disable=SC2086 # words
	env ROOT="$dir/dev/mapper/root" panic=10 rootmnt=/root init=/sbin/init "${@:2}" \
		$shell "$dir/script" ${argument-} >"$dir/out" 2>&1
	status=$?
}

# calls LINE...: it called just those, and went on
calls() {
	[[ $status == 0 ]] && diff <(sed "s#$dir##g" "$dir/calls") <(printf '%s\n' "${@:2}") >>"$dir/out"
	result $? "$1"
}

# stops PATTERN NAME: it says that, and never goes on; no shell comes of it
stops() {
	[[ $status == 137 ]] && grep -qE -- "^panic='.+': cvm-root: .*$1" "$dir/out"
	result $? "$2: stops"
}

no_calls() {
	[[ ! -s $dir/calls && ! -e $dir/dev/mapper/root ]]
	result $? 'and has touched nothing'
}

line_given=(root=@/dev/mapper/root ro nohibernate systemd.import_credentials=no quiet)
good=(DEVICE=@/dev/data RECORD_DEVICE=@/dev/esp)
mount='mount -t vfat -o ro,nodev,nosuid,noexec /dev/esp /run/cvm-root'
open='cvmctl disk open root /dev/data --record /run/cvm-root/cvm-guest/root.json'
loads='modprobe -qb cvm_guest'

opens() {
	machine "${good[@]}"
	with_record
	run local-top
	calls 'the root disk opens' "$loads" "$mount" "$open" 'umount /run/cvm-root'
	machine '# the root' '' "${good[@]}" NAME=main RECORD=keys/main RECORD_FSTYPE=ext4 \
		'OPTIONS=--min-tcb d218000000000004 --mix @/mix'
	mkdir "$dir/run/cvm-root/keys"
	with_record keys/main
	run local-top ROOT="$dir/dev/mapper/main"
	calls 'by another name, with options' 'modprobe -qab dm-mod dm-crypt dm-integrity encrypted-keys ext4' \
		"$loads" "${mount/vfat/ext4}" \
		'cvmctl disk open main /dev/data --record /run/cvm-root/keys/main --min-tcb d218000000000004 --mix /mix' \
		'umount /run/cvm-root'
	machine DEVICE=@/dev/late "${good[1]}"
	with_record
	run local-top
	calls 'a device that comes late' "$loads" "$mount" "${open/data/late}" 'umount /run/cvm-root'
	machine "${good[@]}"
	with_record
	touch "$dir/fail-modprobe"
	run local-top
	calls "without our module by the kernel's own" "$loads" 'modprobe -qb sev-guest' "$mount" "$open" 'umount /run/cvm-root'
	machine "${good[@]}" 'OPTIONS=--mix * [a-z]'
	with_record
	run local-top
	calls 'options are no patterns' "$loads" "$mount" "$open --mix * [a-z]" 'umount /run/cvm-root'
	rm -r "${dir:?}/etc"
	run local-top
	[[ $status == 0 && ! -s $dir/calls ]]
	result $? 'a machine that has no root disk: nothing is done'
}

refuses() {
	local root

	for root in "$dir/dev/data" LABEL=root '' "$dir/dev/mapper/other" "$dir/dev/mapper/../data"; do
		machine "${good[@]}"
		with_record
		run local-top ROOT="$root"
		stops 'root= on the command line' "root=${root#"$dir"}"
		no_calls
	done
	run local-top panic=
	stops 'panic= on the command line' 'panic=, which gives a shell'
	no_calls
	systemd_refuses
	for line in DEVICE= RECORD_DEVICE= RECORD_FSTYPE= WAIT=soon WAIT= 'DEVICE = x' 'rm -rf x' NAME= 'NAME=a;b' 'NAME=a b' \
		NAME=../a NAME=a/b NAME=control OPTIONS=--luks 'FORMAT=--system measured --luks' \
		'OPTIONS=--min-tcb 5 --from tpm' FORMAT=--from=both 'FORMAT=--lu' 'OPTIONS=--fro tpm'; do
		machine "${good[@]}" "$line"
		with_record
		run local-top
		stops 'rootdisk: ' "$line"
		no_calls
	done
	machine DEVICE=@/dev/none "${good[1]}" WAIT=5
	run local-top
	stops '/dev/none has not come within 5 seconds' 'a device that does not come'
	[[ $(wc -l <"$dir/slept") == 5 ]]
	result $? 'after as many seconds as it says'
	links
	machine "${good[@]}"
	with_record
	touch "$dir/fail-mount"
	run local-top
	stops 'cannot be mounted as vfat' 'no file system where the record should be'
	rm "$dir/fail-mount"
	touch "$dir/fail-open"
	run local-top
	stops 'does not open' 'a disk that does not open'
	[[ $(tail -n 1 "$dir/calls") == "cvmctl disk open"* ]]
	result $? 'and nothing comes after that'
}

# what systemd would take from the host
systemd_refuses() {
	local words

	for words in '' 'systemd.import_credentials' 'systemd.import_credentials=no systemd.import_credentials=yes' \
		'x.systemd.import_credentials=no' '*'; do
		machine "${good[@]}"
		command_line "$words"
		run local-top
		stops 'systemd.import_credentials=no is not' "a command line of '$words'"
		no_calls
	done
	machine "${good[@]}"
	with_record
	mkdir -p "$dir/sys/firmware/efi"
	run local-top
	stops 'efi=noruntime is not' "options by UEFI's variables"
	no_calls
	command_line "${line_given[@]}" efi=noruntime
	run local-top
	calls 'none by them' "$loads" "$mount" "$open" 'umount /run/cvm-root'
}

# the record's file system is the host's
links() {
	machine "${good[@]}" 'FORMAT=--system measured'
	with_setup true
	ln -sfn "$dir/etc" "$dir/run/cvm-root/out"
	rmdir "$dir/run/cvm-root/cvm-guest" && mv "$dir/run/cvm-root/out" "$dir/run/cvm-root/cvm-guest"
	run local-top
	stops 'is a symbolic link' 'a folder that leads out of it'
	machine "${good[@]}"
	ln -s "$dir/etc/cvm-guest/rootdisk" "$dir/run/cvm-root/cvm-guest/root.json"
	run local-top
	stops 'is a symbolic link' 'a record that does'
	! grep -q cvmctl "$dir/calls"
	result $? 'and is not looked at'
}

sets_up() {
	local format='cvmctl disk format root /dev/data --record /run/cvm-root/cvm-guest/root.json.setup --system measured --integrity'

	machine "${good[@]}" 'FORMAT=--system measured --integrity'
	with_setup true
	run local-top
	calls 'no record: the disk is set up' "$loads" "$mount" 'umount /run/cvm-root' "${mount/ro,/rw,}" \
		"$format" "$open.setup" 'setup /dev/mapper/root' 'umount /run/cvm-root'
	[[ -e $dir/run/cvm-root/cvm-guest/root.json && ! -e $dir/run/cvm-root/cvm-guest/root.json.setup ]]
	result $? 'and its record is in its place'
	rm "$dir/dev/mapper/root"
	run local-top
	calls 'the next time it opens' "$loads" "$mount" "$open" 'umount /run/cvm-root'
	machine "${good[@]}" 'FORMAT=--system measured'
	with_setup 'exit 1'
	run local-top
	stops 'made blank again' 'a setup that fails'
	[[ ! -e $dir/run/cvm-root/cvm-guest/root.json ]]
	result $? 'and there is no record'
	[[ -e $dir/run/cvm-root/cvm-guest/root.json.setup ]]
	result $? 'but what was begun'
	rm "$dir/dev/mapper/root"
	with_setup true
	run local-top
	calls 'made blank it is set up after all' "$loads" "$mount" 'umount /run/cvm-root' "${mount/ro,/rw,}" \
		"${format% *}" "$open.setup" 'setup /dev/mapper/root' 'umount /run/cvm-root'
	machine "${good[@]}" 'FORMAT=--system measured'
	with_setup true
	touch "$dir/fail-umount"
	run local-top
	stops 'cannot be unmounted' 'a file system that stays'
	[[ $(tail -n 1 "$dir/calls") == umount* ]]
	result $? 'is not mounted once more'
	rm "$dir/fail-umount"
	touch "$dir/fail-format"
	run local-top
	stops 'cannot be formatted' 'a disk that is not blank'
	! grep -q '^setup' "$dir/calls"
	result $? 'and is not set up'
	machine "${good[@]}"
	with_setup true
	run local-top
	stops 'no record cvm-guest/root.json' 'no record, where FORMAT= is not there'
	machine "${good[@]}" 'FORMAT=--system measured'
	run local-top
	stops 'no record cvm-guest/root.json' 'no record, and no rootdisk.setup'
	[[ $(grep -c cvmctl "$dir/calls") == 0 ]]
	result $? 'and nothing is formatted'
}

bottom() {
	machine "${good[@]}"
	run init-bottom
	calls 'a root with an init' 'run-init -n /root /sbin/init'
	touch "$dir/fail-run-init"
	run init-bottom
	stops 'has no /sbin/init' 'a root without'
}

# its panic() says what it does, and writes to a file
dracut() {	# ACTION [VARIABLE=VALUE...]
	local argument=$1

	rm -f "$dir/proc/sysrq-trigger"
	run dracut/cvm-root arg_root="$dir/dev/mapper/root" arg_rd_shell=0 "${@:2}"
}

dracut_stops() {	# PATTERN NAME
	[[ $status == 137 && $(cat "$dir/proc/sysrq-trigger") == b ]] &&
		grep -q "^warning: cvm-root: .*$1" "$dir/out"
	result $? "dracut: $2: reboots"
}

# of the root's name, but of the host's making
foreign_nodes() {
	machine "${good[@]}"
	with_record
	node LVM-0123
	! $shell "$dir/finished"
	result $? "dracut: a device of the host's of that name is no root: it goes on"
	dracut opened
	dracut_stops 'was not opened by cvm-root' 'nor is it mounted'
	dracut open
	calls 'dracut: the disk is opened, or cannot be' "$loads" "$mount" "$open" 'umount /run/cvm-root'
	$shell "$dir/finished"
	result $? 'dracut: which is the end of waiting'
	dracut opened
	dracut_stops 'is not the disk' 'another device under its name'
	rm -r "$dir/sys/block"
	dracut opened
	dracut_stops 'is not the disk' 'no device under its name'
}

by_dracut() {
	script dracut/cvm-root-finished.sh "$dir/finished"

	machine "${good[@]}"
	with_record
	dracut check
	[[ $status == 0 && ! -s $dir/calls ]]
	result $? 'dracut: nothing is wrong, nothing is done'
	dracut open
	calls 'dracut: it opens' "$loads" "$mount" "$open" 'umount /run/cvm-root'
	dracut open
	[[ $status == 0 && ! -s $dir/calls ]]
	result $? 'dracut: once'
	node CVM-DISK-root
	dracut opened
	[[ $status == 0 ]]
	result $? 'dracut: and it is what is mounted'
	foreign_nodes
	machine "${good[@]}"
	with_record
	dracut check arg_rd_shell=1
	dracut_stops 'gives a shell' 'rd.shell=1'
	dracut check arg_rd_break=
	dracut_stops 'gives a shell' 'rd.break'
	dracut check arg_root="$dir/dev/data"
	dracut_stops 'root= on the command line' 'another root'
	for line in root nohibernate systemd.import_credentials=no; do
		command_line "${line_given[@]/#$line*/}"
		dracut check
		dracut_stops "$line.*on the command line" "no $line on the kernel's own command line"
	done
	command_line "${line_given[@]}"
	touch "$dir/fail-open"
	dracut open
	dracut_stops 'does not open' 'a disk that does not open'
	dracut open arg_rd_emergency=halt
	[[ $status == 137 && $(cat "$dir/proc/sysrq-trigger") == o ]]
	result $? 'dracut: rd.emergency=halt: halts'
}

# ---- the RAM disk, as it is made

# of this kernel, by initramfs-tools and by dracut
by_both() {	# CHECK NAME
	run hook version=1 DESTDIR="$dir/ramdisk"
	"$1" "initramfs-tools: $2"
	: >"$dir/calls"
	bash "$dir/dracut" >"$dir/out" 2>&1
	status=$?
	"$1" "dracut: $2"
}

# shellcheck disable=SC2317 # by_both
is_made() {	# NAME
	[[ $status == 0 ]] && grep -q '^modules .* dm-integrity .* authenc .* vfat $' "$dir/calls"
	result $? "$1: there is a RAM disk"
}

# shellcheck disable=SC2317 # by_both
is_not_made() {	# NAME
	[[ $status == 1 ]] && grep -q "^E: cvm-root: kernel 1 $why" "$dir/out"
	result $? "$1: no RAM disk"
}

made() {	# FORMAT LACKS...: by a kernel that has all else
	machine "${good[@]}" "$1"
	printf '%s\n' "${@:2}" >"$dir/lacks"
}

kernels() {
	local module

	made 'FORMAT=--system measured --integrity' none
	by_both is_made 'a kernel that has all'
	made 'FORMAT=--system measured' dm-integrity authenc cvm_guest
	by_both is_made 'what is for --integrity, where that is not'
	for module in dm-crypt encrypted-keys vfat; do
		made 'FORMAT=--system measured' $module
		why="lacks $module: no root disk"
		by_both is_not_made "none without $module"
	done
	for module in dm-integrity authenc; do
		made 'FORMAT=--integ --system measured' $module
		why="lacks $module: no root disk"
		by_both is_not_made "with --integrity, none without $module"
	done
	made 'FORMAT=--system measured' cvm_guest sev-guest
	why='has neither cvm_guest nor a driver of its own'
	by_both is_not_made 'no driver'
}

fakes
for shell in dash 'bash --posix'; do
	opens
	refuses
	sets_up
	bottom
	by_dracut
	kernels
done
echo "1..$n"
exit $failed
