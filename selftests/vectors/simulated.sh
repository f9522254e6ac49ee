#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Evidence of every kind from the simulated firmware: shown; authentic with its
# root trusted; refused without, and when it is not what was asked for.
set -u
cd "$(dirname "$0")/../.." || exit
. selftests/vectors/lib.sh

data=$(printf 'c7%.0s' {1..64})
other=$(printf '7c%.0s' {1..64})

start() {	# KEY=VALUE... -> $fwd
	build/bin/cvm-fwd --listen "$work/socket" --state "$work/state" "$@" 2>"$work/fwd.err" &
	fwd=$!
	until [[ -S $work/socket ]]; do
		if ! kill -0 "$fwd" 2>/dev/null; then
			echo "Bail out! cvm-fwd $*: $(cat "$work/fwd.err")"
			exit 1
		fi
		read -r -t 0.05 <> <(:)
	done
}

stop() {
	kill "$fwd" && wait "$fwd"
	status=$?
	((status == 0))
	result $((status == 0)) "$1: cvm-fwd saw no broken rule"
	rm -f "$work/socket"
}

refused() {	# NAME CHECK ARGUMENTS...
	local name=$1 check=$2
	shift 2
	expect "$name: refused by $check" 3 "does not verify: (.*, )?$check(,|\$)" \
		verify --authenticity-only "$@" "$work/evidence"
}

shown() {	# NAME TYPE
	cvmctl show --json "$work/evidence"
	local good=0
	grep -q "\"type\": \"$2\"" "$work/out" && grep -qi "$data" "$work/out" && good=1
	result $good "$1: shown"
}

snp() {	# NAME KEY=VALUE...
	local name=$1
	shift
	start platform=snp "$@"
	expect "$name: a report" 0 - report --backend "sim:$work/socket" --report-data "$data" \
		--out "$work/evidence" --certs "$work/certs"
	stop "$name"
	local root=(--trust-root "$work/state/trust-root.pem")
	shown "$name" snp-report
	expect "$name: authentic" 0 - verify --authenticity-only --certs "$work/certs" "${root[@]}" \
		--report-data "$data" "$work/evidence"
	refused "$name, without the root" root --certs "$work/certs"
	refused "$name, without certificates" chain "${root[@]}"
	refused "$name, another nonce" report_data --certs "$work/certs" "${root[@]}" --report-data "$other"
}

tdx() {	# NAME KEY=VALUE...
	local name=$1
	shift
	start platform=tdx "$@"
	expect "$name: a quote" 0 - quote --backend "sim:$work/socket" --report-data "$data" \
		--out "$work/evidence"
	stop "$name"
	local root=(--trust-root "$work/state/trust-root.pem")
	shown "$name" tdx-quote
	expect "$name: authentic" 0 - verify --authenticity-only "${root[@]}" --report-data "$data" \
		"$work/evidence"
	refused "$name, without the root" root
	refused "$name, another nonce" report_data "${root[@]}" --report-data "$other"
}

snp 'Milan, version 2, VCEK' product=milan report_version=2
snp 'Genoa, version 3, VCEK' product=genoa report_version=3
snp 'Turin, version 5, VCEK' product=turin report_version=5
snp 'Milan, version 3, VLEK' product=milan report_version=3 signing_key=vlek
snp 'Turin, version 5, VLEK' product=turin report_version=5 signing_key=vlek
tdx 'quote version 4' quote_version=4
tdx 'quote version 5, TDX 1.0' quote_version=5 td_version=10
tdx 'quote version 5, TDX 1.5' quote_version=5 td_version=15

finish
