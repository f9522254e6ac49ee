#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# An independent verifier made of nothing but the openssl command and coreutils:
#   openssl_check.sh snp REPORT CERTS REPORT_DATA_HEX
#   openssl_check.sh tdx QUOTE REPORT_DATA_HEX
# Exit 0: the evidence carries REPORT_DATA, its signature verifies, and so does
# the chain up to its self-signed root. It says nothing about whose root it is.
set -euo pipefail

die() { echo "openssl_check: $*" >&2; exit 1; }
bytes() { dd if="$1" iflag=skip_bytes,count_bytes skip="$2" count="$3" status=none; }	# FILE OFFSET LENGTH
hex() { bytes "$@" | od -An -v -tx1 | tr -d ' \n'; }
u16() { bytes "$1" "$2" 2 | od -An -v -tu2 --endian=little | tr -d ' '; }
u32() { bytes "$1" "$2" 4 | od -An -v -tu4 --endian=little | tr -d ' '; }
reversed() { fold -w2 | tac | tr -d '\n'; }

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# two big-endian hex numbers -> the DER of an ECDSA signature
der_signature() {
	printf 'asn1=SEQUENCE:s\n[s]\nr=INTEGER:0x%s\ns=INTEGER:0x%s\n' "$1" "$2" >"$dir/asn1"
	openssl asn1parse -genconf "$dir/asn1" -noout -out "$3"
}

# HASH KEY SIGNATURE DATA
signed() {
	openssl dgst "-$1" -verify "$2" -signature "$3" "$4" >/dev/null 2>&1
}

guid_entry() {	# TABLE GUID -> offset and length
	local at=0 guid
	while guid=$(hex "$1" $at 16); [[ ${#guid} == 32 && $guid != 00000000000000000000000000000000 ]]; do
		if [[ $guid == "$2" ]]; then
			echo "$(u32 "$1" $((at + 16))) $(u32 "$1" $((at + 20)))"
			return
		fi
		((at += 24))
	done
}

certificate() {	# TABLE GUID NAME
	local offset length
	read -r offset length < <(guid_entry "$1" "$2") || return 1
	bytes "$1" "$offset" "$length" >"$dir/$3.der"
	openssl x509 -inform DER -in "$dir/$3.der" -out "$dir/$3.pem"
}

snp() {
	local report=$1 certs=$2 data=$3 leaf
	[[ $(stat -c %s "$report") == 1184 ]] || die "$report: not 1184 bytes"
	[[ $(hex "$report" 80 64) == "${data,,}" ]] || die "REPORT_DATA is another"
	certificate "$certs" c0b406a4a803495297433fb6014cd0ae ark || die "no ARK in $certs"
	certificate "$certs" 4ab7b379bbac4fe4a02f05aef327c782 ask ||
		certificate "$certs" 4ab7b379bbac4fe4a02f05aef327c782 asvk || die "no ASK in $certs"
	leaf=vcek
	certificate "$certs" 63da758de6644564adc5f4b93be8accd vcek ||
		{ leaf=vlek; certificate "$certs" a8074bc2a25a483eaae639c045a0b8a1 vlek; } ||
		die "neither VCEK nor VLEK in $certs"
	openssl x509 -in "$dir/$leaf.pem" -noout -pubkey >"$dir/key.pem"
	bytes "$report" 0 672 >"$dir/signed"
	der_signature "$(hex "$report" 672 72 | reversed)" "$(hex "$report" 744 72 | reversed)" "$dir/sig"
	signed sha384 "$dir/key.pem" "$dir/sig" "$dir/signed" || die "the report's signature is wrong"
	openssl verify -CAfile "$dir/ark.pem" -untrusted "$dir/ask.pem" "$dir/$leaf.pem" >/dev/null ||
		die "the chain of the $leaf is wrong"
}

p256_key() {	# RAW 64 BYTES AS HEX -> PEM
	{
		printf '3059301306072a8648ce3d020106082a8648ce3d030107034200'
		printf '04%s' "$1"
	} | sed 's/../\\x&/g' | xargs -0 printf | openssl pkey -pubin -inform DER -out "$2"
}

raw_signature() { der_signature "${1:0:64}" "${1:64:64}" "$2"; }

tdx() {
	local quote=$1 data=$2 version body_at body_size sig at auth qe chain
	version=$(u16 "$quote" 0)
	case $version in
	4) body_at=48 body_size=584 ;;
	5) body_at=54 body_size=$(u32 "$quote" 50) ;;
	*) die "$quote: quote version $version" ;;
	esac
	[[ $(hex "$quote" $((body_at + 520)) 64) == "${data,,}" ]] || die "REPORTDATA is another"
	sig=$((body_at + body_size + 4))
	bytes "$quote" 0 $((body_at + body_size)) >"$dir/signed"
	raw_signature "$(hex "$quote" $sig 64)" "$dir/sig"
	p256_key "$(hex "$quote" $((sig + 64)) 64)" "$dir/attest.pem"
	signed sha256 "$dir/attest.pem" "$dir/sig" "$dir/signed" || die "the quote's signature is wrong"

	at=$((sig + 128))
	[[ $(u16 "$quote" $at) == 6 ]] || die "no QE report"
	qe=$((at + 6))
	auth=$(u16 "$quote" $((qe + 448)))
	chain=$((qe + 450 + auth))
	[[ $(u16 "$quote" $chain) == 5 ]] || die "no PCK chain"
	bytes "$quote" $((chain + 6)) "$(u32 "$quote" $((chain + 2)))" | tr -d '\0' >"$dir/chain"
	csplit -sz -f "$dir/cert" "$dir/chain" '/BEGIN CERT/' '{*}'
	openssl x509 -in "$dir/cert00" -noout -pubkey >"$dir/pck.pem"
	bytes "$quote" $qe 384 >"$dir/qe"
	raw_signature "$(hex "$quote" $((qe + 384)) 64)" "$dir/qesig"
	signed sha256 "$dir/pck.pem" "$dir/qesig" "$dir/qe" || die "the QE report's signature is wrong"
	bytes "$quote" $((sig + 64)) 64 >"$dir/bound"
	bytes "$quote" $((qe + 450)) "$auth" >>"$dir/bound"
	[[ $(sha256sum <"$dir/bound" | cut -c1-64) == $(hex "$quote" $((qe + 320)) 32) ]] ||
		die "the QE report is about another attestation key"
	openssl verify -CAfile "$dir/cert02" -untrusted "$dir/cert01" "$dir/cert00" >/dev/null ||
		die "the PCK chain is wrong"
}

case ${1-} in
snp) [[ $# == 4 ]] && snp "${@:2}" ;;
tdx) [[ $# == 3 ]] && tdx "${@:2}" ;;
*) echo "usage: openssl_check.sh snp REPORT CERTS HEX | tdx QUOTE HEX" >&2; exit 2 ;;
esac
