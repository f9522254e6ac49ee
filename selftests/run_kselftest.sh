#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Runs the programs of kselftest.list on this machine, and prints one KTAP with
# a subtest for each.
#   run_kselftest.sh [DIRECTORY of the programs [PROGRAM...]]
# Exit status: 0; 1: a test failed; 4: all were skipped, nothing fits here.
here=$(dirname "$0")
dir=${1:-$here/tests}
[ $# -eq 0 ] || shift
limit=${CVM_TEST_LIMIT:-300}
log=$(mktemp) || exit 1
trap 'rm -f "$log"' EXIT

# the log of a program that exited with $1 -> "ok", "skip" or "fail: why"
verdict() {
	awk -v rc="$1" '
	/^[ \t]/ { next }
	/^1\.\.[0-9]+/ { plan += substr($1, 4); planned = 1 }
	/^(not )?ok( |$)/ { seen++ }
	/^ok .*# *SKIP/ { skipped++ }
	/^not ok/ && !/# *(SKIP|XFAIL)/ { failed++ }
	END {
		if (rc == 4 || (planned && !plan)) print "skip"
		else if (rc == 124) print "fail: no end in time"
		else if (failed) print "fail: " failed " of " seen
		else if (rc) print "fail: exit status " rc
		else if (!seen || plan != seen) print "fail: " seen + 0 " results of " plan + 0
		else print seen == skipped ? "skip" : "ok"
	}' "$log"
}

# shellcheck disable=SC2046 # names of programs are words
[ $# -gt 0 ] || set -- $(sed -e '/^#/d' -e '/^$/d' "$here/kselftest.list")
echo "TAP version 13"
echo "1..$#"
n=0 failed=0 passed=0
for test; do
	n=$((n + 1))
	timeout -k 10 "$limit" "$dir/$test" >"$log" 2>&1 </dev/null
	rc=$?
	sed 's/^/    /' "$log"
	result=$(verdict $rc)
	case $result in
	ok) passed=$((passed + 1)); echo "ok $n selftests: cvm: $test" ;;
	skip) echo "ok $n selftests: cvm: $test # SKIP" ;;
	*) failed=$((failed + 1))
	   echo "not ok $n selftests: cvm: $test # ${result#fail: }" ;;
	esac
done
echo "# Totals: pass:$passed fail:$failed skip:$((n - passed - failed))"
[ $failed -eq 0 ] || exit 1
[ $passed -gt 0 ] || exit 4
