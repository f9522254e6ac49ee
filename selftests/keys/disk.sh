#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Disks under derived keys, in a VM that is booted twice, with a byte of one of them
# changed in between; or by the kernel's own driver and ours.
#   selftests/keys/disk.sh 6.1|6.12|7.3 reboot [files|dm|all]   what is killed: see disk_guest.sh
#   selftests/keys/disk.sh 6.12|7.3 doors milan|turin
set -eu
cd "$(dirname "$0")/../.."

kernel=$1
part=$2
before=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
truncate -s 8M "$dir/data.img"
truncate -s 4M "$dir/safe.img"

boot()	# DRIVER OPTION... -- COMMAND...
{
	local driver=$1

	shift
	selftests/vm/run --kernel "$kernel" --platform snp --driver "$driver" --timeout "${TIMEOUT:-600}" \
		--put build/tests/kill_at:/usr/bin/kill_at --put "$(command -v dmsetup)":/usr/bin/dmsetup \
		--put build/tests/watch_keys.so:/usr/lib/watch_keys.so \
		--put "$(command -v keyctl)":/usr/bin/keyctl \
		--put selftests/keys/disk_lib.sh:/t/disk_lib.sh \
		--put selftests/keys/disk_guest.sh:/t/disk_guest.sh \
		--put selftests/keys/doors_guest.sh:/t/doors_guest.sh \
		--put "$dir/data.img":/t/data.img --put "$dir/safe.img":/t/safe.img "$@"
}

if [[ $part == doors ]]; then
	case $3 in
	milan) old=d218000000000004 new=db18000000000004 version=3 mit='' ;;
	turin) old=5100000004010101 new=5200000004010101 version=5 mit=1 ;;
	esac
	boot intree --fw product="$3" --fw committed_tcb="$old" --fw launch_mit_vector="${mit:-0}" \
		-- env OLD_TCB="$old" NEW_TCB="$new" REPORT_VERSION="$version" MIT="$mit" \
		sh /t/doors_guest.sh
	exit
fi
kill=${3:-files}
[[ $kill != all ]] || export TIMEOUT=2000
gets=()
for file in data.json safe.json pattern data.img safe.img; do
	gets+=(--get "/t/$file:$dir/$file")
done
made=0
boot cvm --fw committed_tcb=d218000000000004 "${gets[@]}" \
	-- env KILL="$kill" sh /t/disk_guest.sh make >"$dir/first" || made=$?
cat "$dir/first"
[[ $made = 0 ]] || exit "$made"
# a byte of its data, behind journal and tags
at=$((3 << 20))
byte=$(od -An -v -tu1 -j $at -N 1 "$dir/safe.img")
# shellcheck disable=SC2059 # a byte
printf "\\x$(printf %02x $((byte ^ 255)))" |
	dd of="$dir/safe.img" bs=1 seek=$at conv=notrunc status=none
before=$(grep -cE '^(not )?ok ' "$dir/first")
boot cvm --fw guest_svn=3 --put "$dir/data.json":/t/data.json --put "$dir/safe.json":/t/safe.json \
	--put "$dir/pattern":/t/pattern -- env KILL="$kill" BEFORE="$before" sh /t/disk_guest.sh again
