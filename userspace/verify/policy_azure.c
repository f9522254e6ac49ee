// SPDX-License-Identifier: MIT
/* Every rule about what an Azure guest's claims and PCRs say. */
#include <stdio.h>

#include "policy.h"

_Static_assert(CVM_RULE_AZURE_FILTERED_VPCI - CVM_RULE_AZURE_SECURE_BOOT == CVM_HCL_FLAGS - 1,
	       "the rules of flags are in the flags' order");

/* Old paravisors say less: unless the policy knows that, it is as if they lied. */
static void not_said(struct cvm_verdict *v, enum cvm_rule_id id)
{
	if (!cvm_rule_asks(v, id))
		return;
	if (v->policy->rule[id].unsaid)
		cvm_pass(v, cvm_rule_infos[id].path,
			 "the claims do not say, which the policy allows");
	else
		cvm_verdict_add(v, cvm_rule_infos[id].path, CVM_BREAK, "the claims do not say: %s",
				cvm_rule_infos[id].help);
}

uint32_t cvm_sealing_word(const char *sealing)
{
	const char *const *words = cvm_rule_infos[CVM_RULE_AZURE_SEALING].words;
	uint32_t i = 0;

	while (i < CVM_SEALING_WORDS && strcmp(words[i], sealing))
		i++;
	return i;
}

void cvm_judge_claims(struct cvm_verdict *v)
{
	const struct cvm_hcl_config *config = &v->facts.config;

	for (uint32_t i = 0; i < CVM_HCL_FLAGS; i++) {
		enum cvm_rule_id id = CVM_RULE_AZURE_SECURE_BOOT + i;

		if (config->has & 1U << i)
			cvm_judge_flag(v, id, config->set & 1U << i);
		else
			not_said(v, id);
	}
	if (config->has_sealing)
		cvm_judge_word(v, CVM_RULE_AZURE_SEALING, cvm_sealing_word(config->sealing));
	else
		not_said(v, CVM_RULE_AZURE_SEALING);
	if (config->has_root_cert)
		cvm_judge_text(v, CVM_RULE_AZURE_ROOT_CERT, config->root_cert);
	else
		not_said(v, CVM_RULE_AZURE_ROOT_CERT);
}

static bool has_digest(const struct cvm_digests *list, const uint8_t digest[32])
{
	for (size_t i = 0; i < list->count; i++)
		if (!memcmp(list->data + 32 * i, digest, 32))
			return true;
	return false;
}

/* Of PCRs that the policy names: how many, and those that are not as it wants them */
static size_t list_wrong(const struct cvm_verdict *v, const struct cvm_digests *pcrs, char *wrong,
			 size_t size)
{
	size_t named = 0, used = 0;

	wrong[0] = '\0';
	for (uint32_t i = 0; i < CVM_PCRS; i++) {
		if (!pcrs[i].data)
			continue;
		named++;
		if (!(v->facts.pcr_mask & 1U << i) || !has_digest(&pcrs[i], v->facts.pcrs[i]))
			used += (size_t)snprintf(wrong + used, size - used, " %u%s", i,
						 v->facts.pcr_mask & 1U << i ? "" :
						 " (not in the quote)");
	}
	return named;
}

/* Where no quote holds there is nothing to judge, and nothing is verified. */
void cvm_judge_pcrs(struct cvm_verdict *v)
{
	const char *path = cvm_rule_infos[CVM_RULE_AZURE_PCRS].path;
	char wrong[CVM_PCRS * sizeof(" 23 (not in the quote)")];
	size_t named;

	if (!v->facts.has_pcrs || !cvm_rule_asks(v, CVM_RULE_AZURE_PCRS))
		return;
	named = list_wrong(v, v->policy->rule[CVM_RULE_AZURE_PCRS].pcrs, wrong, sizeof(wrong));
	if (!named)
		cvm_verdict_add(v, path, CVM_BREAK, "the policy names no PCR");
	else if (*wrong)
		cvm_verdict_add(v, path, CVM_BREAK, "none that the policy has: PCR%s", wrong);
	else
		cvm_pass(v, path, "the %zu PCRs that the policy names are as it has them", named);
}
