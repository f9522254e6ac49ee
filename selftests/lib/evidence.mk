# SPDX-License-Identifier: GPL-2.0
# Unit tests of the parsers and of verification; they need no platform.

evidence-tests := test_formats test_verify_snp test_verify_tdx
test-programs  += $(evidence-tests:%=$(B)/tests/%)

$(B)/tests/test_verify_snp $(B)/tests/test_verify_tdx: $(B)/obj/selftests/lib/make_certs.o
$(B)/tests/test_verify_snp: $(B)/obj/selftests/lib/make_report.o
$(B)/tests/test_verify_tdx: $(B)/obj/selftests/lib/make_quote.o

$(evidence-tests:%=$(B)/tests/%): $(B)/tests/%: $(B)/obj/selftests/lib/%.o $(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(filter %.o,$^) $(B)/lib/libcvmguest.a -lcrypto

$(B)/obj/selftests/lib/%.o: selftests/lib/%.c selftests/lib/evidence.mk
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -Iuserspace -Iuserspace/include -c -o $@ $<

-include $(wildcard $(B)/obj/selftests/lib/*.d)
