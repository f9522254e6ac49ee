# SPDX-License-Identifier: GPL-2.0
# cvm-fwd, the simulated host and firmware, and its tests.

FWD := selftests/platform/fwd
fwd-objects := $(patsubst $(FWD)/%.c,$(B)/obj/fwd/%.o,$(wildcard $(FWD)/*.c))
# option tables leave out what does not apply to an option
FWD_CFLAGS := $(ALL_CFLAGS) -Wno-missing-field-initializers -pthread

user-programs += $(B)/bin/cvm-fwd

$(B)/bin/cvm-fwd: $(fwd-objects)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -ltss2-esys -ltss2-mu -ljansson -lcrypto

$(B)/obj/fwd/%.o: $(FWD)/%.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(FWD_CFLAGS) -c -o $@ $<

-include $(fwd-objects:.o=.d)

# ---- tests of cvm-fwd: they speak the protocol and share none of its code

fwd-tests := $(patsubst selftests/platform/%.c,$(B)/tests/%,$(wildcard selftests/platform/test_fwd_*.c))
test-programs += $(fwd-tests)

test-programs += $(B)/bin/fw_ask

$(B)/bin/fw_ask: $(B)/obj/platform/fw_ask.o $(B)/obj/platform/fw_client.o
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto

$(B)/tests/test_fwd_tdx $(B)/tests/test_fwd_tdx_quote: $(B)/obj/platform/tdx_check.o

$(fwd-tests): $(B)/tests/%: $(B)/obj/platform/%.o $(B)/obj/platform/fw_client.o $(B)/bin/cvm-fwd
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) -lcrypto

# ---- the simulator's kernel half: runs in a VM, by test_kernel_half.sh

test-programs += $(B)/tests/test_kernel_half

$(B)/tests/test_kernel_half: $(B)/obj/platform/test_kernel_half.o $(B)/obj/platform/sim_daemon.o
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^

$(B)/obj/platform/%.o: selftests/platform/%.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(FWD_CFLAGS) -c -o $@ $<

-include $(wildcard $(B)/obj/platform/*.d)
