#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Real evidence of real machines: shown, and its signature and chain accepted or
# refused as it should be. Needs the files of $CVM_VECTORS, which are not part
# of the project.
set -u
cd "$(dirname "$0")/../.." || exit
. selftests/vectors/lib.sh
need_vectors
amd=$V/roots/amd
now=2026-06-01T00:00:00Z	# within the validity of all but what expired

show() {	# NAME FILE KEY VALUE...
	local name=$1 file=$2 good=1
	shift 2
	cvmctl show "$file"
	((status == 0)) || good=0
	result $good "show $name"
	cvmctl show --json "$file"
	good=1
	((status == 0)) || good=0
	python3 - "$work/out" "$@" <<-'EOF' || good=0
	import json, sys
	o = json.load(open(sys.argv[1]))
	want = dict(a.split("=", 1) for a in sys.argv[2:])
	got = {k: str(o.get(k)) for k in want}
	sys.exit(0 if got == want else f"# wanted {want}, got {got}")
	EOF
	result $good "show --json $name: $*"
}

accepted() {	# NAME FILE ARGUMENTS...
	local name=$1 file=$2
	shift 2
	expect "$name: authentic" 0 - verify --authenticity-only --at "$now" "$@" "$file"
	expect "$name: not verified without --authenticity-only" 3 \
		'authentic, but not verified: revocation.* policy were not checked' \
		verify --at "$now" "$@" "$file"
}

refused() {	# NAME CHECK FILE ARGUMENTS...
	local name=$1 check=$2 file=$3
	shift 3
	expect "$name: refused by $check" 3 "does not verify: (.*, )?$check(,|\$)" \
		verify --authenticity-only --at "$now" "$@" "$file"
}

milan=(--certs "$amd/ask_ark_milan.pem")

show gce-milan-v2 "$V/snp/gce-milan-v2.report" type=snp-report version=2 vmpl=0
accepted gce-milan-v2 "$V/snp/gce-milan-v2.report" --certs "$V/snp/gce-milan-v2.vcek.der" "${milan[@]}"
refused 'gce-milan-v2, VCEK of another machine' signature \
	"$V/snp/gce-milan-v2.report" --certs "$V/snp/milan-v2.vcek.der" "${milan[@]}"
refused 'gce-milan-v2 without ASK and ARK' chain \
	"$V/snp/gce-milan-v2.report" --certs "$V/snp/gce-milan-v2.vcek.der"
refused 'gce-milan-v2 with the chain of Genoa' chain "$V/snp/gce-milan-v2.report" \
	--certs "$V/snp/gce-milan-v2.vcek.der" --certs "$amd/ask_ark_genoa.pem"

show milan-v2 "$V/snp/milan-v2.report.hex" type=snp-report version=2
accepted milan-v2 "$V/snp/milan-v2.report.hex" --certs "$V/snp/milan-v2.vcek.der" "${milan[@]}"

show azure-milan-v2 "$V/snp/azure-milan-v2.report" version=2 guest_svn=4
accepted azure-milan-v2 "$V/snp/azure-milan-v2.report" --certs "$V/snp/azure-milan-v2.vcek.der" "${milan[@]}"
for kind in new legacy; do
	refused "azure-milan-v2, test-vcek-invalid-$kind" chain "$V/snp/azure-milan-v2.report" \
		--certs "$V/snp/test-vcek-invalid-$kind.der" "${milan[@]}"
done

vlek=(--certs "$V/snp/aws-milan-v3.vlek.der" --certs "$amd/ask_ark_milan_vlek.pem")
show aws-milan-v3 "$V/snp/aws-milan-v3.report" version=3 vmpl=1 signing_key=vlek product=Milan
refused 'aws-milan-v3, expired VLEK' validity "$V/snp/aws-milan-v3.report" "${vlek[@]}"
now=2025-06-01T00:00:00Z accepted aws-milan-v3 "$V/snp/aws-milan-v3.report" "${vlek[@]}"
refused 'aws-milan-v3 under the ASK in place of the ASVK' chain "$V/snp/aws-milan-v3.report" \
	--certs "$V/snp/aws-milan-v3.vlek.der" "${milan[@]}"

show genoa-v3 "$V/snp/genoa-v3.report" version=3 product=Genoa cpuid_mod_id=17
accepted genoa-v3 "$V/snp/genoa-v3.report" --certs "$V/snp/genoa-v3.vcek.der" \
	--certs "$amd/ask_ark_genoa.pem"

show baremetal-milan-v2 "$V/snp/baremetal-milan-v2.report" version=2
accepted baremetal-milan-v2 "$V/snp/baremetal-milan-v2.report" \
	--certs "$V/snp/baremetal-milan-v2.vcek.pem" "${milan[@]}"
fake=()
for name in ark ask vcek; do fake+=(--certs "$V/snp/fake-chain/$name.pem"); done
for check in chain root signature; do
	refused 'baremetal-milan-v2, forged chain' "$check" "$V/snp/baremetal-milan-v2.report" "${fake[@]}"
done

# the report within Azure's
tail -c +33 "$V/azure/snp-hcl-report.bin" | head -c 1184 >"$work/azure.report"
show 'azure/snp-hcl-report, its report' "$work/azure.report" type=snp-report version=2
accepted 'azure/snp-hcl-report, its report' "$work/azure.report" --certs "$V/azure/snp-vcek.pem" "${milan[@]}"
show azure/thim-answer "$V/azure/thim-answer.report" type=snp-report
python3 - "$V/azure/thim-answer.json" >"$work/thim.pem" <<'EOF'
import json, sys
answer = json.load(open(sys.argv[1]))
print(answer["vcekCert"] + answer["certificateChain"])
EOF
accepted azure/thim-answer "$V/azure/thim-answer.report" --certs "$work/thim.pem"
[[ $(jq -r .tcbm "$V/azure/thim-answer.json") == "$(shown_value .reported_tcb.raw "$V/azure/thim-answer.report" |
	sed 's/^0x//' | tr a-f A-F)" ]]
result $((!$?)) 'azure/thim-answer: its TCB is the REPORTED_TCB'

for product in milan genoa turin; do
	for kind in '' _vlek; do
		[[ $product$kind != turin ]] || kind=_vcek
		expect "roots/amd: the ARK of ask_ark_$product$kind.pem is no trust root with its ASK" 1 \
			'expected self-signed certificates' verify --authenticity-only \
			--trust-root "$amd/ask_ark_$product$kind.pem" "$V/snp/genoa-v3.report"
	done
done

for name in v4-dcap v4-spr cvmtool; do
	show $name "$V/tdx/$name.quote" type=tdx-quote version=4 body_type=2
	accepted $name "$V/tdx/$name.quote"
	expect "$name in 2019" 3 'does not verify: validity' \
		verify --authenticity-only --at 2019-01-01T00:00:00Z "$V/tdx/$name.quote"
done
expect 'v4-dcap at the time of its collateral' 0 - \
	verify --authenticity-only --at 2025-06-19T11:16:03Z "$V/tdx/v4-dcap.quote"
expect 'v4-spr in mid-2023' 0 - \
	verify --authenticity-only --at 2023-07-01T00:00:00Z "$V/tdx/v4-spr.quote"
show v5-no-tcb-level "$V/tdx/v5-no-tcb-level.quote" type=tdx-quote version=5 body_type=3
accepted 'v5-no-tcb-level (signature and chain)' "$V/tdx/v5-no-tcb-level.quote"
show azure/tdx-td-quote "$V/azure/tdx-td-quote.bin" type=tdx-quote version=4
accepted azure/tdx-td-quote "$V/azure/tdx-td-quote.bin"
accepted 'cvmtool with its chain given' "$V/tdx/cvmtool.quote" --certs "$V/tdx/cvmtool.pck_chain.pem"
for check in root pck qe_signature; do
	refused 'cvmtool, forged chain' $check "$V/tdx/cvmtool.quote" \
		--certs "$V/tdx/cvmtool-fake.pck_chain.pem"
done
accepted 'cvmtool beside AMD'\''s certificates' "$V/tdx/cvmtool.quote" "${milan[@]}"
refused 'cvmtool, chain of another platform' qe_signature "$V/tdx/cvmtool.quote" \
	--certs <(python3 - "$V/tdx/v4-dcap.quote" <<-'EOF'
	import re, sys
	data = open(sys.argv[1], "rb").read()
	pem = re.findall(b"-----BEGIN CERT.*?-----END CERTIFICATE-----\n", data, re.S)
	sys.stdout.buffer.write(b"".join(pem))
	EOF
	)

for version in 0 1; do
	show tdreport-v$version "$V/tdx/tdreport-v$version.bin" type=tdreport version=$version
done
expect 'a TDREPORT cannot be verified' 1 'only on the machine that made it' \
	verify --authenticity-only "$V/tdx/tdreport-v0.bin"

# REPORT_DATA, byte for byte
data=$(od -An -v -tx1 -j80 -N64 "$V/snp/genoa-v3.report" | tr -d ' \n')
genoa=(--certs "$V/snp/genoa-v3.vcek.der" --certs "$amd/ask_ark_genoa.pem")
accepted 'genoa-v3 with its REPORT_DATA' "$V/snp/genoa-v3.report" "${genoa[@]}" --report-data "$data"
refused 'genoa-v3 with another REPORT_DATA' report_data "$V/snp/genoa-v3.report" "${genoa[@]}" \
	--report-data "00${data:2}"

finish
