#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Disks under derived keys, in a VM that is booted twice, with a byte of one of them
# changed in between; or by the kernel's own driver and ours.
#   selftests/keys/disk.sh 6.1|6.12|7.3 reboot|doors [files|all]
set -eu
cd "$(dirname "$0")/../.."

kernel=$1
part=$2
kill=${3:-files}
before=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
truncate -s 8M "$dir/data.img"
truncate -s 4M "$dir/safe.img"

boot()	# PART DRIVER OPTION...
{
	local what=$1 driver=$2

	shift 2
	selftests/vm/run --kernel "$kernel" --platform snp --driver "$driver" --timeout 400 \
		--put build/tests/kill_at:/usr/bin/kill_at --put "$(command -v dmsetup)":/usr/bin/dmsetup \
		--put selftests/keys/disk_guest.sh:/t/disk_guest.sh \
		--put "$dir/data.img":/t/data.img --put "$dir/safe.img":/t/safe.img "$@" \
		-- env KILL="$kill" BEFORE="$before" sh /t/disk_guest.sh "$what"
}

if [[ $part == doors ]]; then
	boot doors intree --fw committed_tcb=d218000000000004
	exit
fi
gets=()
for file in data.json safe.json pattern data.img safe.img; do
	gets+=(--get "/t/$file:$dir/$file")
done
made=0
boot make cvm --fw committed_tcb=d218000000000004 "${gets[@]}" >"$dir/first" || made=$?
cat "$dir/first"
[[ $made = 0 ]] || exit "$made"
# a byte of its data, behind journal and tags
at=$((3 << 20))
byte=$(od -An -v -tu1 -j $at -N 1 "$dir/safe.img")
# shellcheck disable=SC2059 # a byte
printf "\\x$(printf %02x $((byte ^ 255)))" |
	dd of="$dir/safe.img" bs=1 seek=$at conv=notrunc status=none
before=$(grep -cE '^(not )?ok ' "$dir/first")
boot again cvm --fw guest_svn=3 --put "$dir/data.json":/t/data.json --put "$dir/safe.json":/t/safe.json \
	--put "$dir/pattern":/t/pattern
