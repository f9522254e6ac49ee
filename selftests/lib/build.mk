# SPDX-License-Identifier: GPL-2.0
# Tests of the library: each test_*.c is a program that prints TAP. Those that
# stand in for the kernel do it by the linker: wrap-NAME lists the calls of the
# static library that go to the test's own __wrap_ functions.

comma := ,
lib-tests := $(patsubst selftests/lib/%.c,$(B)/tests/%,$(wildcard selftests/lib/test_*.c))
test-programs += $(lib-tests)

wrap-test_backend_tsm    := openat read write mkdir rmdir
wrap-test_backend_cvm    := open ioctl
wrap-test_backend_native := ioctl
wrap-test_backend_vtpm   := clock_nanosleep
wrap-test_driver_batch   := open ioctl preadv2
wrap-test_driver_azure   := open ioctl preadv2
wrap-test_share          := fcntl syscall
wrap-test_driver_azure_td := open ioctl preadv2

# chains and evidence that the tests of verification make
made-objects = $(patsubst %,$(B)/obj/selftests/lib/%.o,$(1))
make-snp := $(call made-objects,make_certs make_snp)
make-tdx := $(call made-objects,make_certs make_tdx make_collateral)
mutate-snp := $(make-snp) $(call made-objects,mutate_snp)
mutate-tdx := $(make-tdx) $(call made-objects,mutate_tdx)
$(B)/tests/test_verify_snp: $(make-snp)
$(B)/tests/test_mutations_snp $(B)/tests/test_mutations_snp_keys: $(mutate-snp)
$(B)/tests/test_verify_tdx: $(make-tdx)
$(B)/tests/test_mutations_tdx $(B)/tests/test_mutations_collateral: $(mutate-tdx)
$(B)/tests/test_collateral: $(mutate-tdx)
mutate-batch := $(sort $(mutate-snp) $(mutate-tdx) $(call made-objects,make_batch mutate_batch))
$(B)/tests/test_mutations_batch $(B)/tests/test_verify_batch $(B)/tests/test_verify_opts \
	$(B)/tests/test_verify_threads: $(mutate-batch)
$(B)/tests/test_verify_certs: $(sort $(mutate-snp) $(mutate-tdx))
$(B)/tests/test_verify_tables: $(mutate-snp)
$(B)/tests/test_policy: $(sort $(mutate-snp) $(mutate-tdx))
$(B)/tests/test_policy_text $(B)/tests/test_vectors: $(call made-objects,make_certs)
mutate-azure := $(sort $(make-snp) $(make-tdx) $(call made-objects,make_azure make_batch mutate_azure))
$(B)/tests/test_mutations_azure $(B)/tests/test_mutations_boot $(B)/tests/test_mutations_log \
	$(B)/tests/test_mutations_vtpm $(B)/tests/test_verify_azure: $(mutate-azure)

# beside a paravisor
$(B)/tests/test_backend_vtpm $(B)/tests/test_backend_vtpm_open $(B)/tests/test_driver_azure $(B)/tests/test_driver_azure_td \
	$(B)/tests/test_vtpm_alone: $(B)/obj/platform/fw_client.o

$(lib-tests): $(B)/tests/%: $(B)/obj/selftests/lib/%.o $(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread $(addprefix -Wl$(comma)--wrap=,$(wrap-$*)) \
		-o $@ $(filter %.o,$^) $(filter %.a,$^) $(lib-libs)

$(B)/obj/selftests/lib/%.o: selftests/lib/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -Iuserspace -Iuserspace/include -Idriver/uapi -iquote . \
		-iquote selftests -c -o $@ $<

-include $(wildcard $(B)/obj/selftests/lib/*.d)
