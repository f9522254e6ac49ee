#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# test_event_log_vm.sh: in a VM whose firmware measures, cvmctl evidence takes the kernel's event
# log along, and that leads to the PCRs that the vTPM quotes. 6.1, where QEMU has the TPM: what
# vTPM proxies have the kernel asks no firmware about. Prints TAP.
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/lib.sh"

state=build/cache/fw-state
data=$(hex64 c7)
cat >"$dir/guest" <<END
cvmctl evidence --no-fetch --report-data $data --out /tmp/early 2>/tmp/early.said ||
	exit
grep '^cvmctl evidence: without the event log: .*: No such file' /tmp/early.said || { cat /tmp/early.said; exit 1; }
mount -t securityfs securityfs /sys/kernel/security
cvmctl evidence --no-fetch --report-data $data --out /tmp/evidence &&
	cvmctl evidence --no-fetch --no-event-log --report-data $data --out /tmp/without
END
touch "$dir/evidence" "$dir/without"
selftests/vm/run --kernel 6.1 --platform azure-snp --driver cvm --put "$dir/guest:/tmp/guest" \
	--get "/tmp/evidence:$dir/evidence" --get "/tmp/without:$dir/without" -- sh /tmp/guest >"$dir/log" 2>&1
result $? 'a VM asks for evidence' "$(tail -n 20 "$dir/log")"
jq -r '.event_log // empty' "$dir/evidence" | tr '_-' '/+' | base64 -di >"$dir/event-log" 2>/dev/null
try 0 '' 'its event log' show --json "$dir/event-log"
[[ $(jq '.events | length' "$dir/stdout") -gt 4 ]]
result $? 'has events' "$(jq -c .pcrs "$dir/stdout")"
[[ $(jq 'has("event_log")' "$dir/without") == false ]]
result $? '--no-event-log: has none'
"$cvmctl" verify --authenticity-only --binding azure --trust-root "$state/trust-root.pem" \
	--certs "$state/milan-ask.pem" --certs "$state/milan-vcek.pem" --report-data "$data" "$dir/evidence" >"$dir/stdout"
result $? 'it verifies' "$(cat "$dir/stdout")"
grep -Eq '^passed +event_log +[0-9]+ events lead to the quote.s PCR 0, 1, 2, 3, 4, 5, 6, 7$' "$dir/stdout"
result $? 'its log leads to the PCRs that are quoted' "$(cat "$dir/stdout")"
finish
