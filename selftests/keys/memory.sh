#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where keys are in a VM's memory, seen from outside, and that they are nowhere when
# they should not be: selftests/keys/watcher knows them from the firmware. sealed: those of
# disks with a LUKS2 header, and under a secret of a TPM.
#   selftests/keys/memory.sh 6.1|6.12|7.3 [short|whole] [sealed]
set -eu
cd "$(dirname "$0")/../.."

guest=memory_${3+sealed_}guest.sh
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
truncate -s 8M "$dir/data.img"
truncate -s 4M "$dir/safe.img"
selftests/vm/run --kernel "$1" --platform snp --driver cvm --timeout 400 ${3+--tpm} \
	--fw committed_tcb=d218000000000004 --fw guest_svn=3 --beside selftests/keys/watcher \
	--put build/tests/watch_keys.so:/usr/lib/watch_keys.so --put build/tests/key_use:/usr/bin/key_use \
	--put selftests/keys/memory_lib.sh:/t/memory_lib.sh --put selftests/keys/tpm_lib.sh:/t/tpm_lib.sh \
	--put selftests/keys/"$guest":/t/"$guest" \
	--put "$dir/data.img":/t/data.img --put "$dir/safe.img":/t/safe.img \
	${3+--put build/tests/luks_slot:/usr/bin/luks_slot} -- sh /t/"$guest" "${2:-whole}"
