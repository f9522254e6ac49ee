# SPDX-License-Identifier: GPL-2.0
# For humans; the module's own build is in Kbuild. `make help` lists the targets.

B      := build
CC     ?= gcc
CFLAGS ?= -O2 -g
WARN   := -Wall -Wextra -Wstrict-prototypes -Wmissing-prototypes -Wshadow \
	  -Wvla -Wundef -Wno-unused-parameter
ALL_CFLAGS = -std=gnu11 $(WARN) $(CFLAGS) -D_GNU_SOURCE -MMD -MP

VERSION := 0.1.0
# of that version, for the manual
DATE    := 2026-11-24

# V=1 shows the commands
Q := $(if $(V),,@)
say = $(if $(V),@:,@printf '  %-8s %s\n')

user-programs :=
test-programs :=

all: user

-include userspace/build.mk
-include examples/build.mk
-include selftests/platform/build.mk
-include selftests/lib/build.mk
-include selftests/vm/build.mk
-include selftests/abi/build.mk
-include selftests/keys/build.mk
-include selftests/skr/build.mk
-include selftests/merkle/build.mk
-include selftests/agent/build.mk
-include selftests/fuzz/build.mk
-include selftests/build.mk

user: $(user-programs)
tests: $(test-programs)

# what a fresh machine lacks; the only step that needs root
setup:
	$(Q)selftests/setup

# a second make, so that fragments that ask pkg-config see what setup installed
check:
	$(Q)selftests/setup selftests/clients/packages
	$(Q)$(MAKE) --no-print-directory user tests modules
	$(Q)selftests/check

check-all:
	$(Q)selftests/setup selftests/clients/packages
	$(Q)$(MAKE) --no-print-directory user tests modules
	$(Q)selftests/check --all

demo: setup
	$(Q)$(MAKE) --no-print-directory user
	$(Q)selftests/demo

bench:
	$(Q)selftests/setup selftests/bench/packages
	$(Q)$(MAKE) --no-print-directory user tests modules
	$(Q)selftests/bench/run

# in build/deb, made in a Debian 12 that has nothing but what they need
deb: setup
	$(Q)userspace/packaging/deb

# in build/module-deb: the module alone, built for KVER and signed
module-deb: setup
	$(Q)KVER="$(KVER)" SIGN_KEY='$(SIGN_KEY)' SIGN_CERT='$(SIGN_CERT)' userspace/packaging/module-deb

help:
	@echo 'make              user space, in build/'
	@echo 'make module       the module for KVER (this kernel, unless given)'
	@echo 'make modules      the module for every kernel that the tests boot'
	@echo 'make demo         two simulated platforms, two drivers, evidence from each'
	@echo 'make check        every functional test'
	@echo 'make check-all    the long ones too'
	@echo 'make bench        times beside the in-tree drivers, tables and plots in build/bench'
	@echo 'make examples     the worked examples, in build/examples'
	@echo 'make install      user space, with DESTDIR and prefix'
	@echo 'make deb          Debian packages, in build/deb'
	@echo 'make module-deb   the module for KVER, signed with SIGN_KEY and SIGN_CERT, as a package'
	@echo 'make clean        all of build/ but the cache of downloads'
	@echo 'V=1 shows the commands; SAN=1 builds user space with ASan and UBSan, TSAN=1 with TSan,'
	@echo 'COV=1 to count lines, each in a directory of its own below build/'

clean:
	$(Q)[ ! -d $(B) ] || find $(B) -mindepth 1 -maxdepth 1 ! -name cache -exec rm -rf {} +

.PHONY: all user tests setup check check-all demo bench deb module-deb help clean
.DELETE_ON_ERROR:
