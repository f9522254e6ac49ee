#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# rtmr.sh KERNEL DRIVER: cvmctl rtmr in a TD, what it reads and extends compared
# with what openssl makes of the same digests and with the quote.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1 driver=$2
exec selftests/vm/run --kernel "$kernel" --platform tdx --driver "$driver" \
	--put selftests/abi/rtmr_guest.sh:/t/guest.sh --put /usr/bin/openssl:/usr/bin/openssl \
	-- bash /t/guest.sh "$kernel" "$driver"
