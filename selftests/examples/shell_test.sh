#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# examples/shell/attest, with an agent, without one, and for relying parties that want
# another machine or somebody else in it.
# shellcheck source=selftests/examples/lib.sh
. "$(dirname "$0")/lib.sh"

policy unprivileged "$dir/policy.json"
other_machine "$dir/policy.json" "$dir/other.json"
policy privileged "$dir/root.json"
export CVM_AGENT=$dir/agent.sock

ends 2 'usage: attest' 'no policy: usage' attest
ends 1 'attest: no evidence from .*agent.sock: curl' 'no agent' attest "$dir/policy.json" "${trust[@]}"
agent agent "${backend[@]}"
ends 0 '' 'evidence, accepted' attest "$dir/policy.json" "${trust[@]}"
grep -q ': verified$' "$dir/stdout"
result $? 'in so many words' "$(cat "$dir/stdout")"
ends 3 'does not verify: .*(measurement|mrtd)' 'of another machine: refused' attest "$dir/other.json" "${trust[@]}"
ends 3 'does not verify: batch.scopes' 'not for root: refused' attest "$dir/root.json" "${trust[@]}"
ends 3 'does not verify: .*proof' 'nor for a workload' attest "$dir/policy.json" "${trust[@]}" --scope label:web
ends 3 'does not verify: .*root' 'of a root that is not trusted: refused' attest "$dir/policy.json"
ends 1 '' 'no such policy' attest "$dir/nothing" "${trust[@]}"
agent nothing --backend "sim:$dir/none"
CVM_AGENT=$dir/nothing.sock ends 1 'attest: no evidence from ' 'an agent that has no evidence' \
	attest "$dir/policy.json" "${trust[@]}"
finish
