#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# intree_tdx.sh KERNEL [FW_KEY=VALUE...]: the kernel's own tdx-guest.ko on the
# simulated platform: a quote by configfs-tsm, RTMRs where the kernel has them,
# and the kernel's own tdx_guest_test.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1
shift
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
fw=()
for option; do fw+=(--fw "$option"); done
openssl rand -out "$out/data" 64
openssl rand -out "$out/digest" 48

# shellcheck disable=SC2016 # the VM's variables
in_vm='
report=/sys/kernel/config/tsm/report/test
mkdir $report && cat /tmp/data >$report/inblob && cat $report/provider >/tmp/provider &&
	cat $report/outblob >/tmp/quote || exit
rmdir $report
/tmp/tdx_guest_test >/tmp/tap || exit
rtmr=/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384
[ $1 = 6.12 ] && touch /tmp/before /tmp/after && exit 0
cat $rtmr >/tmp/before && cat /tmp/digest >$rtmr && cat $rtmr >/tmp/after
'
selftests/vm/run --kernel "$kernel" --platform tdx --driver intree "${fw[@]}" \
	--put build/tests/tdx_guest_test:/tmp/tdx_guest_test \
	--put "$out/data:/tmp/data" --put "$out/digest:/tmp/digest" \
	--get "/tmp/quote:$out/quote" --get "/tmp/provider:$out/provider" \
	--get "/tmp/tap:$out/tap" --get "/tmp/before:$out/before" --get "/tmp/after:$out/after" \
	-- sh -c "$in_vm" in_vm "$kernel"
status=$?

n=0
result() {	# STATUS NAME
	((n++))
	[[ $1 == 0 ]] && echo "ok $n $2" || echo "not ok $n $2"
}
result $status "tdx-guest.ko on $kernel ${*:+with $*}"
[[ $(cat "$out/provider") == tdx_guest ]]
result $? "configfs-tsm's provider is tdx_guest"
selftests/abi/openssl_check.sh tdx "$out/quote" "$(od -An -v -tx1 "$out/data" | tr -d ' \n')"
result $? "openssl verifies the quote and its chain"
grep -q '^ok 1 global.verify_report' "$out/tap" && ! grep -q '^not ok' "$out/tap"
result $? "the kernel's tdx_guest_test passes"
# 6.12 has no interface for them
if [[ $kernel != 6.12 ]]; then
	cat "$out/before" "$out/digest" | openssl dgst -sha384 -binary | cmp - "$out/after" >&2
	result $? "an RTMR is extended through the measurement files"
fi
echo "1..$n"
