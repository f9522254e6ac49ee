# SPDX-License-Identifier: GPL-2.0
# For humans; the module's own build is in Kbuild. `make help` lists the targets.

B      := build
CC     ?= gcc
CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
	  -Wvla -Wundef -Wno-unused-parameter
ALL_CFLAGS = -std=gnu11 $(WARN) $(CFLAGS) -D_GNU_SOURCE -MMD -MP

VERSION := 0.1.0

# V=1 shows the commands
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-8s %s\n')

user-programs :=
test-programs :=

all: user

-include userspace/build.mk
-include selftests/platform/build.mk
-include selftests/vm/build.mk
-include selftests/build.mk

user: $(user-programs)
tests: $(test-programs)

clean:
	$(Q)find $(B) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +

.PHONY: all user tests clean
.DELETE_ON_ERROR:
