#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test_vm.sh KERNEL PLATFORM DRIVER: cvmctl in a VM, by every backend.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
exec selftests/vm/run --kernel "$1" --platform "$2" --driver "$3" \
	--put selftests/cvmctl/vm_guest.sh:/tmp/vm_guest.sh -- sh /tmp/vm_guest.sh "$2" "$3"
