#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Disks with a LUKS2 header, in a VM that is booted twice; see luks_guest.sh.
#   selftests/keys/luks.sh 6.1|6.12|7.3
set -eu
cd "$(dirname "$0")/../.."

kernel=$1 before=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
truncate -s 8M "$dir/data.img"
truncate -s 4M "$dir/safe.img"

boot()	# STEP OPTION...
{
	local step=$1 status=0

	shift
	selftests/vm/run --kernel "$kernel" --platform snp --timeout 300 \
		--fw committed_tcb=d218000000000004 \
		--put "$(command -v dmsetup)":/usr/bin/dmsetup --put build/tests/luks_slot:/usr/bin/luks_slot \
		--put build/tests/watch_keys.so:/usr/lib/watch_keys.so \
		--put selftests/keys/disk_lib.sh:/t/disk_lib.sh \
		--put selftests/keys/luks_guest.sh:/t/luks_guest.sh \
		--put "$dir/data.img":/t/data.img --put "$dir/safe.img":/t/safe.img "$@" \
		-- env BEFORE="$before" sh /t/luks_guest.sh "$step" >"$dir/tap" || status=$?
	cat "$dir/tap"
	[ $status = 0 ] || exit $status
	before=$((before + $(grep -cE '^(not )?ok ' "$dir/tap")))
}

gets=() puts=()
for file in data.json pattern; do
	gets+=(--get "/t/$file:$dir/$file")
	puts+=(--put "$dir/$file:/t/$file")
done
boot make "${gets[@]}" --get "/t/data.img:$dir/data.img"
boot again "${puts[@]}"
