#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The evidence that cvm-fwd makes, beside real evidence and before the openssl
# command. Set to what a real report says, it must make the same report, byte
# for byte but for the signature, and a certificate with the same extensions.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
vectors=${CVM_VECTORS:-../shared/vectors}
state=${CVM_FW_STATE:-build/cache/fw-state}
dir=$(mktemp -d)
fwd=
trap '[[ -z $fwd ]] || kill "$fwd"; rm -rf "$dir"' EXIT

n=0 failed=0
result() {	# STATUS NAME
	((n++))
	if [[ $1 == 0 ]]; then echo "ok $n $2"; else echo "not ok $n $2"; failed=1; fi
}
skip() { ((n++)); echo "ok $n # SKIP $1"; }

start() {	# KEY=VALUE...
	[[ -z $fwd ]] || { kill "$fwd"; wait "$fwd"; }
	${CVM_FWD:-build/bin/cvm-fwd} --listen "$dir/s" --state "$state" "$@" &
	fwd=$!
	until [[ -S $dir/s ]]; do kill -0 "$fwd" || exit; sleep 0.02; done
}
ask() { build/bin/fw_ask "$dir/s" "$@"; }
get() { ask report "$1" "${2:-0}" "${3:-0}" "$dir/r" "$dir/c"; }	# DATA VMPL KEY_SEL
check() { selftests/abi/openssl_check.sh snp "$dir/r" "$dir/c" "$1"; }

hex() { od -An -v -tx1 -j$(($2)) -N"$3" "$1" | tr -d ' \n'; }	# FILE OFFSET LENGTH
le() { hex "$@" | fold -w2 | tac | tr -d '\n'; }
dec() { echo $((16#$(le "$@"))); }

# the options that make cvm-fwd the machine of this report
options_of() {
	local r=$1
	echo "report_version=$(dec "$r" 0 4)" "guest_svn=$(dec "$r" 4 4)" "policy=$(le "$r" 8 8)" \
		"family_id=$(hex "$r" 0x10 16)" "image_id=$(hex "$r" 0x20 16)" \
		"signature_algo=$(dec "$r" 0x34 4)" "current_tcb=$(le "$r" 0x38 8)" \
		"platform_info=$(le "$r" 0x40 8)" "measurement=$(hex "$r" 0x90 48)" \
		"host_data=$(hex "$r" 0xc0 32)" "id_key_digest=$(hex "$r" 0xe0 48)" \
		"author_key_digest=$(hex "$r" 0x110 48)" "report_id=$(hex "$r" 0x140 32)" \
		"report_id_ma=$(hex "$r" 0x160 32)" "reported_tcb=$(le "$r" 0x180 8)" \
		"cpuid=$(hex "$r" 0x188 3)" "chip_id=$(hex "$r" 0x1a0 64)" \
		"committed_tcb=$(le "$r" 0x1e0 8)" "launch_tcb=$(le "$r" 0x1f0 8)" \
		"current_version=$(dec "$r" 0x1ea 1).$(dec "$r" 0x1e9 1).$(dec "$r" 0x1e8 1)" \
		"committed_version=$(dec "$r" 0x1ee 1).$(dec "$r" 0x1ed 1).$(dec "$r" 0x1ec 1)" \
		"launch_mit_vector=$(le "$r" 0x1f8 8)" "current_mit_vector=$(le "$r" 0x200 8)" \
		"author_key_en=$(($(dec "$r" 0x48 4) & 1))" \
		"mask_chip_key=$(($(dec "$r" 0x48 4) >> 1 & 1))" \
		"signing_key=$( (($(dec "$r" 0x48 4) >> 2 & 7)) && echo vlek || echo vcek)"
}

# extensions of a DER certificate: an OID and its value a line
extensions() {
	openssl asn1parse -inform DER -in "$1" |
		awk -F: '/OBJECT/ { oid = $NF } /BOOLEAN/ { oid = oid " critical" }
			 /OCTET STRING/ { print oid, $NF }' | grep "^1.3.6.1.4.1.3704"
}
# certificate I of the table in FILE
certificate() {	# FILE I
	dd if="$1" iflag=skip_bytes,count_bytes skip="$(dec "$1" $((24 * $2 + 16)) 4)" \
		count="$(dec "$1" $((24 * $2 + 20)) 4)" status=none
}
name_of() { openssl x509 -inform "$1" -in "$2" -noout "-$3"; }

like_real() {	# NAME REPORT LEAF.DER CHAIN.pem PRODUCT [KEY=VALUE]
	local real=$dir/real data
	if [[ $2 == *.hex ]]; then tr -d '\n ' <"$2" | tr a-f A-F | basenc --base16 -d >"$real"; else cat "$2" >"$real"; fi
	data=$(hex "$real" 0x50 64)
	# shellcheck disable=SC2046 # one word an option
	start "product=$5" ${6:+"$6"} $(options_of "$real")
	get "$data" "$(dec "$real" 0x30 4)"
	cmp -n 672 "$real" "$dir/r"
	result $? "$1: the same report but for the signature"
	check "$data"
	result $? "$1: openssl verifies it"
	certificate "$dir/c" 2 >"$dir/leaf.der"
	diff <(extensions "$3") <(extensions "$dir/leaf.der")
	result $? "$1: the leaf's extensions are the real ones"
	diff <(name_of DER "$3" subject; name_of DER "$3" issuer) \
		<(name_of DER "$dir/leaf.der" subject; name_of DER "$dir/leaf.der" issuer)
	result $? "$1: the leaf's names are the real ones"
	certificate "$dir/c" 1 >"$dir/middle.der"
	certificate "$dir/c" 0 >"$dir/ark.der"
	openssl crl2pkcs7 -nocrl -certfile "$4" | openssl pkcs7 -print_certs >"$dir/real-chain"
	diff <(grep -E '^(subject|issuer)' "$dir/real-chain") \
		<(for i in middle ark; do name_of DER "$dir/$i.der" subject
			name_of DER "$dir/$i.der" issuer; done)
	result $? "$1: so are those of its chain"
}

echo "TAP version 13"
if [[ -d $vectors/snp ]]; then
	amd=$vectors/roots/amd
	like_real "gce-milan-v2" "$vectors/snp/gce-milan-v2.report" \
		"$vectors/snp/gce-milan-v2.vcek.der" "$amd/ask_ark_milan.pem" milan
	like_real "milan-v2" "$vectors/snp/milan-v2.report.hex" \
		"$vectors/snp/milan-v2.vcek.der" "$amd/ask_ark_milan.pem" milan
	like_real "azure-milan-v2" "$vectors/snp/azure-milan-v2.report" \
		"$vectors/snp/azure-milan-v2.vcek.der" "$amd/ask_ark_milan.pem" milan
	like_real "genoa-v3" "$vectors/snp/genoa-v3.report" \
		"$vectors/snp/genoa-v3.vcek.der" "$amd/ask_ark_genoa.pem" genoa
	like_real "aws-milan-v3" "$vectors/snp/aws-milan-v3.report" \
		"$vectors/snp/aws-milan-v3.vlek.der" "$amd/ask_ark_milan_vlek.pem" milan \
		csp_id=CN=cc-us-east-2.amazonaws.com
else
	skip "no real evidence in $vectors"
fi

data=$(openssl rand -hex 64)
for product in milan genoa turin; do
	start product=$product
	get "$data" && check "$data"
	result $? "$product: openssl verifies the report and its chain"
	certificate "$dir/c" 0 | openssl x509 -inform DER -out "$dir/ark.pem"
	certificate "$dir/c" 1 | openssl x509 -inform DER -out "$dir/ask.pem"
	certificate "$dir/c" 2 | openssl x509 -inform DER -out "$dir/leaf.pem"
	openssl verify -CAfile "$state/trust-root.pem" -untrusted \
		"$dir/ask.pem" "$dir/leaf.pem" >/dev/null
	result $? "$product: trust-root.pem is its root"
done

# still Turin: version 5, FMC first, an 8-byte chip id
ask set launch_mit_vector=1122334455667788 current_mit_vector=99 reported_tcb=5400000005020304 \
	chip_id=0102030405060708
get "$data" && check "$data"
result $? "turin: another TCB and chip"
[[ $(dec "$dir/r" 0 4) == 5 && $(le "$dir/r" 0x1f8 8) == 1122334455667788 &&
	$(le "$dir/r" 0x200 8) == 0000000000000099 && $(hex "$dir/r" 0x188 3) == 1a0201 ]]
result $? "turin: version 5, mitigation vectors, CPUID"
[[ $(hex "$dir/r" 0x1a0 64) == 0102030405060708$(printf '0%.0s' {1..112}) ]]
result $? "turin: the chip id is 8 bytes, then zeros"
certificate "$dir/c" 2 >"$dir/leaf.der"
diff - <(extensions "$dir/leaf.der") <<END
1.3.6.1.4.1.3704.1.1 020101
1.3.6.1.4.1.3704.1.2 1605547572696E
1.3.6.1.4.1.3704.1.3.9 020104
1.3.6.1.4.1.3704.1.3.1 020103
1.3.6.1.4.1.3704.1.3.2 020102
1.3.6.1.4.1.3704.1.3.5 020100
1.3.6.1.4.1.3704.1.3.6 020100
1.3.6.1.4.1.3704.1.3.7 020100
1.3.6.1.4.1.3704.1.3.3 020105
1.3.6.1.4.1.3704.1.3.8 020154
1.3.6.1.4.1.3704.1.4 0102030405060708
END
result $? "turin: the VCEK is made again, for this TCB and chip"

start signing_key=vlek
get "$data" && check "$data" && [[ $(dec "$dir/r" 0x48 4) == 4 &&
	$(hex "$dir/r" 0x1a0 64) =~ ^0*$ ]]
result $? "VLEK: verifies, named in the report, no chip id"
get "$data" 0 1 && [[ $(dec "$dir/r" 0x48 4) == 0 ]] && ! check "$data" 2>/dev/null
result $? "KEY_SEL 1 on that host: signed by the VCEK, which its table does not hold"
ask set mask_chip_key=1
! get "$data" 0 1 2>/dev/null
result $? "MASK_CHIP_KEY: no VCEK by name"
start mask_chip_key=1 author_key_en=1
get "$data" && [[ $(dec "$dir/r" 0x48 4) == 31 && $(hex "$dir/r" 672 144) =~ ^0*$ ]]
result $? "MASK_CHIP_KEY without a VLEK: no signature, and the report says so"

start debug=1
get "$data" && (($(dec "$dir/r" 8 8) & 1 << 19)) && check "$data"
result $? "debug=1 shows in the policy"
flipped=$(hex "$dir/r" 0x90 1)
printf '%b' "\\x$(printf %02x $((16#$flipped ^ 1)))" |
	dd of="$dir/r" bs=1 seek=$((0x90)) conv=notrunc status=none
! check "$data" 2>/dev/null
result $? "a report with another measurement does not verify"

echo "# a report takes $(ask time 200) us"
kill "$fwd"; wait "$fwd"
result $? "exit status 0"
fwd=
echo "1..$n"
exit $failed
