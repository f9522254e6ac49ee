#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvmctl policy: what it is told to do and what with; every rule is in the manual,
# and the manual's examples are what it takes. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

manual=userspace/man/cvm-policy.5.in

write() { printf '%s\n' "$1" >"$dir/policy"; }
says() { grep -qF -- "$1" "$dir/stdout"; result $? "it says: $1" "$(head -c 1000 "$dir/stdout")"; }

try 2 'is missing; see --help' 'no verb' policy
try 2 'is none of init, check, explain' 'another verb' policy make
try 2 'needs --from' 'init from nothing' policy init
try 2 'takes a POLICY' 'check of nothing' policy check
try 2 'takes a POLICY' 'explain with an option' policy explain --at 0 "$dir/policy"
try 1 'No such file' 'a file that is not there' policy check "$dir/none"

write '{ "snp": { "measures": [] } }'
try 1 'policy: snp.measures: expected no such key' 'a key that is not known' policy check "$dir/policy"
try 1 'policy: snp.measures: expected no such key' 'nor explained' policy explain "$dir/policy"
printf '{ "snp": ' >"$dir/policy"
try 1 'policy: line [12], column [0-9]+: no JSON' 'half a policy' policy check "$dir/policy"

write '{}'
"$cvmctl" policy check "$dir/policy" >"$dir/stdout" 2>"$dir/stderr"
result $(($? != 1)) 'an empty policy is of no use'
says 'SNP reports: not verified: there are no rules'
says 'TDX quotes: not verified: there are no rules'
write '{ "tdx": { "mrtd": "any", "rtmr0": "any", "rtmr1": "any", "rtmr3": "any", "tcb_status": [] } }'
"$cvmctl" policy check "$dir/policy" >"$dir/stdout" 2>"$dir/stderr"
result $(($? != 1)) 'a policy that lacks a rule is of none either'
says 'TDX quotes: not verified: tdx.rtmr2 are missing'
write '{ "tdx": { "mrtd": "any", "rtmr0": "any", "rtmr1": "any", "rtmr2": "any", "rtmr3": "any", "tcb_status": [] } }'
try 0 '' 'a policy that lacks none is' policy check "$dir/policy"
says 'TDX quotes: verified by this policy'

write '{ "binding": "azure", "snp": { "vmpl": [] }, "tdx": { "mrtd": [] }, "azure": { "pcrs": {} } }'
try 0 '' 'explained' policy explain "$dir/policy"
grep -v '^ ' "$dir/stdout" | cut -d ' ' -f 1 | sort >"$dir/rules"
sed -n '/^\.SS Rules/,/^\.SS What/s/^\.B //p' $manual | grep -vx version | sort >"$dir/manual"
diff "$dir/rules" "$dir/manual" >"$dir/diff"
result $? 'every rule is in the manual, and no other' "$(cat "$dir/diff")"

# absent: what the manual and explain say must mean the same
explained() {	# PATTERN-OF-EXPLAIN
	write '{ "snp": { "guest_svn": 0 }, "tdx": { "fmspc": [] }, "azure": {} }'
	"$cvmctl" policy explain "$dir/policy" | sed -nE "s/^([a-z_0-9.]+) +$1\$/\\1/p" | sort
}
in_manual() {	# PATTERN-OF-MANUAL
	awk -v pattern="$1" '/^\.B / { rule = $2 } $0 ~ "^[A-Za-z0-9 ]+; " pattern { print rule }' $manual | sort
}
same() {	# PATTERN-OF-EXPLAIN PATTERN-OF-MANUAL NAME
	explained "$1" >"$dir/rules"
	in_manual "$2" | grep -v -e '^azure' >"$dir/manual"
	diff "$dir/rules" "$dir/manual" >"$dir/diff" && [[ -s $dir/rules ]]
	result $? "the manual says so too: $3" "$(cat "$dir/diff")"
}
same 'absent: NOTHING IS VERIFIED' 'absent: refuses\.$' 'nothing is verified'
same 'absent: must be clear' 'absent: refuses where set\.$' 'must be clear'
same 'absent: must be set' 'absent: refuses where clear\.$' 'must be set'
same 'absent: must be zero' 'absent: refuses what is not zero\.$' 'must be zero'
same 'absent: none' 'absent: refuses any\.$' 'none'

# examples, with digests as long as they are
example() {	# FILE
	sed -n '/^\.SH EXAMPLE/,/^\.fi/p' "$1" | sed -e '/^\./d' -e 's/\\-/-/g' -e 's/\\e/\\/g'
}
example $manual | sed -E "s/\"[0-9a-f]{8}\.\.\.\"/\"$(printf '00%.0s' {1..48})\"/g" >"$dir/policy"
try 0 '' "the manual's example" policy check "$dir/policy"
says 'SNP reports: verified by this policy'
example userspace/man/cvm-collateral.5.in | jq -r keys[] | sort >"$dir/example"
sed -n '/^\.SH DESCRIPTION/,/^\.SH EXAMPLE/s/^\.BR* //p' userspace/man/cvm-collateral.5.in |
	tr -d '",' | tr ' ' '\n' | grep -E '^[a-z_]+$' | sort >"$dir/members"
[[ -z $(comm -23 "$dir/example" "$dir/members") && -s $dir/example ]]
result $? "the example of collateral has what is described"
finish
