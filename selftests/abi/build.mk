# SPDX-License-Identifier: GPL-2.0
# Programs that use the kernel's own interfaces, whoever provides them.

test-programs += $(B)/tests/intree_snp $(B)/tests/tdx_guest_test $(B)/tests/tsm_client

$(B)/tests/intree_snp: selftests/abi/intree_snp.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -o $@ $<

$(B)/tests/tsm_client: selftests/abi/tsm_client.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -pthread -o $@ $<

# the kernel's own test, from Debian's linux-source
$(B)/tests/tdx_guest_test: selftests/vm/source
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)source=$$(selftests/vm/source) && tests=$$source/tools/testing/selftests && \
		$(CC) $(CFLAGS) -D_GNU_SOURCE -I $$tests -isystem $$source/include/uapi -o $@ \
			$$tests/tdx/tdx_guest_test.c
