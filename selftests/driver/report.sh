#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tests of /dev/cvm/report in a VM.
#   selftests/driver/report.sh 6.1|6.12|7.3 snp|tdx [RUN-OPTION...]
set -eu
cd "$(dirname "$0")/../.."

kernel=$1
platform=$2
shift 2
programs=(driver_ioctl driver_callers driver_module)
# which kernels can extend RTMRs is known
if [[ $kernel-$platform = 7.3-tdx ]]; then
	programs+=('driver_rtmr -T unsupported')
else
	programs+=('driver_rtmr -t unsupported -t other_doors')
fi
model=()
if [[ $platform = tdx ]]; then
	programs+=(driver_tdx)
	# what waits and what the host has is then known beforehand
	model=(--fw max_quotes=2 --append cvm_guest.quote_buffers=1)
fi
programs+=(driver_storm)
puts=()
for program in "${programs[@]}"; do
	puts+=(--put "build/tests/${program%% *}:/t/${program%% *}")
done
exec selftests/vm/run --kernel "$kernel" --platform "$platform" --driver cvm \
	--timeout 240 "${model[@]}" "$@" "${puts[@]}" \
	--put selftests/driver/report_guest.sh:/t/report_guest.sh \
	-- sh /t/report_guest.sh "${programs[@]/#//t/}"
