#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Where the kernel's SNP descriptor is not as the driver knows it, the module
# still builds, with the kernel's own behaviour: that half of snp_kmsg.c is
# compiled nowhere else. Against 7.3, with the probe's result taken away.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

work=$(mktemp -d build/snp-layer.XXXXXX)
trap 'rm -rf "$work"' EXIT
n=0 failed=0
result() {	# STATUS NAME [DIAGNOSIS]
	((n++))
	[[ $1 == 0 ]] && { echo "ok $n $2"; return; }
	printf 'not ok %d %s\n' "$n" "$2"
	[[ -z ${3-} ]] || while IFS= read -r line; do echo "# $line"; done <<<"$3"
	failed=1
}

mkdir "$work/driver"
cp Kbuild "$work/"
git ls-files -co --exclude-standard -- driver | grep -E '\.[ch]$|Kbuild' | while read -r file; do
	mkdir -p "$work/$(dirname "$file")"
	cp "$file" "$work/$file"
done

# layer: what the file of kernel-made messages calls itself
layer() {
	strings -a "$work/driver/platform/snp_kmsg.o" | grep -xE 'kernel(, patient)?'
}

why=$(selftests/vm/kbuild 7.3 "$work" cvm-snp-desc= KCFLAGS=-Werror 2>&1)
result "$([[ $? = 0 && -z $why ]]; echo $?)" 'without the descriptor it builds, without a warning' "$why"
result "$([[ $(layer) = kernel ]]; echo $?)" 'and says that the layer is the kernel'"'"'s' "$(layer)"

rm -f "$work/driver/platform/snp_kmsg.o" "$work/driver/platform/.snp_kmsg.o.cmd"
why=$(selftests/vm/kbuild 7.3 "$work" KCFLAGS=-Werror 2>&1)
result "$([[ $? = 0 && -z $why ]]; echo $?)" 'with it likewise' "$why"
result "$([[ $(layer) = 'kernel, patient' ]]; echo $?)" 'and the probe finds it' "$(layer)"

echo "1..$n"
exit $failed
