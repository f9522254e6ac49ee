#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keys and disks under a secret of a TPM, in a VM that is booted twice with one TPM and
# then with another; see tpm_guest.sh.
#   selftests/keys/tpm.sh 6.1|6.12|7.3 snp|tdx|none
set -eu
cd "$(dirname "$0")/../.."

kernel=$1 platform=$2 before=0
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir "$dir/ours" "$dir/other"
truncate -s 8M "$dir/data.img"
truncate -s 4M "$dir/safe.img"
files=(data.json key.json pattern tpm.key data.img)
[ "$platform" != snp ] || files+=(both.json)

boot()	# TPM STEP OPTION...
{
	local tpm=$1 step=$2 status=0

	shift 2
	selftests/vm/run --kernel "$kernel" --platform "$platform" --tpm-state "$dir/$tpm" --timeout 300 \
		--put "$(command -v dmsetup)":/usr/bin/dmsetup \
		--put build/tests/watch_keys.so:/usr/lib/watch_keys.so \
		--put selftests/keys/disk_lib.sh:/t/disk_lib.sh --put selftests/keys/tpm_lib.sh:/t/tpm_lib.sh \
		--put selftests/keys/tpm_guest.sh:/t/tpm_guest.sh \
		--put "$dir/data.img":/t/data.img --put "$dir/safe.img":/t/safe.img "$@" \
		-- env BEFORE="$before" PLATFORM="$platform" sh /t/tpm_guest.sh "$step" >"$dir/tap" || status=$?
	cat "$dir/tap"
	[ $status = 0 ] || exit $status
	before=$((before + $(grep -cE '^(not )?ok ' "$dir/tap")))
}

gets=() puts=()
for file in "${files[@]}"; do
	gets+=(--get "/t/$file:$dir/$file")
done
boot ours make "${gets[@]}"
for file in "${files[@]}"; do
	[ "$file" = data.img ] || [ ! -e "$dir/$file" ] || puts+=(--put "$dir/$file:/t/$file")
done
boot ours again "${puts[@]}"
boot other other "${puts[@]}"
