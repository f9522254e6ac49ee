/* SPDX-License-Identifier: GPL-2.0 */
/* The backend vtpm's simulated paravisor, of which each test that includes this has one. */
#ifndef LIB_VTPM_SIMULATED_H
#define LIB_VTPM_SIMULATED_H

#include <stdio.h>
#include <stdlib.h>

#include "cvmguest.h"
#include "platform/fw_client.h"
#include "tap.h"

/* of the simulated paravisor; a real one's are 2,000 */
#define WINDOW	"window_ms=300"

static struct fwd_process fwd;
static char where[128], tcti[160];

static inline void start(const char *option)
{
	const char *const options[] = { "--tpm", where, "platform=azure-snp", WINDOW, option, NULL };

	fwd_start(&fwd, options);
}

static inline void stop(void)
{
	check_is(fwd_stop(&fwd, NULL, 0), 0, "the simulator has seen no broken rule");
}

/* Where it will be, and nothing on stderr of what the TPM's libraries think of it */
static inline void setup(void)
{
	tap_make_dir();
	setenv("XDG_RUNTIME_DIR", tap_dir, 1);
	setenv("TSS2_LOG", "all+none", 0);
	snprintf(where, sizeof(where), "%s/tpm", tap_dir);
	snprintf(tcti, sizeof(tcti), "swtpm:path=%s", where);
}

static inline int open_ctx(struct cvm_ctx **ctx, struct cvm_error *error)
{
	const struct cvm_open_opts opts = { .size = sizeof(opts), .backend = "vtpm", .tcti = tcti };

	return cvm_open(ctx, &opts, error);
}

#endif /* LIB_VTPM_SIMULATED_H */
