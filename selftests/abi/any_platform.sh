#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# any_platform.sh KERNEL DRIVER PLATFORM...: the same client, byte for byte, in a VM of each
# platform; cvmctl verify accepts what it got, in full, by a policy made of evidence of the
# same machine, and refuses it without any part of it.
#   DRIVER: cvm; none: on Azure, by the node of the TPM alone
# shellcheck source=selftests/cvmctl/lib.sh
. "$(dirname "$0")/../cvmctl/lib.sh"

kernel=$1 driver=$2
shift 2
state=build/cache/fw-state
nonces=()
for _ in {1..4}; do nonces+=("$(openssl rand -hex 64)"); done

cat >"$dir/guest" <<END
set -e
mkdir /tmp/out
any_client direct ${nonces[0]} >/tmp/out/direct
any_client batch ${nonces[1]} >/tmp/out/batch
# two at a time: a window is one of theirs, and then the other's
any_client direct ${nonces[2]} >/tmp/out/first &
any_client direct ${nonces[3]} >/tmp/out/second
wait \$!
cvmctl selftest --json --trust-root /root.pem >/tmp/out/selftest || :
END

with() {	# PLATFORM: of whom is what the relying party trusts, and knows
	case $1 in
	*snp) root=$state/trust-root.pem ;;
	*tdx) root=$state/tdx-root.pem ;;
	esac
	opts=(--trust-root "$root")
	for list in "$state"/*-collateral.json; do opts+=(--collateral "$list"); done
	case $1 in
	# what Azure's host has for who asks it
	azure-snp) opts+=(--certs "$dir/chain.pem") ;;&
	azure-*) opts+=(--binding azure) ;;
	esac
	cat "$state/milan-vcek.pem" "$state/milan-ask.pem" >"$dir/chain.pem"
}

# by its own policy: what the machine is was seen before
verifies() {	# NAME FILE OPTION...
	try 0 '' "$1: verified" verify --policy "$dir/policy" "${opts[@]}" "${@:3}" "$2"
	grep -q ': verified$' "$dir/stdout"
	result $? "$1: in so many words" "$(tail -n 3 "$dir/stdout")"
}

refuses() {	# PATTERN NAME FILE OPTION...
	"$cvmctl" verify --policy "$dir/policy" "${opts[@]}" "${@:4}" "$3" >"$dir/stdout" 2>"$dir/stderr"
	local rc=$?
	[[ $rc == 3 ]] && grep -qE -- "$1" "$dir/stderr"
	result $? "$2: refused" "$rc: $(cat "$dir/stderr")"
}

without() {	# MEMBER FILE -> $dir/part
	jq "del(.$1)" "$2" >"$dir/part"
}

of_platform() {	# PLATFORM
	local out=$dir/$1 imds=()
	[[ $1 != azure-* ]] || imds=(--imds)
	with "$1"
	selftests/vm/run --kernel "$kernel" --platform "$1" --driver "$driver" "${imds[@]}" \
		--put build/tests/any_client:/usr/bin/any_client --put "$dir/guest:/guest" --put "$root:/root.pem" \
		--get "/tmp/out:$out" -- sh /guest >"$dir/stdout" 2>"$dir/stderr"
	result $? "the client on $1" "$(tail -n 20 "$dir/stderr")"
	[[ -s $out/selftest ]] && jq -e '.failed == 0 and ([.results[] | select(.result == "passed")] | length >= 6)' \
		"$out/selftest" >/dev/null
	result $? "cvmctl selftest on $1" "$(cat "$out/selftest")"
	# it says what it has to allow
	"$cvmctl" policy init --from "$out/direct" "${opts[@]}" --out "$dir/strict" 2>"$dir/stderr" &&
		jq '.batch.scopes = ["privileged"]' "$dir/strict" >"$dir/policy"
	result $? "$1: a policy" "$(cat "$dir/stderr")"
	verifies "$1, direct" "$out/direct" --report-data "${nonces[0]}"
	verifies "$1, batch" "$out/batch" --user-data "${nonces[1]}"
	verifies "$1, two at a time" "$out/first" --report-data "${nonces[2]}"
	verifies "$1, the other" "$out/second" --report-data "${nonces[3]}"
	refuses 'does not verify' "$1, something else asked for" "$out/direct" --report-data "${nonces[1]}"
	refuses 'does not verify' "$1, a batch's, taken for direct" "$out/batch" --report-data "${nonces[1]}"
	[[ $1 == azure-* ]] || return
	without tpm_quote "$out/batch"
	refuses 'verif' "$1, batch: not without the vTPM's quote" "$dir/part" --user-data "${nonces[1]}"
	without proof "$out/batch"
	refuses 'verif' "$1, batch: not without its proof" "$dir/part" --report-data "${nonces[1]}"
	jq --slurpfile from "$out/direct" '.tpm_quote = $from[0].tpm_quote' "$out/batch" >"$dir/part"
	refuses 'tpm_nonce' "$1, batch: not with another request's quote" "$dir/part" --user-data "${nonces[1]}"
	[[ $1 == azure-tdx ]] || return
	without td_quote "$out/batch"
	refuses 'td_quote' "$1, batch: not without the host's quote" "$dir/part" --user-data "${nonces[1]}"
}

for platform; do
	of_platform "$platform"
done
finish
