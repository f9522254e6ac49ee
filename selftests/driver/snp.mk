# SPDX-License-Identifier: GPL-2.0
# What the tests of the driver's SNP half are made of.

test-programs += $(B)/tests/snp_answer_test $(B)/tests/snp_client \
	$(B)/tests/key_client

# the driver's own file, in user space
$(B)/tests/snp_answer_test: selftests/driver/snp_answer_test.c driver/platform/snp_answer.c \
		$(wildcard driver/platform/snp_*.h)
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -fsanitize=address,undefined -o $@ \
		$(filter %.c,$^)

# static: it runs whatever libraries a VM has
$(B)/tests/snp_client: selftests/driver/snp_client.c driver/uapi/linux/cvm_guest.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -Idriver/uapi -static -o $@ $<

$(B)/tests/key_client: $(B)/obj/driver/key_client.o $(B)/obj/driver/derive.o
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto
