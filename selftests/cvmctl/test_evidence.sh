#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl report, quote and status with simulated platforms.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

snp=$dir/snp tdx=$dir/tdx
simulate "$snp" platform=snp
simulate "$tdx" platform=tdx
data=$(openssl rand -hex 64)
python3 -c 'import sys; sys.stdout.buffer.write(bytes.fromhex(sys.argv[1]))' "$data" >"$dir/data"

snp() { try "$1" "$2" "$3" report --backend "sim:$snp" "${@:4}"; }
tdx() { try "$1" "$2" "$3" quote --backend "sim:$tdx" "${@:4}"; }
is() { result "$([[ $1 == "$2" ]]; echo $?)" "$3" "got $1, wanted $2"; }

snp 0 '' 'a report to the standard output' --report-data "$data"
is "$(stat -c %s "$dir/stdout")" 1184 'it is as long as a report'
is "$(hex_at "$dir/stdout" 80 64)" "$data" 'it carries REPORT_DATA'
snp 0 '' 'a report and its certificates to files' --report-data "@$dir/data" --out "$dir/r" --certs "$dir/c"
is "$(hex_at "$dir/r" 80 64)" "$data" 'REPORT_DATA from a file'
is "$(stat -c %s "$dir/stdout")" 0 'and nothing on the standard output'
selftests/abi/openssl_check.sh snp "$dir/r" "$dir/c" "$data" >&2
result $? 'openssl verifies the report and its chain'
snp 0 '' 'a file is replaced' --report-data "$(hex64 01)" --out "$dir/r"
is "$(hex_at "$dir/r" 80 64)" "$(hex64 01)" 'by what was asked for last'
snp 0 '' 'shorter data where zeros are asked for' --report-data 0102 --pad --out "$dir/r"
is "$(hex_at "$dir/r" 80 64)" "0102$(printf '00%.0s' {1..62})" 'is filled up with them'
snp 0 '' 'another VMPL' --report-data "$data" --vmpl 2 --out "$dir/r"
is "$(hex_at "$dir/r" 48 4)" 02000000 'is what the report states'
snp 0 '' 'as JSON' --report-data "$data" --format json --certs "$dir/c"
python3 - "$dir/stdout" "$data" "$dir/c" <<-'EOF'
	import json, sys
	o = json.load(open(sys.argv[1]))
	assert o["type"] == "snp-report" and bytes.fromhex(o["report"])[80:144].hex() == sys.argv[2]
	assert bytes.fromhex(o["certs"]) == open(sys.argv[3], "rb").read()
EOF
result $? 'the object has the report and the certificates'
snp 0 '' 'as a wrapper' --report-data "$data" --format cmw --certs "$dir/c" --out "$dir/cmw"
snp 0 '' 'as a wrapper, alone' --report-data "$data" --format cmw --out "$dir/alone"
root=${CVM_FW_STATE:-build/cache/fw-state}/trust-root.pem
build/bin/cvmctl verify "$dir/cmw" --report-data "$data" --trust-root "$root" \
	--authenticity-only >"$dir/stdout" 2>"$dir/stderr"
result $? 'which verifies by the certificates in it'
jq -e 'type == "array"' "$dir/alone" >/dev/null && jq -e 'has("evidence") and has("certs")' "$dir/cmw" >/dev/null
result $? 'a collection with the certificates, a record without'

tdx 0 '' 'a quote' --report-data "$data" --out "$dir/q"
is "$(hex_at "$dir/q" 568 64)" "$data" 'it carries REPORT_DATA'
selftests/abi/openssl_check.sh tdx "$dir/q" "$data" >&2
result $? 'openssl verifies the quote and its chain'
tdx 4 'has no TDREPORTs' 'a TDREPORT, which the simulator does not give' --report-data "$data" --tdreport
try 4 'has no TDX quotes' 'a quote on SNP' quote --backend "sim:$snp" --report-data "$data"
try 4 'has no SNP reports' 'a report on TDX' report --backend "sim:$tdx" --report-data "$data"
snp 1 'CVMGBAT' 'the reserved tag' --pad --report-data 43564d47424154

# what the platform and the file system refuse
set_fw "$snp" set report_status=22
snp 1 'the firmware refused: status 0x16 \(invalid parameter\)' 'a firmware error' --report-data "$data" --out "$dir/new"
result "$([[ ! -e $dir/new ]]; echo $?)" 'leaves no file behind'
set_fw "$snp" set bad_report_data_n=1
snp 1 "somebody else's REPORT_DATA" 'a report of somebody else' --report-data "$data"
set_fw "$snp" set certs=0
snp 1 'the host gave no certificates' 'certificates, of which there are none' --report-data "$data" --out "$dir/r" --certs "$dir/none"
set_fw "$snp" set certs=1
set_fw "$tdx" set quote_ms=3000
tdx 1 'no answer before the deadline' 'a slow host and a deadline' --report-data "$data" --timeout 100
snp 1 '/nonexistent/r: cannot be written: No such file' 'a directory that is not there' --report-data "$data" --out /nonexistent/r
snp 1 '/dev/full: cannot be written: No space' 'a full disk' --report-data "$data" --out /dev/full
"$cvmctl" report --backend "sim:$snp" --report-data "$data" >/dev/full 2>"$dir/stderr"
result "$([[ $? == 1 ]] && grep -q 'standard output: cannot be written' "$dir/stderr"; echo $?)" 'a full standard output'
python3 -c 'import os, pty, sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))' \
	"$cvmctl" report --backend "sim:$snp" --report-data "$data" </dev/null >"$dir/terminal"
result "$([[ $? == 2 ]] && grep -q 'not for a terminal' "$dir/terminal"; echo $?)" 'no binary on a terminal'

try 0 '' 'status' status --backend "sim:$snp"
grep -qE '^platform +snp$' "$dir/stdout" && grep -qE '^evidence +snp-report$' "$dir/stdout"
result $? 'says what the platform is and gives'
try 0 '' 'status --json' status --json --backend "sim:$tdx"
python3 - "$dir/stdout" <<-'EOF'
	import json, sys
	o = json.load(open(sys.argv[1]))
	assert o["platform"] == "tdx" and o["backend"] == "sim" and o["evidence"] == ["tdx-quote"]
	assert o["channel"] == "ready" and "max_inflight" in o["limits"]
EOF
result $? 'is an object with the same'
CVM_SIM=$snp try 0 '' 'the socket from the environment' status --backend sim

finish
