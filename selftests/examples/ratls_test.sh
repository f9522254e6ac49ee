#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# examples/ratls: bytes through a terminator whose certificate is genuine; and certificates
# that are not: other keys, other times, no key, other machines, other scopes.
# shellcheck disable=SC2317 # functions are called by name
# shellcheck source=selftests/examples/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=selftests/examples/bytes.sh
. "$(dirname "$0")/bytes.sh"
# where the driver is, proofs are of a label; else of whom it becomes
label=web scope=label:web
[[ -z ${FW-} ]] || label='' scope=unprivileged
sim=()
[[ -z ${FW-} ]] || sim=(--sim "$FW")

policy "$scope" "$dir/policy.json"
other_machine "$dir/policy.json" "$dir/other.json"
policy label:db "$dir/db.json"

# what it terminates for: it sends back what it gets, and keeps it
port=$((20000 + RANDOM % 20000))
busybox ip link set lo up 2>/dev/null
busybox nc -ll -p $port -e tee -a "$dir/seen" 2>/dev/null &
pids+=($!)

terminator() {	# NAME OPTION...
	ratls_terminate "${sim[@]}" "${@:2}" "$dir/$1.tls" 127.0.0.1:$port 2>"$dir/$1.log" &
	terminating=$!
	pids+=("$terminating")
	await test -S "$dir/$1.tls"
	result $? "a terminator: $1" "$(cat "$dir/$1.log")"
}

# connect TEXT SERVER OPTION...: what comes back is TEXT
connect() {
	echo "$1" | ratls_connect "${trust[@]}" "${@:3}" "$dir/$2.tls" >"$dir/back" || return
	[[ $(cat "$dir/back") == "$1" ]]
}

terminator good ${label:+--label $label}
good_one=$terminating
ends 0 '' 'accepted, and an answer comes back' connect hello good --policy "$dir/policy.json"
ends 0 '' 'by a scope that the client names' connect again good --policy "$dir/policy.json" --scope "$scope"
head -c 3000000 /dev/urandom | base64 >"$dir/big"
ratls_connect "${trust[@]}" --policy "$dir/policy.json" "$dir/good.tls" <"$dir/big" >"$dir/back" 2>"$dir/stderr" &&
	cmp -s "$dir/big" "$dir/back"
result $? '4 MB there and back, both at a time' "$(cat "$dir/stderr")"

# ---- refused before a byte is sent
: >"$dir/seen"
ends 3 'refused: .*(measurement|mrtd)' 'another machine: refused' connect secret good --policy "$dir/other.json"
ends 3 'refused: .*scopes' "another scope, by the policy: refused" connect secret good --policy "$dir/db.json"
ends 3 'refused: .*(proof|scope)' 'another scope, by name: refused' connect secret good --policy "$dir/policy.json" --scope label:db
trusted=("${trust[@]}")
trust=()
ends 3 'refused: .*root' 'of a root that is not trusted: refused' connect secret good --policy "$dir/policy.json"
trust=("${trusted[@]}")
ends 2 'policy is required' 'no policy: usage' connect secret good
result "$([[ ! -s $dir/seen ]]; echo $?)" 'and not a byte went to the server' "$(cat "$dir/seen")"

# ---- what is in the certificate, with OpenSSL's tools and the specification's words
digits() { printf %s "$1" | hex; }
point() { openssl pkey "$@" -outform DER | tail -c 65 | hex; }

openssl s_client -unix "$dir/good.tls" </dev/null 2>/dev/null | openssl x509 -out "$dir/good.pem"
openssl asn1parse -in "$dir/good.pem" >"$dir/asn1"
mapfile -t times < <(sed -n 's/.*UTCTIME *://p' "$dir/asn1")
public=$(openssl x509 -in "$dir/good.pem" -noout -pubkey | point -pubin)
value=$(grep -A1 ':1.3.6.1.5.5.7.1.35' "$dir/asn1" | tail -n 1 | cut -d: -f1)
openssl asn1parse -in "$dir/good.pem" -strparse "$value" | sed -n 's/^.*UTF8STRING *://p' >"$dir/cmw"
[[ ${#times[@]} == 2 && ${#public} == 130 ]] && jq -e '.evidence and .proof' "$dir/cmw" >/dev/null
result $? 'the certificate has a CMW in it, where RFC 9999 says' "$(cat "$dir/asn1")"
key=$(openssl x509 -in "$dir/good.pem" -noout -pubkey | openssl pkey -pubin -outform DER | hex)
data=$(user_data "$(digits 'cvm-guest ratls 1')" "170d$(digits "${times[0]}")" "170d$(digits "${times[1]}")" "$key")
ends 0 '' 'which cvmctl verifies, of the key and the times' cvmctl verify "$dir/cmw" \
	--user-data "$data" --policy "$dir/policy.json" "${trust[@]}"

# ---- certificates that somebody else shows
good=$(openssl x509 -in "$dir/good.pem" -outform DER | hex)
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$dir/other.key" 2>/dev/null
# anybody can make a key whose public half is the good one's, and whose private half is not
bytes "30770201010420$(openssl rand -hex 32)a00a06082a8648ce3d030107a144034200$public" |
	openssl ec -inform DER -out "$dir/like.key" 2>/dev/null

# present NAME KEY [OPTION]: a server with the certificate NAME.pem
present() {
	openssl s_server -unix "$dir/$1.tls" -cert "$dir/$1.pem" -key "$2" "${3:--tls1_3}" -quiet \
		>"$dir/$1.got" 2>"$dir/$1.log" </dev/zero &
	pids+=($!)
	await test -S "$dir/$1.tls"
}

# shows NAME KEY FROM TO [OPTION]: the good certificate, the digits FROM in it TO
shows() {
	[[ $good == *"$3"* ]] || { result 1 "$1: nothing to change"; return; }
	bytes "${good/"$3"/"$4"}" | openssl x509 -inform DER -out "$dir/$1.pem"
	present "$1" "$2" "${@:5}"
}
# a second earlier or later
second=${times[0]:0:10}00Z
[[ $second != "${times[0]}" ]] || second=${times[0]:0:10}01Z
validity() { printf '170d%s170d%s' "$(digits "$1")" "$(digits "$2")"; }	# FROM TO
years() { printf '%02d%s' $((10#${1:0:2} + $2)) "${1:2}"; }	# TIME HOW-MANY

shows other "$dir/other.key" "$public" "$(point -in "$dir/other.key" -pubout)"
ends 3 'refused: .*report_data' 'another key beside the same evidence: refused' connect secret other --policy "$dir/policy.json"
shows times "$dir/like.key" "$(digits "${times[0]}")" "$(digits "$second")"
ends 3 'refused: .*report_data' 'other times beside the same evidence: refused' connect secret times --policy "$dir/policy.json"
held=$(validity "${times[@]}")
shows ended "$dir/like.key" "$held" "$(validity "$(years "${times[0]}" -1)" "$(years "${times[1]}" -1)")"
ends 3 'refused: .*has ended' 'a certificate that has ended: refused' connect secret ended --policy "$dir/policy.json"
shows early "$dir/like.key" "$held" "$(validity "$(years "${times[0]}" 1)" "$(years "${times[1]}" 1)")"
ends 3 'refused: .*not hold yet' 'one that has not begun: refused' connect secret early --policy "$dir/policy.json"
shows long "$dir/like.key" "$held" "$(validity "${times[0]}" "$(years "${times[1]}" 2)")"
ends 3 'refused: .*too long' 'one that holds for two years: refused' connect secret long --policy "$dir/policy.json"
shows bare "$dir/like.key" 06082b06010505070123 06082b06010505070122
ends 3 'refused: no evidence' 'no evidence: refused' connect secret bare --policy "$dir/policy.json"
shows stolen "$dir/like.key" "$public" "$public"
ends 1 'no handshake: bad signature' 'the good certificate without its key: no handshake' connect secret stolen --policy "$dir/policy.json"
shows old "$dir/like.key" "$public" "$public" -tls1_2
ends 1 'no handshake: ' 'TLS 1.2: no handshake' connect secret old --policy "$dir/policy.json"

# ---- certificates that anybody makes: whatever is in them is read before it is verified
make() {	# NAME EXTENSION...: NAME.pem
	{
		printf '[req]\ndistinguished_name = dn\nprompt = no\nx509_extensions = ext\n[dn]\nCN = ratls\n[ext]\n'
		printf '%s\n' "${@:2}"
	} >"$dir/$1.cnf"
	openssl req -x509 -days 1 -key "$dir/other.key" -config "$dir/$1.cnf" -out "$dir/$1.pem" 2>"$dir/$1.log" ||
		result 1 "$1: made" "$(cat "$dir/$1.log")"
}
oid=1.3.6.1.5.5.7.1.35
utf8() { echo "DER:0c$(der_length "$1")$(digits "$1")"; }
der_length() {	# TEXT
	local n=${#1}
	((n < 128)) && printf %02x "$n" || printf 82%04x "$n"
}
refusals=0
refused() {	# PATTERN NAME VALUE: a certificate with this as its CMW
	local one=made$((++refusals))
	make $one "$oid = $3"
	present $one "$dir/other.key"
	ends 3 "refused: $1" "$2: refused" connect secret $one --policy "$dir/policy.json"
}
record() { jq -c --arg part "$1" --arg text "$2" '.[$part][1] = $text' "$dir/cmw"; }
cmw=$(cat "$dir/cmw")
a=$(printf 'A%.0s' {1..400})
while IFS=$'\t' read -r pattern name value; do
	refused "$pattern" "$name" "$value"
done <<-TABLE
	no evidence	an empty UTF8String	DER:0c00
	no evidence	no UTF8String	DER:0402$(digits '{}')
	no evidence	a UTF8String that is longer than the extension	DER:0c82ffff7b7d
	no evidence	one without a definite length	DER:2c800c027b7d0000
	no evidence	bytes behind it	$(utf8 "$cmw")00
	no evidence	no JSON	$(utf8 '{"evidence": [')
	no evidence	JSON with a NUL in it	DER:0c04$(digits '{}')0020
	no evidence	no object	$(utf8 '["evidence"]')
	no evidence	two of one name	$(utf8 '{"evidence": ["a", "AAAA", 4], "evidence": ["a", "AAAA", 4]}')
	no evidence	deep JSON	DER:0c820bb8$(printf '5b%.0s' {1..3000})
	no evidence	no record	$(utf8 '{"evidence": "AAAA"}')
	no evidence	a record without bytes	$(utf8 '{"evidence": ["a"]}')
	no evidence	a record of none	$(utf8 '{"evidence": ["a", "", 4]}')
	no evidence	bytes that are a number	$(utf8 '{"evidence": ["a", 7, 4]}')
	no evidence	base64 with padding	$(utf8 '{"evidence": ["a", "AAA=", 4]}')
	no evidence	base64 of the other alphabet	$(utf8 '{"evidence": ["a", "AA+/", 4]}')
	no evidence	base64 with spaces before it	$(utf8 '{"evidence": ["a", "    AAAA", 4]}')
	no evidence	base64 of five digits	$(utf8 '{"evidence": ["a", "AAAAA", 4]}')
	no evidence	base64 that is none	$(utf8 '{"evidence": ["a", "A\u0001AA", 4]}')
	no evidence	a proof that is no record	$(utf8 "$(jq -c '.proof = 1' "$dir/cmw")")
	evidence without a proof	no proof	$(utf8 "$(jq -c 'del(.proof)' "$dir/cmw")")
	.	evidence of zeros	$(utf8 "$(record evidence "$a")")
	.	a proof of zeros	$(utf8 "$(record proof "$a")")
	.	a short proof	$(utf8 "$(record proof AAAA)")
	.*report_data	the good evidence beside this key	$(utf8 "$cmw")
TABLE
# OpenSSL makes no two of a kind; the number of one is changed to that of the other
make two "$oid = $(utf8 "$cmw")" "${oid%5}4 = $(utf8 "$cmw")"
two=$(openssl x509 -in "$dir/two.pem" -outform DER | hex)
bytes "${two/06082b06010505070122/06082b06010505070123}" | openssl x509 -inform DER -out "$dir/two.pem"
present two "$dir/other.key"
result "$([[ $(openssl x509 -in "$dir/two.pem" -noout -text | grep -c "$oid") == 2 ]]; echo $?)" 'a certificate with two CMWs'
ends 3 'refused: no evidence' 'is refused' connect secret two --policy "$dir/policy.json"
make huge "nsComment = DER:1684000$(printf %05x 300000)$(head -c 300000 /dev/zero | tr '\0' a | hex)"
present huge "$dir/other.key"
ends 1 'no handshake: excessive message size' 'one of 300 kB: no handshake' connect secret huge --policy "$dir/policy.json"
result "$([[ $(cat "$dir"/*.got | wc -c) == 0 ]]; echo $?)" 'and none of them got a byte' "$(ls -l "$dir"/*.got)"

# ---- a new key when half of its time is over
terminator short ${label:+--label $label} --lifetime 4
fingerprint() { openssl s_client -unix "$dir/short.tls" </dev/null 2>/dev/null | openssl x509 -noout -pubkey; }
first=$(fingerprint)
ends 0 '' 'one whose certificate holds for 4 s' connect hello short --policy "$dir/policy.json"
sleep 5
ends 0 '' 'still serves after 5' connect hello short --policy "$dir/policy.json"
result "$([[ -n $first && $(fingerprint) != "$first" ]]; echo $?)" 'by another key'
ends 2 'usage' 'a lifetime that no client takes' ratls_terminate --lifetime 90000 "$dir/x" "$dir/y"
ends 2 'usage' 'no connections' ratls_terminate --connections 0 "$dir/x" "$dir/y"
ends 2 'usage' 'an idle limit of never' ratls_terminate --idle -1 "$dir/x" "$dir/y"

# ---- who is served by whom
mkfifo "$dir/silence"
exec 7<>"$dir/silence"
children() { grep -ls "^PPid:[[:space:]]*$1\$" /proc/[0-9]*/status | cut -d/ -f3; }	# PID
has_children() { [[ $(children "$1" | wc -l) == "$2" ]]; }
silent() {	# NAME: a client that says nothing
	ratls_connect "${trust[@]}" --policy "$dir/policy.json" "$dir/$1.tls" <&7 >/dev/null 2>&1 &
	pids+=($!)
	silent_ones+=($!)
}
silent_ones=()
files() { for fd in /proc/"$1"/fd/*; do readlink "$fd"; done; }	# PID
has_sockets() { [[ $(files "$1" | grep -c '^socket:') == "$2" ]]; }

# PID NAME: it has neither a user of note nor a way to become one
is_nobody() {
	local user group
	user=$(id -u) group=$(id -g)
	[[ $user != 0 ]] || user=$(id -u nobody) group=$(id -g nobody)
	awk -v user="$user" -v group="$group" '
		$1 == "Uid:" { good += $2 == user && $3 == user && $4 == user && $5 == user }
		$1 == "Gid:" { good += $2 == group && $3 == group && $4 == group && $5 == group }
		$1 == "Groups:" { good += NF == 1 }
		/^Cap/ && !/^CapBnd/ { good += $2 ~ /^0+$/ }
		$1 == "NoNewPrivs:" { good += $2 == 1 }
		END { exit good != 8 }' "/proc/$1/status"
	result $? "$2: nobody, without groups, capabilities and a way back" "$(grep -E '^(Uid|Gid|Groups|Cap|NoNew)' "/proc/$1/status")"
}
is_nobody "$good_one" 'who accepts'
silent good
await has_children "$good_one" 1
child=$(children "$good_one")
is_nobody "$child" 'who serves'
await has_sockets "$child" 2
result $? 'with a client, a server and no more' "$(files "$child")"
result "$([[ $(files "$child") != */dev/cvm* ]]; echo $?)" 'and without the driver' "$(files "$child")"
[[ -n ${FW-} ]] || result "$([[ $(files "$good_one") == */dev/cvm* ]]; echo $?)" 'which only who accepts has' "$(files "$good_one")"
# $public is of the good one's first key, which holds for longer than this test takes
result "$([[ $(find_key "$good_one" "$public") -ge 1 ]]; echo $?)" 'who accepts has the key'
result "$([[ $(find_key "$child" "$public") == 0 ]]; echo $?)" 'who serves has it no more'
kill "${silent_ones[@]}"
ends 1 'no-such-user' 'a user that there is not' ratls_terminate "${sim[@]}" --user no-such-user "$dir/x" "$dir/y"
ends 1 'root: is root' 'nor is anybody served by root' ratls_terminate "${sim[@]}" --user root "$dir/z" "$dir/y"

# ---- as many as it takes, and all of them silent
# in a VM that is slow the first is still there when the second has come
idle=6 lifetime=4
[[ -n ${FW-} ]] || idle=30 lifetime=10
terminator full ${label:+--label $label} --connections 2 --idle $idle --lifetime $lifetime
silent full
silent full
await has_children "$terminating" 2
result $? 'two who say nothing'
before=$(firmware count)
renewed() { (($(firmware count) > before)); }
await renewed && await has_children "$terminating" 2
result $? 'its key is renewed all the same' "$(firmware count) reports, $before before"
ends 0 '' 'and the third is served when they have been idle for too long' connect hello full --policy "$dir/policy.json"

# ---- a host that is not done with the evidence about the next key
lifetime=16 slow=report_ms
[[ -n ${FW-} ]] || lifetime=36
[[ $PLATFORM == snp ]] || slow=quote_ms
terminator slow ${label:+--label $label} --lifetime $lifetime
ends 0 '' 'served' connect hello slow --policy "$dir/policy.json"
firmware $slow=12000 >/dev/null
# the connection's process has gone, so the next one is not a client's
await has_children "$terminating" 0
result $? 'and gone'
await has_children "$terminating" 1 || await has_children "$terminating" 1
result $? 'another process waits for evidence about the next key'
waiting=$(children "$terminating")
ends 0 '' 'and clients are served by the one that there is' connect hello slow --policy "$dir/policy.json"
grep -qx "$waiting" <<<"$(children "$terminating")"
result $? 'while it waits' "$waiting, of $(children "$terminating")"
firmware $slow=20 >/dev/null
# the driver is not unloaded while the firmware is at it
is_over() { ! grep -qx "$waiting" <<<"$(children "$terminating")"; }
await is_over || await is_over
result $? 'and then has its answer'
finish
