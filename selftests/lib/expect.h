/* SPDX-License-Identifier: GPL-2.0 */
/* A verdict against what a test expects of it. */
#ifndef EXPECT_H
#define EXPECT_H

#include <openssl/err.h>

#include "cvmguest.h"
#include "tap.h"

static inline enum cvm_check_state state_of(const struct cvm_verdict *verdict, const char *name)
{
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++)
		if (!strcmp(cvm_verdict_check(verdict, i)->name, name))
			return cvm_verdict_check(verdict, i)->state;
	return CVM_CHECK_NOT_CHECKED;
}

static inline void print_verdict(const struct cvm_verdict *verdict)
{
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		printf("# %d %s: %s\n", c->state, c->name, c->reason);
	}
}

/* Takes @verdict, which must be authentic, with nothing left in the error queue. */
static inline void expect(int ret, struct cvm_verdict *verdict, const char *what)
{
	bool good = !ret && verdict && cvm_verdict_authentic(verdict) && !ERR_peek_error();

	if (!check(good, "%s: authentic", what) && verdict)
		print_verdict(verdict);
	ERR_clear_error();
	cvm_verdict_free(verdict);
}

#endif /* EXPECT_H */
