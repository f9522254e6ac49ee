#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl evidence and batch in an Azure guest, whose paravisor and host are simulated:
# what comes verifies in each form, with all that belongs to it. Prints TAP.
#   test_azure.sh snp|tdx
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/cvmctl/azure_lib.sh
. selftests/cvmctl/azure_lib.sh
azure_guest "$1"
data=$(hex64 c7) other=$(hex64 c8)

says() {	# PATTERN NAME: what cvmctl printed
	grep -qE -- "$1" "$dir/stdout"
	result $? "$2" "$(cat "$dir/stdout")"
}

verifies() {	# NAME FILE OPTION...
	try 0 '' "$1: authentic" verify --authenticity-only "${with[@]}" "${@:3}" "$2"
	local check
	for check in claims report_data tpm_quote tpm_nonce tpm_pcrs \
		"$([[ $tee == snp ]] && echo paravisor || echo td_quote)"; do
		says "^passed +$check " "$1: $check"
	done
}

refuses() {	# CHECKS NAME FILE OPTION...
	"$cvmctl" verify --authenticity-only "${with[@]}" "${@:4}" "$3" >"$dir/stdout" 2>"$dir/stderr"
	local rc=$?
	[[ $rc == 3 ]] && grep -qE "does not verify: .*$1" "$dir/stderr"
	result $? "$2: refused by $1" "$rc: $(cat "$dir/stderr")"
}

try 0 '' 'status' status --json --backend "$backend"
says '"hcl-report"' 'status: what it gives'
[[ $(jq -r .platform "$dir/stdout") == "$tee" ]]
result $? "status: the hardware is $tee"

for format in json coco-v1 coco-v2 cmw cmw-cbor; do
	try 0 '' "direct evidence, $format" evidence "${here[@]}" --report-data "$data" --format $format \
		--out "$dir/direct-$format"
	verifies "direct evidence, $format" "$dir/direct-$format" --report-data "$data"
	refuses 'report_data, tpm_nonce' "$format, something else asked for" "$dir/direct-$format" \
		--report-data "$other"
	try 0 '' "batch evidence, $format" evidence "${here[@]}" --user-data "$data" --format $format \
		--out "$dir/batch-$format"
	verifies "batch evidence, $format" "$dir/batch-$format" --user-data "$data" --scope any
	refuses 'report_data' "$format, a batch's, taken for direct" "$dir/batch-$format" --report-data "$data"
done
# nothing is lost in one, which has all parts there can be
try 0 '' 'a CMW of our own JSON' evidence --from "$dir/batch-json" --format cmw-cbor --out "$dir/cbor"
try 0 '' 'and back' evidence --from "$dir/cbor" --out "$dir/back"
cmp -s "$dir/batch-json" "$dir/back"
result $? 'is the same'
try 0 '' 'shown' show --json "$dir/cbor"
[[ $(jq -r 'keys_unsorted | join(" ")' "$dir/stdout") == \
	"evidence $([[ $tee == tdx ]] && echo 'td_quote tpm_quote' || echo 'tpm_quote certs') proof" ]]
result $? 'with all its parts' "$(jq -c keys_unsorted "$dir/stdout")"
bound=("${with[@]}")
with=("${roots[@]}")
refuses 'binding' 'an HCL report where a report is expected' "$dir/direct-json" --report-data "$data"
with=("${bound[@]}")
jq -e '.tpm_quote.pcrs | length == 24' "$dir/direct-json" >/dev/null
result $? 'all PCRs'

# between two reports: for who has seen one of this boot, and his answer to which it was
"$cvmctl" verify --json --authenticity-only "${with[@]}" --report-data "$data" "$dir/direct-json" >"$dir/verdict"
count=$(jq .reset_count "$dir/verdict")
try 0 '' 'a quote alone' evidence "${here[@]}" --no-fetch --quote-alone --report-data "$other" --out "$dir/alone"
try 0 '' 'a batch by a quote alone' evidence "${here[@]}" --no-fetch --quote-alone --user-data "$other" --out "$dir/alone-batch"
jq .td_quote "$dir/alone" | grep -q null
result $? 'a quote alone: no quote of a TDREPORT'
# the report, and what belongs to it, that was verified before
jq -n --slurpfile old "$dir/direct-json" --slurpfile new "$dir/alone" '$old[0] + {tpm_quote: $new[0].tpm_quote}' >"$dir/both"
jq -n --slurpfile old "$dir/direct-json" --slurpfile new "$dir/alone-batch" \
	'$old[0] + {tpm_quote: $new[0].tpm_quote, proof: $new[0].proof}' >"$dir/both-batch"
bound=("${with[@]}")
with=("${with[@]/#azure/azure-tpm}")
try 0 '' 'a quote alone: authentic' verify --authenticity-only "${with[@]}" --reset-count "$count" \
	--report-data "$other" "$dir/both"
says '^passed +tpm_boot' 'a quote alone: of that boot'
try 0 '' 'a quote alone, batch: authentic' verify --authenticity-only "${with[@]}" --reset-count "$count" \
	--user-data "$other" --scope any "$dir/both-batch"
refuses 'tpm_boot' 'a quote alone, another boot' "$dir/both" --reset-count $((count + 1)) --report-data "$other"
refuses 'tpm_nonce' 'a quote alone, something else asked for' "$dir/both" --reset-count "$count" --report-data "$data"
with=("${bound[@]}")
refuses 'report_data' 'a quote alone, where a report is asked for' "$dir/both" --report-data "$other"

# short values: the vTPM's quote carries them as they are
try 0 '' 'a short value' evidence "${here[@]}" --report-data c0ffee --pad --out "$dir/short"
verifies 'a short value' "$dir/short" --report-data "c0ffee$(printf '00%.0s' {1..61})"
jq -r .tpm_quote.message "$dir/short" | grep -q 0003c0ffee
result $? 'a short value: extraData is it'

# one piece's parts do not go with another's
jq --slurpfile from "$dir/short" '.tpm_quote = $from[0].tpm_quote' "$dir/direct-json" >"$dir/crossed"
refuses 'tpm_nonce' "another request's quote" "$dir/crossed" --report-data "$data"
jq --slurpfile from "$dir/short" '.report = $from[0].report' "$dir/direct-json" >"$dir/crossed"
refuses "$([[ $tee == snp ]] && echo report_data || echo td_quote)" "another request's report" "$dir/crossed" --report-data "$data"
jq '.tpm_quote.pcrs[10] = .tpm_quote.pcrs[17]' "$dir/direct-json" >"$dir/crossed"
refuses 'tpm_pcrs' 'another PCR' "$dir/crossed" --report-data "$data"

# what the firmware measured, and the PCRs that it leads to
log=$state/event-log
try 0 '' 'with the event log' evidence "${here[@]}" --report-data "$data" --event-log "$log" --out "$dir/measured"
verifies 'with the event log' "$dir/measured" --report-data "$data"
says '^passed +event_log +[0-9]+ events lead to the quote.s PCR 0, 1, 2, 3, 4, 5, 6, 7, 8, 9$' 'event_log: all of it'
try 0 '' 'in a CMW' evidence --from "$dir/measured" --format cmw-cbor --out "$dir/cbor"
try 0 '' 'and back' evidence --from "$dir/cbor" --out "$dir/back"
cmp -s "$dir/measured" "$dir/back"
result $? 'with the event log: is the same'
try 0 '' 'the log, shown' show --json "$log"
[[ $(jq -r '.pcrs["7"]' "$dir/stdout") == $(jq -r '.tpm_quote.pcrs[7]' "$dir/measured") &&
	$(jq -c '[.events[].variable.name // empty]' "$dir/stdout") == '["SecureBoot","PK","KEK","db","dbx"]' ]]
result $? 'the log, shown: PCR 7, and what is in it' "$(cat "$dir/stdout")"
"$cvmctl" policy init --authenticity-only --from "$dir/measured" "${with[@]}" --out "$dir/policy" 2>"$dir/stderr"
jq -e '.azure.event_log | .secure_boot and (.db, .dbx, .kek, .pk | length == 1)' \
	"$dir/policy" >/dev/null
result $? 'a policy: what was measured' "$(cat "$dir/policy" "$dir/stderr")"
[[ $(cat "$dir/stderr") == *'asks for the event log, and refuses evidence without one'* ]]
result $? 'a policy: that it needs the log is said' "$(cat "$dir/stderr")"
# without the values of PCRs, which come and go: the log says why they are as they are
jq '.azure.pcrs = "any" | .azure.event_log.pcrs = [range(10)]' "$dir/policy" >"$dir/by-log"
judged() {	# STATE NAME PATTERN FILE: one rule of the log
	"$cvmctl" verify "${with[@]}" --report-data "$data" --policy "$dir/by-log" "$4" >"$dir/stdout" 2>"$dir/stderr"
	says "^$1 +$3" "$2"
}
judged passed 'the boot that the policy is of' 'azure.event_log.secure_boot +is set' "$dir/measured"
judged passed 'its db' 'azure.event_log.db +is one' "$dir/measured"
judged passed 'its PCRs' 'azure.event_log.pcrs +the log leads to PCR 0, .*, 9$' "$dir/measured"
judged 'not checked' 'no log, where one is asked for' 'azure.event_log.pcrs +the evidence has no event log' "$dir/direct-json"
cp "$log" "$dir/forged"
at=$(grep -abo 'Calling EFI' "$log" | cut -d: -f1)
printf '\xff' | dd of="$dir/forged" bs=1 seek="$at" conv=notrunc status=none
try 0 '' 'a log that says something else' evidence --from "$dir/direct-json" --event-log "$dir/forged" --out "$dir/other"
judged passed 'which is only what it says' 'azure.event_log.pcrs' "$dir/other"
printf '\xff' | dd of="$dir/forged" bs=1 seek=$((at - 1)) conv=notrunc status=none
try 1 'no event log: offset 0x' 'a log that is none' evidence --from "$dir/direct-json" --event-log "$dir/forged"
# of another boot: the firmware was told another Secure Boot, the claims were not
CVM_FW_STATE=$dir/elsewhere simulate "$dir/off" --tpm "$dir/tpm2" platform="azure-$tee" secure_boot=0
try 0 '' "another boot's log" evidence --from "$dir/direct-json" --event-log "$dir/elsewhere/event-log" --out "$dir/other"
judged 'not checked' 'which does not lead to PCR 7' 'event_log +PCR 7: ' "$dir/other"
judged failed 'and says nothing of Secure Boot' 'azure.event_log.secure_boot +the log does not lead' "$dir/other"
if [[ $tee == snp ]]; then
	set_fw "$dir/off" set secure_boot=1
	try 0 '' 'claims of Secure Boot that is off' evidence --backend "vtpm:swtpm:path=$dir/tpm2" --no-fetch \
		--report-data "$data" --event-log "$dir/elsewhere/event-log" --out "$dir/other"
	judged failed 'which the log gainsays' 'azure.event_log.secure_boot +is clear, against the policy' "$dir/other"
fi
try 2 'goes with --format' 'a format that has no place for it' evidence "${here[@]}" --report-data "$data" \
	--event-log "$log" --format coco-v1
try 2 'either --event-log' 'a log and none' evidence "${here[@]}" --report-data "$data" --event-log "$log" --no-event-log
if [[ $tee == snp ]]; then
	jq -r .report "$dir/measured" | xxd -r -p | tail -c +33 | head -c 1184 >"$dir/bare"
	try 2 'goes with an HCL report' 'a log with another report' evidence --from "$dir/bare" --event-log "$log"
	try 2 'goes with an HCL report' 'a log with another report, verified' verify --event-log "$log" "$dir/bare"
fi
try 2 'has one itself' 'two logs' verify --event-log "$log" "$dir/measured"

# many in one call
{ for i in {10..99}; do printf "$i%.0s" {1..64}; echo; done; } >"$dir/nonces"
batch=(--input "$dir/nonces")
if [[ $tee == snp ]]; then
	try 0 '' 'ninety nonces' batch --backend "$backend" "${batch[@]}" --out "$dir/many"
	[[ $(find "$dir/many" -name 'report-*.bin' | wc -l) == 1 && $(wc -l <"$dir/many/index.jsonl") == 90 ]]
	result $? 'ninety nonces: one report'
	try 0 '' 'ninety nonces: the last one' verify --authenticity-only "${with[@]}" \
		--certs "$state/milan-vcek.pem" --scope any \
		--tpm-quote "$dir/many/tpm-quote-0.json" --user-data "$(hex64 99)" \
		--proof "$dir/many/0089.proof" "$dir/many/report-0.bin"
	try 0 '' 'JSON lines' batch --backend "$backend" "${batch[@]}" --jsonl
	cp "$dir/stdout" "$dir/lines"
	[[ $(jq -s 'map(select(.tpm_quote.message and .proof and .report)) | length' "$dir/lines") == 90 ]]
	result $? 'JSON lines: all that belongs to each'
	try 4 'SNP reports' 'no bare report' report --backend "$backend" --report-data "$data"
	[[ ! -s $dir/imds/requests ]] || ! grep -qv 'GET /metadata/THIM/amd/certification' "$dir/imds/requests"
	result $? 'the host was asked for the VCEK alone'
	echo '500 /metadata' >"$dir/imds/wrong"
	rm -rf "$dir/cache"
	try 0 '' 'a host that is busy for a moment' evidence "${here[@]}" --report-data "$other" --out "$dir/again"
	verifies 'a host that is busy for a moment' "$dir/again" --report-data "$other"
	for _ in {1..9}; do echo '404 /metadata'; done >"$dir/imds/wrong"
	rm -rf "$dir/cache"
	try 1 'status 404' 'a host that has no VCEK' evidence "${here[@]}" --report-data "$other"
	[[ $(grep -c '404' "$dir/imds/wrong") == 5 ]]
	result $? 'a host that has no VCEK: is asked four times' "$(cat "$dir/imds/wrong")"
	: >"$dir/imds/wrong"
	try 0 '' 'without the VCEK' evidence "${here[@]}" --no-fetch --report-data "$data" --out "$dir/bare"
	[[ $(jq -r .certs "$dir/bare") == null ]]
	result $? 'without the VCEK: there is none'
	try 1 'VCEK' 'without the VCEK, which the format has' evidence "${here[@]}" --no-fetch \
		--format coco-v1 --report-data "$data"
else
	try 4 'TDX quotes' 'no bare quote' quote --backend "$backend" --report-data "$data"
	wrong() {	# WORD PATTERN NAME
		echo "$1 /acc" >"$dir/imds/wrong"
		try 1 "$2" "$3" evidence "${here[@]}" --timeout 4000 --report-data "$data"
	}
	wrong other 'not of the TDREPORT' 'the quote of another TDREPORT'
	wrong 400 'status 400' 'a host that refuses'
	wrong html 'no JSON' 'an answer that is no JSON'
	wrong stall 'acc/tdquote' 'a host that says nothing'
	: >"$dir/imds/wrong"
	for word in 404 410 429 503 after-1; do
		echo "$word /acc" >"$dir/imds/wrong"
		try 0 '' "a host that says $word once" evidence "${here[@]}" --report-data "$data" --out "$dir/again"
	done
	verifies 'after that' "$dir/again" --report-data "$data"
fi

try 2 'is none of json' 'a format that is none' evidence "${here[@]}" --report-data "$data" --format raw
try 2 'either --report-data' 'nothing asked for' evidence "${here[@]}"
try 2 'does not go with --from' 'a file, and asked for' evidence --from "$dir/short" --report-data "$data"
try 2 'go with --from' 'parts without a file' evidence "${here[@]}" --report-data "$data" --tpm-quote "$dir/short"
try 1 'CVMGBAT' 'the reserved tag' evidence "${here[@]}" --report-data 43564d474241540a --pad
try 1 'no evidence' 'a file that has none' evidence --from "$dir/nonces"

finish
