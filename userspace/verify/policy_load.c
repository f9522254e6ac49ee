// SPDX-License-Identifier: MIT
/* A policy from its JSON. What is not known in it is an error. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "../common/api.h"
#include "json_in.h"
#include "policy.h"

#define MAX_VALUES	4096	/* of one rule */

static int load_digests(const struct cvm_json *in, size_t len, struct cvm_digests *out)
{
	struct cvm_json item;
	size_t count;
	int ret = cvm_json_array(in, MAX_VALUES, &count);

	if (ret)
		return ret;
	out->data = calloc(count ? count : 1, len);
	if (!out->data)
		return -ENOMEM;
	for (; !ret && out->count < count; out->count += !ret) {
		cvm_json_item(in, out->count, &item);
		ret = cvm_json_hex(&item, out->data + out->count * len, len);
	}
	return ret;
}

static int load_mask(const struct cvm_json *in, uint64_t *out)
{
	const char *text;
	uint8_t bytes[8];
	size_t len, where;
	int ret = cvm_json_text(in, &text);

	if (ret)
		return ret;
	if (strncmp(text, "0x", 2) || cvm_hex_decode(text + 2, bytes, 8, &len, &where) || len != 8)
		return cvm_json_wrong(in, "0x and 16 hexadecimal digits");
	*out = 0;
	for (int i = 0; i < 8; i++)
		*out = *out << 8 | bytes[i];
	return 0;
}

static int load_word(const struct cvm_json *in, const char *const *words, uint32_t *out)
{
	char expected[320] = "one of";
	const char *text;
	int ret = cvm_json_text(in, &text);

	if (ret)
		return ret;
	for (*out = 0; words[*out]; ++*out)
		if (!strcmp(text, words[*out]))
			return 0;
	for (size_t i = 0; words[i]; i++)
		snprintf(expected + strlen(expected), sizeof(expected) - strlen(expected), "%s %s",
			 i ? "," : "", words[i]);
	return cvm_json_wrong(in, expected);
}

static int load_words(const struct cvm_json *in, const char *const *words, uint32_t *out)
{
	struct cvm_json item;
	uint32_t word;
	size_t count;
	int ret = cvm_json_array(in, 32, &count);

	for (size_t i = 0; !ret && i < count; i++) {
		cvm_json_item(in, i, &item);
		ret = load_word(&item, words, &word);
		if (!ret)
			*out |= 1U << word;
	}
	return ret;
}

static int load_numbers(const struct cvm_json *in, uint32_t *out)
{
	struct cvm_json item;
	uint64_t number;
	size_t count;
	int ret = cvm_json_array(in, 32, &count);

	for (size_t i = 0; !ret && i < count; i++) {
		cvm_json_item(in, i, &item);
		ret = cvm_json_number(&item, 31, &number);
		if (!ret)
			*out |= 1U << number;
	}
	return ret;
}

/* "any" is no scope: it is written in place of the list */
static bool is_scope(const char *text)
{
	return !strcmp(text, "privileged") || !strcmp(text, "unprivileged") ||
	       (!strncmp(text, "label:", 6) && text[6] && strlen(text + 6) <= 255);
}

static int load_texts(const struct cvm_json *in, bool scopes, struct cvm_texts *out)
{
	struct cvm_json item;
	const char *text;
	size_t count;
	int ret = cvm_json_array(in, MAX_VALUES, &count);

	if (ret)
		return ret;
	out->text = calloc(count ? count : 1, sizeof(char *));
	if (!out->text)
		return -ENOMEM;
	for (; !ret && out->count < count; out->count += !ret) {
		cvm_json_item(in, out->count, &item);
		ret = cvm_json_text(&item, &text);
		if (!ret && scopes && !is_scope(text))
			ret = cvm_json_wrong(&item, "privileged, unprivileged or label:NAME");
		if (ret)
			break;
		out->text[out->count] = strdup(text);
		ret = out->text[out->count] ? 0 : -ENOMEM;
	}
	return ret;
}

static int load_component(const struct cvm_json *in, const char *key, uint8_t *out)
{
	uint64_t number;
	int ret = cvm_json_get_number(in, key, UINT8_MAX, &number);

	if (!ret)
		*out = (uint8_t)number;
	return ret;
}

static int unknown_key(const struct cvm_json *in, const char *key)
{
	struct cvm_json member;

	cvm_json_member(in, key, &member);
	return cvm_json_wrong(&member, "no such key");
}

/* Every component of the product, and no other */
static int load_floor(const struct cvm_json *in, bool has_fmc, struct cvm_snp_tcb *floor)
{
	const struct { const char *key; uint8_t *to; } parts[] = {
		{ "boot_loader", &floor->boot_loader }, { "tee", &floor->tee },
		{ "snp", &floor->snp }, { "microcode", &floor->microcode },
		{ "fmc", &floor->fmc },
	};
	size_t count = ARRAY_SIZE(parts) - !has_fmc;
	const char *key;
	json_t *value;
	int ret = cvm_json_object(in);

	floor->has_fmc = has_fmc;
	for (size_t i = 0; !ret && i < count; i++)
		ret = load_component(in, parts[i].key, parts[i].to);
	if (ret)
		return ret;
	json_object_foreach((json_t *)in->value, key, value) {
		bool known = false;

		for (size_t i = 0; i < count; i++)
			known |= !strcmp(key, parts[i].key);
		if (!known)
			return unknown_key(in, key);
	}
	return 0;
}

static int load_floors(const struct cvm_json *in, struct cvm_tcb_floors *out)
{
	struct cvm_json member;
	const char *key;
	json_t *value;
	int ret = cvm_json_object(in);

	if (ret)
		return ret;
	json_object_foreach((json_t *)in->value, key, value) {
		enum cvm_snp_product p = CVM_SNP_MILAN;

		while (p <= CVM_SNP_TURIN && strcmp(key, cvm_snp_product_name(p)))
			p++;
		if (p > CVM_SNP_TURIN)
			return unknown_key(in, key);
		cvm_json_member(in, key, &member);
		ret = load_floor(&member, p == CVM_SNP_TURIN, &out->product[p].floor);
		if (ret)
			return ret;
		out->product[p].given = true;
	}
	return 0;
}

static int load_pcrs(const struct cvm_json *in, struct cvm_digests *pcrs)
{
	struct cvm_json member;
	const char *key;
	json_t *value;
	int ret = cvm_json_object(in);

	if (ret)
		return ret;
	json_object_foreach((json_t *)in->value, key, value) {
		char *end;
		unsigned long index = strtoul(key, &end, 10);

		if (*key < '0' || *key > '9' || *end || index >= CVM_PCRS ||
		    (*key == '0' && key[1]))
			return unknown_key(in, key);
		cvm_json_member(in, key, &member);
		ret = load_digests(&member, 32, &pcrs[index]);
		if (ret)
			return ret;
	}
	return 0;
}

static int load_value(const struct cvm_json *in, const struct cvm_rule_info *info,
		      struct cvm_rule *rule)
{
	switch (info->type) {
	case CVM_RULE_DIGESTS:
	case CVM_RULE_DENIED:
		return load_digests(in, info->len, &rule->digests);
	case CVM_RULE_FLAG:
		return cvm_json_bool(in, &rule->flag);
	case CVM_RULE_MIN:
	case CVM_RULE_MAX:
		return cvm_json_number(in, INT64_MAX, &rule->number);
	case CVM_RULE_MASK:
		return load_mask(in, &rule->number);
	case CVM_RULE_WORDS:
		return load_words(in, info->words, &rule->set);
	case CVM_RULE_WORD:
		return load_word(in, info->words, &rule->set);
	case CVM_RULE_NUMBERS:
		return load_numbers(in, &rule->set);
	case CVM_RULE_TEXTS:
	case CVM_RULE_SCOPES:
		return load_texts(in, info->type == CVM_RULE_SCOPES, &rule->texts);
	case CVM_RULE_TCB:
		return load_floors(in, &rule->tcb);
	default:
		return load_pcrs(in, rule->pcrs);
	}
}

/*
 * How evidence is bound has to be said: one of the ways, not whichever it fits. And
 * "any" of what is denied could be meant either way.
 */
static bool may_be_any(const struct cvm_rule_info *info)
{
	return info->type != CVM_RULE_WORD && info->type != CVM_RULE_DENIED;
}

/* Claims of old paravisors leave out what must not be the wrong way round where it is said. */
static bool may_be_unsaid(enum cvm_rule_id id)
{
	return id >= CVM_RULE_AZURE_SECURE_BOOT && id <= CVM_RULE_AZURE_FILTERED_VPCI &&
	       cvm_rule_infos[id].absent != CVM_ABSENT_ALLOWS;
}

static bool is_word(const struct cvm_json *in, const char *word)
{
	return json_is_string(in->value) && !strcmp(json_string_value(in->value), word);
}

/* Whoever runs in the VM resets PCRs 16 and 23, and extends them as his log has it. */
static int check_log_pcrs(const struct cvm_json *in, uint32_t pcrs)
{
	const uint32_t other = ~0U << CVM_PCRS | 1U << 16 | 1U << 23;

	return pcrs & other ? cvm_json_wrong(in, "PCRs from 0 to 22, but for 16") : 0;
}

static int load_rule(const struct cvm_json *in, enum cvm_rule_id id, struct cvm_policy *policy)
{
	const struct cvm_rule_info *info = &cvm_rule_infos[id];
	struct cvm_rule *rule = &policy->rule[id];
	int ret;

	rule->given = true;
	rule->any = may_be_any(info) && is_word(in, "any");
	rule->unsaid = may_be_unsaid(id) && is_word(in, "unsaid");
	if (rule->any || rule->unsaid)
		return 0;
	ret = load_value(in, info, rule);
	return !ret && id == CVM_RULE_AZURE_LOG_PCRS ? check_log_pcrs(in, rule->set) : ret;
}

/* The rule of that path; CVM_RULES: none; @above: there are some below it */
static enum cvm_rule_id find_rule(const char *path, bool *above)
{
	size_t len = strlen(path);

	*above = false;
	for (enum cvm_rule_id id = 0; id < CVM_RULES; id++) {
		const char *other = cvm_rule_infos[id].path;

		if (!strcmp(other, path))
			return id;
		*above |= !strncmp(other, path, len) && other[len] == '.';
	}
	return CVM_RULES;
}

/* As deep as paths are, which the table decides and not the text */
static int load_object(const struct cvm_json *in, const char *path, struct cvm_policy *policy)
{
	const char *key;
	json_t *value;
	int ret = cvm_json_object(in);

	if (ret)
		return ret;
	json_object_foreach((json_t *)in->value, key, value) {
		struct cvm_json member;
		enum cvm_rule_id id;
		char below[128];
		bool above;

		snprintf(below, sizeof(below), "%s%s%s", path, *path ? "." : "", key);
		id = strchr(key, '.') ? CVM_RULES : find_rule(below, &above);
		if (id == CVM_RULES && (strchr(key, '.') || !above))
			return unknown_key(in, key);
		cvm_json_member(in, key, &member);
		ret = id == CVM_RULES ? load_object(&member, below, policy) :
					load_rule(&member, id, policy);
		if (ret)
			return ret;
	}
	return 0;
}

static int load(const struct cvm_json *in, struct cvm_policy *policy)
{
	struct cvm_json member;
	uint64_t version = 1;
	int ret = 0;

	if (cvm_json_has(in, "version"))
		ret = cvm_json_get_number(in, "version", UINT32_MAX, &version);
	if (!ret && version != 1) {
		cvm_json_member(in, "version", &member);
		return cvm_json_wrong(&member, "1");
	}
	/* it is no rule */
	json_object_del((json_t *)in->value, "version");
	return ret ? ret : load_object(in, "", policy);
}

int cvm_policy_load(struct cvm_policy **policy, const void *data, size_t len,
		    struct cvm_error *error)
{
	struct cvm_policy *p;
	struct cvm_json in;
	int ret = cvm_json_load(data, len, "", &in, error);

	*policy = NULL;
	if (ret)
		return ret;
	p = calloc(1, sizeof(*p));
	if (p) {
		atomic_init(&p->refs, 1);
		ret = load(&in, p);
	}
	json_decref((json_t *)in.value);
	if (!p || ret == -ENOMEM) {
		cvm_policy_put(p);
		return cvm_set_error(error, -ENOMEM, "out of memory");
	}
	if (ret)
		cvm_policy_put(p);
	else
		*policy = p;
	return ret;
}

struct cvm_policy *cvm_policy_get(struct cvm_policy *policy)
{
	if (policy)
		atomic_fetch_add(&policy->refs, 1);
	return policy;
}

static void free_rule(const struct cvm_rule_info *info, struct cvm_rule *rule)
{
	switch (info->type) {
	case CVM_RULE_DIGESTS:
	case CVM_RULE_DENIED:
		free(rule->digests.data);
		break;
	case CVM_RULE_TEXTS:
	case CVM_RULE_SCOPES:
		for (size_t i = 0; i < rule->texts.count; i++)
			free(rule->texts.text[i]);
		free(rule->texts.text);
		break;
	case CVM_RULE_PCRS:
		for (size_t i = 0; i < CVM_PCRS; i++)
			free(rule->pcrs[i].data);
		break;
	default:
		break;
	}
}

void cvm_policy_put(struct cvm_policy *policy)
{
	if (!policy || atomic_fetch_sub(&policy->refs, 1) > 1)
		return;
	for (enum cvm_rule_id id = 0; id < CVM_RULES; id++)
		if (policy->rule[id].given)
			free_rule(&cvm_rule_infos[id], &policy->rule[id]);
	free(policy);
}

bool cvm_policy_speaks_of(const struct cvm_policy *policy, const char *prefix)
{
	for (enum cvm_rule_id id = 0; id < CVM_RULES; id++)
		if (policy->rule[id].given &&
		    !strncmp(cvm_rule_infos[id].path, prefix, strlen(prefix)))
			return true;
	return false;
}

uint32_t cvm_policy_binding(const struct cvm_policy *policy)
{
	const struct cvm_rule *rule = &policy->rule[CVM_RULE_BINDING];

	return rule->given ? rule->set : CVM_BINDING_REPORT;
}
