#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The tests of parsers and verification once more, watched: one result for each.
#   under.sh san        [NAME...] these programs, or all of them, built with ASan and
#                       UBSan; cvmctl's refusals and real evidence too
#   under.sh tsan       those with threads, built with TSan
#   under.sh valgrind   [NAME...] likewise
#   under.sh coverage   of both folders more than 90 % of the lines are run, file by file
set -u
cd "$(dirname "$0")/../.." || exit
how=${1?}
shift
least=90

# NAME...: from their sources, so that a new one needs no line here
all=()
for source in selftests/lib/test_{formats,verify,mutations,policy,collateral,vectors,evidence,cmw}*.c \
		selftests/keys/test_record.c; do
	source=${source##*/}
	all+=("${source%.c}")
done
named=("${@/#/test_}")
(($#)) || named=("${all[@]}")
scripts=()
flavour=()
under=()
case $how in
san)
	flavour=(SAN=1)
	b=build/san
	names=("${named[@]}")
	scripts=(selftests/vectors/refusals.sh)
	[[ ! -d ${CVM_VECTORS:-../shared/vectors} ]] ||
		scripts+=(selftests/vectors/{run,collateral,azure}.sh)
	export CVMCTL=$b/bin/cvmctl UBSAN_OPTIONS=print_stacktrace=1
	;;
tsan)
	flavour=(TSAN=1)
	b=build/tsan
	names=(test_verify_threads)
	;;
valgrind)
	b=build
	names=("${named[@]}")
	under=(valgrind -q --error-exitcode=99 --leak-check=full "--errors-for-leak-kinds=definite,possible")
	;;
coverage)
	flavour=(COV=1)
	b=build/cov
	names=("${all[@]}")
	;;
*)
	echo "under.sh: $how is none of san, tsan, valgrind, coverage" >&2
	exit 2
	;;
esac
log=build/under/$how
mkdir -p "$log"

count=0 failures=0
result() {	# STATUS NAME
	((++count))
	[[ $1 == 0 ]] || ((++failures))
	echo "$([[ $1 == 0 ]] || echo 'not ')ok $count - $2"
}

run() {	# NAME COMMAND...
	local name=$1 status
	shift
	"$@" >"$log/$name.tap" 2>"$log/$name.err"
	status=$?
	result $status "$name, $how"
	((status)) || return 0
	grep -h '^not ok' "$log/$name.tap" | sed 's/^/# /'
	tail -40 "$log/$name.err" | sed 's/^/# /'
}

targets=("${names[@]/#/$b/tests/}")
((!${#scripts[@]})) || targets+=("$CVMCTL")
# one at a time: the agent's tests build in the same folder
{ flock 9 && make -s "${flavour[@]}" "${targets[@]}"; } 9>"$log.lock" >"$log/build" 2>&1
status=$?
result $status 'built'
((status == 0)) || { sed 's/^/# /' "$log/build"; echo "1..$count"; exit 1; }

# what an earlier run has counted is no merit of this one
[[ $how != coverage ]] || find $b -name '*.gcda' -delete
for name in "${names[@]}"; do
	run "$name" "${under[@]}" "$b/tests/$name"
done
for script in "${scripts[@]}"; do
	run "${script##*/}" "$script"
done

# of each file: its lines, and the share of them that was run
shares() {
	gcov -n $b/obj/userspace/{formats,verify}/*.gcno 2>/dev/null | awk '
		/^File / { gsub(/\047/, "", $2); file = $2 }
		/^Lines executed:/ {
			split($2, part, /[:%]/)
			if (file ~ /^userspace\/(formats|verify)\/.*\.c$/) print file, $4, part[2]
			file = ""
		}' | sort
}

if [[ $how == coverage ]]; then
	shares >"$log/files"
	awk '{ printf "# %6.2f %% of %4d lines  %s\n", $3, $2, $1 }' "$log/files"
	for folder in formats verify; do
		read -r lines share < <(awk -v of="userspace/$folder/" '
			index($1, of) == 1 { lines += $2; ran += $2 * $3 / 100 }
			END { printf "%d %.1f\n", lines, lines ? 100 * ran / lines : 0 }' "$log/files")
		result "$(awk -v s="$share" -v least=$least 'BEGIN { print !(s > least) }')" \
			"$folder/: $share % of $lines lines are run, more than $least % have to be"
	done
fi
echo "1..$count"
exit $((failures > 0))
