#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A key broker for the test of examples/kbs, as a CGI program of busybox's httpd. The file
# config beside it says AUDIENCE (its own URL), POLICY, SECRET and VERIFY (more options of
# cvmctl verify).
cd "$(dirname "$0")" || exit
# shellcheck source=/dev/null
. ./config
# shellcheck source=selftests/examples/bytes.sh
. ./bytes.sh

reply() {	# STATUS BODY [HEADER]
	printf 'Status: %s\r\nContent-Type: application/json\r\n%s\r\n%s' "$1" "${3:+$3$'\r\n'}" "$2"
	exit
}

refuse() { reply '401 Unauthorized' "$(jq -nc --arg why "$1" '{type: "attestation", detail: $why}')"; }

# of the cookie, which is a name of a directory and nothing else
session() {
	local id=${HTTP_COOKIE#*kbs-session-id=}
	id=${id%%;*}
	[[ $id =~ ^[0-9a-f]{32}$ && -d sessions/$id ]] || refuse 'no session'
	session=sessions/$id
}

auth() {
	local id nonce
	id=$(openssl rand -hex 16)
	nonce=$(openssl rand -hex 32)
	mkdir -p "sessions/$id"
	echo "$nonce" >"sessions/$id/nonce"
	reply '200 OK' "$(jq -nc --arg nonce "$nonce" '{nonce: $nonce, "extra-params": {}}')" \
		"Set-Cookie: kbs-session-id=$id"
}

# about this session's nonce, whatever the message says, and the key that the answer is for
attest() {
	local nonce key data
	session
	# once, of two at a time as well
	mv "$session/nonce" "$session/asked" 2>/dev/null || refuse 'no challenge'
	nonce=$(cat "$session/asked")
	head -c "${CONTENT_LENGTH:-0}" >"$session/message"
	key=$(jq -er '."runtime-data"."tee-pubkey".spki' "$session/message")
	[[ $key =~ ^([0-9a-f]{2})+$ ]] || refuse 'no key'
	jq -e '."tee-evidence"' "$session/message" >"$session/evidence" || refuse 'no evidence'
	data=$(user_data "$(printf %s "$AUDIENCE" | hex)" "$nonce" "$key")
	cvmctl verify "$session/evidence" --user-data "$data" --policy "$POLICY" "${VERIFY[@]}" \
		>"$session/said" 2>"$session/why" || refuse "$(cat "$session/why")"
	bytes "$key" | openssl pkey -pubin -inform DER -out "$session/key"
	reply '200 OK' '{"token": "the session"}'
}

resource() {
	session
	[[ -s $session/key && $1 == default/key/1 ]] || refuse 'not attested, or no such resource'
	reply '200 OK' "$(printf %s "$SECRET" | openssl pkeyutl -encrypt -pubin -inkey "$session/key" \
		-pkeyopt rsa_padding_mode:oaep -pkeyopt rsa_oaep_md:sha256 | base64 | tr -d '\n' |
		jq -Rc '{encrypted: .}')"
}

case $PATH_INFO in
/auth) auth ;;
/attest) attest ;;
/resource/*) resource "${PATH_INFO#/resource/}" ;;
*) reply '404 Not Found' '{}' ;;
esac
