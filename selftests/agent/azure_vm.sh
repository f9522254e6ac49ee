#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvm-agent in a VM of Azure's, without our driver or with it: by the TPM's node, which it opens
# at each request, and the host's service; with the files that it may open, and no others; and
# where the kernel has a log of what was measured (on 6.1 the TPM is QEMU's), with that. Prints TAP.
#   azure_vm.sh KERNEL snp|tdx [none|cvm]
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/../cvmctl/lib.sh"

kernel=$1 tee=$2 driver=${3:-none} state=build/cache/fw-state
data=$(hex64 c7)
with=(--binding azure --authenticity-only)
if [[ $tee == snp ]]; then
	cat "$state/milan-vcek.pem" "$state/milan-ask.pem" >"$dir/chain.pem"
	with+=(--trust-root "$state/trust-root.pem" --certs "$dir/chain.pem")
else
	with+=(--trust-root "$state/tdx-root.pem")
	for list in "$state"/*-collateral.json; do with+=(--collateral "$list"); done
fi

backend=vtpm
[[ $driver == none ]] || backend=$driver

cat >"$dir/guest" <<END
mkdir /tmp/out
mount -t securityfs securityfs /sys/kernel/security
# agent NAME OPTION... -- MODE...: NAME.MODE is what it gave
agent() {
	name=\$1 options=
	shift
	while [ "\$1" != -- ]; do options="\$options \$1"; shift; done
	shift
	rm -f /run/agent.sock
	cvm-agent --user nobody --backend $backend \$options --log-requests --listen /run/agent.sock 2>/tmp/out/\$name.log &
	left=200
	until grep -qs '"event":"start"' /tmp/out/\$name.log || [ \$left = 0 ]; do usleep 50000; left=\$((left - 1)); done
	for mode; do
		agent_client /run/agent.sock get "/v1/evidence?user_data=$data&mode=\$mode" \
			>/tmp/out/\$name.\$mode 2>>/tmp/out/\$name.log
	done
	cp /proc/\$!/status /tmp/out/\$name.status
	kill \$!
	wait \$!
}
agent both --direct -- direct batch
# as the units start it: with the driver it has the node for batches alone
agent alone -- batch
agent measured --event-log -- batch
END

selftests/vm/run --kernel "$kernel" --platform "azure-$tee" --driver "$driver" --imds --timeout 240 \
	--put build/bin/cvm-agent:/usr/bin/cvm-agent --put build/tests/agent_client:/usr/bin/agent_client \
	--put "$dir/guest:/guest" --get "/tmp/out:$dir/out" -- sh /guest >"$dir/stdout" 2>"$dir/stderr"
result $? "cvm-agent on $kernel, azure-$tee, driver: $driver" "$(tail -n 20 "$dir/stderr"; cat "$dir"/out/*.log)"
try 0 '' 'direct evidence verifies' verify "${with[@]}" "$dir/out/both.direct" --report-data "$data"
for name in both alone measured; do
	try 0 '' "$name: batch evidence verifies" verify "${with[@]}" "$dir/out/$name.batch" --user-data "$data" --scope unprivileged
	grep -q '^CapEff:.0000000000000002$' "$dir/out/$name.status" && grep -q '^Seccomp:.2$' "$dir/out/$name.status"
	result $? "$name: it has the capability that opens the node, and no other" "$(cat "$dir/out/$name.status")"
	! grep -v '"event":"event log"' "$dir/out/$name.log" | grep -q '"level":"\(warning\|error\)"' && grep -q '"event":"start"' "$dir/out/$name.log"
	result $? "$name: its files are confined" "$(cat "$dir/out/$name.log")"
done
if [[ $kernel == 6.1 ]]; then
	"$cvmctl" verify "${with[@]}" --user-data "$data" --scope any "$dir/out/measured.batch" >"$dir/stdout" 2>&1
	grep -Eq '^passed +event_log +[0-9]+ events lead to the quote.s PCR 0, 1, 2, 3, 4, 5, 6, 7$' "$dir/stdout"
	result $? 'with what the kernel has of the boot' "$(cat "$dir/stdout")"
	jq -e 'has("event_log") | not' "$dir/out/alone.batch" >/dev/null
	result $? 'and without it where nobody asks for it'
fi
finish
