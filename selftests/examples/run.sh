#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# run.sh EXAMPLE native|6.1|6.12|7.3 snp|tdx: the example's test, EXAMPLE_test.sh, on this
# machine beside a simulated firmware, or in a VM with the driver. Prints TAP.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
example=$1 where=$2 platform=$3
dir=$(mktemp -d)
fwd=
trap '[[ -z $fwd ]] || kill $fwd; rm -rf "$dir"' EXIT
chmod 755 "$dir"

# what the test needs; those of examples/ go by their own names
mapfile -t programs < <(find examples/*/ build/examples -type f -perm -u+x)
programs+=(build/bin/cvm-agent build/tests/find_key)
model=(report_ms=20)
[[ $platform == snp ]] || model=(quote_ms=20 parallel=1)

# it makes keys and lists where there are none yet
firmware() {
	build/bin/cvm-fwd --listen "$dir/fw" --state build/cache/fw-state \
		"platform=$platform" "${model[@]}" 2>/dev/null &
	fwd=$!
	until [[ -S $dir/fw ]]; do
		kill -0 $fwd || { echo 'Bail out! cvm-fwd does not start'; exit 1; }
		sleep 0.05
	done
	chmod 777 "$dir/fw"
}

# whom the relying party trusts, and what the vendors would say of the simulated machine
trusted() {	# DIRECTORY
	local state=build/cache/fw-state root=trust-root.pem
	[[ $platform == snp ]] || root=tdx-root.pem
	mkdir -p "$1" && cp $state/$root "$1/root.pem" && cp $state/*-collateral.json "$1/"
}

native() {
	local program
	mkdir "$dir/bin"
	for program in "${programs[@]}"; do ln -s "$PWD/$program" "$dir/bin/"; done
	firmware
	trusted "$dir/trusted"
	PATH=$dir/bin:$PWD/build/bin:$PATH FW=$dir/fw TRUSTED=$dir/trusted PLATFORM=$platform \
		README=$PWD/examples/README.md bash "selftests/examples/${example}_test.sh"
}

in_vm() {
	local options=() program
	for program in "${programs[@]}" /usr/bin/{openssl,curl,jq,setpriv}; do
		options+=(--put "$program:/usr/bin/${program##*/}")
	done
	for program in "${model[@]}"; do options+=(--fw "$program"); done
	firmware
	trusted "$dir/trusted"
	kill $fwd
	fwd=
	selftests/vm/run --kernel "$where" --platform "$platform" --driver cvm --memory 1024 --timeout 500 \
		"${options[@]}" --put "$dir/trusted:/t/trusted" --beside selftests/examples/fw.sh \
		--put selftests/examples:/t/examples --put examples/README.md:/t/README.md -- \
		env TRUSTED=/t/trusted README=/t/README.md PLATFORM="$platform" bash "/t/examples/${example}_test.sh" >"$dir/tap"
	local rc=$?
	# its results are subtests of one here
	sed 's/^\([^#]\)/    \1/' "$dir/tap"
	[[ $rc == 0 ]] && echo "ok 1 $example on $where, $platform" ||
		echo "not ok 1 $example on $where, $platform"
	echo 1..1
}

if [[ $where == native ]]; then native; else in_vm; fi
