// SPDX-License-Identifier: MIT
/* Every rule about a TDX quote, and about the age of what says that it holds. */
#include <stdio.h>

#include "policy.h"

const struct cvm_flag cvm_tdx_flags[] = {
	{ CVM_RULE_TDX_ATTR_DEBUG, CVM_TD_ATTR_DEBUG, false },
	{ CVM_RULE_TDX_ATTR_ICSSD, CVM_TD_ATTR_ICSSD, false },
	{ CVM_RULE_TDX_ATTR_LASS, CVM_TD_ATTR_LASS, false },
	{ CVM_RULE_TDX_ATTR_SEPT_VE_DISABLE, CVM_TD_ATTR_SEPT_VE_DISABLE, false },
	{ CVM_RULE_TDX_ATTR_MIGRATABLE, CVM_TD_ATTR_MIGRATABLE, false },
	{ CVM_RULE_TDX_ATTR_PKS, CVM_TD_ATTR_PKS, false },
	{ CVM_RULE_TDX_ATTR_KL, CVM_TD_ATTR_KL, false },
	{ CVM_RULE_TDX_ATTR_TPA, CVM_TD_ATTR_TPA, false },
	{ CVM_RULE_TDX_ATTR_PERFMON, CVM_TD_ATTR_PERFMON, false },
	{ CVM_RULE_TDX_ATTR_UNKNOWN, ~CVM_TD_ATTR_KNOWN, false },
};

const size_t cvm_tdx_flag_count = ARRAY_SIZE(cvm_tdx_flags);

/*
 * A body of TDX 1.0 has no such field, and a TD with service TDs looks like one
 * without. Whether that matters: where the policy asks, or a migration TD may be one.
 */
static void judge_service_tds(struct cvm_verdict *v)
{
	const struct cvm_rule *rule = &v->policy->rule[CVM_RULE_TDX_MRSERVICETD];
	const char *path = cvm_rule_infos[CVM_RULE_TDX_MRSERVICETD].path;

	if (v->facts.shows_service_tds || rule->any)
		cvm_judge_digest(v, CVM_RULE_TDX_MRSERVICETD, v->facts.body.mrservicetd);
	else if (rule->given)
		cvm_miss(v, path, "a body of TDX 1.0 does not show service TDs");
	else if (v->facts.body.tdattributes & CVM_TD_ATTR_MIGRATABLE)
		cvm_miss(v, path,
			 "a body of TDX 1.0 does not show service TDs, and the TD may have one that migrates it");
	else
		cvm_skip(v, path, "a body of TDX 1.0 does not show service TDs");
}

static void judge_measurements(struct cvm_verdict *v)
{
	const struct cvm_td_body *b = &v->facts.body;

	cvm_judge_digest(v, CVM_RULE_TDX_MRTD, b->mrtd);
	for (enum cvm_rule_id i = 0; i < 4; i++)
		cvm_judge_digest(v, CVM_RULE_TDX_RTMR0 + i, b->rtmr[i]);
	cvm_judge_digest(v, CVM_RULE_TDX_MRCONFIGID, b->mrconfigid);
	cvm_judge_digest(v, CVM_RULE_TDX_MROWNER, b->mrowner);
	cvm_judge_digest(v, CVM_RULE_TDX_MROWNERCONFIG, b->mrownerconfig);
	judge_service_tds(v);
	cvm_judge_digest(v, CVM_RULE_TDX_MRSEAM, b->mrseam);
	cvm_judge_digest(v, CVM_RULE_TDX_FMSPC, v->facts.fmspc);
}

static bool has_text(const struct cvm_texts *texts, const char *text, size_t len)
{
	for (size_t i = 0; i < texts->count; i++)
		if (strlen(texts->text[i]) == len && !memcmp(texts->text[i], text, len))
			return true;
	return false;
}

static void judge_advisories(struct cvm_verdict *v)
{
	const struct cvm_texts *allowed = &v->policy->rule[CVM_RULE_TDX_ADVISORIES].texts;
	const char *path = cvm_rule_infos[CVM_RULE_TDX_ADVISORIES].path;
	const char *at = v->facts.advisories;

	if (!cvm_rule_asks(v, CVM_RULE_TDX_ADVISORIES))
		return;
	while (*at) {
		size_t len = strcspn(at, " ");

		if (!has_text(allowed, at, len)) {
			cvm_verdict_add(v, path, CVM_BREAK,
					"%.*s applies, which the policy does not have", (int)len, at);
			return;
		}
		at += len + (at[len] == ' ');
	}
	cvm_pass(v, path, "%s", *v->facts.advisories ? v->facts.advisories : "none applies");
}

static void judge_tcb(struct cvm_verdict *v)
{
	cvm_judge_word(v, CVM_RULE_TDX_TCB_STATUS, v->facts.tcb_status - CVM_TCB_UP_TO_DATE);
	judge_advisories(v);
	cvm_judge_number(v, CVM_RULE_TDX_TCB_EVALUATION, v->facts.tcb_evaluation);
}

void cvm_judge_tdx(struct cvm_verdict *v, bool has_collateral)
{
	judge_measurements(v);
	for (size_t i = 0; i < cvm_tdx_flag_count; i++)
		cvm_judge_flag(v, cvm_tdx_flags[i].rule,
			       v->facts.body.tdattributes & cvm_tdx_flags[i].bits);
	/* else the checks of the collateral are missing, or have failed, already */
	if (has_collateral)
		judge_tcb(v);
}

/* What was not there, or not valid yet, another check has refused already. */
static void judge_age(struct cvm_verdict *v, enum cvm_rule_id id, int64_t issued, int64_t at)
{
	if (issued && at >= issued)
		cvm_judge_number(v, id, (uint64_t)(at - issued));
}

void cvm_judge_age(struct cvm_verdict *v, int64_t at)
{
	if (v->facts.kind == CVM_FACT_TDX)
		judge_age(v, CVM_RULE_COLLATERAL_MAX_AGE, v->facts.issued, at);
	else if (cvm_rule_asks(v, CVM_RULE_COLLATERAL_MAX_AGE))
		cvm_skip(v, cvm_rule_infos[CVM_RULE_COLLATERAL_MAX_AGE].path,
			 "an SNP report has no such collateral: collateral.max_root_crl_age is of its lists");
	judge_age(v, CVM_RULE_COLLATERAL_MAX_ROOT_CRL_AGE, v->facts.root_crl_issued, at);
}
