// SPDX-License-Identifier: GPL-2.0
/*
 * Azure: what the kernel has been told by Hyper-V, that the VM is isolated and
 * how. All else that such a guest has is its TPM, which is not here.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/stddef.h>
#include <asm/mshyperv.h>

#include "sim.h"

/* of CPUID 4000000ch, EBX */
#define ISOLATION_SNP	2
#define ISOLATION_TDX	3

static struct sim_patch privileges, isolation;

int sim_azure_arm(const struct fw_hello *hello)
{
	u64 kind = hello->platform == FW_PLATFORM_AZURE_TDX ? ISOLATION_TDX : ISOLATION_SNP;
	int ret = sim_patch(&isolation, "ms_hyperv",
			    offsetof(struct ms_hyperv_info, isolation_config_b), kind, 4) ?:
		  sim_patch(&privileges, "ms_hyperv",
			    offsetof(struct ms_hyperv_info, priv_high), HV_ISOLATION, 4);

	if (ret)
		sim_azure_disarm();
	return ret;
}

void sim_azure_disarm(void)
{
	sim_unpatch(&privileges);
	sim_unpatch(&isolation);
}
