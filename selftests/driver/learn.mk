# SPDX-License-Identifier: GPL-2.0
# Tests of what the driver learns about the host: its files, in user space.

learn-tests := $(B)/tests/driver_pacing $(B)/tests/driver_inflight

test-programs += $(learn-tests)

$(learn-tests): $(B)/tests/driver_%: selftests/driver/test_%.c driver/%.c driver/%.h
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -fsanitize=undefined \
		-fno-sanitize-recover -o $@ $(filter %.c,$^)
