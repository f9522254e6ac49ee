#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# cvm-agent and its clients with ASan and UBSan, whose reports fail the test.
cd "$(dirname "$0")/../.." || exit
mkdir -p build/under
# one at a time: lib/under.sh builds in the same folder
if ! why=$({ flock 9 && make -s SAN=1 build/san/bin/cvm-agent build/san/tests/agent_client; } \
		9>build/under/san.lock 2>&1); then
	echo 'Bail out! it does not build'
	printf '%s\n' "$why" >&2
	exit 1
fi
exec selftests/agent/test_native.py snp --san
