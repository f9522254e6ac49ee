# SPDX-License-Identifier: GPL-2.0
# Tests of the library: each test_*.c is a program that prints TAP. Those that
# stand in for the kernel do it by the linker: wrap-NAME lists the calls of the
# static library that go to the test's own __wrap_ functions.

comma := ,
lib-tests := $(patsubst selftests/lib/%.c,$(B)/tests/%,$(wildcard selftests/lib/test_*.c))
test-programs += $(lib-tests)

wrap-test_backend_tsm    := openat read mkdir rmdir
wrap-test_backend_cvm    := open ioctl
wrap-test_backend_native := ioctl
wrap-test_driver_batch   := open ioctl preadv2

# chains and evidence that the tests of verification make
make-snp := $(addprefix $(B)/obj/selftests/lib/,make_certs.o make_snp.o)
make-tdx := $(addprefix $(B)/obj/selftests/lib/,make_certs.o make_tdx.o make_collateral.o)
$(B)/tests/test_verify_snp: $(make-snp)
$(B)/tests/test_mutations_snp $(B)/tests/test_mutations_snp_keys: $(make-snp) $(B)/obj/selftests/lib/mutate_snp.o
$(B)/tests/test_verify_tdx: $(make-tdx)
$(B)/tests/test_mutations_tdx $(B)/tests/test_mutations_collateral: $(make-tdx) $(B)/obj/selftests/lib/mutate_tdx.o

$(lib-tests): $(B)/tests/%: $(B)/obj/selftests/lib/%.o $(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $(addprefix -Wl$(comma)--wrap=,$(wrap-$*)) \
		-o $@ $(filter %.o,$^) $(filter %.a,$^) $(lib-libs)

$(B)/obj/selftests/lib/%.o: selftests/lib/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -Iuserspace -Iuserspace/include -Idriver/uapi -iquote . -c -o $@ $<

-include $(wildcard $(B)/obj/selftests/lib/*.d)
