/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Mutations: evidence that is verified, spoilt in one way, and the checks that
 * catch it. A row says their names, in the order of the verdict, with commas:
 *	"signature"	failed, whatever else did
 *	"=a,b"		exactly these failed
 *	"=?a"		was not made although it is required; nothing failed
 */
#ifndef MUTATE_H
#define MUTATE_H

#include <openssl/err.h>

#include "cvmguest.h"
#include "expect.h"
#include "tap.h"

#define NAMES_SIZE	4096

/* What went wrong, by name: failed checks, then with a ? those that are missing */
static inline void verdict_names(const struct cvm_verdict *verdict, char names[NAMES_SIZE])
{
	size_t used = 0;

	names[0] = '\0';
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < cvm_verdict_count(verdict) && used < NAMES_SIZE; i++) {
			const struct cvm_check *c = cvm_verdict_check(verdict, i);

			if (pass ? c->state == CVM_CHECK_NOT_CHECKED && c->required :
				   c->state == CVM_CHECK_FAILED)
				used += (size_t)snprintf(names + used, NAMES_SIZE - used, "%s%s%s",
							 used ? "," : "", pass ? "?" : "",
							 c->name);
		}
}

static inline bool has_name(const char *names, const char *name)
{
	size_t len = strlen(name);

	for (const char *at = names; (at = strstr(at, name)); at += len)
		if ((at == names || at[-1] == ',') && (!at[len] || at[len] == ','))
			return true;
	return false;
}

/* For a terminal, whoever has sent what is cited */
static inline bool can_be_shown(const struct cvm_verdict *verdict)
{
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++)
		for (const char *c = cvm_verdict_check(verdict, i)->reason; *c; c++)
			if (*c < ' ' || *c > '~')
				return false;
	return true;
}

/* Takes @verdict. @by: NULL: it must be verified; else as above */
__attribute__((format(printf, 4, 5)))
static inline void expect_by(int ret, struct cvm_verdict *verdict, const char *by,
			     const char *format, ...)
{
	char names[NAMES_SIZE] = "no verdict", what[256];
	va_list values;
	bool good;

	va_start(values, format);
	vsnprintf(what, sizeof(what), format, values);
	va_end(values);
	if (verdict)
		verdict_names(verdict, names);
	good = verdict && !cvm_verdict_verified(verdict) == !!by && !ERR_peek_error() &&
	       (!by || (*by == '=' ? !strcmp(names, by + 1) : has_name(names, by)));
	good = good && can_be_shown(verdict);
	if (!by)
		good = good && !ret && !*names;
	if (!check(good, "%s: %s%s", what, by ? "refused by " : "verified", by ? by : ""))
		printf("# %s\n", names);
	ERR_clear_error();
	cvm_verdict_free(verdict);
}

#endif /* MUTATE_H */
