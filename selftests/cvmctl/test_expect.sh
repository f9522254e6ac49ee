#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl expect, and verify of batch evidence: who checks a proof gets the
# REPORT_DATA that the evidence carries, and nothing else passes. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

snp=$dir/snp
state=${CVM_FW_STATE:-build/cache/fw-state}
simulate "$snp" platform=snp
user_data=$(openssl rand -hex 64)
other=$(openssl rand -hex 64)
printf '%s\n' "$user_data" "$other" >"$dir/in"
try 0 '' 'batch evidence for two' batch --backend "sim:$snp" --input "$dir/in" --out "$dir/out" --certs
report=$dir/out/report-0.bin certs=$dir/out/certs-0.bin proof=$dir/out/0000.proof
# who runs the test decides for whom the library's own proofs speak
scopes=(unprivileged privileged)
kind=$((16#$(hex_at "$proof" 22 1)))
scope=${scopes[kind]} wrong=${scopes[1 - kind]}
carried=$(hex_at "$report" 80 64)

expect() { try "$1" "$2" "$3" expect --user-data "${4:-$user_data}" --proof "${5:-$proof}" "${@:6}"; }
is_carried() { result "$([[ $(cat "$dir/stdout") == "$carried" ]]; echo $?)" "$1"; }

expect 0 '' 'a proof' "" "" --scope "$scope"
is_carried 'gives what the report carries'
expect 0 '' 'of any scope' "" "" --scope any
is_carried 'the same'
openssl base64 -A -in "$proof" | tr '+/' '-_' | tr -d = >"$dir/text"
expect 0 '' 'as base64url' "" "$dir/text" --scope any
is_carried 'the same again'
expect 3 'speaks for .*, not for' 'a proof of another scope' "" "" --scope "$wrong"
expect 3 'speaks for .*, not for a workload' 'no label' "" "" --scope label:web
expect 0 '' "another one's user data" "$other" "" --scope any
result "$([[ $(cat "$dir/stdout") != "$carried" ]]; echo $?)" 'gives something else'
head -c 67 "$proof" >"$dir/short"
expect 3 'not a batch proof' 'a proof cut short' "" "$dir/short" --scope any
{ cat "$proof"; printf x; } >"$dir/long"
expect 3 'not a batch proof' 'a byte too many' "" "$dir/long" --scope any
expect 3 'not a batch proof' 'no proof at all' "" "$report" --scope any
expect 2 'no scope' 'an unknown scope' "" "" --scope root
expect 2 'reserved' 'the reserved tag' "43564d47424154${user_data:14}" "" --scope any
expect 1 'cannot be read' 'no such file' "" "$dir/none"
try 2 'are needed' 'no proof' expect --user-data "$user_data"

verify() { # STATUS PATTERN NAME OPTION...
	try "$1" "$2" "$3" verify "$report" --certs "$certs" --trust-root "$state/trust-root.pem" \
		--authenticity-only "${@:4}"
}
verified() { # NAME OPTION...
	verify 0 '' "$1" "${@:2}"
	result "$(grep -qE '^passed +report[-_]data' "$dir/stdout"; echo $?)" 'REPORT_DATA was compared' \
		"$(cat "$dir/stdout")"
}
refused() { # NAME OPTION...
	"$cvmctl" verify "$report" --certs "$certs" --trust-root "$state/trust-root.pem" \
		--authenticity-only "${@:2}" >/dev/null 2>&1
	result "$([[ $? == 3 ]]; echo $?)" "refused: $1"
}

verified 'evidence with its proof' --user-data "$user_data" --proof "$proof" --scope "$scope"
verified "the other's" --user-data "$other" --proof "$dir/out/0001.proof" --scope any
refused "a neighbour's proof" --user-data "$user_data" --proof "$dir/out/0001.proof" --scope any
refused 'another scope' --user-data "$user_data" --proof "$proof" --scope "$wrong"
refused 'as direct evidence, for its user data' --report-data "$user_data"
refused 'as direct evidence, for what it carries' --report-data "$carried"
verify 2 'either --report-data, or' 'both at once' --report-data "$carried" --user-data "$user_data" --proof "$proof"
verify 2 'either --report-data, or' 'user data without a proof' --user-data "$user_data"
verify 2 'either --report-data, or' 'a scope of nothing' --scope any

finish
