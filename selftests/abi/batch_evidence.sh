#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# batch_evidence.sh KERNEL PLATFORM: root, a workload with a label and somebody
# without privileges ask for batch evidence in a VM. The openssl command alone
# verifies what they share, and a relying party refuses whom it did not mean, by a
# policy of its own as well.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1 platform=$2
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
state=build/cache/fw-state

n=0
result() {	# NAME STATUS
	((n++))
	[[ $2 == 0 ]] && echo "ok $n $1" || echo "not ok $n $1"
}

certs=(--certs)
root=$state/trust-root.pem kind=report
[[ $platform == snp ]] || { certs=() root=$state/tdx-root.pem kind=quote; }

cat >"$out/guest" <<END
set -e
cvmctl batch --input /in --out /tmp/root ${certs[*]}
cvmctl batch --input /in --out /tmp/label --label web ${certs[*]}
# group cvm's part is played by a group that this system has
chgrp nogroup /dev/cvm/batch
mkdir -m 777 /tmp/nobody
exec su -s /bin/sh nobody -c 'cvmctl batch --input /in --out /tmp/nobody/out ${certs[*]}'
END
for _ in {1..64}; do openssl rand -hex 64; done >"$out/in"
selftests/vm/run --kernel "$kernel" --platform "$platform" --driver cvm \
	--put "$out/guest:/guest" --put "$out/in:/in" --get "/tmp/root:$out/root" \
	--get "/tmp/label:$out/label" --get "/tmp/nobody/out:$out/nobody" -- sh /guest
result "batch evidence on $kernel, $platform" $?

# WHO LINE -> its own proof, and what is everybody's
of() {
	local who=$out/$1
	printf -v proof '%s/%04d.proof' "$who" "$2"
	data=$(sed -n "$(($2 + 1))p" "$out/in")
	evidence=$who/$kind-0.bin table=$who/certs-0.bin
}

check() {	# R64
	if [[ $platform == snp ]]; then
		selftests/abi/openssl_check.sh snp "$evidence" "$table" "$1"
	else
		selftests/abi/openssl_check.sh tdx "$evidence" "$1"
	fi
}

said() {	# EXIT NAME COMMAND...
	local rc
	"${@:3}" >"$out/said" 2>&1
	rc=$?
	[[ $rc == "$1" ]]
	result "$2" $? || sed 's/^/# /' "$out/said"
}

with_certs() {	# SUBCOMMAND ARGUMENT...
	local with=()
	[[ $platform != snp ]] || with=(--certs "$table")
	build/bin/cvmctl "$@" "${with[@]}"
}

verify() {	# EXIT NAME OPTION...
	said "$1" "$2" with_certs verify "$evidence" --user-data "$data" --proof "$proof" \
		--trust-root "$root" --authenticity-only "${@:3}"
}

# in full, by the policy that this evidence gave and that accepts SCOPE alone
by_policy() {	# EXIT NAME SCOPE OPTION...
	jq --arg scope "$3" '.batch.scopes = [$scope]' "$out/policy" >"$out/of-scope"
	said "$1" "$2" with_certs verify "$evidence" --user-data "$data" --proof "$proof" \
		--policy "$out/of-scope" "${lists[@]}" "${@:4}"
}

# what the vendors would say of the simulated machine
lists=()
for list in "$state"/*-collateral.json; do lists+=(--collateral "$list"); done
declare -A scopes=([root]=privileged [label]=label:web [nobody]=unprivileged)

for who in root label nobody; do
	of $who 0
	r64=$(build/bin/cvmctl expect --user-data "$data" --proof "$proof" --scope any)
	check "$r64"
	result "$who: openssl verifies what its proof leads to" $?
	of $who 63
	[[ $r64 == "$(build/bin/cvmctl expect --user-data "$data" --proof "$proof" --scope any)" ]]
	result "$who: the last of 64 shares it with the first" $?
	of $who 1
	verify 0 "$who: authentic for anybody" --scope any
	said 0 "$who: its policy" with_certs policy init --from "$evidence" --trust-root "$root" \
		"${lists[@]}" --out "$out/policy"
	for scope in "${scopes[@]}"; do
		[[ $scope == "${scopes[$who]}" ]] && want=0 || want=3
		by_policy "$want" "$who: by a policy of $scope: $want" "$scope" --trust-root "$root"
	done
	by_policy 3 "$who: not without the root" "${scopes[$who]}"
done

of root 5
verify 0 'root speaks for the VM'
verify 3 'root is no workload' --scope label:web
of nobody 5
verify 3 'somebody does not, by default'
verify 3 'nor by name' --scope privileged
verify 3 'nor for a workload' --scope label:web
verify 0 'but for himself' --scope unprivileged
of label 5
verify 3 'a workload does not'
verify 3 'nor for another one' --scope label:db
verify 0 'but for itself' --scope label:web
other=$(sed -n 7p "$out/in")
data=$other
verify 3 "with another one's user data it does not" --scope any
echo "1..$n"
