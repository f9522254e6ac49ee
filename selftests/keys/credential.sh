#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Keys for systemd's units, asked for as systemd does; see credential_guest.sh. What they
# are with systemd itself is in units.sh.
#   selftests/keys/credential.sh 6.1|6.12|7.3 snp|tdx
set -eu
cd "$(dirname "$0")/../.."
kernel=$1 platform=$2 tpm=()
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
[ "$platform" = snp ] || tpm=(--tpm-state "$dir")
selftests/vm/run --kernel "$kernel" --platform "$platform" --timeout 240 "${tpm[@]}" \
	--put build/tests/credential:/usr/bin/credential \
	--put build/tests/memory_search:/usr/bin/memory_search \
	--put "$(command -v setpriv):/usr/bin/setpriv" --put "$(command -v unshare):/usr/bin/unshare" \
	--put selftests/keys/disk_lib.sh:/t/disk_lib.sh --put selftests/keys/tpm_lib.sh:/t/tpm_lib.sh \
	--put selftests/keys/credential_guest.sh:/t/credential_guest.sh \
	-- sh /t/credential_guest.sh "$platform"
