# SPDX-License-Identifier: GPL-2.0
# A client of cvm-agent, and a container to run it in, for native tests and those in VMs.

agent-client := $(patsubst %,$(B)/obj/selftests/agent/%.o,client http)
agent-container := $(B)/obj/selftests/agent/container.o
agent-files := $(B)/obj/selftests/agent/test_agent_files.o
agent-coco := $(B)/obj/selftests/agent/test_agent_coco.o
test-programs += $(B)/tests/agent_client $(B)/tests/agent_container $(B)/tests/test_agent_files \
		 $(B)/tests/test_agent_coco

$(B)/tests/agent_client: $(agent-client) $(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(lib-libs)

$(B)/tests/agent_container: $(agent-container)
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^

$(B)/tests/test_agent_files: $(agent-files) $(patsubst %,$(B)/obj/userspace/agent/%.o,sandbox sandbox_files log) \
		$(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lseccomp $(lib-libs)

$(B)/tests/test_agent_coco: $(agent-coco) $(patsubst %,$(B)/obj/userspace/agent/%.o,coco format) $(make-snp) \
		$(B)/lib/libcvmguest.a
	@mkdir -p $(@D)
	$(say) LD $@
	$(Q)$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(lib-libs)

$(B)/obj/selftests/agent/%.o: selftests/agent/%.c
	@mkdir -p $(@D)
	$(say) CC $<
	$(Q)$(CC) $(ALL_CFLAGS) -Iuserspace -Iuserspace/include -Iselftests/lib -iquote . -c -o $@ $<

-include $(agent-client:.o=.d) $(agent-container:.o=.d) $(agent-files:.o=.d) $(agent-coco:.o=.d)
