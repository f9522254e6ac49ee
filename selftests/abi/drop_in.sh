#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# drop_in.sh KERNEL PLATFORM [patience]: /dev/sev-guest or /dev/tdx_guest, served by
# our driver, as programs find it that were written for the kernel's own.
set -euo pipefail
cd "$(dirname "$0")/../.."
kernel=$1 platform=$2
vars=$(selftests/vm/kernel "$kernel")
eval "$vars"
selftests/vm/module "$kernel" fixture >&2
puts=()
for program in intree_snp calls_snp calls_tdx drop_in_crowd tdx_guest_test; do
	puts+=(--put "build/tests/$program:/t/$program")
done
exec selftests/vm/run --kernel "$kernel" --platform "$platform" --driver cvm --timeout 240 \
	--put "build/modules/$KVER/cvm_vm_fixture.ko:/t/cvm_vm_fixture.ko" "${puts[@]}" \
	--put selftests/abi/drop_in_guest.sh:/t/drop_in_guest.sh \
	-- sh /t/drop_in_guest.sh "${@:2}"
