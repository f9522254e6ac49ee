#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Which files cvm-agent may open, as root of a kernel with Landlock: test_agent_files.c.
#   selftests/agent/files.sh 6.1|6.12|7.3
set -eu
cd "$(dirname "$0")/../.."
selftests/vm/run --kernel "$1" --timeout 240 \
	--put build/tests/test_agent_files:/usr/bin/test_agent_files \
	-- sh -c 'echo root:x:0:0::/:/bin/sh >/etc/passwd; : >/etc/hosts; exec test_agent_files --strict'
