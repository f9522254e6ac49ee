#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tests of /dev/cvm/batch, scopes and submitted requests in a VM.
#   selftests/driver/batch.sh 6.1|6.12|7.3 snp|tdx [RUN-OPTION...]
set -eu
cd "$(dirname "$0")/../.."

kernel=$1
platform=$2
shift 2
# after the last one there may be no channel any more
programs=(driver_batch driver_scope driver_async driver_submit
	"driver_keep_$platform" driver_members)
# what waits while the host works on one request is then known beforehand; and
# what the kernel frees is filled, so that it would be seen in an answer
model=(--append 'cvm_guest.quote_buffers=1 slub_debug=P')
puts=()
for program in "${programs[@]}"; do
	puts+=(--put "build/tests/$program:/t/$program")
done
run=("${programs[@]/#//t/}")
case $platform in
snp)	model+=(--fw certs=1) ;;
tdx)	# there is no key that the host could spoil
	run[-1]+=' -T dead_channel' ;;
esac
exec selftests/vm/run --kernel "$kernel" --platform "$platform" --driver cvm \
	--timeout 480 "${model[@]}" "$@" "${puts[@]}" \
	--put selftests/driver/report_guest.sh:/t/report_guest.sh \
	-- sh /t/report_guest.sh "${run[@]}"
