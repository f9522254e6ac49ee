#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Reports and batches through Azure's paravisor, in a VM:
#   selftests/driver/azure.sh short|hcl|crowd 6.1|6.12|7.3 snp|tdx [RUN-OPTION...]
set -eu
cd "$(dirname "$0")/../.."

part=$1 kernel=$2 platform=azure-$3
shift 3
case $part in
hcl) program=driver_azure tests='' ;;
short) program=driver_azure
	tests=' -t at_once -t waits_for_the_window -t the_same_again -t input_index -t contended -t reserved_tag -t others_go_on -t bound_anew' ;;
crowd) program=driver_crowd tests=' -t throttled' ;;
esac
programs=("/t/$program$tests")
# the kernel has no configfs-tsm
[ "$kernel" = 6.1 ] || programs+=("sh /t/azure_tsm.sh $platform")
exec selftests/vm/run --kernel "$kernel" --platform "$platform" --driver cvm --timeout 400 \
	--memory 1024 "$@" --put "build/tests/$program:/t/$program" \
	--put selftests/driver/report_guest.sh:/t/report_guest.sh \
	--put selftests/driver/azure_tsm.sh:/t/azure_tsm.sh \
	-- env CVM_SECONDS=12 sh /t/report_guest.sh "${programs[@]}"
