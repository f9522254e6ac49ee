// SPDX-License-Identifier: MIT
/* One value, judged by one rule. */
#include <stdio.h>

#include "policy.h"

static const struct cvm_rule *rule_of(const struct cvm_verdict *v, enum cvm_rule_id id)
{
	return &v->policy->rule[id];
}

static void broken(struct cvm_verdict *v, enum cvm_rule_id id, const char *what)
{
	cvm_verdict_add(v, cvm_rule_infos[id].path, CVM_BREAK, "%s", what);
}

static void holds(struct cvm_verdict *v, enum cvm_rule_id id, const char *what)
{
	cvm_verdict_add(v, cvm_rule_infos[id].path, CVM_PASS, "%s", what);
}

static void judge(struct cvm_verdict *v, enum cvm_rule_id id, bool good, const char *holding,
		  const char *breaking)
{
	if (good)
		holds(v, id, holding);
	else
		broken(v, id, breaking);
}

bool cvm_rule_asks(struct cvm_verdict *v, enum cvm_rule_id id)
{
	const struct cvm_rule *rule = rule_of(v, id);

	if (rule->given && !rule->any)
		return true;
	if (rule->any)
		holds(v, id, "the policy allows any");
	else if (cvm_rule_infos[id].absent == CVM_ABSENT_REFUSES)
		cvm_miss(v, cvm_rule_infos[id].path, "the policy says nothing about it: %s",
			 cvm_rule_infos[id].help);
	else
		return cvm_rule_infos[id].absent != CVM_ABSENT_ALLOWS;
	return false;
}

void cvm_judge_digest(struct cvm_verdict *v, enum cvm_rule_id id, const uint8_t *value)
{
	const struct cvm_digests *digests = &rule_of(v, id)->digests;
	size_t len = cvm_rule_infos[id].len;

	if (!cvm_rule_asks(v, id))
		return;
	if (!rule_of(v, id)->given) {
		judge(v, id, cvm_is_zero(value, len), "zero",
		      "is not zero, and the policy says nothing about it");
		return;
	}
	for (size_t i = 0; i < digests->count; i++)
		if (!memcmp(digests->data + i * len, value, len)) {
			holds(v, id, "is one that the policy has");
			return;
		}
	broken(v, id, "is none that the policy has");
}

void cvm_judge_flag(struct cvm_verdict *v, enum cvm_rule_id id, bool set)
{
	const struct cvm_rule *rule = rule_of(v, id);
	bool wanted;

	if (!cvm_rule_asks(v, id))
		return;
	wanted = rule->given && !rule->unsaid ? rule->flag :
					       cvm_rule_infos[id].absent == CVM_ABSENT_SET;
	cvm_verdict_add(v, cvm_rule_infos[id].path, set == wanted ? CVM_PASS : CVM_BREAK,
			"is %s%s (set: %s)", set ? "set" : "clear",
			set == wanted ? "" : rule->given ? ", against the policy" :
			", which the policy would have to allow", cvm_rule_infos[id].help);
}

void cvm_judge_number(struct cvm_verdict *v, enum cvm_rule_id id, uint64_t value)
{
	uint64_t bound = rule_of(v, id)->number;
	enum cvm_rule_type type = cvm_rule_infos[id].type;
	char text[128];
	bool good;

	if (!cvm_rule_asks(v, id))
		return;
	switch (type) {
	case CVM_RULE_MASK:
		good = (value & bound) == bound;
		snprintf(text, sizeof(text), "is 0x%016llx, of which 0x%016llx must be set",
			 (unsigned long long)value, (unsigned long long)bound);
		break;
	case CVM_RULE_NUMBERS:
		good = value < 32 && rule_of(v, id)->set & 1U << value;
		snprintf(text, sizeof(text), "is %llu, which the policy %s",
			 (unsigned long long)value, good ? "has" : "does not have");
		break;
	default:
		good = type == CVM_RULE_MIN ? value >= bound : value <= bound;
		snprintf(text, sizeof(text), "is %llu, %s %llu is allowed",
			 (unsigned long long)value, type == CVM_RULE_MIN ? "at least" : "at most",
			 (unsigned long long)bound);
	}
	judge(v, id, good, text, text);
}

/* What the evidence says may be beyond what a policy can. */
static const char *word_of(enum cvm_rule_id id, unsigned int word)
{
	for (unsigned int i = 0; cvm_rule_infos[id].words[i]; i++)
		if (i == word)
			return cvm_rule_infos[id].words[i];
	return "unknown";
}

void cvm_judge_word(struct cvm_verdict *v, enum cvm_rule_id id, unsigned int word)
{
	char text[128];
	bool good;

	if (!cvm_rule_asks(v, id))
		return;
	good = word < 32 && rule_of(v, id)->set & 1U << word;
	snprintf(text, sizeof(text), "is %s, which the policy %s", word_of(id, word),
		 good ? "has" : "does not have");
	judge(v, id, good, text, text);
}

void cvm_judge_text(struct cvm_verdict *v, enum cvm_rule_id id, const char *value)
{
	const struct cvm_texts *texts = &rule_of(v, id)->texts;
	char text[256];

	if (!cvm_rule_asks(v, id))
		return;
	for (size_t i = 0; i < texts->count; i++)
		if (!strcmp(texts->text[i], value)) {
			snprintf(text, sizeof(text), "is '%s'", value);
			holds(v, id, text);
			return;
		}
	snprintf(text, sizeof(text), "is '%s', which the policy does not have", value);
	broken(v, id, text);
}
