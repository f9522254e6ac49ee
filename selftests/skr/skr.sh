#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A key release in an Azure guest, by /dev/tpmrm0, into the kernel's keyring; the services
# are skr_service.
#   selftests/skr/skr.sh 6.12|7.3 snp|tdx
set -eu
cd "$(dirname "$0")/../.."
exec selftests/vm/run --kernel "$1" --platform "azure-$2" --driver cvm --imds --timeout 300 --memory 1024 \
	--put build/tests/skr_service:/t/skr_service --put build/tests/key_use:/t/key_use \
	--put selftests/skr/skr_guest.sh:/t/skr_guest.sh -- sh /t/skr_guest.sh "$2"
