#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tests of parsers and verification once more, built with ASan and UBSan:
# one result for each of them.
set -u
cd "$(dirname "$0")/../.." || exit
log=build/san/log
mkdir -p $log

programs=(build/san/tests/test_formats{,_quote,_other} build/san/tests/test_verify_{snp,tdx,batch}
	build/san/tests/test_mutations_{snp,snp_keys,tdx,collateral,batch,azure,vtpm}
	build/san/tests/test_policy{,_text})
tests=("${programs[@]}" selftests/vectors/refusals.sh)
[[ ! -d ${CVM_VECTORS:-../shared/vectors} ]] || tests+=(selftests/vectors/run.sh)

echo "1..$((${#tests[@]} + 1))"
n=1 failed=0
if make -s SAN=1 build/san/bin/cvmctl "${programs[@]}" >$log/build 2>&1; then
	echo "ok 1 - built"
else
	echo "not ok 1 - built"
	sed 's/^/# /' $log/build
	exit 1
fi
export CVMCTL=build/san/bin/cvmctl UBSAN_OPTIONS=print_stacktrace=1
for test in "${tests[@]}"; do
	((++n))
	name=${test##*/}
	if "$test" >"$log/$name.tap" 2>"$log/$name.err"; then
		echo "ok $n - $name"
	else
		failed=1
		echo "not ok $n - $name"
		grep -h '^not ok' "$log/$name.tap" | sed 's/^/# /'
		tail -40 "$log/$name.err" | sed 's/^/# /'
	fi
done
exit $failed
