# SPDX-License-Identifier: GPL-2.0
# Fuzzers, with FUZZ=1: one program for each parser and reader, so that each has a
# corpus and a coverage of its own; and what writes their first inputs.

fuzz-parsers := snp_report tdreport quote cert_table efi_list module_signature hcl_report event_log proof hex
fuzz-own     := policy collateral tcb_info qe_identity claims tpm_file evidence_file cmw tpm_quote certs proof_text
fuzz-fetched := thim pcs cached imds
fuzz-readers := $(fuzz-own) $(fuzz-fetched) show
fuzz-verify  := verify verify_deep
fuzz-skr     := skr_state skr_envelope skr_token skr_payload skr_release
fuzz-keys    := record $(fuzz-skr)
fuzz-agent   := ask
fuzz-example := example_cmw example_ratls

# these see what is behind signatures
fuzz-holds := $(B)/obj/selftests/fuzz/holds.o
wrap-fuzz  := -Wl,--wrap=EVP_DigestVerify,--wrap=X509_verify,--wrap=X509_CRL_verify,--wrap=X509_verify_cert
holds-tpm_quote   := $(fuzz-holds) $(wrap-fuzz)
holds-verify_deep := $(fuzz-holds) $(wrap-fuzz)
holds-skr_release := $(fuzz-holds) $(wrap-fuzz)
# and this one a certificate that was good when it was made
holds-example_ratls := -Wl,--wrap=X509_cmp_current_time

# not in the library
keys-skr    := $(patsubst %.c,$(B)/obj/%.o,$(wildcard userspace/skr/*.c)) \
	       $(addprefix $(B)/obj/userspace/keys/,tpm.o secret.o heap.o pcrs.o)
agent-ask   := $(addprefix $(B)/obj/userspace/agent/,ask.o coco.o format.o)
keys-record := $(addprefix $(B)/obj/userspace/keys/,record.o record_mac.o record_file.o inputs.o)
examples-own := $(addprefix $(B)/obj/examples/,common/cmw.o common/relying_party.o ratls/ratls.o)

fuzz-cc = $(CC) $(ALL_CFLAGS) -Iuserspace -Iuserspace/include -Idriver/uapi -iquote .

$(B)/obj/selftests/fuzz/holds.o: selftests/fuzz/holds.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -c -o $@ $<

$(fuzz-parsers:%=$(B)/obj/selftests/fuzz/%.o): $(B)/obj/selftests/fuzz/%.o: selftests/fuzz/fuzz_formats.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -DPARSER=$* -c -o $@ $<

$(fuzz-own:%=$(B)/obj/selftests/fuzz/%.o): $(B)/obj/selftests/fuzz/%.o: selftests/fuzz/fuzz_readers.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -DREADER=$* -c -o $@ $<

$(fuzz-fetched:%=$(B)/obj/selftests/fuzz/%.o): $(B)/obj/selftests/fuzz/%.o: selftests/fuzz/fuzz_fetched.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -DREADER=$* -c -o $@ $<

$(B)/obj/selftests/fuzz/show.o: selftests/fuzz/fuzz_show.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -c -o $@ $<

# what they stand before: the readers of cvmctl, which the library has no part of
fetched-objects := $(patsubst %,$(B)/obj/userspace/fetch/%.o,cache kds pcs thim x509)
show-objects    := $(patsubst %,$(B)/obj/userspace/cvmctl/%.o, \
		     files message show_certs show_event_log show_other show_snp show_tdx show_text)
$(fuzz-fetched:%=$(B)/bin/fuzz_%): $(fetched-objects)
$(B)/bin/fuzz_show: $(show-objects)

$(fuzz-verify:%=$(B)/obj/selftests/fuzz/%.o): selftests/fuzz/fuzz_verify.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -c -o $@ $<

$(addprefix $(B)/obj/selftests/fuzz/,record.o $(fuzz-agent:%=%.o)): $(B)/obj/selftests/fuzz/%.o: selftests/fuzz/fuzz_%.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -c -o $@ $<

$(fuzz-skr:%=$(B)/obj/selftests/fuzz/%.o): $(B)/obj/selftests/fuzz/%.o: selftests/fuzz/fuzz_skr.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -DREADER=$* -c -o $@ $<

$(fuzz-example:%=$(B)/obj/selftests/fuzz/%.o): $(B)/obj/selftests/fuzz/%.o: selftests/fuzz/fuzz_examples.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -DREADER=$* -c -o $@ $<

$(examples-own): $(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(say) CC $@
	$(Q)$(fuzz-cc) -c -o $@ $<

$(B)/bin/fuzz_record: $(keys-record)
$(fuzz-skr:%=$(B)/bin/fuzz_%): $(keys-skr)
$(B)/bin/fuzz_ask: $(agent-ask)
$(fuzz-example:%=$(B)/bin/fuzz_%): $(examples-own)

$(B)/bin/fuzz_%: $(B)/obj/selftests/fuzz/%.o $(B)/lib/libcvmguest.a | $(fuzz-holds)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(holds-$*) $(B)/lib/libcvmguest.a \
		$(lib-libs)

# for the script that runs them
fuzz-formats: ; @echo $(fuzz-parsers)
fuzz-readers: ; @echo $(fuzz-readers)
fuzz-verification: ; @echo $(fuzz-verify)
fuzz-keys: ; @echo $(fuzz-keys)
fuzz-agent: ; @echo $(fuzz-agent)
fuzz-examples: ; @echo $(fuzz-example)
fuzz-names: ; @echo $(fuzz-parsers) $(fuzz-readers) $(fuzz-verify) $(fuzz-keys) $(fuzz-agent) $(fuzz-example)

test-programs += $(B)/tests/fuzz_seeds

fuzz-seeds := $(addprefix $(B)/obj/selftests/fuzz/,seeds.o seeds_skr.o seeds_examples.o)

$(fuzz-seeds): $(B)/obj/selftests/fuzz/%.o: selftests/fuzz/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -Iuserspace -Iuserspace/include -Idriver/uapi -iquote . \
		-iquote selftests -iquote selftests/lib -c -o $@ $<

$(B)/tests/fuzz_seeds: $(fuzz-seeds) $(skr-service) $(mutate-azure) $(mutate-batch) \
		$(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $(sort $(filter %.o,$^)) $(filter %.a,$^) $(lib-libs)

.PHONY: fuzz-formats fuzz-readers fuzz-verification fuzz-keys fuzz-agent fuzz-examples fuzz-names

-include $(wildcard $(B)/obj/selftests/fuzz/*.d $(B)/obj/examples/*/*.d)
