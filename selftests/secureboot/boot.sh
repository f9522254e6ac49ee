#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# boot.sh SERIES secureboot|uefi|nothing|lockdown: which modules the kernel takes, and what
# doctor says of the others (guest.sh). Under Secure Boot also: a kernel that is
# not signed with a key in db does not boot. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
# shellcheck source=selftests/vm/lib.sh
. selftests/vm/lib.sh
# shellcheck source=selftests/secureboot/lib.sh
. selftests/secureboot/lib.sh

series=$1 how=$2
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

firmware=() options=()
case $how in
secureboot) options=(--uefi "$dir/uefi") ;;
uefi)	firmware=(--off) options=(--uefi "$dir/uefi" --append module.sig_enforce=1) ;;
nothing | lockdown) ;;
*)	echo "boot.sh: no '$how'" >&2; exit 2 ;;
esac
prepare "$series" "${firmware[@]}" || { echo 'Bail out! firmware and modules could not be made'; exit 1; }

# an image that is like the right one but for the key
refuses_kernel()
{
	local rc

	mkdir "$dir/foreign"
	cp "$dir"/uefi/{vars.fd,module.key,module.pem} "$dir/foreign/"
	cp "$dir/other.key" "$dir/foreign/db.key"
	cp "$dir/other.pem" "$dir/foreign/db.pem"
	selftests/vm/run --kernel "$series" --uefi "$dir/foreign" -- true 2>"$dir/log"
	rc=$?
	[ $rc = 125 ] && grep -q 'does not boot this kernel' "$dir/log" && grep -aq 'Access Denied' "$dir/log" &&
		return
	sed 's/^/# /' "$dir/log"
	return 1
}

# what the platform is simulated with is signed by the runner; what is tested is not
selftests/vm/run --kernel "$series" --timeout 400 --platform snp --driver none "${options[@]}" \
	--put "$dir/modules:/tmp/modules" --put selftests/secureboot/guest.sh:/tmp/guest.sh \
	--put userspace/udev/modprobe.conf:/etc/modprobe.d/cvm-guest.conf \
	-- sh /tmp/guest.sh "$how" | sed '/^1\.\./d' | tee "$dir/results"
status=${PIPESTATUS[0]}
n=$(grep -cE '^(not )?ok ' "$dir/results")
if [ "$how" = secureboot ]; then
	refuses_kernel || echo -n 'not '
	echo "ok $((++n)) a kernel that somebody else has signed does not boot"
fi
# the guest's plan is taken away: a guest that died says so by its status
echo "1..$n"
exit "$status"
