#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Tests with many clients, in a VM:
#   selftests/driver/crowd.sh PROGRAM 6.1|6.12|7.3 snp|tdx [SECONDS [RUN-OPTION...]]
# CVM_SEED repeats what driver_mix did; CVM_POLITE is how often driver_fairness asks.
set -eu
cd "$(dirname "$0")/../.."

program=$1 kernel=$2 platform=$3 seconds=${4:-10}
shift 3
(($# == 0)) || shift
exec selftests/vm/run --kernel "$kernel" --platform "$platform" --driver cvm \
	--timeout $((seconds + 300)) --memory 1024 "$@" \
	--put "build/tests/driver_$program:/t/driver_$program" \
	--put selftests/driver/report_guest.sh:/t/report_guest.sh -- \
	env CVM_SECONDS="$seconds" CVM_SEED="${CVM_SEED-}" CVM_POLITE="${CVM_POLITE-}" \
	sh /t/report_guest.sh "/t/driver_$program"
