# SPDX-License-Identifier: GPL-2.0
# Is a process' private key in its memory? For tests of the examples, here and in VMs.

test-programs += $(B)/tests/find_key

$(B)/tests/find_key: $(B)/obj/selftests/examples/find_key.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto

$(B)/obj/selftests/examples/%.o: selftests/examples/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

-include $(B)/obj/selftests/examples/find_key.d
