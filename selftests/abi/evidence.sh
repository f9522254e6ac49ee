#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# evidence.sh KERNEL PLATFORM DRIVER: cvmctl in a VM asks for evidence, and the
# openssl command alone verifies what came out.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1 platform=$2 driver=$3
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
data=$(openssl rand -hex 64)

run() {
	selftests/vm/run --kernel "$kernel" --platform "$platform" --driver "$driver" "$@"
}

n=0
result() {	# NAME STATUS
	((n++))
	[[ $2 == 0 ]] && echo "ok $n $1" || echo "not ok $n $1"
}

name="on $kernel, $platform, $driver"
case $platform in
snp)
	echo 1..3
	run --get "/tmp/r:$out/r" --get "/tmp/c:$out/c" -- \
		cvmctl report --report-data "$data" --out /tmp/r --certs /tmp/c
	result "cvmctl report $name" $?
	selftests/abi/openssl_check.sh snp "$out/r" "$out/c" "$data"
	result "openssl verifies the report and its chain" $?
	flipped=${data:0:126}$([[ ${data:126} == 00 ]] && echo 01 || echo 00)
	! selftests/abi/openssl_check.sh snp "$out/r" "$out/c" "$flipped" 2>/dev/null
	result "other REPORT_DATA is not taken for this" $?
	;;
tdx)
	echo 1..3
	run --get "/tmp/q:$out/q" -- cvmctl quote --report-data "$data" --out /tmp/q
	result "cvmctl quote $name" $?
	selftests/abi/openssl_check.sh tdx "$out/q" "$data"
	result "openssl verifies the quote and its chain" $?
	flipped=${data:0:126}$([[ ${data:126} == 00 ]] && echo 01 || echo 00)
	! selftests/abi/openssl_check.sh tdx "$out/q" "$flipped" 2>/dev/null
	result "other REPORTDATA is not taken for this" $?
	;;
esac
