# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# For the tests of cvmctl: results as TAP, and simulated platforms. The tests
# run at the top of the tree.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit

cvmctl=${CVMCTL:-build/bin/cvmctl}
dir=$(mktemp -d)
fwds=()
n=0 failed=0

cleanup() {
	# cvm-fwd ends by exit status 3 where it saw a broken rule
	local pid
	for pid in "${fwds[@]}"; do kill "$pid"; done
	rm -rf "$dir"
}
trap cleanup EXIT

result() {	# STATUS NAME [DIAGNOSIS]
	((n++))
	if [[ $1 == 0 ]]; then
		echo "ok $n $2"
	else
		echo "not ok $n $2"
		[[ -z ${3-} ]] || printf '%s\n' "$3" | sed 's/^/# /'
		failed=1
	fi
}

finish() {
	echo "1..$n"
	exit $failed
}

# STATUS PATTERN NAME ARGUMENTS...: cvmctl ends with STATUS, and says one line on
# stderr that matches PATTERN, or nothing where PATTERN is empty
try() {
	local want=$1 pattern=$2 name=$3 rc why=
	shift 3
	"$cvmctl" "$@" >"$dir/stdout" 2>"$dir/stderr" </dev/null
	rc=$?
	[[ $rc == "$want" ]] || why="exit status $rc instead of $want"
	if [[ -z $pattern ]]; then
		[[ ! -s $dir/stderr ]] || why="$why; stderr is not empty"
	elif [[ $(wc -l <"$dir/stderr") != 1 ]]; then
		why="$why; stderr is not one line"
	elif ! grep -qE -- "$pattern" "$dir/stderr"; then
		why="$why; stderr does not match '$pattern'"
	fi
	# nothing half done for those who read the output and not the status
	[[ $want == 0 || ! -s $dir/stdout ]] || why="$why; stdout is not empty"
	result "$([[ -z $why ]]; echo $?)" "$name" "cvmctl $*: $why; stderr: $(head -c 500 "$dir/stderr")"
}

simulate() {	# SOCKET KEY=VALUE...
	local socket=$1
	shift
	build/bin/cvm-fwd --listen "$socket" --state "${CVM_FW_STATE:-build/cache/fw-state}" "$@" &
	fwds+=($!)
	until [[ -S $socket ]]; do
		kill -0 $! || { echo "Bail out! cvm-fwd does not start"; exit 1; }
		sleep 0.05
	done
}

set_fw() { build/bin/fw_ask "$@" >/dev/null; }	# SOCKET set KEY=VALUE...

hex_at() { od -An -v -tx1 -j"$2" -N"$3" "$1" | tr -d ' \n'; }	# FILE OFFSET LENGTH

hex64() { printf "$1%.0s" {1..64}; }	# TWO_DIGITS
