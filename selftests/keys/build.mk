# SPDX-License-Identifier: GPL-2.0
# Tests of derived keys and disks in user space.

keys-tests := $(patsubst selftests/keys/%.c,$(B)/tests/%,$(wildcard selftests/keys/test_*.c))
test-programs += $(keys-tests) $(addprefix $(B)/tests/,credential kill_at memory_search key_use luks_slot watch_keys.so)

$(keys-tests): $(B)/tests/%: $(B)/obj/selftests/keys/%.o $(key-obj) $(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(key-libs) $(lib-libs)

# a TPM to speak to
$(B)/tests/test_tpm: $(addprefix $(B)/obj/selftests/keys/,swtpm.o memory.o forge.o)
$(B)/tests/test_tpm: key-libs += -ltss2-tcti-swtpm
$(B)/tests/test_luks $(B)/tests/test_secret: $(B)/obj/selftests/keys/memory.o
$(B)/tests/test_luks: key-libs += -lcryptsetup
# bound at once, as cvmctl is: binding later saves vector registers, and what is in them
$(B)/tests/test_tpm $(B)/tests/test_luks: LDFLAGS += -Wl,-z,now

$(B)/tests/luks_slot: $(B)/obj/selftests/keys/luks_slot.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcryptsetup

$(B)/tests/credential $(B)/tests/kill_at: $(B)/tests/%: $(B)/obj/selftests/keys/%.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tests/watch_keys.so: $(B)/obj/selftests/keys/watch_keys.o
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -shared -o $@ $^

$(B)/obj/selftests/keys/watch_keys.o: ALL_CFLAGS += -fPIC

$(B)/tests/memory_search: $(addprefix $(B)/obj/selftests/keys/,memory_search.o forms.o)
$(B)/tests/key_use: $(B)/obj/selftests/keys/key_use.o $(B)/obj/driver/derive.o

$(B)/tests/memory_search $(B)/tests/key_use:
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto

$(B)/obj/selftests/keys/%.o: selftests/keys/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -Iuserspace -Iuserspace/include -Idriver/uapi -Iselftests/lib -Iselftests \
		-c -o $@ $<

-include $(wildcard $(B)/obj/selftests/keys/*.d)
