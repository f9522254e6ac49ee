#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl certs, against a server that answers as those of AMD, Intel and Azure do, and
# wrongly: what comes verifies the evidence, is asked for once, and rubbish is not
# kept. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

state=${CVM_FW_STATE:-build/cache/fw-state}
data=$(hex64 c7)
www=$dir/www
cache=$dir/cache
mkdir "$www"

# NAME PRODUCT KEY=VALUE...: a report, what is published of it
snp() {
	local name=$1 product=$2 socket=$dir/$1.socket
	simulate "$socket" platform=snp "${@:3}"
	"$cvmctl" report --backend "sim:$socket" --report-data "$data" --out "$dir/$name" \
		--certs "$dir/$name.table" && "$cvmctl" show --json "$dir/$name" >"$dir/$name.json" &&
		selftests/fetch/routes.py "$www" snp "$product" "$dir/$name.json" "$dir/$name.table" \
			"$state/${product,,}-collateral.json"
	result $? "a report: $name"
}

snp turin Turin product=turin report_version=5
snp vlek Milan product=milan signing_key=vlek
snp milan Milan product=milan report_version=2
snp genoa Genoa product=genoa report_version=3
simulate "$dir/quote.socket" platform=tdx
"$cvmctl" quote --backend "sim:$dir/quote.socket" --report-data "$data" --out "$dir/quote" &&
	fmspc=$(jq -r '[.. | .fmspc? // empty][0] // empty' <("$cvmctl" show --json "$dir/quote")) &&
	: "${fmspc:=$(jq -r .tcb_info "$state/tdx-collateral.json" | jq -r '.fmspc | ascii_downcase')}" &&
	selftests/fetch/routes.py "$www" tdx "$fmspc" "$state/tdx-collateral.json"
result $? 'a quote'

serve() {	# -> $port
	selftests/fetch/server.py "$www" >"$dir/port" &
	server=$!
	fwds+=("$server")
	until [[ -s $dir/port ]]; do
		kill -0 "$server" || { echo 'Bail out! the server does not start'; exit 1; }
		sleep 0.05
	done
	port=$(<"$dir/port")
	urls=(--kds-url "http://127.0.0.1:$port" --pcs-url "http://127.0.0.1:$port" --thim-url "http://127.0.0.1:$port")
}
serve

fetch=(certs fetch --cache "$cache" --out "$dir/out")
again() { rm -rf "$cache" "$dir/out" "$www/requests" "$www/wrong"; }
requests() {	# NUMBER NAME [PREFIX]
	local have
	have=$(grep -c -- "^${3-/}" "$www/requests")
	result "$([[ $have == "$1" ]]; echo $?)" "$2: requests: $1" "$(cat "$www/requests")"
}
kept() {	# NUMBER NAME
	local have
	have=$("$cvmctl" certs show --json --cache "$cache" | jq length)
	result "$([[ $have == "$1" ]]; echo $?)" "$2: files in the cache: $1" "$(ls "$cache")"
}
left() { result "$([[ -z $(find "$cache" -name '*.json?*' -o -name '.*.json*') ]]; echo $?)" "$1: nothing half written"; }
wrong() { printf '%s\n' "$@" >"$www/wrong"; }	# 'WORD PREFIX'...

# ---- as it should be

verified() {	# NAME EVIDENCE OPTION...
	"$cvmctl" policy init --from "$dir/$2" "${@:3}" "${root[@]}" --out "$dir/policy" 2>"$dir/stderr" &&
		! grep -qv ': the policy has to allow ' "$dir/stderr"
	result $? "$1: a policy of it" "$(cat "$dir/stderr")"
	try 0 '' "$1: verified" verify --policy "$dir/policy" "${@:3}" "${root[@]}" \
		--report-data "$data" "$dir/$2"
}

root=(--trust-root "$state/trust-root.pem")
for name in genoa turin; do
	again
	try 0 '' "$name: fetched" "${fetch[@]}" "${urls[@]}" "$dir/$name"
	requests 3 "$name"
	requests 1 "$name, its VCEK" '/vcek/v1/.*ucodeSPL='
	verified "$name" $name --certs "$dir/out"
	cp "$dir/out" "$dir/first"
	try 0 '' "$name: again" "${fetch[@]}" "${urls[@]}" "$dir/$name"
	requests 3 "$name, again"
	cmp -s "$dir/out" "$dir/first"
	result $? "$name: the same"
	try 0 '' "$name: offline" "${fetch[@]}" --offline "${urls[@]}" "$dir/$name"
	try 0 '' "$name: all anew" "${fetch[@]}" --refresh "${urls[@]}" "$dir/$name"
	requests 6 "$name, all anew"
	kept 3 "$name"
done

again
try 0 '' 'of one server' "${fetch[@]}" "${urls[@]}" "$dir/genoa"
try 0 '' 'of another, by another name' "${fetch[@]}" "${urls[@]/127.0.0.1/localhost}" "$dir/genoa"
requests 6 'what another server answered is asked for anew'
try 1 'not in the cache' 'nor is it good enough offline' "${fetch[@]}" --offline "${urls[@]}" "$dir/genoa"

again
try 2 'give --product' 'version 2 does not say its product' "${fetch[@]}" "${urls[@]}" "$dir/milan"
try 0 '' 'and is told' "${fetch[@]}" --product Milan "${urls[@]}" "$dir/milan"
verified milan milan --certs "$dir/out"
try 2 'its product is Genoa' 'version 3 is told another' "${fetch[@]}" --product Milan "${urls[@]}" "$dir/genoa"

again
try 0 'whose certificate only the host has' 'by a VLEK' "${fetch[@]}" "${urls[@]}" "$dir/vlek"
requests 2 'by a VLEK' /vlek/v1/Milan/
verified 'by a VLEK' vlek --certs "$dir/vlek.table" --certs "$dir/out"

again
try 0 '' 'from THIM' "${fetch[@]}" --from thim "${urls[@]}" "$dir/genoa"
requests 2 'from THIM'
verified 'from THIM' genoa --certs "$dir/out"
again
http_proxy=http://127.0.0.1:1 no_proxy='' try 1 'revocation list: .*127.0.0.1' 'a proxy is asked for lists, and not for THIM' \
	"${fetch[@]}" --from thim --timeout 5 "${urls[@]/127.0.0.1/localhost}" "$dir/genoa"
requests 1 'past the proxy' /metadata/THIM/

again
root=(--trust-root "$state/tdx-root.pem")
try 0 '' 'quote: fetched' "${fetch[@]}" "${urls[@]}" "$dir/quote"
requests 4 quote
verified quote quote --collateral "$dir/out"
try 0 '' 'quote: again' "${fetch[@]}" "${urls[@]}" "$dir/quote"
requests 4 'quote, again'

# ---- one fetch for many callers

again
wrong 'after-1 /vcek'
pids=()
for i in {1..12}; do
	"$cvmctl" certs fetch --cache "$cache" "${urls[@]}" --out "$dir/out.$i" "$dir/genoa" &
	pids+=($!)
done
bad=0
for i in {1..12}; do
	wait "${pids[i - 1]}" || bad=1
	cmp -s "$dir/out.1" "$dir/out.$i" || bad=1
done
result $bad 'twelve at the same time all have it'
requests 4 'of twelve, one of them sent away for a second'

# and a failure is shared by who waited for it, and by nobody else
again
rm -f "$www/go"
wrong 'late /vcek'
pids=()
for i in {1..12}; do
	"$cvmctl" certs fetch --cache "$cache" "${urls[@]}" --out "$dir/out.$i" "$dir/genoa" 2>"$dir/err.$i" &
	pids+=($!)
done
# until it has the lock, or waits for it
locks() # PID
{
	until [[ -n $(find "/proc/$1/fd" -lname '*.lock' 2>/dev/null) ]]; do
		kill -0 "$1" || break
		sleep 0.02
	done
}
for pid in "${pids[@]}"; do
	locks "$pid"
done
# to whom another server's failure says nothing
"$cvmctl" certs fetch --cache "$cache" "${urls[@]/127.0.0.1/localhost}" --out "$dir/out" "$dir/genoa" 2>"$dir/err" &
other=$!
locks $other
touch "$www/go"
bad=0
for i in {1..12}; do
	wait "${pids[i - 1]}"
	[[ $? == 1 ]] && grep -q 'VCEK: .*the server has none' "$dir/err.$i" || bad=1
done
result $bad 'twelve that waited for a fetch that failed say so' "$(cat "$dir"/err.*)"
wait $other
result $? 'one that waited for another server asks it' "$(cat "$dir/err")"
requests 4 'of all, what the server does not have once, and all of it once'
try 0 '' 'the next one asks again' "${fetch[@]}" "${urls[@]}" "$dir/genoa"

# ---- busy, away, wrong

again
wrong 'after-1 /vcek' '503 /vcek' '429 /vcek'
try 0 '' 'a server that is busy for a while' "${fetch[@]}" "${urls[@]}" "$dir/genoa"
requests 4 'busy for a while' '/vcek/v1/Genoa/[0-9a-f]\{16\}'
again
wrong '429+ /vcek'
try 1 'the server is busy \(status 429\).*--timeout|time.?out' 'a server that stays busy' \
	"${fetch[@]}" --timeout 5 "${urls[@]}" "$dir/genoa"
kept 0 'stays busy'
again
wrong 'after-99 /vcek'
try 1 'the server is busy' 'a wait that is longer than the caller has' \
	"${fetch[@]}" --timeout 60 "${urls[@]}" "$dir/genoa"
requests 1 'no request before the server allows one'

again
refuse() {	# WORD PREFIX PATTERN EVIDENCE [TIMEOUT]
	again
	wrong "$1+ $2"
	try 1 "$3" "$1 for $2" "${fetch[@]}" --timeout "${5-60}" "${urls[@]}" "$dir/$4"
	[[ ! -e $dir/out ]]
	result $? "$1 for $2: no output"
	grep -q "\"url\".*$2" "$cache"/*.json 2>/dev/null
	result "$(($? == 0))" "$1 for $2: not kept"
}
for path in '/vcek/v1/Genoa/[0-9a-f]' /vcek/v1/Genoa/cert_chain /vcek/v1/Genoa/crl; do
	prefix=${path%%\[*}
	[[ $prefix != "$path" ]] && prefix=$(jq -r keys[] "$www/routes.json" | grep -o '^/vcek/v1/Genoa/[0-9a-f]\{16\}')
	for word in html empty short huge; do
		refuse $word "$prefix" 'X.509|empty answer|longer than|expected|in PEM' genoa
	done
done
refuse cut /vcek/v1/Genoa/crl 'revocation list: ' genoa 3
refuse stall /vcek/v1/Genoa/crl 'revocation list: ' genoa 3
refuse 302 /vcek/v1/Genoa/crl 'status 302' genoa
refuse 403 /vcek/v1/Genoa/crl 'status 403' genoa
for path in /tdx/certification/v4/tcb /tdx/certification/v4/qe/identity; do
	refuse html $path 'no JSON' quote
	refuse short $path 'no JSON' quote
	refuse bare $path 'no header' quote
done
for path in /tdx/certification/v4/tcb /tdx/certification/v4/qe/identity /sgx/certification/v4/pckcrl; do
	refuse chain $path 'header [A-Za-z-]*Issuer-Chain: offset 0x0: expected an X.509' quote
done
refuse bare /sgx/certification/v4/pckcrl 'no header SGX-PCK-CRL-Issuer-Chain' quote

# what is of something else
swap() {	# PATH-PATTERN BODY: another file is served there
	jq --arg path "$1" --arg body "$2" 'with_entries(if .key | test($path) then .value.body = $body else . end)' \
		"$dir/routes" >"$www/routes.json"
}
cp "$www/routes.json" "$dir/routes"
again
swap '^/vcek/v1/Genoa/[0-9a-f]{16}' Turin-vcek
try 1 'of another product' "a VCEK of another product" "${fetch[@]}" "${urls[@]}" "$dir/genoa"
swap '^/vcek/v1/Genoa/cert_chain' Genoa-vcek
try 1 'expected two certificates' 'a VCEK for a chain' "${fetch[@]}" "${urls[@]}" "$dir/genoa"
swap '^/vcek/v1/Genoa/crl' Genoa-vcek
try 1 'expected one revocation list' 'a VCEK for a list' "${fetch[@]}" "${urls[@]}" "$dir/genoa"
swap '^/tdx/certification/v4/tcb' qe_identity
try 1 'tcbInfo: expected to be there' 'a QE identity for TCB info' "${fetch[@]}" "${urls[@]}" "$dir/quote"
sed 's/"fmspc":"./"fmspc":"f/' "$www/tcb_info" >"$www/other_tcb"
swap '^/tdx/certification/v4/tcb' other_tcb
try 1 'about another platform' 'TCB info of another platform' "${fetch[@]}" "${urls[@]}" "$dir/quote"
sed 's/"nextUpdate":"20../"nextUpdate":"2001/' "$www/tcb_info" >"$www/old_tcb"
swap '^/tdx/certification/v4/tcb' old_tcb
try 1 'out of date' 'TCB info of 2001' "${fetch[@]}" "${urls[@]}" "$dir/quote"
for part in Turin-vcek-chain Milan-vcek-chain; do
	jq --rawfile chain "$www/$part" '.certificateChain = $chain' "$www/thim" >"$www/other_thim"
	swap '^/metadata/THIM' other_thim
	again
	try 1 'signed by none of those that came along' "THIM, with another chain: $part" \
		"${fetch[@]}" --from thim "${urls[@]}" "$dir/genoa"
	kept 0 "THIM, with another chain: $part"
done
cp "$dir/routes" "$www/routes.json"
cp "$dir/genoa" "$dir/other-tcb"
printf '\001' | dd of="$dir/other-tcb" bs=1 seek=$((0x180)) conv=notrunc status=none
again
try 1 'THIM.*of another TCB than the report' 'THIM, of another TCB' "${fetch[@]}" --from thim "${urls[@]}" "$dir/other-tcb"
try 1 'VCEK: .*the server has none' 'a TCB that there is no VCEK of' "${fetch[@]}" "${urls[@]}" "$dir/other-tcb"
cp "$dir/routes" "$www/routes.json"
dd if=/dev/zero of="$dir/other-tcb" bs=1 seek=$((0x1a0)) count=64 conv=notrunc status=none
try 1 'the host masks it' 'a chip that the host does not name' "${fetch[@]}" "${urls[@]}" "$dir/other-tcb"

# ---- the cache grows old, or is spoilt

edit() { jq "$1" "$cache/kds-vcek-Genoa-crl.json" >"$dir/edit" && cp "$dir/edit" "$cache/kds-vcek-Genoa-crl.json"; }
again
try 0 '' 'filled' "${fetch[@]}" "${urls[@]}" "$dir/genoa"
edit '.fresh_until = 1'
try 0 '' 'a list of yesterday' "${fetch[@]}" "${urls[@]}" "$dir/genoa"
requests 2 'a list of yesterday is fetched anew' /vcek/v1/Genoa/crl
edit '.fresh_until = 1'
wrong '404 /vcek/v1/Genoa/crl'
try 0 'that of the cache still holds' 'the server has lost it' "${fetch[@]}" "${urls[@]}" "$dir/genoa"
edit '.fresh_until = 1'
try 0 '' 'offline it is good enough' "${fetch[@]}" --offline "${urls[@]}" "$dir/genoa"
edit '.expires = 1'
try 1 'not in the cache' 'but not when it does not hold' "${fetch[@]}" --offline "${urls[@]}" "$dir/genoa"
wrong '404 /vcek/v1/Genoa/crl'
try 1 'the server has none' 'nor online' "${fetch[@]}" "${urls[@]}" "$dir/genoa"
echo '{' >"$cache/kds-vcek-Genoa-crl.json"
"$cvmctl" certs show --cache "$cache" >"$dir/shown" 2>"$dir/stderr"
result $? 'shown'
[[ $(wc -l <"$dir/stderr") == 1 ]] && grep -q 'will be fetched anew' "$dir/stderr" &&
	grep -qF "http://127.0.0.1:$port/vcek/v1/Genoa/cert_chain" "$dir/shown"
result $? 'shown, with a word about the file that is none'
try 0 '' 'a file that is none is fetched anew' "${fetch[@]}" "${urls[@]}" "$dir/genoa"
left 'after all that'

# killed while it fetches
again
wrong 'stall /vcek'
"$cvmctl" certs fetch --cache "$cache" "${urls[@]}" --out "$dir/out" "$dir/genoa" &
until [[ -s $www/requests ]]; do sleep 0.05; done
kill -9 $!
{ wait $!; } 2>/dev/null
left 'killed'
try 0 '' 'the next one fetches it' "${fetch[@]}" "${urls[@]}" "$dir/genoa"

# no server, no place, no sense
again
try 1 'Failed to connect|refused|Could.* connect|time.?out' 'nobody listens' "${fetch[@]}" --timeout 5 --kds-url http://127.0.0.1:1 "$dir/genoa"
try 1 'cannot be (locked|written)' 'a cache that is no directory' certs fetch --cache "$dir/genoa/x" "${urls[@]}" "$dir/genoa"
try 0 '' 'an empty cache' certs show --cache "$dir/nothing"
try 1 'cannot be read' 'no cache' certs show --cache "$dir/genoa"
try 1 'expected an SNP' 'evidence that is none' "${fetch[@]}" "$www/routes.json"
try 2 'needs EVIDENCE' 'no evidence' certs fetch
try 2 'is none of fetch, show' 'another verb' certs make
try 2 'either --offline or --refresh' 'both' "${fetch[@]}" --offline --refresh "$dir/genoa"
try 2 'no http or https URL' 'a file for a server' "${fetch[@]}" --kds-url file:///etc "$dir/genoa"
try 2 'no http or https URL' 'a slash too many' "${fetch[@]}" --pcs-url http://x/ "$dir/genoa"
try 2 'none of kds, thim' 'another source' "${fetch[@]}" --from x "$dir/genoa"
try 2 'none of Milan' 'another product' "${fetch[@]}" --product Rome "$dir/genoa"
try 2 'is for certs fetch' 'show takes nothing of fetch' certs show --refresh --cache "$cache"
finish
