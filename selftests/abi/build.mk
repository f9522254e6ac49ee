# SPDX-License-Identifier: GPL-2.0
# Programs that use the kernel's own interfaces, whoever provides them.

abi-source := $(B)/cache/linux-source-6.12
calls-tests := $(B)/tests/calls_snp $(B)/tests/calls_tdx

test-programs += $(B)/tests/intree_snp $(B)/tests/tdx_guest_test $(calls-tests) \
	$(B)/tests/drop_in_crowd $(B)/tests/tsm_client $(B)/tests/svsm_client \
	$(B)/tests/tsm_users $(B)/tests/any_client

# by what is installed, and nothing of the library's own
$(B)/tests/any_client: selftests/abi/any_client.c $(B)/lib/libcvmguest.so
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -Iuserspace/include $(LDFLAGS) -o $@ $< \
		-L$(B)/lib -lcvmguest -ljansson

$(B)/tests/intree_snp: selftests/abi/intree_snp.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -o $@ $<

$(B)/tests/tsm_client $(B)/tests/svsm_client $(B)/tests/tsm_users: $(B)/tests/%: selftests/abi/%.c \
		selftests/abi/tsm_entry.c selftests/abi/tsm_entry.h
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -pthread -o $@ $< selftests/abi/tsm_entry.c -lcrypto -ljansson -lm

# Debian 12's own headers have no tdx-guest.h
$(abi-source)/include/uapi/linux/tdx-guest.h:
	$(Q)selftests/vm/source >/dev/null

$(calls-tests): $(B)/tests/%: selftests/abi/%.c selftests/abi/calls.c selftests/abi/calls.h \
		| $(abi-source)/include/uapi/linux/tdx-guest.h
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -idirafter $(abi-source)/include/uapi -o $@ $< selftests/abi/calls.c

$(B)/tests/drop_in_crowd: selftests/abi/drop_in_crowd.c | $(abi-source)/include/uapi/linux/tdx-guest.h
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -idirafter $(abi-source)/include/uapi -pthread -o $@ $<

# the kernel's own test, from Debian's linux-source
$(B)/tests/tdx_guest_test: selftests/vm/source
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)source=$$(selftests/vm/source) && tests=$$source/tools/testing/selftests && \
		$(CC) $(CFLAGS) -D_GNU_SOURCE -I $$tests -isystem $$source/include/uapi -o $@ \
			$$tests/tdx/tdx_guest_test.c
