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

# with a policy of the evidence itself: verified, and nothing short of all of it
verified() {	# NAME COLLATERAL ARGUMENTS...
	local name=$1 collateral=$2
	shift 2
	writes_policy "$name: the strictest policy" --from "$work/evidence" \
		--collateral "$collateral" "$@" --out "$work/policy"
	expect "$name: the policy is complete" 0 - policy check "$work/policy"
	expect "$name: verified" 0 - verify --policy "$work/policy" --collateral "$collateral" "$@" \
		--report-data "$data" "$work/evidence"
	expect "$name: not without a nonce" 3 'but not verified: report_data were not' \
		verify --policy "$work/policy" --collateral "$collateral" "$@" "$work/evidence"
	expect "$name: not without lists and collateral" 3 'but not verified: revocation' \
		verify --policy "$work/policy" "$@" --report-data "$data" "$work/evidence"
	if [[ $(shown_value .type "$work/evidence") == snp-report ]]; then
		cvmctl policy init --from "$work/evidence" "$@" --out "$work/unlooked"
		[[ $status == 3 && ! -e $work/unlooked ]] && grep -q ': revocation was not checked' "$work/err"
		result $((!$?)) "$name: no policy where nobody knows what was revoked"
		cvmctl policy init --from "$work/evidence" --authenticity-only "$@" --out "$work/unlooked"
		[[ $status == 0 ]] && cmp -s "$work/policy" "$work/unlooked" &&
			grep -q ': revocation was not checked' "$work/err"
		result $((!$?)) "$name: unless it is asked for"
		rm -f "$work/unlooked"
	fi
	jq '(.snp // .tdx) |= with_entries(if .key == "measurement" or .key == "mrtd" then .value = [] else . end)' \
		"$work/policy" >"$work/other"
	expect "$name: not by a policy of another measurement" 3 'does not verify: (snp.measurement|tdx.mrtd)$' \
		verify --policy "$work/other" --collateral "$collateral" "$@" --report-data "$data" "$work/evidence"
	echo '{}' >"$work/empty"
	expect "$name: an empty policy verifies nothing" 3 'but not verified: (snp|tdx) were not' \
		verify --policy "$work/empty" --collateral "$collateral" "$@" --report-data "$data" "$work/evidence"
}

# in a batch: $work/batch has the evidence of two nonces
batch() {	# NAME COLLATERAL EVIDENCE ARGUMENTS...
	local name=$1 collateral=$2 evidence=$3 scope
	shift 3
	scope=$( (($(od -An -tu1 -j22 -N1 "$work/batch/0000.proof"))) && echo privileged || echo unprivileged)
	jq --arg s "$scope" '.batch.scopes = [$s]' "$work/policy" >"$work/batch-policy"
	expect "$name: verified" 0 - verify --policy "$work/batch-policy" --collateral "$collateral" "$@" \
		--user-data "$data" --proof "$work/batch/0000.proof" "$evidence"
	expect "$name: the other's too" 0 - verify --policy "$work/batch-policy" --collateral "$collateral" \
		"$@" --user-data "$other" --proof "$work/batch/0001.proof" "$evidence"
	expect "$name: not with the other's proof" 3 'does not verify: report_data$' \
		verify --policy "$work/batch-policy" --collateral "$collateral" "$@" \
		--user-data "$data" --proof "$work/batch/0001.proof" "$evidence"
	expect "$name: not by a policy that takes no batch" 3 'does not verify: batch.scopes$' \
		verify --policy "$work/policy" --collateral "$collateral" "$@" \
		--user-data "$data" --proof "$work/batch/0000.proof" "$evidence"
	jq '.batch.scopes = ["label:web"]' "$work/policy" >"$work/label-policy"
	expect "$name: not by a policy of another scope" 3 'does not verify: batch.scopes$' \
		verify --policy "$work/label-policy" --collateral "$collateral" "$@" \
		--user-data "$data" --proof "$work/batch/0000.proof" "$evidence"
	expect "$name: not as direct evidence" 3 'does not verify: report_data$' \
		verify --policy "$work/batch-policy" --collateral "$collateral" "$@" \
		--report-data "$data" "$evidence"
	expect "$name: not without the root" 3 'does not verify: .*root' \
		verify --policy "$work/batch-policy" --collateral "$collateral" "${untrusted[@]}" \
		--user-data "$data" --proof "$work/batch/0000.proof" "$evidence"
}

get_batch() {	# NAME OPTION...
	printf '%s\n' "$data" "$other" >"$work/nonces"
	rm -rf "$work/batch"
	expect "$1: a batch" 0 - batch --backend "sim:$work/socket" --input "$work/nonces" \
		--out "$work/batch" "${@:2}"
}

snp() {	# NAME KEY=VALUE...
	local name=$1 product=${2#product=}
	shift
	start platform=snp "$@"
	expect "$name: a report" 0 - report --backend "sim:$work/socket" --report-data "$data" \
		--out "$work/evidence" --certs "$work/certs"
	get_batch "$name" --certs
	stop "$name"
	local root=(--trust-root "$work/state/trust-root.pem") lists=$work/state/$product-collateral.json
	shown "$name" snp-report
	expect "$name: authentic" 0 - verify --authenticity-only --certs "$work/certs" "${root[@]}" \
		--report-data "$data" "$work/evidence"
	refused "$name, without the root" root --certs "$work/certs"
	refused "$name, without certificates" chain "${root[@]}"
	refused "$name, another nonce" report_data --certs "$work/certs" "${root[@]}" --report-data "$other"
	untrusted=(--certs "$work/certs")
	verified "$name" "$lists" --certs "$work/certs" "${root[@]}"
	batch "$name, batch" "$lists" "$work/batch/report-0.bin" --certs "$work/batch/certs-0.bin" "${root[@]}"
}

tdx() {	# NAME KEY=VALUE...
	local name=$1
	shift
	start platform=tdx "$@"
	expect "$name: a quote" 0 - quote --backend "sim:$work/socket" --report-data "$data" \
		--out "$work/evidence"
	get_batch "$name"
	stop "$name"
	local root=(--trust-root "$work/state/trust-root.pem") lists=$work/state/tdx-collateral.json
	shown "$name" tdx-quote
	expect "$name: authentic" 0 - verify --authenticity-only "${root[@]}" --report-data "$data" \
		"$work/evidence"
	refused "$name, without the root" root
	refused "$name, another nonce" report_data "${root[@]}" --report-data "$other"
	untrusted=()
	verified "$name" "$lists" "${root[@]}"
	batch "$name, batch" "$lists" "$work/batch/quote-0.bin" "${root[@]}"
}

snp 'Milan, version 2, VCEK' product=milan report_version=2
snp 'Genoa, version 3, VCEK' product=genoa report_version=3
snp 'Turin, version 5, VCEK' product=turin report_version=5
snp 'Milan, version 3, VLEK' product=milan report_version=3 signing_key=vlek
snp 'Turin, version 5, VLEK' product=turin report_version=5 signing_key=vlek
tdx 'quote version 4' quote_version=4
tdx 'quote version 5, TDX 1.0' quote_version=5 td_version=10
tdx 'quote version 5, TDX 1.5' quote_version=5 td_version=15
tdx 'quote version 5, service TD' quote_version=5 td_version=15 tdreport_version=1

# what the host has in its table is as good as what one has fetched
start platform=snp product=milan certs_crl=1
expect 'a table with a revocation list' 0 - report --backend "sim:$work/socket" --report-data "$data" \
	--out "$work/evidence" --certs "$work/certs"
stop 'a table with a revocation list'
writes_policy 'a table with a revocation list: its policy' --from "$work/evidence" \
	--certs "$work/certs" --trust-root "$work/state/trust-root.pem" --out "$work/policy"
jq '[.. | select(. == "any")] | length' "$work/policy" >"$work/any"
[[ $(grep -c ': the policy has to allow any snp\.' "$work/err") == $(<"$work/any") && $(<"$work/any") != 0 ]]
result $((!$?)) 'a table with a revocation list: each bit that its policy has to allow is named'
expect 'a table with a revocation list: verified' 0 - verify --policy "$work/policy" --certs "$work/certs" \
	--trust-root "$work/state/trust-root.pem" --report-data "$data" "$work/evidence"

# platforms that Intel says other things of
for level in ConfigurationNeeded OutOfDate Revoked; do
	start platform=tdx tcb_status=$level
	expect "$level: a quote" 0 - quote --backend "sim:$work/socket" --report-data "$data" --out "$work/evidence"
	stop "$level"
	trusted=(--trust-root "$work/state/trust-root.pem" --collateral "$work/state/tdx-collateral.json")
	if [[ $level == Revoked ]]; then
		expect "$level: refused" 3 'does not verify: tcb$' verify --authenticity-only "${trusted[@]}" "$work/evidence"
		continue
	fi
	writes_policy "$level: its policy" --from "$work/evidence" "${trusted[@]}" --out "$work/policy"
	expect "$level: verified where it is allowed" 0 - verify --policy "$work/policy" "${trusted[@]}" \
		--report-data "$data" "$work/evidence"
	jq '.tdx.tcb_status = ["UpToDate"]' "$work/policy" >"$work/strict"
	expect "$level: refused by name" 3 'does not verify: tdx.tcb_status$' verify --policy "$work/strict" \
		"${trusted[@]}" --report-data "$data" "$work/evidence"
done

finish
