// SPDX-License-Identifier: GPL-2.0
/* Where the tdx_*.c files are not part of the build: SNP only, and says so. */
#include <errno.h>

#include "fwd.h"

#define __weak __attribute__((weak))

__weak const struct fw_option tdx_options[] = { { } };

__weak int tdx_init(struct fwd *fwd)
{
	fprintf(stderr, "cvm-fwd: this build has no TDX\n");
	return -1;
}

__weak void tdx_report(struct fwd *fwd, const uint8_t report_data[64], struct answer *ans,
		       uint64_t now_ns)
{
	ans->status = ENODEV;
}

__weak void tdx_quote(struct fwd *fwd, const uint8_t tdreport[1024], struct answer *ans,
		      uint64_t now_ns)
{
	ans->status = ENODEV;
}

__weak void tdx_rtmr(struct fwd *fwd, uint32_t index, const uint8_t digest[48],
		     struct answer *ans, uint64_t now_ns)
{
	ans->status = ENODEV;
}

__weak void tdx_sim_quote(struct fwd *fwd, const uint8_t report_data[64], struct answer *ans,
			  uint64_t now_ns)
{
	ans->status = ENODEV;
}

__weak unsigned int tdx_max_quotes(void)
{
	return 1;
}

__weak void tdx_status(FILE *out)
{
}
