# SPDX-License-Identifier: GPL-2.0
# Modules for the kernels that the VM runner boots, and for installed ones.
# What is up to date is known by selftests/vm/module, not by make: the sources
# are whole directories, and a kernel's release is known once it is fetched.

VM := selftests/vm
vm-series := 6.1 6.12 7.3
vm-programs := $(B)/vm/exec $(B)/vm/kexec $(B)/vm/tsc_khz
KVER ?= $(shell uname -r)

# for a kernel installed on this machine, or one of the series
module:
	$(Q)$(VM)/module $(KVER) guest

modules: $(vm-series:%=modules-%)

$(vm-series:%=modules-%): modules-%:
	$(Q)$(VM)/module $* guest
	$(Q)$(VM)/module $* sim

# fetches and caches everything that the VMs need, so that what follows works
# without a network
vm-cache: $(vm-programs)
	$(Q)for s in $(vm-series); do $(VM)/kernel $$s >/dev/null || exit; done
	$(Q)$(VM)/source >/dev/null

# the in-VM half of the runner, static: it runs whatever libraries are put there;
# and what it has to know of this machine
$(vm-programs): $(B)/vm/%: $(VM)/%.c
	$(say) CC $@
	@mkdir -p $(@D)
	$(Q)$(CC) $(filter-out -MMD -MP,$(ALL_CFLAGS)) -static -o $@ $<

test-programs += $(vm-programs)

.PHONY: module modules $(vm-series:%=modules-%) vm-cache
