#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Real evidence of Azure guests: HCL reports with quotes of their vTPMs and TDs,
# authentic together, and refused when one is not the other's.
set -u
cd "$(dirname "$0")/../.." || exit
. selftests/vectors/lib.sh
need_vectors
now=2026-06-01T00:00:00Z
milan=(--certs "$V/roots/amd/ask_ark_milan.pem")

# NAME.hcl, NAME.tpm (a quote as verify takes it), NAME.vcek or NAME.td, in $work
python3 - "$V/azure" "$work" <<'EOP'
import base64, json, pathlib, struct, sys

given, work = map(pathlib.Path, sys.argv[1:])


def b64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def raw(value):
    return bytes.fromhex(value) if isinstance(value, str) else bytes(value)


def write(name, data):
    (work / name).write_bytes(data)


def write_quote(name, message, signature, pcrs):
    """resetCount follows the name of the key, extraData and the clock."""
    at = 6
    for _ in range(2):
        at += 2 + struct.unpack_from(">H", message, at)[0]
    boot = struct.unpack_from(">I", message, at + 8)[0]
    write(name.replace(".tpm", ".boot"), str(boot).encode())
    write(name, json.dumps({"message": message.hex(), "signature": signature.hex(),
                            "pcrs": [p.hex() for p in pcrs], "reset_count": boot}).encode())


def binary_quote(name):
    """Lengths of 8 bytes, little-endian, before each part."""
    data, parts, at = (given / name).read_bytes(), [], 0
    for _ in range(2):
        size = struct.unpack_from("<Q", data, at)[0]
        parts.append(data[at + 8:at + 8 + size])
        at += 8 + size
    return parts[1], parts[0], [data[at + 8 + 32 * i:at + 40 + 32 * i] for i in range(24)]


for name in ("snp-evidence-v0", "snp-evidence-v1", "snp-evidence-v2", "tdx-evidence-v1",
             "tdx-openhcl-evidence"):
    e = json.loads((given / f"{name}.json").read_text())
    q = e.get("tpm_quote") or e["quote"]
    write_quote(f"{name}.tpm", raw(q["message"]), raw(q["signature"]), map(raw, q["pcrs"]))
    write(f"{name}.hcl", b64(e["hcl_report"]) if "hcl_report" in e else raw(e["report"]))
    if "td_quote" in e:
        write(f"{name}.td", b64(e["td_quote"]))
    elif e["vcek"].startswith("-----"):
        write(f"{name}.vcek", e["vcek"].encode())
    else:
        write(f"{name}.vcek", b64(e["vcek"]))
for name in ("snp", "tdx", "old"):
    source = "old.tpm-quote.bin" if name == "old" else f"{name}-quote.bin"
    write_quote(f"{name}.tpm", *binary_quote(source))
for name in ("snp", "tdx"):
    write(f"{name}.hcl", (given / f"{name}-hcl-report.bin").read_bytes())
write("snp.vcek", (given / "snp-vcek.pem").read_bytes())
write("tdx.td", (given / "tdx-td-quote.bin").read_bytes())
pcrs = json.loads((work / "snp.tpm").read_text())["pcrs"]
write_quote("nobody.tpm", (given / "snp-tpm-quote.msg").read_bytes(),
            (given / "snp-tpm-quote.sig").read_bytes(), map(raw, pcrs))
EOP

hex() { printf %s "$1" | od -An -v -tx1 | tr -d ' \n'; }
# the 64 bytes that begin with the text $1
padded() { printf '%-128s' "$(hex "$1")" | tr ' ' 0; }

shown() {	# NAME TYPE
	cvmctl show --json "$work/$1.hcl"
	local good=0
	((status == 0)) && [[ $(jq -r .report_type "$work/out") == "$2" ]] &&
		[[ $(jq -r .hw_report.type "$work/out") != null ]] && good=1
	result $good "show $1"
}

# NAME -> $with: what came along with it
gather() {
	with=("${milan[@]}" --at "$now" --tpm-quote "$work/$1.tpm")
	[[ ! -e $work/$1.vcek ]] || with+=(--certs "$work/$1.vcek")
	[[ ! -e $work/$1.td ]] || with+=(--td-quote "$work/$1.td")
}

accepted() {	# NAME OPTION...
	local name=$1
	shift
	gather "$name"
	expect "$name: authentic" 0 - verify --authenticity-only "${with[@]}" "$@" "$work/$name.hcl"
	expect "$name: not verified without a policy" 3 'authentic, but not verified: revocation.* policy were' \
		verify "${with[@]}" "$@" "$work/$name.hcl"
}

refused() {	# NAME WHAT CHECKS FILE OPTION...
	gather "$1"
	expect "$1, $2: refused by $3" 3 "does not verify: $3\$" \
		verify --authenticity-only "${with[@]}" "${@:5}" "$4"
}

for name in snp snp-evidence-v0 snp-evidence-v1 snp-evidence-v2; do shown $name snp; done
for name in tdx tdx-evidence-v1 tdx-openhcl-evidence; do shown $name tdx; done

# what was asked for is in the vTPM's quote alone
challenge=(--binding azure-tpm --tpm-nonce "$(hex challenge)")
for name in snp snp-evidence-v0 snp-evidence-v1 tdx tdx-evidence-v1; do
	accepted $name "${challenge[@]}"
	refused $name 'another nonce' tpm_nonce "$work/$name.hcl" --binding azure-tpm --tpm-nonce "$(hex chance)"
	refused $name 'where a report is expected' 'report_data, binding' "$work/$name.hcl" --binding report \
		--tpm-nonce "$(hex challenge)" --report-data "$(padded challenge)"
done

# whose boot it is of the relying party knows, whatever the file says
for name in snp tdx; do
	boot=$(<"$work/$name.boot")
	gather $name
	expect "$name: the boot that was verified before" 0 - verify --authenticity-only "${with[@]}" \
		"${challenge[@]}" --reset-count "$boot" "$work/$name.hcl"
	grep -Eq "^passed +tpm_boot +resetCount is $boot\$" "$work/out"
	result $((!$?)) "$name: tpm_boot passed"
	refused $name 'another boot' tpm_boot "$work/$name.hcl" "${challenge[@]}" --reset-count $((boot + 1))
	expect "$name: no boot given" 0 - verify --authenticity-only "${with[@]}" "${challenge[@]}" \
		"$work/$name.hcl"
	grep -Eq '^not checked +tpm_boot ' "$work/out"
	result $((!$?)) "$name: what the file says of its boot is no knowledge"
done

# and in the claims
data=$(shown_value '.claims["user-data"]' "$work/snp-evidence-v2.hcl")
accepted snp-evidence-v2 --binding azure --report-data "$data"
refused snp-evidence-v2 'another nonce' 'report_data, tpm_nonce' "$work/snp-evidence-v2.hcl" \
	--binding azure --report-data "11${data:2}"
cvmctl verify --json --authenticity-only "${with[@]}" --binding azure --report-data "$data" \
	"$work/snp-evidence-v2.hcl"
[[ $(jq .reset_count "$work/out") == "$(<"$work/snp-evidence-v2.boot")" ]]
result $((!$?)) 'snp-evidence-v2: --json says which boot'
accepted tdx-openhcl-evidence --binding azure --report-data "$(padded attestation-test-fixture)"

# the agents' own files, all three versions, as they are
json_accepted() {	# NAME OPTION...
	expect "$1.json: authentic" 0 - verify --authenticity-only "${milan[@]}" --at "$now" "${@:2}" \
		"$V/azure/$1.json"
	grep -Eq '^passed +tpm_pcrs ' "$work/out" && grep -Eq '^passed +claims ' "$work/out"
	result $((!$?)) "$1.json: claims and PCRs passed"
}
for name in snp-evidence-v0 snp-evidence-v1 tdx-evidence-v1; do
	json_accepted $name "${challenge[@]}"
	expect "$name.json: another nonce" 3 'does not verify: tpm_nonce$' verify --authenticity-only \
		"${milan[@]}" --at "$now" --binding azure-tpm --tpm-nonce "$(hex chance)" "$V/azure/$name.json"
	expect "$name.json: where a report is expected" 3 'binding$' verify --authenticity-only \
		"${milan[@]}" --at "$now" "$V/azure/$name.json"
	expect "$name.json: with another's vTPM quote" 2 'the evidence has one itself' verify \
		--tpm-quote "$work/nobody.tpm" "$V/azure/$name.json"
done
json_accepted snp-evidence-v2 --binding azure --report-data "$data"
json_accepted tdx-openhcl-evidence --binding azure --report-data "$(padded attestation-test-fixture)"
for name in snp-evidence-v0 snp-evidence-v1 snp-evidence-v2; do
	expect "$name.json: user-data that was not asked for" 3 'report_data' verify --authenticity-only \
		"${milan[@]}" --at "$now" --binding azure --report-data "11${data:2}" "$V/azure/$name.json"
done

# and written again: the same fields; padding of base64url is what one of them left out
same_fields() {	# NAME FILE FILE
	python3 - "$2" "$3" <<'EOP'
import json, sys


def fields(path):
    e = json.load(open(path))
    return {k: v.rstrip("=") if isinstance(v, str) else v for k, v in e.items()}


sys.exit(fields(sys.argv[1]) != fields(sys.argv[2]))
EOP
	result $((!$?)) "$1"
}
for pair in snp-evidence-v1:coco-v1 snp-evidence-v2:coco-v2 tdx-evidence-v1:coco-v1 \
	tdx-openhcl-evidence:coco-v1; do
	name=${pair%:*} format=${pair#*:}
	expect "$name: written as $format" 0 - evidence --from "$V/azure/$name.json" --format "$format" \
		--out "$work/$name.again"
	same_fields "$name: field by field" "$V/azure/$name.json" "$work/$name.again"
	parts=(--from "$work/$name.hcl" --tpm-quote "$work/$name.tpm")
	[[ ! -e $work/$name.vcek ]] || parts+=(--certs "$work/$name.vcek")
	[[ ! -e $work/$name.td ]] || parts+=(--td-quote "$work/$name.td")
	expect "$name: built from its parts" 0 - evidence "${parts[@]}" --format "$format" --out "$work/$name.built"
	same_fields "$name: built, field by field" "$V/azure/$name.json" "$work/$name.built"
	expect "$name: through json" 0 - evidence --from "$V/azure/$name.json" --out "$work/$name.own"
	expect "$name: and back" 0 - evidence --from "$work/$name.own" --format "$format" --out "$work/$name.back"
	same_fields "$name: there and back, field by field" "$V/azure/$name.json" "$work/$name.back"
done
# version 0 has other forms of the same, of the report and quote that version 1 is of, too
expect 'snp-evidence-v0: written as coco-v1' 0 - evidence --from "$V/azure/snp-evidence-v0.json" \
	--format coco-v1 --out "$work/v0.as-v1"
parts=(--from "$work/snp-evidence-v0.hcl" --tpm-quote "$work/snp-evidence-v0.tpm" --certs "$work/snp-evidence-v0.vcek")
expect 'snp-evidence-v0: built from its parts' 0 - evidence "${parts[@]}" --format coco-v1 --out "$work/v0.built"
same_fields 'snp-evidence-v0: field by field' "$work/v0.as-v1" "$work/v0.built"
cp "$work/v0.as-v1" "$work/v0.json"
expect 'snp-evidence-v0: verifies as version 1' 0 - verify --authenticity-only "${milan[@]}" --at "$now" \
	"${challenge[@]}" "$work/v0.json"
expect 'a quote of no HCL report, as coco-v1' 4 'use json' evidence --from "$V/tdx/v4-dcap.quote" --format coco-v1
expect 'without the vTPM quote, as coco-v1' 1 'tpm-quote' evidence --from "$work/snp.hcl" --format coco-v1
expect 'without the VCEK, as coco-v1' 1 'VCEK' evidence --from "$work/snp.hcl" --tpm-quote "$work/snp.tpm" \
	--format coco-v1
expect 'without the quote of the TDREPORT, as coco-v1' 1 'td-quote' evidence --from "$work/tdx.hcl" \
	--tpm-quote "$work/tdx.tpm" --format coco-v1

# what policies make of claims as guests have had them: a console that the host sees, and nothing
# said of who types at it
claims_of() {	# NAME CLAIMS --binding BINDING OPTION...
	gather "$1"
	cvmctl policy init --authenticity-only --from "$work/$1.hcl" "${with[@]}" "${@:3:2}" --out "$work/policy"
	((status == 0)) && grep -q 'allow nothing said of azure.claims.interactive_console_enabled' "$work/err"
	result $((!$?)) "$1: a policy"
	[[ $(jq -cS '.azure.claims | del(.root_cert_thumbprint)' "$work/policy") == "$2" ]]
	result $((!$?)) "$1: that fits its claims"
	cvmctl verify --policy "$work/policy" "${with[@]}" "${@:3}" "$work/$1.hcl"
	! grep -Eq '^failed ' "$work/out" &&
		grep -Eq '^passed +azure.claims.interactive_console_enabled +the claims do not say' "$work/out"
	result $((!$?)) "$1: and that it meets"
	jq 'del(.azure.claims)' "$work/policy" >"$work/silent"
	expect "$1: by a policy silent about claims" 3 \
		'azure.claims.console_enabled, azure.claims.interactive_console_enabled' \
		verify --policy "$work/silent" "${with[@]}" "${@:3}" "$work/$1.hcl"
}
real='"console_enabled":"any","interactive_console_enabled":"unsaid","secure_boot":true,"tpm_enabled":true'
claims_of snp-evidence-v2 "{$real}" --binding azure --report-data "$data"
claims_of snp "{$real}" "${challenge[@]}"

# of one what is another's
refused snp-evidence-v1 'the report of another VM' 'signature, hardware_id, tpm_quote' \
	"$V/azure/snp-evidence-v2.hcl-report.bin" "${challenge[@]}"
cp "$work/snp-evidence-v1.vcek" "$work/old.vcek"
refused old 'the report of 2023' '(chain|certificate_tcb|hardware_id|signature|validity)(, .*)?, tpm_quote' \
	"$V/azure/old-snp.hcl-report.bin" "${challenge[@]}"
grep -Eq '^passed +claims' "$work/out"
result $((!$?)) 'old-snp.hcl-report: its claims hold'
cp "$work/snp.vcek" "$work/nobody.vcek"
refused nobody "a quote of nobody's" tpm_quote "$work/snp.hcl" "${challenge[@]}"
cp "$work/tdx.tpm" "$work/crossed.tpm"
cp "$work/tdx-openhcl-evidence.td" "$work/crossed.td"
refused crossed "another TD's quote" 'td_quote, claims' "$work/tdx.hcl" "${challenge[@]}"
rm "$work/crossed.td"
refused crossed 'no quote of its TDREPORT' 'td_quote, claims' "$work/tdx.hcl" "${challenge[@]}"

finish
