#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The kselftest form: it installs, and tells a pass, a failure, a program that
# died and one with nothing to test on this machine from each other.
cd "$(dirname "$0")/../.." || exit
dir=$(mktemp -d) || exit
trap 'rm -rf "$dir"' EXIT
n=0

result() {
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}

# program NAME PLAN LINE: prints the two
program() {
	printf '#!/bin/sh\necho 1..%s\necho "%s"\n' "$2" "$3" >"$dir/t/$1"
	chmod +x "$dir/t/$1"
}

# runs "$@" of the programs and expects exit status $1 and the line $2
expect() {
	status=$1 line=$2 what=$3
	shift 3
	"$dir/i/run_kselftest.sh" "$dir/t" "$@" >"$dir/out"
	[ $? -eq "$status" ] && grep -q "^$line" "$dir/out"
	result $? "$what"
}

make -C selftests install INSTALL_PATH="$dir/i" >"$dir/log" 2>&1
result $? "it installs"

mkdir "$dir/t"
program good 1 "ok 1 x"
program bad 1 "not ok 1 x"
program short 2 "ok 1 x"
program absent 1 "ok 1 x # SKIP no device"
expect 0 "ok 1 selftests: cvm: good$" "a pass" good
expect 1 "not ok 1 selftests: cvm: bad" "a failure" bad
expect 1 "not ok 1 selftests: cvm: short" "fewer results than planned" short
expect 4 "ok 1 selftests: cvm: absent # SKIP" "nothing to test here" absent
expect 0 "ok 2 selftests: cvm: absent # SKIP" "a skip beside a pass" good absent

"$dir/i/run_kselftest.sh" "$dir/i/tests" test_util test_formats >"$dir/out" &&
	grep -q '^ok 2 selftests: cvm: test_formats$' "$dir/out"
result $? "what was installed runs"
echo "1..$n"
