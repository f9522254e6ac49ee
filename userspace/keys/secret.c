// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>

#include "common/api.h"
#include "secret.h"

/* more than all that is called with a secret takes */
#define STACK	(32U << 10)

int cvm_secret_process(struct cvm_error *error)
{
	/* what the heap frees stays in it, where it can be wiped; what is mapped alone is large */
	mallopt(M_TRIM_THRESHOLD, INT_MAX);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) {
		int rc = -errno;

		return cvm_set_error(error, rc, "cannot lock this process's memory: %s; run as root, with no limit on locked memory",
				     strerror(-rc));
	}
	return 0;
}

/* how many times of secrets have begun and not ended, and the signals before the first */
static unsigned int under_way;
static sigset_t before;

void cvm_secret_begin(struct cvm_secret_time *time)
{
	sigset_t all;

	if (time->begun)
		return;
	time->begun = true;
	sigfillset(&all);
	/* neither call fails with such arguments */
	if (!under_way++)
		sigprocmask(SIG_BLOCK, &all, &before);
}

static __attribute__((noinline)) void wipe_stack(void)
{
	uint8_t below[STACK];

	OPENSSL_cleanse(below, sizeof(below));
}

void cvm_secret_end(struct cvm_secret_time *time)
{
	if (!time->begun)
		return;
	wipe_stack();
	time->begun = false;
	if (!--under_way)
		sigprocmask(SIG_SETMASK, &before, NULL);
}
