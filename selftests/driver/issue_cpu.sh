#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# issue_cpu.sh KERNEL
set -eu
cd "$(dirname "$0")/../.."
exec selftests/vm/run --kernel "$1" --platform snp --driver none --cpus 2 \
	--put selftests/driver/issue_cpu_guest.sh:/issue_cpu_guest.sh -- sh /issue_cpu_guest.sh
