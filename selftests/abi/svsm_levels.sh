#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# svsm_levels.sh KERNEL VMPL...: a kernel at each of these VMPLs, under an SVSM: what is
# given out of which VMPL, by our driver and by the kernel's own, whose answers to the same
# calls are compared; and a relying party verifies.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1
shift
calls=400
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
n=0 failed=0

result() {	# STATUS NAME [DIAGNOSIS]
	((n++))
	[[ $1 == 0 ]] && { echo "ok $n VMPL $vmpl: $2"; return; }
	printf 'not ok %d VMPL %s: %s\n' "$n" "$vmpl" "$2"
	[[ -z ${3-} ]] || while IFS= read -r line; do echo "# $line"; done <<<"$3"
	failed=1
}

# results of others, on stdin
take() {
	local line plan='' got=0

	while IFS= read -r line; do
		case $line in
		1..*) plan=${line#1..} ;;
		'ok '*) ((got++)); result 0 "${line#ok * - }" ;;
		'not ok '*) ((got++)); result 1 "${line#not ok * - }" ;;
		*) echo "$line" ;;
		esac
	done
	[[ -n $plan && $plan == "$got" ]]
	result $? "$1: all of its results are here"
}

run() {
	local put=(--put selftests/abi/svsm_lib.sh:/t/svsm_lib.sh --put "$out/nonce:/t/nonce"
		--put selftests/abi/svsm_levels_guest.sh:/t/svsm_levels_guest.sh)
	local get=() file

	for file in svsm_client calls_snp snp_client key_client; do
		put+=(--put "build/tests/$file:/t/$file")
	done
	for file in ours.tsm theirs.tsm ours.calls theirs.calls direct service manifest certs batch; do
		get+=(--get "/tmp/$file:$out/$file")
	done
	selftests/vm/run --kernel "$kernel" --platform snp --driver none --fw "vmpl=$vmpl" --timeout 300 \
		"${put[@]}" "${get[@]}" -- sh /t/svsm_levels_guest.sh "$vmpl" $calls >"$out/tap"
	result $? 'the VM'
}

compare() {
	local why

	why=$(diff "$out/theirs.tsm" "$out/ours.tsm")
	result $? 'configfs-tsm: each call gives the same' "$why"
	grep -q '^VMPL 0, bound$' "$out/theirs.tsm" && grep -q '4 of 4 got what they asked for' "$out/theirs.tsm" &&
		! grep -q 'not bound' "$out/ours.tsm"
	result $? 'configfs-tsm: it has got somewhere' "$(<"$out/theirs.tsm")"
	take '/dev/sev-guest' < <(awk -v where="SNP $kernel" -v least=$calls -v part=1 -f selftests/abi/calls.awk \
		driver/Documentation/drop-in.rst "$out/theirs.calls" "$out/ours.calls")
}

verify() {	# EVIDENCE OPTION...
	build/bin/cvmctl verify "$out/$1" "${@:2}" --trust-root build/cache/fw-state/trust-root.pem \
		--authenticity-only --offline
}

# what it is about is in what is signed: not for another nonce
verifies() {	# NAME WHAT EVIDENCE OPTION...
	local why

	why=$(verify "$3" "${@:4}" "$2" "@$out/nonce" 2>&1)
	result $? "$1 verifies" "$why"
	! verify "$3" "${@:4}" "$2" "@$out/other" >/dev/null 2>&1
	result $? "$1 does not verify for another nonce"
}

for vmpl; do
	rm -rf "${out:?}"/*
	head -c 64 /dev/urandom >"$out/nonce"
	head -c 64 /dev/urandom >"$out/other"
	run
	take 'the VM' <"$out/tap"
	compare
	verifies 'a report' --report-data direct --certs "$out/certs"
	verifies 'a batch' --user-data batch/report-0.bin --certs "$out/batch/certs-0.bin" \
		--proof "$out/batch/0000.proof" --scope privileged
	verifies "the SVSM's" --report-data service --certs "$out/certs" --binding svsm --manifest "$out/manifest"
done
echo "1..$n"
exit $failed
