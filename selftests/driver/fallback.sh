#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Which driver the kernel gets for its device, with our modprobe.d and Debian's
# modprobe, and that there is evidence either way.
#   selftests/driver/fallback.sh 6.12|7.3 snp|tdx
set -eu
cd "$(dirname "$0")/../.."

case $2 in
snp)	args=(platform:sev-guest sev_guest report) ;;
tdx)	# of the CPU's features one is enough
	args=("cpu:type:x86,ven0000fam0006mod0000:feature:,$(modinfo -F alias \
		build/modules/"$1".*/cvm_guest.ko | sed -n 's/^cpu:.*\*\([0-9A-F]*\)\*$/\1/p' | head -n 1)," tdx_guest quote) ;;
esac
exec selftests/vm/run --kernel "$1" --platform "$2" --driver none --timeout 100 \
	--put /usr/bin/kmod:/usr/bin/kmod \
	--put userspace/udev/modprobe.conf:/etc/modprobe.d/cvm-guest.conf \
	--put selftests/driver/fallback_guest.sh:/t/fallback_guest.sh \
	-- sh /t/fallback_guest.sh "${args[@]}"
