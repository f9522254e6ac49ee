#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What `cvmctl show` and `cvmctl verify` say of files and options that are
# wrong: one line with the file, the offset and what was expected there.
set -u
cd "$(dirname "$0")/../.." || exit
. selftests/vectors/lib.sh

zeros() { head -c "$1" /dev/zero; }
{ printf '\003\0\0\0'; zeros 1180; } >"$work/report"
{ printf '\006\0\0\0'; zeros 1180; } >"$work/report6"
head -c 1000 "$work/report" >"$work/short"
{ cat "$work/report"; echo; } >"$work/long"
{ printf '\004\0\002\0\201\0\0\0'; zeros 600; } >"$work/short-quote"
{ printf '\007\0\002\0\201\0\0\0'; zeros 600; } >"$work/quote7"
{ printf '\004\0\002\0\0\0\0\0'; zeros 424; printf '\206\0\0\0'; zeros 128; printf '\007\0\0\0\0\0'; } >"$work/sgx-quote"
{ printf 'HCLA\003\0\0\0'; zeros 1300; } >"$work/hcl3"
printf 'CVMGBAT1\001' >"$work/short-proof"
{ printf '\201\0\002\0'; zeros 1020; } >"$work/tdreport2"
{ printf '\x63\xda\x75\x8d\xe6\x64\x45\x64\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd\0\020\0\0\0\001\0\0'; zeros 24; } >"$work/table"
printf '030' >"$work/half.hex"
echo 'hello, world' >"$work/text"
: >"$work/empty"
{ echo '-----BEGIN CERTIFICATE-----'; echo 'AAAA'; echo '-----END CERTIFICATE-----'; } >"$work/broken.pem"
zeros $((5 << 20)) >"$work/huge"

for command in show 'verify --authenticity-only'; do
	# shellcheck disable=SC2086 # a command with its option
	while read -r file regex; do
		expect "$command $file" 1 "^cvmctl ${command%% *}: $work/$file: $regex" $command "$work/$file"
	done <<-'EOF'
	short the input ends at offset 0x3e8, within ATTESTATION_REPORT: expected 1184 bytes
	long offset 0x4a0: the byte after ATTESTATION_REPORT is 0xa, expected the end
	report6 offset 0x0: VERSION is 0x6, expected 2 to 5
	short-quote the input ends at offset 0x260, within TD Quote Body: expected 584 bytes
	quote7 offset 0x0: Version is 0x7, expected 4 or 5
	half.hex hexadecimal text of an odd number of digits
	text .*expected an SNP attestation report
	empty .*expected an SNP attestation report
	missing cannot be read: No such file
	. cannot be read: Is a directory
	huge longer than 4194304 bytes
	EOF
done
expect 'show of an HCL report of version 3' 1 'offset 0x4: version is 0x3, expected 1 or 2' show "$work/hcl3"
expect 'show of a proof cut short' 1 'within the proof: expected 68 bytes' show "$work/short-proof"
expect 'show of a quote about an enclave' 0 - show "$work/sgx-quote"
expect 'verify of a quote about an enclave' 1 'is about an SGX enclave' verify --authenticity-only "$work/sgx-quote"
expect 'show of a TDREPORT of version 2' 1 'offset 0x2: REPORTTYPE.VERSION is 0x2, expected 0 or 1' show "$work/tdreport2"
expect 'show of a table cut short' 1 'offset 0x10: certificate offset is 0x1000, expected' show "$work/table"

# of a version that is not known, what is certain is shown all the same
for file in report6:6 quote7:7 tdreport2:2 hcl3:3; do
	cvmctl show --json "$work/${file%:*}"
	good=0
	grep -q "\"version\": ${file#*:}\$" "$work/out" && ((status == 1)) && good=1
	result $good "show ${file%:*} says its version"
done

# claims of an HCL report are JSON, unless they are what nobody writes
hcl() {	# FILE LEVELS MEMBERS
	python3 - "$@" <<-'EOF'
	import struct, sys
	levels, members = int(sys.argv[2]), int(sys.argv[3])
	claims = b'{"a":' * (levels - 1) + b'{' + b','.join(b'"k%d":0' % i for i in range(members)) + b'}' * levels
	head = struct.pack("<4sIII", b"HCLA", 2, 20 + 0x4a0 + len(claims), 2).ljust(0x4c0, b"\0")
	open(sys.argv[1], "wb").write(head + struct.pack("<5I", 20 + len(claims), 1, 2, 1, len(claims)) + claims)
	EOF
}
claims() {	# LEVELS MEMBERS TYPE NAME
	hcl "$work/hcl" "$1" "$2"
	cvmctl show --json "$work/hcl"
	[[ $status == 0 && $(jq -r '.claims | type' "$work/out") == "$3" ]] &&
		(($(wc -c <"$work/out") < 16 * $(wc -c <"$work/hcl")))
	result $((!$?)) "claims, $4: shown as $3"
}
claims 8 40 object 'as deep as they may be'
claims 9 40 string 'a level deeper'
claims 300 300 string 'very deep'
claims 2 1400 object 'within 16 KiB'
claims 2 2000 string 'of more than 16 KiB'

verify=(verify --authenticity-only)
expect 'a report without certificates' 3 'does not verify: chain' "${verify[@]}" "$work/report"
expect 'certificates that are none' 1 "text: offset 0x0: expected an X.509 certificate, PEM or DER" \
	"${verify[@]}" --certs "$work/text" "$work/report"
expect 'broken PEM' 1 "broken.pem: offset 0x0: expected an X.509 certificate or revocation list" \
	"${verify[@]}" --certs "$work/broken.pem" "$work/report"
expect 'a table cut short' 1 "table: offset 0x10: certificate offset is 0x1000" \
	"${verify[@]}" --certs "$work/table" "$work/report"
expect 'a missing trust root' 1 "none: cannot be read" "${verify[@]}" --trust-root "$work/none" "$work/report"
expect 'an empty trust root' 1 "empty: offset 0x0: expected an X.509" \
	"${verify[@]}" --trust-root "$work/empty" "$work/report"
expect 'no evidence' 2 'EVIDENCE is missing' "${verify[@]}"
expect 'two pieces of evidence' 2 'one operand too many' "${verify[@]}" "$work/report" "$work/report"
expect 'an unknown option' 2 'no option' "${verify[@]}" --nonsense x "$work/report"
# whatever it is refused for, there is an object that says so
tag=43564d47424154$(printf '00%.0s' {1..57})
cvmctl "${verify[@]}" --json --report-data "$tag" "$work/report"
jq -e '.authenticity_only and (.accepted | not) and
       ([.checks[] | select(.name == "report_data" and .state == "failed") | .reason] |
	length == 1 and (.[0] | test("this is batch evidence")))' "$work/out" >"$work/jq"
result $((!$? && status == 3)) 'REPORT_DATA with the tag of batches: refused by report_data, with an object'
cp "$work/report" "$work/"$'\xff\xfe.report'
cvmctl verify --json "$work/"$'\xff\xfe.report'
jq -e '(.authenticity_only | not) and (.evidence | endswith("/??.report")) and (.checks | length > 3)' \
	"$work/out" >"$work/jq"
result $((!$? && status == 3)) 'a name that is no text: an object all the same'
echo '{"message": "ff", "signature": "00", "pcrs": ["00"]}' >"$work/tpm"
expect 'a quote of a vTPM that is none' 1 "tpm: pcrs\[0\]: expected 64 hexadecimal digits" \
	"${verify[@]}" --binding azure --tpm-quote "$work/tpm" "$work/report"
expect 'a boot of no vTPM' 2 'reset-count goes with --tpm-quote' "${verify[@]}" --reset-count 7 "$work/report"
expect 'a nonce of no vTPM' 2 'tpm-nonce goes with --tpm-quote' "${verify[@]}" --tpm-nonce 00 "$work/report"
expect 'a binding that is none' 2 "'x' is none of report, svsm, azure, azure-tpm" \
	"${verify[@]}" --binding x "$work/report"
echo '{"version": 1, "tcbInfo": {}}' >"$work/collateral"
expect 'collateral that is none' 1 'collateral: tcbInfo: expected no such member' \
	"${verify[@]}" --collateral "$work/collateral" "$work/report"
echo '{"snp": {"measure": []}}' >"$work/policy"
expect 'a policy that is none' 1 'policy: snp.measure: expected no such key' \
	verify --policy "$work/policy" "$work/report"
expect 'a policy, and authenticity only' 2 'either --policy or' "${verify[@]}" --policy x "$work/report"
expect 'REPORT_DATA that is not hexadecimal' 2 "character 3 \\('x'\\)" "${verify[@]}" --report-data 00xx "$work/report"
expect 'REPORT_DATA that is too short' 2 '2 bytes, 64 are expected' "${verify[@]}" --report-data 0011 "$work/report"
for at in yesterday 2025-02-30T00:00:00Z 2025-13-01T00:00:00Z 2025-01-01 2025-01-01T00:00:00 \
	2025-01-01T24:00:00Z 2025-01-01T00:00:00+25:00 2025-01-01T00:00:00Zx '2025- 1-01T00:00:00Z' ''; do
	expect "--at '$at'" 2 "is no time as" "${verify[@]}" --at "$at" "$work/report"
done
for at in 2025-01-01T00:00:00Z 2024-02-29T23:59:59+01:00 1970-01-01T00:00:00-12:30; do
	expect "--at $at" 3 'does not verify' "${verify[@]}" --at "$at" "$work/report"
done

finish
