#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Real quotes with Intel's real collateral of their time: verified, and refused for
# what is wrong with them and nothing else.
set -u
cd "$(dirname "$0")/../.." || exit
. selftests/vectors/lib.sh
need_vectors

# NAME FILE AT COLLATERAL: a policy of the evidence, and verified by it
verified() {
	local name=$1 file=$2 data
	local with=(--at "$3" --collateral "$4")
	data=$(shown_value .body.reportdata "$file")
	expect "$name: no policy without collateral" 3 'without collateral the TCB of the platform is not known' \
		policy init --from "$file" --at "$3" --out "$work/policy"
	writes_policy "$name: the strictest policy" --from "$file" "${with[@]}" --out "$work/policy"
	expect "$name: verified" 0 - verify --policy "$work/policy" "${with[@]}" --report-data "$data" "$file"
	expect "$name: not about something else" 3 'does not verify: report_data$' \
		verify --policy "$work/policy" "${with[@]}" --report-data "11${data:2}" "$file"
	expect "$name: not without collateral" 3 'not verified: revocation, tcb_info, qe_identity were' \
		verify --policy "$work/policy" --at "$3" --report-data "$data" "$file"
}

# NAME FILE AT COLLATERAL CHECK REASON: refused by this check, for this reason
refused() {
	expect "$1: refused by $5" 3 "does not verify: $5\$" \
		verify --authenticity-only --at "$3" --collateral "$4" "$2"
	grep -Eq "^failed +${5%%,*} +$6" "$work/out"
	result $((!$?)) "$1: because $6"
}

dcap=$V/tdx/v4-dcap
verified v4-dcap "$dcap.quote" 2025-06-19T11:16:03Z "$dcap.collateral.json"
[[ $(jq -c .tdx.tcb_status "$work/policy") == '["UpToDate"]' ]]
result $((!$?)) 'v4-dcap: up to date'
refused 'v4-dcap a month later' "$dcap.quote" 2025-07-20T00:00:00Z "$dcap.collateral.json" \
	'revocation, tcb_info, qe_identity' 'the newest revocation list .* holds from 2025-06-'
refused 'v4-dcap before its collateral' "$dcap.quote" 2025-06-19T10:10:00Z "$dcap.collateral.json" \
	'tcb_info, qe_identity' 'it holds from 2025-06-19T10:16:03Z to 2025-07-19T10:16:03Z'
for part in tcb_info qe_identity; do
	jq ".$part |= sub(\"\\\"version\\\"\"; \" \\\"version\\\"\")" "$dcap.collateral.json" >"$work/blank.json"
	refused "v4-dcap, a blank more in its $part" "$dcap.quote" 2025-06-19T11:16:03Z "$work/blank.json" \
		"$part" "its signature is not by 'Intel SGX TCB Signing'"
done
refused 'v4-dcap by the collateral of another platform' "$dcap.quote" 2026-02-19T00:00:00Z \
	"$V/tdx/v5-no-tcb-level.collateral.json" tcb_info 'none that was given is of FMSPC b0c06f000000'

refused v5-no-tcb-level "$V/tdx/v5-no-tcb-level.quote" 2026-02-19T00:00:00Z \
	"$V/tdx/v5-no-tcb-level.collateral.json" tcb 'no TCB level of TCB info matches this platform'

# what came in parts, as Intel's service answers: a file of it. Who signed it then is
# not there; who does so now has the same key.
jq -n --rawfile t "$V/tdx/v4-spr.tcbinfo.json" --rawfile q "$V/tdx/v4-spr.qeidentity.json" \
	--arg r "$(od -An -v -tx1 "$V/tdx/v4-spr.rootcrl.der" | tr -d ' \n')" \
	--arg p "$(od -An -v -tx1 "$V/tdx/v4-spr.pckcrl" | tr -d ' \n')" \
	--slurpfile now "$dcap.collateral.json" \
	'{tcb_info: $t, qe_identity: $q, root_ca_crl: $r, pck_crl: $p,
	  tcb_info_issuer_chain: $now[0].tcb_info_issuer_chain,
	  qe_identity_issuer_chain: $now[0].qe_identity_issuer_chain}' >"$work/spr.json"
spr=$V/tdx/v4-spr.quote
refused 'v4-spr, who signs since 2025' "$spr" 2023-07-01T00:00:00Z "$work/spr.json" \
	'tcb_info, qe_identity' "'Intel SGX TCB Signing' is not valid before 2025-05-06T09:25:00Z"
grep -Eq '^passed +revocation' "$work/out"
result $((!$?)) 'v4-spr in mid-2023: nothing is revoked'
refused 'v4-spr in 2025' "$spr" 2025-06-19T11:16:03Z "$work/spr.json" \
	'revocation, tcb_info, qe_identity' 'the newest revocation list .* holds from 2023-06-08'
grep -Eq '^failed +tcb_info +it holds from 2023-06-18T08:42:58Z' "$work/out"
result $((!$?)) 'v4-spr in 2025: TCB info by the same key, and too old'

finish
