# SPDX-License-Identifier: GPL-2.0
# Batch v1 beside the specification's own reference.

test-programs += $(B)/tests/merkle_tool

$(B)/tests/merkle_tool: selftests/merkle/tool.c driver/merkle.c userspace/lib/sha384.c \
		driver/merkle.h driver/sha384.h selftests/merkle/kernel/cases.h
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -iquote . -iquote selftests/merkle -MF $@.d -o $@ $(filter %.c,$^) -lcrypto
