# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# The root disk in the initial RAM disk: what initramfs-tools' scripts and dracut's hooks
# share. Sourced, by klibc's shell too, which has few programs beside it. See cvm-root(8).
config=/etc/cvm-guest/rootdisk
setup=/etc/cvm-guest/rootdisk.setup
where=/run/cvm-root

# shellcheck disable=SC2034 # for who puts them into the RAM disk
# what the disk and its keys need, where the kernel has it: each names few of the others
modules='cvm_guest sev-guest dm-mod dm-crypt dm-integrity trusted encrypted-keys
	xts cbc ctr gcm ghash-generic ghash-clmulni-intel hmac authenc authencesn
	sha256 sha256_generic sha256-ssse3 sha512 sha512_generic sha512-ssse3
	aes aes_generic aesni-intel cryptd crypto_simd gf128mul crypto_null
	nls_cp437 nls_ascii nls_iso8859-1 nls_utf8'

# Whoever gets a shell here, on a console that is the host's, has the keys of this VM.
# panic() is initramfs-tools', which gives none when panic is set, or our own in dracut.
fail()
{
	(panic=${panic:-0}; panic "cvm-root: $*")
	# it does not come back; if it does, nobody goes on
	while :; do sleep 60; done
}

# as cvmctl has it: elsewhere it is part of what a shell reads
check_name()
{
	case $name in
	''|.*|control|*[!A-Za-z0-9._-]*) fail "$config: NAME=$name cannot be a disk's" ;;
	esac
}

# their libraries and modules are not in the RAM disk; getopt_long() takes less than the word
check_options()
{
	case " $format $options" in
	*[' 	']--l*|*[' 	']--fr*)
		fail "$config: a root disk cannot have --luks or --from: the RAM disk lacks what they need" ;;
	esac
}

# settings, not a script: nothing in it is expanded
read_config()
{
	name=root device='' options='' format='' seconds=60
	record_device='' record_fstype=vfat record=''
	while IFS= read -r line || [ -n "$line" ]; do
		case $line in
		''|'#'*) ;;
		NAME=*) name=${line#*=} ;;
		DEVICE=*) device=${line#*=} ;;
		OPTIONS=*) options=${line#*=} ;;
		RECORD_DEVICE=*) record_device=${line#*=} ;;
		RECORD_FSTYPE=*) record_fstype=${line#*=} ;;
		RECORD=*) record=${line#*=} ;;
		FORMAT=*) format=${line#*=} ;;
		WAIT=*) seconds=${line#*=} ;;
		*) fail "$config: what is '$line'?" ;;
		esac
	done <$config
	check_name
	check_options
	[ -n "$device" ] || fail "$config: no DEVICE="
	[ -n "$record_device" ] || fail "$config: no RECORD_DEVICE="
	[ -n "$record_fstype" ] || fail "$config: no RECORD_FSTYPE="
	case $seconds in
	''|*[!0-9]*) fail "$config: WAIT=$seconds is no number of seconds" ;;
	esac
	: "${record:=cvm-guest/$name.json}"
	# shellcheck disable=SC2034 # for who looks whether a kernel has them
	needed="dm-crypt encrypted-keys $record_fstype"
	case " $format" in
	*[' 	']--i*) needed="$needed dm-integrity authenc" ;;
	esac
}

# Any other root is one that the host can have made: by the label or the number that the
# command line asks for, it would run what it likes under this VM's measurement.
check_root()	# ROOT
{
	[ "$1" = "/dev/mapper/$name" ] ||
		fail "the root is to be '$1', and not /dev/mapper/$name: root= on the command line"
}

# argument NAME: its last value on the kernel's command line, which is what systemd and its
# generators read: they know nothing of the RAM disk's own settings
argument()
(
	set -f
	value=''
	read -r line </proc/cmdline
	for word in $line; do
		case $word in
		"$1") value=yes ;;
		"$1"=*) value=${word#*=} ;;
		esac
	done
	echo "$value"
)

# What else systemd would take from the host, as root: files and passwords by SMBIOS and
# fw_cfg, in a confidential VM too before version 254; and options by a variable of UEFI.
check_systemd()
{
	[ "$(argument systemd.import_credentials)" = no ] ||
		fail "systemd.import_credentials=no is not on the command line: the host could have files written"
	[ ! -d /sys/firmware/efi ] || [ "$(argument efi)" = noruntime ] ||
		fail "efi=noruntime is not on the command line: the host's SystemdOptions could add to it"
}

load_modules()
{
	modprobe -qab dm-mod dm-crypt dm-integrity encrypted-keys "$record_fstype"
	# udev may not have come to it yet; without ours the kernel's own has the keys too
	modprobe -qb cvm_guest || modprobe -qb sev-guest
}

wait_for()	# DEVICE
{
	left=$seconds
	until [ -b "$1" ]; do
		[ "$left" -gt 0 ] || fail "$1 has not come within $seconds seconds"
		left=$((left - 1))
		sleep 1
	done
}

# Of the type that is said: what is there is the host's, who does not choose which of
# the kernel's file systems has to read it.
mount_record()	# ro|rw
{
	mkdir -p $where
	mount -t "$record_fstype" -o "$1,nodev,nosuid,noexec" "$record_device" $where ||
		fail "$record_device, where the record is, cannot be mounted as $record_fstype"
}

# a link leads out of that file system, into the RAM disk
check_links()
{
	path=$where/$record
	while [ "$path" != $where ]; do
		[ ! -L "$path" ] || fail "$path, where the record should be, is a symbolic link"
		path=${path%/*}
	done
}

open_disk()	# RECORD
{
	# shellcheck disable=SC2086 # words
	cvmctl disk open "$name" "$device" --record "$1" $options ||
		fail 'the root disk does not open'
	[ -b "/dev/mapper/$name" ] || fail "there is no /dev/mapper/$name"
}

# A disk that is blank, and no record: the first boot. The record gets its name last, so
# that a disk that was not finished is never taken for one that was.
set_up()	# RECORD
{
	if [ -z "$format" ] || [ ! -x $setup ]; then
		fail "there is no record $record on $record_device"
	fi
	umount $where || fail "$where cannot be unmounted"
	mount_record rw
	check_links
	mkdir -p "${1%/*}" || fail "$record_device cannot be written to"
	# of one that was not finished: its disk is blank, or it is not formatted
	rm -f "$1.setup"
	# shellcheck disable=SC2086 # words
	cvmctl disk format "$name" "$device" --record "$1.setup" $format ||
		fail 'no record, and the root disk cannot be formatted'
	open_disk "$1.setup"
	$setup "/dev/mapper/$name" || fail "$setup failed: the root disk has to be made blank again"
	sync
	mv "$1.setup" "$1" || fail "the record $record cannot be written"
	sync
}

open_root()
{
	# the words of the options are no patterns
	set -f
	load_modules
	wait_for "$device"
	wait_for "$record_device"
	mount_record ro
	check_links
	if [ -e "$where/$record" ]; then
		open_disk "$where/$record"
	else
		set_up "$where/$record"
	fi
	umount $where
}
