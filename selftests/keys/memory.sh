#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where keys are in a VM's memory, seen from outside, and that they are nowhere when
# they should not be: selftests/keys/watcher knows them from the firmware.
#   selftests/keys/memory.sh 6.1|6.12|7.3 [short|whole]
set -eu
cd "$(dirname "$0")/../.."

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
truncate -s 4M "$dir/data.img" "$dir/safe.img"
selftests/vm/run --kernel "$1" --platform snp --driver cvm --timeout 400 \
	--fw committed_tcb=d218000000000004 --fw guest_svn=3 --beside selftests/keys/watcher \
	--put build/tests/watch_keys.so:/usr/lib/watch_keys.so --put build/tests/key_use:/usr/bin/key_use --put selftests/keys/memory_guest.sh:/t/memory_guest.sh \
	--put "$dir/data.img":/t/data.img --put "$dir/safe.img":/t/safe.img \
	-- sh /t/memory_guest.sh "${2:-whole}"
