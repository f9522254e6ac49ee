# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# TAP for the scripts of this directory: run CVMCTL, look at what came of it.

: "${CVMCTL:=build/bin/cvmctl}"
count=0 failures=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

result() {	# PASSED(0|1) NAME
	((++count))
	if (($1)); then
		echo "ok $count - $2"
	else
		((++failures))
		echo "not ok $count - $2"
		echo "# exit status $status"
		sed 's/^/# /' "$work/out" "$work/err"
	fi
}

# ARGUMENTS... -> $status, $work/out, $work/err
cvmctl() {
	status=0
	"$CVMCTL" "$@" >"$work/out" 2>"$work/err" || status=$?
}

# NAME STATUS REGEX ARGUMENTS...: that exit status, and REGEX in one line of
# stderr and no other line there; with REGEX - nothing on stderr
expect() {
	local name=$1 wanted=$2 regex=$3 good=1
	shift 3
	cvmctl "$@"
	((status == wanted)) || good=0
	if [[ $regex == - ]]; then
		[[ ! -s $work/err ]] || good=0
	else
		[[ $(wc -l <"$work/err") == 1 ]] || good=0
		grep -Eq -- "$regex" "$work/err" || good=0
	fi
	result $good "$name"
}

finish() {
	echo "1..$count"
	exit $((failures > 0))
}
