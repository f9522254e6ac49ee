#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# svsm.sh KERNEL: a kernel at VMPL 1, under an SVSM. One client asks for evidence of
# its services with the kernel's own driver and with ours, and what comes of each call
# is compared, line by line. Then what only ours does; and a relying party verifies.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

n=0 failed=0
result() {	# STATUS NAME [DIAGNOSIS]
	((n++))
	[[ $1 == 0 ]] && { echo "ok $n $2"; return; }
	printf 'not ok %d %s\n' "$n" "$2"
	[[ -z ${3-} ]] || while IFS= read -r line; do echo "# $line"; done <<<"$3"
	failed=1
}

run() {
	selftests/vm/run --kernel "$kernel" --platform snp --fw vmpl=1 "$@"
}

# what an SVSM may say without a lie
lines=(
	svsm_busy_n=3 svsm_incomplete_n=2 'svsm_busy_n=1 svsm_incomplete_n=1' busy_n=2
	svsm_error=0x80000002 svsm_error=0x80000005 svsm_error=0x80000006 svsm_error=0x80001000
	svsm_error=0x80000005\ svsm_liar=rcx\ svsm_lie=4096\ svsm_lie_n=1
	svsm_error=0x80000005\ svsm_lie=8192\ svsm_lie_n=9\ svsm_error_n=9
	'svsm_error_n=0 svsm_lie_n=0' report_status=22 svsm_pending_n=1
	svsm_manifest=5000 certs_pages=9 'svsm_manifest=20000 certs_pages=16' certs=0
	'certs=1 svsm_manifest=0 certs_pages=0'
)
for driver in intree cvm; do
	run --driver $driver --put build/tests/svsm_client:/t/svsm_client -- \
		/t/svsm_client 4 "${lines[@]}" >"$out/$driver"
	result $? "the client ends with $driver" "$(tail -n 3 "$out/$driver")"
done
[[ $(grep -c '^VMPL 0, bound$' "$out/intree") -ge 20 ]] &&
	grep -q '4 of 4 got what they asked for' "$out/intree"
result $? 'it has got somewhere' "$(cat "$out/intree")"
! grep -q 'not bound' "$out/intree" "$out/cvm"
result $? 'no report is about something else'
why=$(diff "$out/intree" "$out/cvm")
result $? "on $kernel every call gives the same" "$why"

# a relying party that knows neither driver nor SVSM
head -c 64 /dev/urandom >"$out/nonce"
head -c 64 /dev/urandom >"$out/other"
run --driver none --timeout 300 --put build/tests/svsm_client:/t/svsm_client \
	--put selftests/abi/svsm_guest.sh:/t/svsm_guest.sh \
	--put selftests/abi/svsm_lib.sh:/t/svsm_lib.sh --put "$out/nonce:/t/nonce" \
	--get "/tmp/report:$out/report" --get "/tmp/manifest:$out/manifest" \
	--get "/tmp/certs:$out/certs" -- sh /t/svsm_guest.sh >"$out/tap"
result $? 'the VM with what only ours does'
grep -v '^1\.\.' "$out/tap" | sed -E "s/^((not )?ok) ([0-9]+)/\1/" | while IFS= read -r line; do
	case $line in
	ok*|not*) n=$((n + 1)); sed -E "s/^(not )?ok/& $n/" <<<"$line" ;;
	*) echo "$line" ;;
	esac
done
want=$(sed -n 's/^1\.\.//p' "$out/tap")
got=$(grep -cE '^(not )?ok ' "$out/tap")
n=$((n + got))
[[ -n $want && $want == "$got" ]]
result $? 'all of its results are here'

verify() {	# NONCE MANIFEST
	build/bin/cvmctl verify "$out/report" --binding svsm --manifest "$2" --certs "$out/certs" \
		--report-data "@$1" --trust-root build/cache/fw-state/trust-root.pem \
		--authenticity-only --offline
}

why=$(verify "$out/nonce" "$out/manifest" 2>&1)
result $? 'it verifies, with its manifest' "$why"
! verify "$out/other" "$out/manifest" >/dev/null 2>&1
result $? 'not for another nonce'
{ cat "$out/manifest"; echo; } >"$out/longer"
! verify "$out/nonce" "$out/longer" >/dev/null 2>&1
result $? 'nor with another manifest'
echo "1..$n"
exit $failed
