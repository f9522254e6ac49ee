#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvm-agent in an Azure guest whose paravisor and host are simulated: /aa/evidence and
# /v1/evidence, with all that belongs to an HCL report. Prints TAP.
#   test_azure.sh snp|tdx
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/../cvmctl/lib.sh"
# shellcheck source=selftests/cvmctl/azure_lib.sh
. selftests/cvmctl/azure_lib.sh
azure_guest "$1"
bound=("${with[@]}")
with+=(--authenticity-only)

certs=()
if [[ $tee == snp ]]; then
	try 0 '' 'the VCEK' evidence "${here[@]}" --report-data "$(hex64 00)" --out "$dir/one"
	jq -r .certs "$dir/one" | python3 -c 'import sys; sys.stdout.write(bytes.fromhex(sys.stdin.read()).decode())' >"$dir/vcek"
	certs=(--certs "$dir/vcek")
fi

refuses() {	# STATUS PATTERN NAME OPTION...
	local want=$1 pattern=$2 name=$3
	shift 3
	rm -f "$dir/none"
	build/bin/cvm-agent --listen "$dir/none" --user nobody "${here[@]}" "$@" 2>"$dir/log"
	[[ $? == "$want" ]] && grep -q -- "$pattern" "$dir/log"
	result $? "$name" "$(cat "$dir/log")"
}
refuses 1 'no event log' 'a log that is none' --event-log="$dir/port"
refuses 1 '"level":"error","event":"event log"' 'a log that is not there' --event-log="$dir/nothing"
head -c 300000 /dev/zero >"$dir/long"
refuses 1 '"level":"error","event":"event log"' 'a log that is too long' --event-log="$dir/long"

build/bin/cvm-agent --listen "$dir/sock" --user nobody --direct --event-log="$state/event-log" \
	"${here[@]}" "${certs[@]}" 2>"$dir/log" &
agent=$!
fwds+=("$agent")
until [[ -S $dir/sock ]]; do
	kill -0 $agent || { echo 'Bail out! the agent does not start'; exit 1; }
	sleep 0.05
done

ask() {	# NAME PATH
	build/tests/agent_client "$dir/sock" get "$2" >"$dir/evidence" 2>"$dir/said"
	result $? "$1" "$(head -c 500 "$dir/evidence"; cat "$dir/said" "$dir/log")"
}

measured() {	# NAME VERIFY-OPTION...: its log leads to the PCRs that are quoted, and meets the policy
	local name=$1
	shift
	"$cvmctl" verify "${bound[@]}" --policy "$dir/policy" "$@" "$dir/evidence" >"$dir/stdout" 2>"$dir/stderr"
	grep -Eq '^passed +event_log +[0-9]+ events lead to the quote.s PCR 0, ' "$dir/stdout" &&
		grep -Eq '^passed +azure.event_log.secure_boot +is set' "$dir/stdout"
	result $? "$name: with what was measured" "$(cat "$dir/stdout" "$dir/stderr")"
}

data=$(hex64 c7) padded=616263$(printf '00%.0s' {1..61})
ask 'direct evidence' "/v1/evidence?user_data=$data&mode=direct"
try 0 '' 'it verifies' verify "${with[@]}" "$dir/evidence" --report-data "$data"
"$cvmctl" policy init "${with[@]}" --from "$dir/evidence" --out "$dir/policy" 2>"$dir/stderr"
result $? 'a policy' "$(cat "$dir/stderr")"
measured 'direct evidence' --report-data "$data"
for format in coco json cmw cmw-cbor; do
	ask "batch evidence, $format" "/v1/evidence?user_data=$data&format=$format"
	try 0 '' 'it verifies' verify "${with[@]}" "$dir/evidence" --user-data "$data" --scope unprivileged
	"$cvmctl" verify "${with[@]}" "$dir/evidence" --user-data "$data" >"$dir/said" 2>&1
	[[ $? == 3 ]]
	result $? 'for no other scope' "$(cat "$dir/said")"
	[[ $format == coco ]] || measured "batch evidence, $format" --user-data "$data" --scope unprivileged
done
ask "/aa/evidence" '/aa/evidence?runtime_data=abc'
try 0 '' 'it verifies' verify "${with[@]}" "$dir/evidence" --report-data "$padded"
jq -e '.version == 2 and has("tpm_quote") and has("hcl_report")' "$dir/evidence" >/dev/null
result $? 'it is of version 2'
jq -e "has(\"$([[ $tee == snp ]] && echo vcek || echo td_quote)\")" "$dir/evidence" >/dev/null
result $? 'with what belongs to it'
ask '/aa/evidence, batch' '/aa/evidence?runtime_data=abc&mode=batch'
try 0 '' 'it verifies' verify "${with[@]}" "$dir/evidence" --user-data "$padded" --scope unprivileged
kill $agent
wait $agent
result $? 'SIGTERM ends it' "$(cat "$dir/log")"
unset 'fwds[-1]'
finish
