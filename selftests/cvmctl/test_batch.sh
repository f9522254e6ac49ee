#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl batch and bench with simulated platforms.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

snp=$dir/snp tdx=$dir/tdx
simulate "$snp" platform=snp
simulate "$tdx" platform=tdx

batch() { try "$1" "$2" "$3" batch --backend "sim:$snp" "${@:4}"; }
for _ in {1..100}; do openssl rand -hex 64; done >"$dir/in"
one=$(head -n 1 "$dir/in")

# LINES INPUT KEY CERTS: the lines are those of the input, and their proofs lead
# by the specification's steps to what the evidence carries
check_lines() {
	python3 - "$@" <<-'EOF'
	import base64, hashlib, json, sys
	lines, wanted, key, certs = sys.argv[1:]
	at = {"report": 0x50, "quote": 568}[key]
	H = lambda b: hashlib.sha384(b).digest()
	def raw(s): return base64.urlsafe_b64decode(s + "=" * (-len(s) % 4))
	def expected(user_data, proof):
	    head, index, size = proof[:16], int.from_bytes(proof[16:20], "little"), int.from_bytes(proof[12:16], "little")
	    scope, salt, path = proof[22:36], proof[36:68], proof[68:]
	    node, fn, sn = H(b"\0" + salt + scope + user_data), index, size - 1
	    path = [path[i:i + 48] for i in range(0, len(path), 48)]
	    assert len(path) == proof[20]
	    for p in path:
	        if fn & 1 or fn == sn:
	            node = H(b"\1" + p + node)
	            while not fn & 1 and fn: fn, sn = fn >> 1, sn >> 1
	        else:
	            node = H(b"\1" + node + p)
	        fn, sn = fn >> 1, sn >> 1
	    assert sn == 0
	    return head + H(b"\2" + head + node)
	objects = [json.loads(line) for line in open(lines)]
	assert [o["user_data"] for o in objects] == open(wanted).read().split()
	assert len({o[key] for o in objects}) == 1
	for o in objects:
	    assert raw(o[key])[at:at + 64] == expected(bytes.fromhex(o["user_data"]), raw(o["proof"]))
	    assert ("certs" in o) == (certs == "1")
	EOF
}

batch 0 '' 'many as JSON lines' --input "$dir/in" --jsonl --certs
check_lines "$dir/stdout" "$dir/in" report 1
result $? 'in their order, with one report, certificates, and proofs that lead to it'
try 0 '' 'many on TDX' batch --backend "sim:$tdx" --input "$dir/in" --jsonl
check_lines "$dir/stdout" "$dir/in" quote 0
result $? 'with one quote'
"$cvmctl" batch --backend "sim:$snp" --input - --jsonl <"$dir/in" >"$dir/stdout"
check_lines "$dir/stdout" "$dir/in" report 0
result $? 'from the standard input'
printf '%s\r\n%s' "$one" "$one" >"$dir/two"
batch 0 '' 'lines of another system, the last without its end' --input "$dir/two" --jsonl
result "$([[ $(wc -l <"$dir/stdout") == 2 ]]; echo $?)" 'are two'
result "$([[ $(jq -r .proof "$dir/stdout" | sort -u | wc -l) == 2 ]]; echo $?)" 'and equal user data have different proofs'

batch 0 '' 'many to files' --input "$dir/in" --out "$dir/out" --certs
result "$([[ $(find "$dir/out" -name '*.proof' | wc -l) == 100 ]]; echo $?)" 'a proof for each'
result "$([[ $(cd "$dir/out" && echo [!0]*) == 'certs-0.bin index.jsonl report-0.bin' ]]; echo $?)" 'the report and its certificates once' "$(ls "$dir/out")"
head -n 100 "$dir/in" | diff -q <(jq -r .user_data "$dir/out/index.jsonl") - >/dev/null
result $? 'an index in their order'
result "$([[ $(hex_at "$dir/out/report-0.bin" 80 7) == 43564d47424154 ]]; echo $?)" 'REPORT_DATA is that of a batch'
missing=$(jq -r '.proof, .report, .certs' "$dir/out/index.jsonl" | sort -u | while read -r f; do [[ -s $dir/out/$f ]] || echo "$f"; done)
result "$([[ -z $missing ]]; echo $?)" 'the index names what is there' "$missing"
batch 1 'not empty' 'a directory with files in it' --input "$dir/in" --out "$dir/out"
mkdir "$dir/empty"
batch 0 '' 'one alone, to an empty directory' --user-data "$one" --out "$dir/empty"
result "$([[ $(stat -c %s "$dir/empty/0000.proof") == 68 ]]; echo $?)" 'has an empty path'

# nothing is asked for where anything is wrong
asked() { build/bin/fw_ask "$snp" status | sed -n 's/^\(reports\|requests\)=//p'; }
before=$(asked)
bad() { # LINE PATTERN NAME
	{ head -n 4 "$dir/in"; echo "$1"; tail -n 3 "$dir/in"; } >"$dir/bad"
	batch 2 "$2" "$3" --input "$dir/bad" --jsonl
}
bad "${one:1}" 'bad: line 5: 127 hexadecimal digits, an odd number' 'a digit is missing'
bad "${one:2}" 'bad: line 5: 63 bytes, 64 are expected' 'a byte is missing'
bad "${one}00" 'bad: line 5: 65 bytes, 64 are expected' 'a byte too many'
bad "${one:0:10}g${one:11}" "bad: line 5: character 11 \('g'\) is no hexadecimal digit" 'not hexadecimal'
bad '' 'bad: line 5: 0 bytes' 'an empty line'
bad "43564d47424154${one:14}" 'bad: line 5: .*CVMGBAT' 'the reserved tag'
batch 2 'empty' 'an empty file' --input /dev/null --jsonl
batch 1 'cannot be read' 'a file that is not there' --input "$dir/none" --jsonl
batch 2 'one of --user-data and --input' 'no user data' --jsonl
batch 2 'one of --user-data and --input' 'both' --user-data "$one" --input "$dir/in" --jsonl
batch 2 'one of --out DIR and --jsonl' 'no output' --user-data "$one"
batch 2 '1 bytes, 64 are expected' 'too short' --user-data ab --jsonl
batch 4 'labels' 'a label without the driver' --user-data "$one" --jsonl --label web
result "$([[ -n $before && $(asked) == "$before" ]]; echo $?)" 'nothing of that reached the firmware' "$before, then $(asked)"
batch 0 '' 'shorter where zeros are asked for' --user-data ab --pad --jsonl
set_fw "$snp" set report_status=22
batch 1 'the firmware refused' 'a firmware error' --input "$dir/in" --jsonl

bench() { try "$1" "$2" "$3" bench --backend "sim:$snp" --seconds 1 "${@:4}"; }
for mode in direct batch; do
	for how in '' --pipeline; do
		# shellcheck disable=SC2086
		bench 0 '' "bench, $mode $how" --mode $mode --clients 4 $how --json
		jq -e ".mode == \"$mode\" and .platform == \"snp\" and .clients == 4 and .errors == 0 and
			.count >= 4 and .p50_ms <= .p99_ms and .p99_ms <= .max_ms and .jain > 0.2 and
			.first_ms > 0 and .first_ms <= .max_ms and .fewest <= .count / 4 and
			(.rate - .count / .seconds | fabs) < 1 and has(\"vcpu_ms_per_attestation\") and
			.attestations_per_report >= 1" "$dir/stdout" >/dev/null
		result $? 'says what it measured' "$(cat "$dir/stdout")"
	done
done
result "$(jq -e '.attestations_per_report > 1' "$dir/stdout" >/dev/null; echo $?)" 'requests under way share reports'
bench 2 'neither direct nor batch' 'bench, an unknown mode' --mode both
bench 2 'is waited for' 'bench, keys in a pipeline' --mode key --pipeline
set_fw "$snp" set bad_report_data_n=1000000
bench 1 "somebody else's REPORT_DATA" 'bench, nothing but errors' --mode batch

finish
