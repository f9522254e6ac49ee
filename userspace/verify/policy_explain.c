// SPDX-License-Identifier: MIT
/* A policy in words: what each rule demands, and what its absence means. */
#include <stdio.h>
#include <stdlib.h>

#include "policy.h"

#define COLUMN	46	/* where the demand begins */

static const char *absent_text(const struct cvm_rule_info *info)
{
	switch (info->absent) {
	case CVM_ABSENT_REFUSES:
		return "absent: NOTHING IS VERIFIED";
	case CVM_ABSENT_ZERO:
		return "absent: must be zero";
	case CVM_ABSENT_CLEAR:
		return "absent: must be clear";
	case CVM_ABSENT_SET:
		return "absent: must be set";
	case CVM_ABSENT_NONE:
		return "absent: none";
	default:
		return info->type == CVM_RULE_WORD ? "absent: report" : "absent: any";
	}
}

static void print_words(FILE *out, const char *const *words, uint32_t set)
{
	const char *comma = "";

	for (uint32_t i = 0; words[i]; i++)
		if (set & 1U << i) {
			fprintf(out, "%s%s", comma, words[i]);
			comma = ", ";
		}
	if (!*comma)
		fprintf(out, "none");
}

static void print_numbers(FILE *out, uint32_t set)
{
	const char *comma = "";

	for (uint32_t i = 0; i < 32; i++)
		if (set & 1U << i) {
			fprintf(out, "%s%u", comma, i);
			comma = ", ";
		}
	if (!*comma)
		fprintf(out, "none");
}

static void print_texts(FILE *out, const struct cvm_texts *texts)
{
	if (!texts->count)
		fprintf(out, "none");
	for (size_t i = 0; i < texts->count; i++) {
		fprintf(out, "%s", i ? ", " : "");
		for (const char *c = texts->text[i]; *c; c++)
			fputc(*c < ' ' || *c > '~' ? '?' : *c, out);
	}
}

static void print_tcb(FILE *out, const struct cvm_tcb_floors *floors)
{
	const char *comma = "";

	for (enum cvm_snp_product p = CVM_SNP_MILAN; p <= CVM_SNP_TURIN; p++) {
		const struct cvm_snp_tcb *f = &floors->product[p].floor;

		if (!floors->product[p].given)
			continue;
		fprintf(out, "%s%s from", comma, cvm_snp_product_name(p));
		if (f->has_fmc)
			fprintf(out, " fmc %u", f->fmc);
		fprintf(out, " boot_loader %u tee %u snp %u microcode %u", f->boot_loader, f->tee,
			f->snp, f->microcode);
		comma = "; ";
	}
	if (!*comma)
		fprintf(out, "no product");
}

static void print_pcrs(FILE *out, const struct cvm_digests *pcrs)
{
	const char *comma = "";

	for (uint32_t i = 0; i < CVM_PCRS; i++)
		if (pcrs[i].data) {
			fprintf(out, "%sPCR %u one of %zu", comma, i, pcrs[i].count);
			comma = ", ";
		}
	if (!*comma)
		fprintf(out, "none");
}

static void print_demand(FILE *out, const struct cvm_rule_info *info, const struct cvm_rule *rule)
{
	switch (info->type) {
	case CVM_RULE_DIGESTS:
		fprintf(out, "one of %zu", rule->digests.count);
		break;
	case CVM_RULE_DENIED:
		fprintf(out, "none of %zu", rule->digests.count);
		break;
	case CVM_RULE_FLAG:
		fprintf(out, "must be %s", rule->flag ? "set" : "clear");
		break;
	case CVM_RULE_MIN:
	case CVM_RULE_MAX:
		fprintf(out, "at %s %llu", info->type == CVM_RULE_MIN ? "least" : "most",
			(unsigned long long)rule->number);
		break;
	case CVM_RULE_MASK:
		fprintf(out, "must have 0x%016llx", (unsigned long long)rule->number);
		break;
	case CVM_RULE_WORDS:
		print_words(out, info->words, rule->set);
		break;
	case CVM_RULE_WORD:
		fprintf(out, "%s", info->words[rule->set]);
		break;
	case CVM_RULE_NUMBERS:
		print_numbers(out, rule->set);
		break;
	case CVM_RULE_TEXTS:
	case CVM_RULE_SCOPES:
		print_texts(out, &rule->texts);
		break;
	case CVM_RULE_TCB:
		print_tcb(out, &rule->tcb);
		break;
	case CVM_RULE_PCRS:
		print_pcrs(out, rule->pcrs);
		break;
	}
}

static void print_rule(FILE *out, enum cvm_rule_id id, const struct cvm_rule *rule)
{
	const struct cvm_rule_info *info = &cvm_rule_infos[id];

	fprintf(out, "%-*s ", COLUMN - 1, info->path);
	if (!rule->given)
		fprintf(out, "%s", absent_text(info));
	else if (rule->any)
		fprintf(out, "any");
	else if (rule->unsaid)
		fprintf(out, "must be %s where the claims say it, which they need not",
			info->absent == CVM_ABSENT_SET ? "set" : "clear");
	else
		print_demand(out, info, rule);
	fprintf(out, "\n    %s\n", info->help);
}

/* "snp.", and so on; "" for rules of no section */
static bool is_in(const char *path, const char *section)
{
	static const char *const sections[] = { "snp.", "tdx.", "azure." };

	if (*section)
		return !strncmp(path, section, strlen(section));
	for (size_t i = 0; i < ARRAY_SIZE(sections); i++)
		if (!strncmp(path, sections[i], strlen(sections[i])))
			return false;
	return true;
}

static void print_section(FILE *out, const struct cvm_policy *policy, const char *section,
			  const char *otherwise)
{
	if (*section && !cvm_policy_speaks_of(policy, section)) {
		fprintf(out, "%s\n", otherwise);
		return;
	}
	for (enum cvm_rule_id id = 0; id < CVM_RULES; id++)
		if (is_in(cvm_rule_infos[id].path, section))
			print_rule(out, id, &policy->rule[id]);
}

char *cvm_policy_explain(const struct cvm_policy *policy)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	print_section(out, policy, "", "");
	print_section(out, policy, "snp.", "no rules for snp: SNP reports are not verified");
	print_section(out, policy, "tdx.", "no rules for tdx: TDX quotes are not verified");
	print_section(out, policy, "azure.", "no rules for azure: HCL reports are not verified");
	if (!fclose(out))
		return text;
	free(text);
	return NULL;
}
