#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl selftest on simulated firmware, right and wrong. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

state=${CVM_FW_STATE:-build/cache/fw-state}
root=$state/trust-root.pem

# selftest STATUS NAME ARGUMENT...: ends with STATUS, and prints JSON to $dir/json
selftest() {
	"$cvmctl" selftest --json "${@:3}" >"$dir/json" 2>"$dir/stderr"
	result "$([[ $? == "$1" ]]; echo $?)" "$2: exit status $1" "$(cat "$dir/json" "$dir/stderr")"
}

# is STEP RESULT PATTERN
is() {
	python3 - "$dir/json" "$@" <<-'END'
	import json, re, sys
	path, step, outcome, reason = sys.argv[1:]
	with open(path, encoding="utf-8") as file:
	    found = [r for r in json.load(file)["results"] if r["step"] == step]
	sys.exit(not (len(found) == 1 and found[0]["result"] == outcome
	              and re.search(reason, found[0]["reason"])))
	END
	result $? "$1 $2: $3" "$(cat "$dir/json")"
}

snp=sim:$dir/snp tdx=sim:$dir/tdx bare=sim:$dir/bare broken=sim:$dir/broken
simulate "${snp#sim:}" platform=snp certs=1
simulate "${tdx#sim:}" platform=tdx
simulate "${bare#sim:}" platform=snp certs=0
simulate "${broken#sim:}" platform=snp certs=1 report_status=22

selftest 0 'an SNP guest' --backend "$snp" --trust-root "$root"
is evidence passed 'snp-report in'
is tdreport skipped 'no tdreport'
is vmpl passed 'VMPL 3'
is many passed 'each about its own'
is async passed 'each ends once'
is deadline passed 'next request'
is batch passed '8 proofs hold, for scope'
is label skipped .
is sources skipped 'one was named'
is reserved passed refused
is verify passed 'the root that was given'
is proof passed 'the root that was given'
selftest 0 'a TDX guest' --backend "$tdx" --trust-root "$root"
is evidence passed tdx-quote
is vmpl skipped 'no VMPLs'
is async passed 'each ends once'
is verify passed 'the root that was given'
is proof passed 'the root that was given'
selftest 1 "the vendor's root" --backend "$snp"
is verify failed '^root: '
is proof failed '^root: '
result "$(grep -q "2 of 12 steps failed.*cvmctl doctor --json" "$dir/stderr"; echo $?)" 'what to send'
selftest 0 'a host without certificates' --backend "$bare" --trust-root "$root"
is verify skipped 'fetch them from AMD'
is proof skipped 'fetch them from AMD'
selftest 1 'firmware that refuses once' --backend "$broken" --trust-root "$root"
is evidence failed 'the firmware refused: status 0x16'
is many passed 'each about its own'
selftest 1 'a root that is not there' --backend "$snp" --trust-root "$dir/none"
is verify failed 'No such file'
finish
