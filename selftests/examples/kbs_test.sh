#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# examples/kbs: a workload draws its secret from a broker, by the socket of its own label.
# Its neighbour does not; nor does anybody else with a proof that is not his, or another key.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=selftests/examples/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/examples/bytes.sh
. "$(dirname "$0")/bytes.sh"
here=$(cd "$(dirname "$0")" && pwd)
SECRET="a key, and not a long one: $(openssl rand -hex 16)"
busybox ip link set lo up 2>/dev/null

# broker NAME POLICY: url=its URL
broker() {
	local at=$dir/$1/cgi-bin port
	mkdir -p "$at"
	cp "$here/kbs_stand_in.sh" "$at/kbs"
	cp "$here/bytes.sh" "$at/"
	port=$((20000 + RANDOM % 20000))
	url=http://127.0.0.1:$port/cgi-bin/kbs
	declare -p PATH >"$at/config"
	printf '%s=%q\n' AUDIENCE "$url" POLICY "$2" SECRET "$SECRET" >>"$at/config"
	echo "VERIFY=(${trust[*]@Q})" >>"$at/config"
	busybox httpd -f -p 127.0.0.1:$port -h "$dir/$1" 2>"$dir/$1.log" &
	pids+=($!)
	await curl --silent --output /dev/null "$url/nothing"
	result $? "a broker: $1" "$(cat "$dir/$1.log")"
}

# workload NAME UID OPTION...: its agent's socket is for that user alone
workload() {
	agent "$1" "${backend[@]}" "${@:3}"
	chmod 600 "$dir/$1.sock"
	[[ $(id -u) != 0 ]] || chown "$2" "$dir/$1.sock"
}

as() {	# UID COMMAND...
	[[ $(id -u) == 0 ]] || { "${@:2}"; return; }
	setpriv --reuid "$1" --regid "$1" --clear-groups "${@:2}"
}

fetch() { as "$1" env CVM_AGENT="$dir/$2.sock" kbs_client --plain-http "$3" default/key/1; }	# UID SOCKET URL

policy label:a "$dir/a.json"
policy unprivileged "$dir/anybody.json"
if [[ -z ${FW-} ]]; then
	workload a 1000 --label a
	workload b 1001 --label b
	wanted=$dir/a.json
else
	# there are no labels without the driver: a speaks for anybody
	workload a 1000
	wanted=$dir/anybody.json
fi
other_machine "$wanted" "$dir/other.json"

broker good "$wanted"
good=$url
ends 0 '' 'A draws its secret' fetch 1000 a "$good"
result "$([[ $(cat "$dir/stdout") == "$SECRET" ]]; echo $?)" 'which is that' "$(cat "$dir/stdout")"
if [[ -z ${FW-} ]]; then
	ends 3 'does not verify.*(scope|proof)' "B does not, by its own agent" fetch 1001 b "$good"
	ends 1 'a.sock: .*connect' "and cannot ask A's" fetch 1001 a "$good"
	agent anybody
	ends 3 'does not verify.*(scope|proof)' 'nor does anybody' fetch 1002 anybody "$good"
else
	broker labelled "$dir/a.json"
	ends 3 'does not verify.*(scope|proof)' 'not from a broker that wants a label' fetch 1000 a "$url"
fi
broker other "$dir/other.json"
ends 3 'measurement|mrtd' 'nor in another machine' fetch 1000 a "$url"
ends 3 'no such resource' 'nor what there is not' as 1000 env CVM_AGENT="$dir/a.sock" kbs_client --plain-http "$good" default/key/2
ends 1 'no.sock: ' 'without an agent' fetch 1000 no "$good"

# by hand: A's proof, seen on its way
key() { openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 2>/dev/null | openssl pkey -pubout -outform DER | hex; }
mine=$(key) yours=$(key)
at_broker() { curl --silent --show-error --fail-with-body --cookie "$dir/cookies" --cookie-jar "$dir/cookies" "$@"; }

# by_hand KEY AUDIENCE NONCE: A's evidence about these (or the challenge), sent with $mine
by_hand() {
	local nonce
	rm -f "$dir/cookies"
	nonce=$(at_broker --json '{}' "$good/auth" | jq -r .nonce)
	curl --silent --unix-socket "$dir/a.sock" --get --data-urlencode "audience=$2" --data "nonce=${3:-$nonce}" \
		--data "channel_key=$1" --data certs=true http://localhost/v1/evidence |
		jq --arg nonce "$nonce" --arg key "$mine" '{
			"runtime-data": {nonce: $nonce, "tee-pubkey": {spki: $key}}, "tee-evidence": .}' >"$dir/message"
	at_broker --json "@$dir/message" "$good/attest" >&2
}
ends 0 '' 'by hand: attested' by_hand "$mine" "$good" ''
ends 0 '' 'and given' at_broker "$good/resource/default/key/1"
again() { at_broker --json "@$dir/message" "$good/attest" >&2; }
ends 22 'no challenge' 'a challenge is for once' again
ends 22 'does not verify: report_data' "a proof of another's key: refused" by_hand "$yours" "$good" ''
# what was sent is in no session
at_broker "$good/resource/default/key/1" >"$dir/stderr" 2>&1
result "$([[ $? == 22 ]] && grep -q 'not attested' "$dir/stderr"; echo $?)" 'and nothing is given' "$(cat "$dir/stderr")"
ends 22 'does not verify: report_data' 'one for another broker: refused' by_hand "$mine" "$url" ''
ends 22 'does not verify: report_data' 'one of another challenge: refused' by_hand "$mine" "$good" "$(openssl rand -hex 32)"
ends 2 'usage' 'no broker: usage' kbs_client
insecure() { as 1000 env CVM_AGENT="$dir/a.sock" kbs_client "$@" default/key/1; }
ends 2 'no https:// URL' 'a broker without TLS: refused' insecure "$good"
ends 2 'no https:// URL' 'however it is written' insecure "HTTP${good#http}"
ends 2 'no https:// URL' 'or not' insecure "${good#http://}"
ends 1 'curl' 'with TLS: nothing is said before the handshake' insecure "https${good#http}"
finish
