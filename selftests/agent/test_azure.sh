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
with+=(--authenticity-only)

certs=()
if [[ $tee == snp ]]; then
	try 0 '' 'the VCEK' evidence "${here[@]}" --report-data "$(hex64 00)" --out "$dir/one"
	jq -r .certs "$dir/one" | python3 -c 'import sys; sys.stdout.write(bytes.fromhex(sys.stdin.read()).decode())' >"$dir/vcek"
	certs=(--certs "$dir/vcek")
fi

build/bin/cvm-agent --listen "$dir/sock" --user nobody --direct "${here[@]}" "${certs[@]}" 2>"$dir/log" &
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

data=$(hex64 c7) padded=616263$(printf '00%.0s' {1..61})
ask 'direct evidence' "/v1/evidence?user_data=$data&mode=direct"
try 0 '' 'it verifies' verify "${with[@]}" "$dir/evidence" --report-data "$data"
for format in coco json; do
	ask "batch evidence, $format" "/v1/evidence?user_data=$data&format=$format"
	try 0 '' 'it verifies' verify "${with[@]}" "$dir/evidence" --user-data "$data" --scope unprivileged
	"$cvmctl" verify "${with[@]}" "$dir/evidence" --user-data "$data" >"$dir/said" 2>&1
	[[ $? == 3 ]]
	result $? 'for no other scope' "$(cat "$dir/said")"
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
