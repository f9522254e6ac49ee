// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "common/api.h"
#include "secret.h"

int cvm_secret_process(struct cvm_error *error)
{
	if (mlockall(MCL_CURRENT | MCL_FUTURE) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
		int rc = -errno;

		return cvm_set_error(error, rc, "cannot lock this process's memory: %s; run as root, with no limit on locked memory",
				     strerror(-rc));
	}
	return 0;
}
