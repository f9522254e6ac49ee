# SPDX-License-Identifier: GPL-2.0
# Tests of the driver. test_estimate and snp_answer_test compile files of the
# driver in user space; the others run where the module is loaded.

KSFT := $(B)/cache/linux-source-6.12
# the harness defines functions of its own for every fixture
DRIVER_CFLAGS := $(ALL_CFLAGS) -Wno-missing-prototypes -Idriver/uapi \
	-isystem $(KSFT)/tools/testing/selftests -pthread

driver-tests := $(B)/tests/driver_ioctl $(B)/tests/driver_callers \
	$(B)/tests/driver_module $(B)/tests/driver_storm $(B)/tests/driver_tdx

# files with submitted requests by the hundred, and what a relying party checks
crowd-tests := $(addprefix $(B)/tests/driver_,mix crowd fairness turns)
crowd-objects := $(addprefix $(B)/obj/driver/,crowd.o report.o merkle.o)

# the batch node, scopes, submitted requests
batch-tests := $(addprefix $(B)/tests/driver_,batch scope async submit keep_snp \
	keep_tdx members key keyring key_users key_tdx)

# measurement registers, with hashes of its own
rtmr-tests := $(B)/tests/driver_rtmr

# Azure, with another user of the TPM
azure-tests := $(B)/tests/driver_azure
test-programs += $(B)/tests/driver_azure_report

test-programs += $(rtmr-tests) $(azure-tests) $(driver-tests) $(crowd-tests) $(batch-tests) $(B)/tests/driver_estimate

# the kselftest harness, from Debian's package
$(KSFT)/members:
	$(Q)selftests/vm/source >/dev/null

$(driver-tests): $(B)/tests/driver_%: $(B)/obj/driver/test_%.o $(B)/obj/driver/report.o
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^

$(azure-tests): $(addprefix $(B)/obj/driver/,test_azure.o tpm.o report.o)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lcrypto

$(rtmr-tests): $(B)/obj/driver/test_rtmr.o $(B)/obj/driver/report.o
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lcrypto

$(B)/tests/driver_mix: $(B)/obj/driver/mix.o
$(B)/tests/driver_fairness $(B)/tests/driver_turns: \
	$(addprefix $(B)/obj/driver/,flood.o polite.o)

$(batch-tests): $(B)/obj/driver/batch.o
$(B)/tests/driver_async: $(B)/obj/driver/ring.o
$(B)/tests/driver_key: $(addprefix $(B)/obj/driver/,flood.o polite.o)
$(addprefix $(B)/tests/driver_,key keyring key_users key_tdx): $(B)/obj/driver/derive.o

$(crowd-tests) $(batch-tests): $(B)/tests/driver_%: $(B)/obj/driver/test_%.o $(crowd-objects)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -pthread -o $@ $^ -lcrypto

$(B)/tests/driver_azure_report: $(addprefix $(B)/obj/driver/,test_azure_report.o azure_report.o)
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/obj/driver/test_azure_report.o: DRIVER_CFLAGS += -Idriver

$(B)/obj/driver/azure_report.o: driver/platform/azure_report.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-conversion -c -o $@ $<

$(B)/tests/driver_estimate: $(B)/obj/driver/test_estimate.o $(B)/obj/driver/estimate.o
	$(say) LD $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(patsubst $(B)/tests/driver_%,$(B)/obj/driver/test_%.o,$(batch-tests)) \
$(addprefix $(B)/obj/driver/,crowd.o batch.o): \
	DRIVER_CFLAGS += -Idriver

$(B)/obj/driver/%.o: selftests/driver/%.c | $(KSFT)/members
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(DRIVER_CFLAGS) -c -o $@ $<

$(B)/obj/driver/estimate.o $(B)/obj/driver/merkle.o: $(B)/obj/driver/%.o: driver/%.c
	$(say) CC $<
	@mkdir -p $(@D)
	$(Q)$(CC) $(ALL_CFLAGS) -c -o $@ $<

-include $(wildcard $(B)/obj/driver/*.d)
