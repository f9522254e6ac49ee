#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the SNP platform does when the host misbehaves, in a VM.
#   selftests/driver/snp_faults.sh KERNEL smoke|live|storm|dead1|dead2|overflow|handover|patience [RUN-OPTION...]
set -eu
cd "$(dirname "$0")/../.."

kernel=$1
part=$2
shift 2
case $part in
patience) timeout=200 ;;
handover) timeout=200 ;;
overflow) timeout=120; set -- --fw msg_count=4294967286 "$@" ;;
*) timeout=120 ;;
esac
exec selftests/vm/run --kernel "$kernel" --platform snp --driver cvm --timeout "$timeout" \
	--fw certs=1 "$@" \
	--put build/tests/snp_client:/snp_client \
	--put selftests/driver/snp_guest.sh:/snp_guest.sh \
	-- sh /snp_guest.sh "$part"
