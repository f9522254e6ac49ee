# SPDX-License-Identifier: GPL-2.0
# Tests of secure key release, and the services on its other side.

skr-tests   := $(patsubst selftests/skr/%.c,$(B)/tests/%,$(wildcard selftests/skr/test_*.c))
skr-service := $(addprefix $(B)/obj/selftests/skr/,service.o attest.o release.o)
test-programs += $(skr-tests) $(B)/tests/skr_service

# bound at once, as cvmctl is: binding later saves vector registers, and what is in them
$(B)/tests/test_skr_memory: LDFLAGS += -Wl,-z,now
$(B)/tests/test_skr_memory: $(B)/obj/selftests/keys/memory.o
# which counts what is decrypted
$(B)/tests/test_skr $(B)/tests/test_skr_times: \
	LDFLAGS += -Wl,--wrap=EVP_DecryptUpdate,--wrap=EVP_DecryptFinal_ex
# and which comes between a request's parts
$(B)/tests/test_skr_times: LDFLAGS += -Wl,--wrap=cvm_attest,--wrap=cvm_evidence_tpm_quote \
	-Wl,--wrap=Esys_RSA_Decrypt
# a TPM that is not as it has to be
$(B)/tests/test_skr_wrapping: LDFLAGS += -Wl,--wrap=Esys_TR_FromTPMPublic,--wrap=Esys_ReadPublic \
	-Wl,--wrap=Esys_Certify,--wrap=Esys_Quote,--wrap=getrandom
# who is killed while he writes
$(B)/tests/test_skr_state: LDFLAGS += -Wl,--wrap=write,--wrap=pwrite,--wrap=flock
$(addprefix $(B)/tests/,test_skr test_skr_memory test_skr_tdx test_skr_times test_skr_wrapping): \
	$(B)/obj/platform/fw_client.o $(B)/obj/selftests/skr/steps.o
$(skr-tests): $(B)/tests/%: $(B)/obj/selftests/skr/%.o $(skr-service) $(key-obj) $(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(key-libs) $(lib-libs)

$(B)/tests/skr_service: $(B)/obj/selftests/skr/skr_service.o $(skr-service)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -ljansson -ltss2-mu -lcrypto

$(B)/obj/selftests/skr/%.o: selftests/skr/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -Iuserspace -Iuserspace/include -Idriver/uapi -iquote . \
		-iquote selftests -iquote selftests/lib -c -o $@ $<

-include $(wildcard $(B)/obj/selftests/skr/*.d)
