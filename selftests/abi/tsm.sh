#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# tsm.sh KERNEL PLATFORM [VMPL]: one client of configfs-tsm with the kernel's own driver
# and with ours. What comes of each call is compared, line by line; what
# driver/Documentation/tsm.rst lists as different is not asked for. Then what only
# ours does.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit
kernel=$1 platform=$2 vmpl=${3-0}
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

# what the firmware says in its message, and that a key is gone
faults=(report_status=22 report_status=39 report_status=1 -bad_tag_n=1 bad_tag_n=0) fw=()
[[ $platform == snp ]] || faults=(quote_status=8000000000000001 quote_status=1 quote_status_n=0)
# 6.12's driver does not look
[[ $kernel-$platform != 6.12-tdx ]] || faults=()
# nothing is asked of the firmware there until a level is named
reached='4 of 4 got what they asked for'
[[ $vmpl == 0 ]] || fw=(--fw "vmpl=$vmpl") faults=() reached='VMPL: 3'

for driver in intree cvm; do
	selftests/vm/run --kernel "$kernel" --platform "$platform" --driver $driver "${fw[@]}" \
		--put build/tests/tsm_client:/t/tsm_client -- /t/tsm_client 4 "${faults[@]}" >"$out/$driver"
	result $? "the client ends with $driver" "$(tail -n 3 "$out/$driver")"
done
[[ $(grep -c . "$out/cvm") -ge 60 ]] && grep -q "$reached" "$out/intree"
result $? 'it has got somewhere' "$(cat "$out/intree")"
why=$(diff "$out/intree" "$out/cvm")
result $? "on $kernel, $platform, VMPL $vmpl every call gives the same" "$why"
[[ $vmpl == 0 ]] || { echo "1..$n"; exit $failed; }

selftests/vm/run --kernel "$kernel" --platform "$platform" --driver none --timeout 240 \
	--put build/tests/tsm_client:/t/tsm_client --put build/tests/tsm_users:/t/tsm_users \
	--put selftests/abi/tsm_guest.sh:/t/tsm_guest.sh -- sh /t/tsm_guest.sh "$platform" >"$out/tap"
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
echo "1..$n"
exit $failed
