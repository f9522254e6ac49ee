#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# intree_snp.sh KERNEL [FW_KEY=VALUE...]: the kernel's own sev-guest.ko on the
# simulated platform. It proves the platform from outside: a driver that knows
# nothing of us gets reports, certificates and keys that openssl verifies.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1
shift
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
fw=()
for option; do fw+=(--fw "$option"); done

selftests/vm/run --kernel "$kernel" --platform snp --driver intree "${fw[@]}" \
	--put build/tests/intree_snp:/tmp/intree_snp \
	--get "/tmp/report:$out/report" --get "/tmp/certs:$out/certs" \
	-- /tmp/intree_snp /tmp >"$out/tap"
status=$?
grep -v '^1\.\.[1-9]' "$out/tap"
n=$(grep -Ec '^(not )?ok ' "$out/tap")

result() {	# STATUS NAME
	((n++))
	[[ $1 == 0 ]] && echo "ok $n $2" || echo "not ok $n $2"
}
result $status "sev-guest.ko on $kernel ${*:+with $*}"
selftests/abi/openssl_check.sh snp "$out/report" "$out/certs" \
	"$(printf '42%.0s' {1..64})"
result $? "openssl verifies the report with its certificates"
echo "1..$n"
