#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# vm.sh KERNEL PLATFORM REQUESTS: cvm-agent in a VM, with a socket for each of two
# containers. What they got is verified here, as a relying party would; see vm_guest.sh.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1 platform=$2 requests=$3
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
state=build/cache/fw-state

n=0
result() {	# NAME STATUS
	((n++))
	[[ $2 == 0 ]] && echo "ok $n $1" || echo "not ok $n $1"
}

root=$state/trust-root.pem t=8 fw=(--fw report_ms=8)
[[ $platform == snp ]] || { root=$state/tdx-root.pem t=39; fw=(--fw quote_ms=39 --fw parallel=1); }
data=$(openssl rand -hex 64)

selftests/vm/run --kernel "$kernel" --platform "$platform" --driver cvm "${fw[@]}" --memory 1024 \
	--timeout $((requests / 10 + 240)) \
	--put build/bin/cvm-agent:/usr/bin/cvm-agent \
	--put build/tests/agent_client:/usr/bin/agent_client \
	--put build/tests/agent_container:/usr/bin/agent_container \
	--put "$(command -v setpriv):/usr/bin/setpriv" \
	--put selftests/agent/vm_guest.sh:/t/vm_guest.sh --get "/tmp/out:$out/got" -- \
	sh /t/vm_guest.sh "$platform" "$data" "$requests" $t >"$out/guest.tap"
rc=$?
# its results are subtests of one here
sed 's/^\([^#]\)/    \1/' "$out/guest.tap"
result "cvm-agent on $kernel, $platform" $rc

verify() {	# EXIT NAME FILE OPTION...
	local rc
	build/bin/cvmctl verify "$out/got/$3" --trust-root "$root" --authenticity-only "${@:4}" \
		>"$out/said" 2>&1
	rc=$?
	[[ $rc == "$1" ]]
	result "$2" $? || sed 's/^/# /' "$out/said"
}

verify 0 "A's proof speaks for A" a.json --user-data "$data" --scope label:a
verify 3 "B's proof does not" b.json --user-data "$data" --scope label:a
verify 0 'but for B' b.json --user-data "$data" --scope label:b
verify 3 "nor does A's for the VM" a.json --user-data "$data"
verify 3 "what is nobody's is not A's" none.json --user-data "$data" --scope label:a
verify 0 'it is unprivileged' none.json --user-data "$data" --scope unprivileged
verify 0 "a user's agent gives no more" user.json --user-data "$data" --scope unprivileged
verify 3 'nor does his speak for the VM' user.json --user-data "$data"
verify 0 'direct evidence' direct.json --report-data "$data"
verify 3 'for nothing else' direct.json --report-data "${data//[0-9]/a}"
[[ ! -e $out/got/fallback.json ]] ||
	verify 0 'evidence by another driver' fallback.json --report-data "$data"
echo "1..$n"
