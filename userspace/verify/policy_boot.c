// SPDX-License-Identifier: MIT
/* What the event log of an Azure guest leads to, and every rule about it. */
#include <stdio.h>

#include "policy.h"

_Static_assert(CVM_EVENT_PCRS == CVM_PCRS && CVM_EVENT_DIGEST == 32, "those of the quote");
_Static_assert(CVM_RULE_AZURE_DBX - CVM_RULE_AZURE_PK == CVM_BOOT_DBX - CVM_BOOT_PK,
	       "the rules of variables are in the variables' order");

static bool is_quoted(const struct cvm_verdict *v, uint32_t pcr)
{
	return v->facts.pcr_mask & 1U << pcr;
}

static bool leads_to(const struct cvm_verdict *v, uint32_t pcr)
{
	return v->facts.boot_pcrs & 1U << pcr;
}

/* Those of the quote that the log has events of, and leads to: none of others */
static void compare(struct cvm_verdict *v)
{
	const struct cvm_boot_log *boot = &v->facts.boot;

	for (uint32_t i = 0; i < CVM_PCRS; i++)
		if (is_quoted(v, i) && boot->events[i] &&
		    !memcmp(boot->pcr[i], v->facts.pcrs[i], sizeof(boot->pcr[i])))
			v->facts.boot_pcrs |= 1U << i;
}

static void list_pcrs(uint32_t mask, char *text, size_t size)
{
	size_t used = 0;

	*text = '\0';
	for (uint32_t i = 0; i < CVM_PCRS; i++)
		if (mask & 1U << i)
			used += (size_t)snprintf(text + used, size - used, "%s%u",
						 used ? ", " : "", i);
}

/* a list of all PCRs, or a line of why not */
#define WHY_SIZE	320

/* To be read, and no more: whoever means harm leaves the log out, and only rules ask for it. */
static void say_log(struct cvm_verdict *v, struct cvm_span log)
{
	char text[WHY_SIZE];

	if (!is_quoted(v, CVM_BOOT_PCR)) {
		cvm_skip(v, "event_log", "the vTPM's quote is not of PCR 7");
	} else if (leads_to(v, CVM_BOOT_PCR)) {
		list_pcrs(v->facts.boot_pcrs, text, sizeof(text));
		cvm_pass(v, "event_log", "%u events lead to the quote's PCR %s",
			 v->facts.boot.count, text);
	} else {
		cvm_boot_log_explain(log, CVM_BOOT_PCR, v->facts.pcrs[CVM_BOOT_PCR], text,
				     sizeof(text));
		cvm_skip(v, "event_log", "%s", text);
	}
}

void cvm_check_event_log(struct cvm_verdict *v, struct cvm_span log)
{
	struct cvm_facts *facts = &v->facts;
	struct cvm_format_error err;

	if (!log.data)
		return;
	if (cvm_boot_log_replay(log, &facts->boot, &err)) {
		facts->boot = (struct cvm_boot_log){ 0 };
		cvm_format_error_text(&err, facts->boot_fault, sizeof(facts->boot_fault));
		cvm_skip(v, "event_log", "cannot be read: %s", facts->boot_fault);
		return;
	}
	if (!facts->has_pcrs) {
		cvm_skip(v, "event_log", "there are no PCRs that a quote vouches for");
		return;
	}
	compare(v);
	say_log(v, log);
}

/* ---- rules */

/* False, and the check is made: there is nothing to judge by */
static bool has_log(struct cvm_verdict *v, const char *path, struct cvm_span log)
{
	if (!log.data)
		return cvm_miss(v, path, "the evidence has no event log");
	if (*v->facts.boot_fault)
		return cvm_verdict_add(v, path, CVM_BREAK, "the event log cannot be read: %s",
				       v->facts.boot_fault);
	if (!v->facts.has_pcrs)
		return cvm_miss(v, path, "there are no PCRs that a quote vouches for");
	return true;
}

/* Likewise, of PCR 7 */
static bool has_boot(struct cvm_verdict *v, enum cvm_rule_id id, struct cvm_span log)
{
	const char *path = cvm_rule_infos[id].path;

	if (!has_log(v, path, log))
		return false;
	if (!leads_to(v, CVM_BOOT_PCR))
		return cvm_verdict_add(v, path, CVM_BREAK, "the log does not lead to the quote's PCR 7");
	return true;
}

/* Why the log does not lead to what is asked for; the first PCR of these */
static void explain_pcrs(const struct cvm_verdict *v, struct cvm_span log, uint32_t asked,
			 char text[WHY_SIZE])
{
	uint32_t i = 0;

	while (i < 32 && (!(asked & 1U << i) || leads_to(v, i)))
		i++;
	if (i == 32)
		snprintf(text, WHY_SIZE, "the policy names no PCR");
	else if (i >= CVM_PCRS || !is_quoted(v, i))
		snprintf(text, WHY_SIZE, "PCR %u is not in the quote", i);
	else if (!v->facts.boot.events[i])
		snprintf(text, WHY_SIZE, "PCR %u: the log has no event of it", i);
	else
		cvm_boot_log_explain(log, i, v->facts.pcrs[i], text, WHY_SIZE);
}

static void judge_pcrs(struct cvm_verdict *v, struct cvm_span log)
{
	const char *path = cvm_rule_infos[CVM_RULE_AZURE_LOG_PCRS].path;
	uint32_t asked = v->policy->rule[CVM_RULE_AZURE_LOG_PCRS].set;
	char text[WHY_SIZE];

	if (!cvm_rule_asks(v, CVM_RULE_AZURE_LOG_PCRS) || !has_log(v, path, log))
		return;
	if (asked && !(asked & ~v->facts.boot_pcrs)) {
		list_pcrs(asked, text, sizeof(text));
		cvm_pass(v, path, "the log leads to PCR %s", text);
	} else {
		explain_pcrs(v, log, asked, text);
		cvm_verdict_add(v, path, CVM_BREAK, "%s", text);
	}
}

/*
 * Each was measured once, before the firmware was done with PCR 7: later whoever runs in the
 * VM may extend it with what he likes. An event that hides what it is may be any of them.
 */
static bool is_measured(struct cvm_verdict *v, enum cvm_rule_id id, enum cvm_boot_variable which)
{
	const struct cvm_boot_log *boot = &v->facts.boot;
	const struct cvm_measured *m = &boot->variable[which];
	const char *path = cvm_rule_infos[id].path, *name = cvm_boot_variable_name(which);

	if (!boot->separator)
		return cvm_verdict_add(v, path, CVM_BREAK,
				       "PCR 7 has no separator: nothing says where the firmware ends");
	if (boot->failed)
		return cvm_verdict_add(v, path, CVM_BREAK,
				       "by event %u the firmware failed to measure", boot->failed);
	if (boot->unfounded)
		return cvm_verdict_add(v, path, CVM_BREAK,
				       "event %u may be of %s: its digest is not of what it shows",
				       boot->unfounded, name);
	if (m->again)
		return cvm_verdict_add(v, path, CVM_BREAK,
				       "event %u measures %s again, or after the firmware was done",
				       m->again, name);
	if (!m->number)
		return cvm_verdict_add(v, path, CVM_BREAK, "no event has %s", name);
	return true;
}

void cvm_judge_boot(struct cvm_verdict *v, struct cvm_span log)
{
	const enum cvm_rule_id secure_boot = CVM_RULE_AZURE_LOG_SECURE_BOOT;

	judge_pcrs(v, log);
	if (cvm_rule_asks(v, secure_boot) && has_boot(v, secure_boot, log) &&
	    is_measured(v, secure_boot, CVM_BOOT_SECURE_BOOT))
		cvm_judge_flag(v, secure_boot,
			       v->facts.boot.variable[CVM_BOOT_SECURE_BOOT].is_one);
	for (enum cvm_boot_variable i = CVM_BOOT_PK; i <= CVM_BOOT_DBX; i++) {
		enum cvm_rule_id id = CVM_RULE_AZURE_PK + (i - CVM_BOOT_PK);

		if (cvm_rule_asks(v, id) && has_boot(v, id, log) && is_measured(v, id, i))
			cvm_judge_digest(v, id, v->facts.boot.variable[i].digest);
	}
}
