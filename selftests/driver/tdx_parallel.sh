#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# How many quotes are kept in flight on hosts of different kinds, and what
# becomes of those that a host is late with, in a VM.
#   selftests/driver/tdx_parallel.sh 6.12|7.3 places|refusals|late
set -eu
cd "$(dirname "$0")/../.."

model=(--fw quote_ms=20 --fw parallel=4)
[[ $2 != refusals ]] || model+=(--fw max_quotes=2)
exec selftests/vm/run --kernel "$1" --platform tdx --driver none --timeout 240 \
	"${model[@]}" \
	--put selftests/driver/tdx_parallel_guest.sh:/t/guest.sh -- sh /t/guest.sh "$2"
