# SPDX-License-Identifier: GPL-2.0
# The tests' own programs: each directory says what it builds.
include $(wildcard selftests/driver/*.mk) selftests/bench/build.mk selftests/examples/build.mk
