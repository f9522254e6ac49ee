#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test_doctor_vm.sh KERNEL PLATFORM DRIVER: cvmctl doctor in a VM.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
tpm=(--tpm)
# a paravisor is one
[[ $2 != azure-* ]] || tpm=()
exec selftests/vm/run --kernel "$1" --platform "$2" --driver "$3" "${tpm[@]}" \
	--put /usr/bin/tpm2:/usr/bin/tpm2 --put /usr/bin/flock:/usr/bin/flock \
	--put selftests/cvmctl/doctor_guest.sh:/tmp/doctor_guest.sh -- sh /tmp/doctor_guest.sh "$3" "$2"
