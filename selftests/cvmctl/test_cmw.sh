#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl evidence --format cmw and cmw-cbor: what is written is what RFC 9999 and
# deterministic CBOR (RFC 8949, 4.2.1) say, and verify and show read it again. An Azure
# guest's is in test_azure.sh. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

snp=$dir/snp tdx=$dir/tdx
export CVM_FW_STATE=$dir/state
mkdir "$CVM_FW_STATE"
simulate "$snp" platform=snp
simulate "$tdx" platform=tdx
data=$(hex64 c7)
roots=(--trust-root "$CVM_FW_STATE/trust-root.pem")

# as cvmctl evidence writes it in our own JSON, which it can be made of again
declare -A own=([snp]=$dir/snp.json [tdx]=$dir/tdx.json [batch]=$dir/batch.json)
try 0 '' 'SNP' evidence --backend "sim:$snp" --report-data "$data" --out "${own[snp]}"
try 0 '' 'TDX' evidence --backend "sim:$tdx" --report-data "$data" --out "${own[tdx]}"
# the library asks for no certificates with a batch
try 0 '' 'certificates' report --backend "sim:$snp" --report-data "$data" --out /dev/null --certs "$dir/certs"
try 0 '' 'a batch' evidence --backend "sim:$snp" --user-data "$data" --certs "$dir/certs" --out "${own[batch]}"

# FILE FORM OWN: FILE is that evidence in that form, decoded by other code than ours, which
# knows no CBOR but the deterministic
is_made_of() {
	python3 - "$@" <<-'EOF'
	import base64, json, sys
	path, form, own = sys.argv[1:]
	own = json.load(open(own))
	raw = open(path, "rb").read()

	def head(at):
	    major, low = raw[at] >> 5, raw[at] & 31
	    width = {24: 1, 25: 2, 26: 4, 27: 8}.get(low, 0)
	    assert low < 28
	    value = int.from_bytes(raw[at + 1:at + 1 + width], "big") if width else low
	    assert not width or value >= {1: 24, 2: 1 << 8, 4: 1 << 16, 8: 1 << 32}[width], "the shortest"
	    return major, value, at + 1 + width

	def item(at):
	    major, value, at = head(at)
	    if major == 0:
	        return value, at
	    if major in (2, 3):
	        data = raw[at:at + value]
	        assert len(data) == value
	        return data if major == 2 else data.decode(), at + value
	    if major == 4:
	        items = []
	        for _ in range(value):
	            one, at = item(at)
	            items.append(one)
	        return items, at
	    assert major == 5
	    pairs, last = {}, b""
	    for _ in range(value):
	        start = at
	        key, at = item(at)
	        assert raw[start:at] > last, "labels in order"
	        last = raw[start:at]
	        pairs[key], at = item(at)
	    return pairs, at

	if form == "cmw":
	    def plain(value):
	        if isinstance(value, dict):
	            return {key: plain(one) for key, one in value.items()}
	        assert "=" not in value[1]
	        return [value[0], base64.urlsafe_b64decode(value[1] + "=" * (-len(value[1]) % 4)), *value[2:]]
	    cmw = plain(json.loads(raw))
	else:
	    cmw, end = item(0)
	    assert end == len(raw)

	types = {"snp-report": "application/vnd.amd.sev-snp.attestation-report",
	         "tdx-quote": "application/vnd.cvm-guest.tdx-quote"}
	evidence = [types[own["type"]], bytes.fromhex(own.get("report") or own["quote"]), 4]
	want = {"evidence": evidence}
	if "certs" in own:
	    want["certs"] = ["application/vnd.amd.ghcb.guid-table", bytes.fromhex(own["certs"]), 2]
	if "proof" in own:
	    proof = base64.urlsafe_b64decode(own["proof"] + "=" * (-len(own["proof"]) % 4))
	    want["proof"] = ["application/vnd.cvm-guest.batch-proof", proof, 4]
	assert cmw == (want if len(want) > 1 else evidence), cmw
	EOF
}

[[ $(jq -r 'has("certs")' "${own[snp]}") == true && $(jq -r 'has("certs")' "${own[tdx]}") == false &&
	$(jq -r 'has("proof")' "${own[batch]}") == true ]]
result $? 'a collection of each kind, and a record, will be made'
for kind in snp tdx batch; do
	case $kind in
	batch) asked=(--user-data "$data" --scope any) ;;
	*) asked=(--report-data "$data") ;;
	esac
	for format in cmw cmw-cbor; do
		file=$dir/$kind.$format
		try 0 '' "$kind, $format" evidence --from "${own[$kind]}" --format $format --out "$file"
		why=$(is_made_of "$file" $format "${own[$kind]}" 2>&1)
		result $? "$kind, $format: what the specifications say" "$why"
		try 0 '' "$kind, $format: made of itself" evidence --from "$file" --format $format --out "$file.again"
		cmp -s "$file" "$file.again"
		result $? "$kind, $format: the same bytes"
		try 0 '' "$kind, $format: back again" evidence --from "$file" --out "$file.own"
		cmp -s "${own[$kind]}" "$file.own"
		result $? "$kind, $format: nothing is lost"
		try 0 '' "$kind, $format: verifies" verify --authenticity-only "${roots[@]}" "${asked[@]}" "$file"
		"$cvmctl" verify --authenticity-only "${roots[@]}" "${asked[0]}" "$(hex64 c8)" \
			"${asked[@]:2}" "$file" >"$dir/stdout" 2>"$dir/stderr"
		[[ $? == 3 ]] && grep -q 'does not verify: report_data' "$dir/stderr"
		result $? "$kind, $format: something else asked for" "$(cat "$dir/stderr")"
		try 0 '' "$kind, $format: shown" show --json "$file"
		jq -e --arg kind "$kind" '.evidence and (.proof != null) == ($kind == "batch")' "$dir/stdout" >/dev/null
		result $? "$kind, $format: its parts" "$(head -c 300 "$dir/stdout")"
	done
done
try 0 '' 'as JSON of ours it is shown, too' show "${own[batch]}"
grep -q '^evidence' "$dir/stdout" && grep -q '^proof' "$dir/stdout"
result $? 'with its parts' "$(head -c 300 "$dir/stdout")"

# of the machine at once
try 0 '' 'of the machine' evidence --backend "sim:$snp" --report-data "$data" --format cmw-cbor --out "$dir/at-once"
try 0 '' 'which verifies' verify --authenticity-only "${roots[@]}" --report-data "$data" "$dir/at-once"

# media types
mine=(--media-type snp-report=application/vnd.mine --media-type 'certs-table=application/vnd.mine; v=1')
try 0 '' 'other media types' evidence --from "${own[snp]}" --format cmw "${mine[@]}" --out "$dir/mine"
[[ $(jq -r '.evidence[0], .certs[0]' "$dir/mine" | paste -sd,) == 'application/vnd.mine,application/vnd.mine; v=1' ]]
result $? 'are there' "$(head -c 300 "$dir/mine")"
try 0 '' 'and the evidence verifies' verify --authenticity-only "${roots[@]}" --report-data "$data" "$dir/mine"
try 0 '' 'a content format' evidence --from "${own[tdx]}" --format cmw-cbor --media-type tdx-quote=7 \
	--media-type tdx-quote=10572 --out "$dir/number"
[[ $(hex_at "$dir/number" 0 5) == 8319294c59 ]]
result $? 'is the number that was given last' "$(hex_at "$dir/number" 0 5)"
try 0 '' 'and the evidence verifies' verify --authenticity-only "${roots[@]}" --report-data "$data" "$dir/number"
usage() { try 2 "$1" "$2" evidence --from "${own[snp]}" "${@:3}"; }
usage 'for cmw-cbor alone' 'a content format in JSON' --format cmw --media-type snp-report=7
usage 'no content format' 'a content format that is none' --format cmw-cbor --media-type snp-report=65536
usage 'goes with --format' 'a media type for our own JSON' --media-type snp-report=a/b
usage 'name of a part' 'a part that there is not' --format cmw --media-type report=a/b
usage 'name of a part' 'a media type of nothing' --format cmw --media-type a/b
for type in '' a a/ /b $'a/\e' "a/$(printf 'x%.0s' {1..300})"; do
	usage 'no media type' "no media type: ${type:0:9}" --format cmw --media-type "snp-report=$type"
done

# what is refused
printf '\x82\x63a/b\x44abcd' >"$dir/bad"
try 1 'no evidence: evidence: expected an SNP report' 'a record of something else' verify --authenticity-only "$dir/bad"
try 1 'no evidence: evidence: expected an SNP report' 'shown' show "$dir/bad"
head -c 1000 "$dir/snp.cmw-cbor" >"$dir/bad"
try 1 'no evidence: CMW: the input ends' 'one cut short' verify --authenticity-only "$dir/bad"
try 1 'no evidence: CMW: the input ends' 'shown' show "$dir/bad"
echo '["a/b"]' >"$dir/bad"
try 1 'no evidence: expected media type, value' 'half a record in JSON' show "$dir/bad"

finish
