#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# /dev/cvm/key in a VM.
#   selftests/driver/key.sh 6.1|6.12|7.3 snp|tdx [RUN-OPTION...]
set -eu
cd "$(dirname "$0")/../.."

kernel=$1
platform=$2
shift 2
programs=(driver_key driver_keyring driver_key_users)
[[ $platform = snp ]] || programs=(driver_key_tdx)
puts=()
for program in "${programs[@]}"; do
	puts+=(--put "build/tests/$program:/t/$program")
done
exec selftests/vm/run --kernel "$kernel" --platform "$platform" --driver cvm \
	--timeout 400 "$@" "${puts[@]}" \
	--put build/tests/key_client:/t/key_client \
	--put selftests/driver/report_guest.sh:/t/report_guest.sh \
	--put selftests/driver/key_guest.sh:/t/key_guest.sh \
	-- sh /t/key_guest.sh "${programs[@]/#//t/}"
