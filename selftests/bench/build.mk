# SPDX-License-Identifier: GPL-2.0
# The benchmark of batch v1 where it runs without a VM.

BENCH_MERKLE := selftests/bench/merkle.c driver/merkle.c userspace/lib/sha384.c

test-programs += $(B)/tests/bench_merkle

$(B)/tests/bench_merkle: $(BENCH_MERKLE) driver/merkle.h driver/sha384.h
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -Idriver -iquote . -o $@ $(BENCH_MERKLE) -ljansson -lcrypto

# Verification, of evidence as the tests make it.

test-programs += $(B)/tests/bench_verification

$(B)/obj/selftests/bench/verification.o: selftests/bench/verification.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Iuserspace -Iuserspace/include -Idriver/uapi -iquote . \
		-iquote selftests/lib -c -o $@ $<

$(B)/tests/bench_verification: $(B)/obj/selftests/bench/verification.o $(mutate-batch) \
		$(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $(filter %.o,$^) $(filter %.a,$^) $(lib-libs)

-include $(wildcard $(B)/obj/selftests/bench/*.d)
