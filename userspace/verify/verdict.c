// SPDX-License-Identifier: MIT
/* A list of named checks, and whether it amounts to authentic evidence. */
#include <stdarg.h>
#include <stdio.h>

#include "internal.h"

bool cvm_verdict_add(struct cvm_verdict *v, const char *name,
		     enum cvm_check_state state, const char *format, ...)
{
	struct cvm_check *check;
	char *reason;
	va_list args;

	/* Before the array's bound: no failure may ever be lost. */
	if (state == CVM_CHECK_FAILED)
		v->failed = true;
	if (v->count == CVM_VERDICT_MAX) {
		v->failed = true;
		return false;
	}
	check = &v->check[v->count];
	reason = v->reason[v->count++];
	va_start(args, format);
	vsnprintf(reason, CVM_REASON_SIZE, format, args);
	va_end(args);
	*check = (struct cvm_check){ name, state, reason };
	return state == CVM_CHECK_PASSED;
}

void cvm_fail_format(struct cvm_verdict *v, const struct cvm_format_error *err)
{
	char text[CVM_REASON_SIZE];

	cvm_fail(v, "format", "%s",
		 cvm_format_error_text(err, text, sizeof(text)));
}

bool cvm_verdict_authentic(const struct cvm_verdict *verdict)
{
	return verdict->signed_by_root && !verdict->failed;
}

size_t cvm_verdict_count(const struct cvm_verdict *verdict)
{
	return verdict->count;
}

const struct cvm_check *cvm_verdict_check(const struct cvm_verdict *verdict,
					  size_t index)
{
	return index < verdict->count ? &verdict->check[index] : NULL;
}

void cvm_verdict_free(struct cvm_verdict *verdict)
{
	free(verdict);
}
