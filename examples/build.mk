# SPDX-License-Identifier: MIT
# The worked examples, by their own Makefile and with the shared library of this tree: they
# see what users see.

examples: $(B)/lib/libcvmguest.so
	$(Q)$(MAKE) --no-print-directory $(if $(Q),-s) -C examples O=$(CURDIR)/$(B)/examples \
		CC='$(CC)' CFLAGS='$(WARN) $(CFLAGS) -Werror' \
		LDFLAGS='$(LDFLAGS) -Wl,-rpath,\$$$$ORIGIN/../lib' \
		CVM_CFLAGS=-I$(CURDIR)/userspace/include CVM_LIBS='-L$(CURDIR)/$(B)/lib -lcvmguest'

test-programs += examples

.PHONY: examples
