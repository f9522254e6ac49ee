// SPDX-License-Identifier: MIT
/* A list of named checks, and what it amounts to. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "policy.h"
#include "verdict.h"

struct cvm_verdict *cvm_verdict_new(void)
{
	struct cvm_verdict *v = malloc(sizeof(*v));

	/* all but the text, which is written before it is read */
	if (v)
		memset(v, 0, offsetof(struct cvm_verdict, text));
	return v;
}

void cvm_verdict_free(struct cvm_verdict *verdict)
{
	if (!verdict)
		return;
	cvm_policy_put(verdict->policy);
	free(verdict->manifest);
	free(verdict);
}

/* vsnprintf(); it takes long over mere words, which most reasons are */
static int print_reason(char *reason, size_t room, const char *format, va_list args)
{
	const char *words = strcmp(format, "%s") ? format : va_arg(args, const char *);
	size_t len = strlen(words);

	if (words == format && strchr(format, '%'))
		return vsnprintf(reason, room, format, args);
	if (len >= room)
		len = room - 1;
	memcpy(reason, words, len);
	reason[len] = '\0';
	return (int)len;
}

/* It is shown on terminals, and may cite whoever has sent the evidence. */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

/* A reason as long as there is room for it, and never NULL */
static const char *keep_reason(struct cvm_verdict *v, const char *format, va_list args)
{
	size_t room = sizeof(v->text) - v->used;
	char *reason = v->text + v->used;
	int len;

	if (room < 2)
		return "";
	room = room > CVM_REASON_SIZE ? CVM_REASON_SIZE : room;
	len = print_reason(reason, room, format, args);
	v->used += len < 0 ? 1 : (size_t)len < room ? (size_t)len + 1 : room;
	if (len < 0)
		*reason = '\0';
	make_printable(reason);
	return reason;
}

static void count_outcome(struct cvm_verdict *v, enum cvm_outcome outcome)
{
	v->failed |= outcome == CVM_FAIL;
	v->broken |= outcome == CVM_BREAK;
	v->missing |= outcome == CVM_MISS;
}

bool cvm_verdict_add(struct cvm_verdict *v, const char *name, enum cvm_outcome outcome,
		     const char *format, ...)
{
	static const enum cvm_check_state states[] = {
		[CVM_PASS] = CVM_CHECK_PASSED, [CVM_FAIL] = CVM_CHECK_FAILED,
		[CVM_BREAK] = CVM_CHECK_FAILED, [CVM_SKIP] = CVM_CHECK_NOT_CHECKED,
		[CVM_MISS] = CVM_CHECK_NOT_CHECKED,
	};
	struct cvm_check *check;
	va_list args;

	/* Before the array's bound: no failure may ever be lost. */
	count_outcome(v, outcome);
	if (v->count == CVM_VERDICT_MAX) {
		v->failed = true;
		return false;
	}
	check = &v->check[v->count++];
	va_start(args, format);
	*check = (struct cvm_check){ name, states[outcome], keep_reason(v, format, args),
				     outcome != CVM_SKIP };
	va_end(args);
	return outcome == CVM_PASS;
}

int cvm_fail_format(struct cvm_verdict *v, const struct cvm_format_error *err)
{
	char text[CVM_REASON_SIZE];

	cvm_fail(v, "format", "%s", cvm_format_error_text(err, text, sizeof(text)));
	return -EBADMSG;
}

bool cvm_verdict_authentic(const struct cvm_verdict *verdict)
{
	return verdict->signed_by_root && !verdict->failed;
}

bool cvm_verdict_verified(const struct cvm_verdict *verdict)
{
	return cvm_verdict_authentic(verdict) && verdict->policy && !verdict->broken &&
	       !verdict->missing;
}

size_t cvm_verdict_count(const struct cvm_verdict *verdict)
{
	return verdict->count;
}

const struct cvm_check *cvm_verdict_check(const struct cvm_verdict *verdict, size_t index)
{
	return index < verdict->count ? &verdict->check[index] : NULL;
}

static bool has_passed(const struct cvm_verdict *v, const char *name)
{
	for (size_t i = 0; i < v->count; i++)
		if (!strcmp(v->check[i].name, name))
			return v->check[i].state == CVM_CHECK_PASSED;
	return false;
}

/*
 * What is asked for now is answered by the boot that runs now. Evidence that may
 * be old has the count of another one, and so has a vTPM's quote to which nobody
 * has tied a hardware report: of neither is it given out as what was verified.
 */
int cvm_verdict_reset_count(const struct cvm_verdict *verdict, uint32_t *reset_count)
{
	if (verdict->binding != CVM_BINDING_AZURE || verdict->batch ||
	    !cvm_verdict_authentic(verdict) || !verdict->facts.has_reset_count ||
	    !has_passed(verdict, "report_data") || !has_passed(verdict, "tpm_nonce"))
		return -ENODATA;
	*reset_count = verdict->facts.reset_count;
	return 0;
}

static const char *const tcb_statuses[CVM_TCB_STATUSES] = {
	[CVM_TCB_UNKNOWN] = "unknown",
	[CVM_TCB_UP_TO_DATE] = "UpToDate",
	[CVM_TCB_SW_HARDENING_NEEDED] = "SWHardeningNeeded",
	[CVM_TCB_CONFIGURATION_NEEDED] = "ConfigurationNeeded",
	[CVM_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED] = "ConfigurationAndSWHardeningNeeded",
	[CVM_TCB_TD_RELAUNCH_ADVISED] = "TDRelaunchAdvised",
	[CVM_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED] =
		"TDRelaunchAdvisedConfigurationNeeded",
	[CVM_TCB_OUT_OF_DATE] = "OutOfDate",
	[CVM_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED] = "OutOfDateConfigurationNeeded",
	[CVM_TCB_REVOKED] = "Revoked",
};

const char *cvm_tcb_status_name(enum cvm_tcb_status status)
{
	return tcb_statuses[status < CVM_TCB_STATUSES ? status : CVM_TCB_UNKNOWN];
}

enum cvm_tcb_status cvm_tcb_status_of(const char *name)
{
	for (enum cvm_tcb_status i = CVM_TCB_UP_TO_DATE; i < CVM_TCB_STATUSES; i++)
		if (!strcmp(tcb_statuses[i], name))
			return i;
	return CVM_TCB_UNKNOWN;
}
