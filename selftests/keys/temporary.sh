#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl disk temporary in a VM; see temporary_guest.sh.
#   selftests/keys/temporary.sh 6.1|6.12|7.3 snp|tdx
set -eu
cd "$(dirname "$0")/../.."

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
truncate -s 4M "$dir/disk.img" "$dir/other.img"
selftests/vm/run --kernel "$1" --platform "$2" --driver cvm --timeout 200 \
	--put "$(command -v dmsetup)":/usr/bin/dmsetup --put "$dir/disk.img":/t/disk.img --put "$dir/other.img":/t/other.img \
	--put build/tests/watch_keys.so:/usr/lib/watch_keys.so \
	--put selftests/keys/disk_lib.sh:/t/disk_lib.sh \
	--put selftests/keys/temporary_guest.sh:/t/temporary_guest.sh \
	-- sh /t/temporary_guest.sh "$2"
