#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# examples/node-challenge: 200 agents on one VM, whom a server that was away challenges all
# at once, each with its own nonce; and answers that are refused.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=selftests/examples/lib.sh
. "$(dirname "$0")/lib.sh"
AGENTS=200 DOMAIN=spiffe://example.org
# by a socket of its own, where the driver is: a label's
label=spire-agent scope=label:spire-agent
[[ -z ${FW-} ]] || label='' scope=unprivileged

server() {	# NAME OPTION...
	(ulimit -n "${files:-1024}" && exec node_server "${@:2}" "${trust[@]}" "$dir/$1" $DOMAIN) >"$dir/$1.log" 2>&1 &
	pid=$!
	pids+=("$pid")
	await grep -qsx ready "$dir/$1.log"
	result $? "server: $1" "$(cat "$dir/$1.log")"
}

policy $scope "$dir/policy.json"
other_machine "$dir/policy.json" "$dir/other.json"
agent spire "${backend[@]}" ${label:+--label $label}
server good --policy "$dir/policy.json" --scope $scope
good=$pid
ends 0 '' 'one agent' node_agent "$dir/good" $DOMAIN "$dir/spire.sock"
grep -qE "^$DOMAIN/spire/agent/cvm-guest/[0-9a-f]{32}\$" "$dir/stdout"
result $? 'has an identity' "$(cat "$dir/stdout")"

# whoever connects to a server that is stopped waits in its queue
kill -STOP "$good"
running=()
mkdir "$dir/id" "$dir/said"
for ((i = 0; i < AGENTS; i++)); do
	node_agent "$dir/good" $DOMAIN "$dir/spire.sock" >"$dir/id/$i" 2>"$dir/said/$i" &
	running+=($!)
done
queued() { [[ $(grep -c "$dir/good\$" /proc/net/unix) -gt $AGENTS ]]; }
await queued || await queued || await queued
result $? "$AGENTS agents wait for a challenge" "$(grep -c "$dir/good\$" /proc/net/unix)"
before=$(firmware count)
# a host that allows few, or takes long, so that a slow machine fills batches as a fast one does
case ${FW:+here-}$PLATFORM in
here-snp) slow=report_ms=1000 quick=report_ms=20 ;;
here-tdx) slow=quote_ms=1000 quick=quote_ms=20 ;;
snp) slow=rate=1/4s quick=rate=0 ;;
tdx) slow=quote_ms=4000 quick=quote_ms=20 ;;
esac
firmware "$slow" >/dev/null
kill -CONT "$good"
good_ones=0
for one in "${running[@]}"; do wait "$one" && ((good_ones++)); done
result "$([[ $good_ones == "$AGENTS" ]]; echo $?)" "all $AGENTS are accepted" "$good_ones; $(cat "$dir"/said/* | head -n 5)"
result "$([[ $(cat "$dir"/id/* | sort -u | wc -l) == "$AGENTS" ]]; echo $?)" 'each by its own nonce'
made=$(($(firmware count) - before))
firmware "$quick" >/dev/null
# each says what there was when it ended, and may say so after the next one
await grep -qs "proofs $((AGENTS + 1))\$" "$dir/good.log"
counts=$(grep '^reports' "$dir/good.log" | sort -n -k 4 | tail -n 1)
read -r _ verified _ proofs <<<"$counts"
echo "# $AGENTS agents: the firmware made $made, the server verified $((verified - 1)) signatures and $((proofs - 1)) proofs"
result "$([[ $made -ge 1 && $made -le 40 ]]; echo $?)" 'with few reports' "$made"
result "$([[ $proofs == $((AGENTS + 1)) && $verified -le 41 ]]; echo $?)" 'and a signature of each is verified once' "$counts"

# an agent that answers with a proof of another challenge, or without one
evidence() {	# NONCE
	curl --silent --unix-socket "$dir/spire.sock" \
		"http://localhost/v1/evidence?audience=$DOMAIN&nonce=$1&certs=true&format=cmw"
}
# by_hand NONCE FILTER: its answer is jq's of evidence about NONCE, or the challenge
by_hand() {
	local nonce from to
	coproc HAND { exec curl --silent --no-buffer --unix-socket "$dir/good" telnet://localhost; }
	exec {from}<&"${HAND[0]}" {to}>&"${HAND[1]}"
	echo '{"payload": {"type": "cvm-guest"}}' >&"$to"
	read -r -t 20 said <&"$from"
	nonce=$(jq -r .challenge <<<"$said")
	evidence "${1:-$nonce}" | jq -c "{challenge_response: $2}" >&"$to"
	read -r -t 20 said <&"$from"
	exec {from}<&- {to}>&-
	kill "$HAND_PID"
	wait "$HAND_PID" 2>/dev/null
	jq -e .agent_attributes <<<"$said" >/dev/null || { echo "$said" >&2; return 3; }
}
other=$(openssl rand -hex 32)
ends 0 '' 'a challenge, answered by hand' by_hand '' .
ends 3 'proof is of other evidence' 'with a proof of another nonce: refused' by_hand "$other" .
ends 3 'without a proof' 'without a proof: refused' by_hand '' 'del(.proof)'
ends 3 'no evidence' 'with nothing: refused' by_hand '' '{}'
ends 3 'other evidence' 'an answer to another domain: refused' node_agent "$dir/good" spiffe://example.com "$dir/spire.sock"

server other --policy "$dir/other.json" --scope $scope
ends 3 'measurement|mrtd' 'another machine: refused' node_agent "$dir/other" $DOMAIN "$dir/spire.sock"
server root --policy "$dir/policy.json" --scope privileged
ends 3 'speaks|scope' 'not for root: refused' node_agent "$dir/root" $DOMAIN "$dir/spire.sock"
ends 1 'cvm-agent: ' 'no agent to ask' node_agent "$dir/good" $DOMAIN "$dir/none.sock"
ends 1 'none: ' 'no server' node_agent "$dir/none" $DOMAIN "$dir/spire.sock"

ends 2 'scope is required' 'no scope: usage' node_server --policy "$dir/policy.json" "${trust[@]}" "$dir/x" $DOMAIN
ends 2 'usage' 'no deadline: usage' node_server --policy "$dir/policy.json" --scope $scope --deadline 0 "$dir/x" $DOMAIN

# one who is never silent for long, and never done
server hasty --policy "$dir/policy.json" --scope $scope --deadline 2
dribble() { while printf ' '; do sleep 0.2; done; }
started=$SECONDS
dribble | timeout 30 curl --silent --no-buffer --unix-socket "$dir/hasty" telnet://localhost >/dev/null 2>&1
took=$((SECONDS - started))
result "$([[ $took -ge 1 && $took -lt 25 ]]; echo $?)" 'a byte now and then: hung up on at the deadline' "$took s"
ends 0 '' 'and who is in time is accepted' node_agent "$dir/hasty" $DOMAIN "$dir/spire.sock"

# more who connect and say nothing than there are descriptors
files=64 server few --policy "$dir/policy.json" --scope $scope
mkfifo "$dir/silence"
exec 7<>"$dir/silence"
idle=()
for _ in {1..60}; do
	curl --silent --unix-socket "$dir/few" telnet://localhost <&7 >/dev/null 2>&1 &
	idle+=($!)
done
sleep 2
kill "${idle[@]}" 2>/dev/null
wait "${idle[@]}" 2>/dev/null
ends 0 '' 'a server of whom 60 took all descriptors goes on' node_agent "$dir/few" $DOMAIN "$dir/spire.sock"
ends 0 '' 'and the next one is accepted' node_agent "$dir/good" $DOMAIN "$dir/spire.sock"
finish
