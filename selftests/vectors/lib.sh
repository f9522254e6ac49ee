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

# NAME ARGUMENTS...: policy init writes a policy; what it has to allow may be said
writes_policy() {
	local name=$1 good=1
	shift
	cvmctl policy init "$@"
	((status == 0)) || good=0
	! grep -qv ': the policy has to allow ' "$work/err" || good=0
	result $good "$name"
}

# real evidence, which is not part of the project -> $V
need_vectors() {
	V=${CVM_VECTORS:-../shared/vectors}
	[[ -d $V/snp ]] && return
	echo "1..0 # SKIP no real evidence at $V (CVM_VECTORS)"
	exit 0
}

# KEY FILE: a value of what `cvmctl show --json` prints
shown_value() {
	"$CVMCTL" show --json "$2" | jq -r "$1"
}

finish() {
	echo "1..$count"
	exit $((failures > 0))
}
