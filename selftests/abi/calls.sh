#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# calls.sh KERNEL PLATFORM COUNT [SEED]: COUNT generated calls of the node of the
# kernel's own driver, valid and not, by that driver and by ours, compared one by
# one. What may differ is the table in driver/Documentation/drop-in.rst.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1 platform=$2 count=$3 seed=${4-1}
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
n=0

result() {	# STATUS NAME
	((n++))
	[[ $1 == 0 ]] && echo "ok $n - $2" || echo "not ok $n - $2"
}

run() {	# KIND COUNT OPTION...
	selftests/vm/run --kernel "$kernel" --platform "$platform" --driver cvm --timeout 400 "${@:3}" \
		--put build/tests/calls_snp:/t/calls_snp --put build/tests/calls_tdx:/t/calls_tdx \
		--put selftests/abi/calls_guest.sh:/t/calls_guest.sh \
		--get "/tmp/ours:$out/ours.$1" --get "/tmp/in-tree:$out/in-tree.$1" \
		-- sh /t/calls_guest.sh "$1" "$seed" "$2"
	result $? "$1: $2 calls by both drivers"
}

case $platform in
snp)
	run turin $((count / 2)) --fw product=turin --fw certs_pages=3
	run milan $((count - count / 2)) --fw product=milan --fw key_version=1 --fw certs_pages=3 --fw signing_key=vlek
	where="SNP ${kernel}"
	;;
tdx)
	# 7.3's own driver warns of a busy TDX module, once
	kind=tdx
	[[ $kernel != 6.12 ]] || kind=tdx-busy
	run $kind "$count"
	where="TDX ${kernel}"
	;;
esac
cat "$out"/ours.* >"$out/ours"
cat "$out"/in-tree.* >"$out/in-tree"
awk -v n="$n" -v where="$where" -v least="$count" -f selftests/abi/calls.awk \
	driver/Documentation/drop-in.rst "$out/in-tree" "$out/ours"
