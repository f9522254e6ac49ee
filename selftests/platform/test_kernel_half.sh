#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# selftests/platform/test_kernel_half.sh [SERIES...]: the simulator's kernel half on
# each kernel, with a driver that breaks its rules one by one. Prints TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
[ $# -gt 0 ] || set -- 6.1 6.12 7.3

make -s --no-print-directory build/tests/test_kernel_half || exit 1
failed=0 n=0
for series; do
	n=$((n + 1))
	vars=$(selftests/vm/kernel "$series") && eval "$vars" &&
		selftests/vm/module "$series" sim >&2 &&
		selftests/vm/module "$series" misuse >&2 || exit 1
	modules=build/modules/$KVER
	if selftests/vm/run --kernel "$series" --platform none --timeout 100 \
		--put "$modules/cvm_platform_sim.ko:/test/sim.ko" \
		--put "$modules/cvm_sim_misuse.ko:/test/misuse.ko" \
		--put build/tests/test_kernel_half:/test/test_kernel_half \
		-- /test/test_kernel_half /test/sim.ko /test/misuse.ko | sed 's/^/    /'
		[ "${PIPESTATUS[0]}" = 0 ]; then
		echo "ok $n $series"
	else
		echo "not ok $n $series"
		failed=1
	fi
done
echo "1..$n"
exit $failed
