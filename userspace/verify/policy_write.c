// SPDX-License-Identifier: MIT
/*
 * The strictest policy that evidence meets: its measurements, what is zero stays
 * so, no older firmware, no bit that weakens it. What names the one machine (chip
 * and report ids) is left out, for the VM could never move.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../common/api.h"
#include "../common/json_hex.h"
#include "policy.h"

static json_t *json_list(json_t *item)
{
	json_t *list = json_array();

	if (json_array_append_new(list, item)) {
		json_decref(list);
		return NULL;
	}
	return list;
}

/* What is between the dots of @path, made where it is not there */
static json_t *section(json_t *root, const char *path, const char **last)
{
	json_t *at = root, *next;
	const char *dot;

	for (; at && (dot = strchr(path, '.')); path = dot + 1, at = next) {
		next = json_object_getn(at, path, (size_t)(dot - path));
		if (!next && !json_object_setn_new(at, path, (size_t)(dot - path), json_object()))
			next = json_object_getn(at, path, (size_t)(dot - path));
	}
	*last = path;
	return at;
}

/* Takes over @value. 0, or -1: no memory */
static int put(json_t *root, enum cvm_rule_id id, json_t *value)
{
	const char *key;
	json_t *at = section(root, cvm_rule_infos[id].path, &key);

	if (at)
		return json_object_set_new(at, key, value);
	json_decref(value);
	return -1;
}

static int put_digest(json_t *root, enum cvm_rule_id id, const uint8_t *value)
{
	size_t len = cvm_rule_infos[id].len;

	if (cvm_rule_infos[id].absent == CVM_ABSENT_ZERO && cvm_is_zero(value, len))
		return 0;
	return put(root, id, json_list(cvm_json_of_hex(value, len)));
}

/* The better way round where there is one: the worse was met, so that it has to be allowed. */
static int put_flag(json_t *root, enum cvm_rule_id id, bool set)
{
	switch (cvm_rule_infos[id].absent) {
	case CVM_ABSENT_CLEAR:
		return put(root, id, set ? json_string("any") : json_false());
	case CVM_ABSENT_SET:
		return put(root, id, set ? json_true() : json_string("any"));
	default:
		return set ? put(root, id, json_true()) : 0;
	}
}

static int put_mask(json_t *root, enum cvm_rule_id id, uint64_t bits)
{
	return bits ? put(root, id, json_sprintf("0x%016llx", (unsigned long long)bits)) : 0;
}

static int put_tcb(json_t *root, enum cvm_rule_id id, enum cvm_snp_product product, uint64_t raw)
{
	struct cvm_snp_tcb tcb;
	json_t *floor;

	if (cvm_snp_tcb_parse(product, raw, &tcb))
		return 0;
	floor = json_pack("{s:i, s:i, s:i, s:i}", "boot_loader", tcb.boot_loader, "tee", tcb.tee,
			  "snp", tcb.snp, "microcode", tcb.microcode);
	if (tcb.has_fmc)
		json_object_set_new(floor, "fmc", json_integer(tcb.fmc));
	return put(root, id, json_pack("{s:o}", cvm_snp_product_name(product), floor));
}

static int put_snp_bits(json_t *root, const struct cvm_snp_report *r)
{
	int rc = 0;

	for (size_t i = 0; i < cvm_snp_flag_count; i++)
		rc |= put_flag(root, cvm_snp_flags[i].rule,
			       (cvm_snp_flags[i].platform ? r->platform_info : r->policy) &
			       cvm_snp_flags[i].bits);
	return rc;
}

static int put_snp(json_t *root, const struct cvm_facts *facts)
{
	const struct cvm_snp_report *r = &facts->snp;
	bool vlek = r->signing_key == CVM_SNP_SIGNED_VLEK;
	int rc = put(root, CVM_RULE_SNP_PRODUCT,
		     json_list(json_string(cvm_snp_product_name(facts->product))));

	rc |= put(root, CVM_RULE_SNP_SIGNING_KEY, json_list(json_string(vlek ? "vlek" : "vcek")));
	if (vlek)
		rc |= put(root, CVM_RULE_SNP_CSP_ID, json_list(json_string(facts->csp_id)));
	rc |= put_digest(root, CVM_RULE_SNP_MEASUREMENT, r->measurement);
	rc |= put_digest(root, CVM_RULE_SNP_HOST_DATA, r->host_data);
	rc |= put_digest(root, CVM_RULE_SNP_ID_KEY_DIGEST, r->id_key_digest);
	rc |= put_digest(root, CVM_RULE_SNP_AUTHOR_KEY_DIGEST, r->author_key_digest);
	rc |= put_digest(root, CVM_RULE_SNP_FAMILY_ID, r->family_id);
	rc |= put_digest(root, CVM_RULE_SNP_IMAGE_ID, r->image_id);
	rc |= put(root, CVM_RULE_SNP_GUEST_SVN, json_integer(r->guest_svn));
	rc |= put(root, CVM_RULE_SNP_VMPL, json_list(json_integer(r->vmpl)));
	rc |= put_tcb(root, CVM_RULE_SNP_TCB_REPORTED, facts->product, r->reported_tcb);
	rc |= put_tcb(root, CVM_RULE_SNP_TCB_CURRENT, facts->product, r->current_tcb);
	rc |= put_tcb(root, CVM_RULE_SNP_TCB_COMMITTED, facts->product, r->committed_tcb);
	rc |= put_tcb(root, CVM_RULE_SNP_TCB_LAUNCH, facts->product, r->launch_tcb);
	rc |= put_mask(root, CVM_RULE_SNP_LAUNCH_MIT_VECTOR, r->launch_mit_vector);
	rc |= put_mask(root, CVM_RULE_SNP_CURRENT_MIT_VECTOR, r->current_mit_vector);
	return rc | put_snp_bits(root, r);
}

/* Up to date is good enough for whoever accepts less. */
static json_t *status_list(enum cvm_tcb_status status)
{
	json_t *list = json_list(json_string(cvm_tcb_status_name(CVM_TCB_UP_TO_DATE)));

	if (status != CVM_TCB_UP_TO_DATE)
		json_array_append_new(list, json_string(cvm_tcb_status_name(status)));
	return list;
}

static json_t *advisory_list(const char *at)
{
	json_t *list = json_array();

	while (*at) {
		size_t len = strcspn(at, " ");

		json_array_append_new(list, json_stringn(at, len));
		at += len + (at[len] == ' ');
	}
	return list;
}

static int put_tdx(json_t *root, const struct cvm_facts *facts)
{
	const struct cvm_td_body *b = &facts->body;
	int rc = put_digest(root, CVM_RULE_TDX_MRTD, b->mrtd);

	for (enum cvm_rule_id i = 0; i < 4; i++)
		rc |= put_digest(root, CVM_RULE_TDX_RTMR0 + i, b->rtmr[i]);
	rc |= put_digest(root, CVM_RULE_TDX_MRCONFIGID, b->mrconfigid);
	rc |= put_digest(root, CVM_RULE_TDX_MROWNER, b->mrowner);
	rc |= put_digest(root, CVM_RULE_TDX_MROWNERCONFIG, b->mrownerconfig);
	if (facts->shows_service_tds)
		rc |= put_digest(root, CVM_RULE_TDX_MRSERVICETD, b->mrservicetd);
	else if (b->tdattributes & CVM_TD_ATTR_MIGRATABLE)
		rc |= put(root, CVM_RULE_TDX_MRSERVICETD, json_string("any"));
	for (size_t i = 0; i < cvm_tdx_flag_count; i++)
		rc |= put_flag(root, cvm_tdx_flags[i].rule,
			       b->tdattributes & cvm_tdx_flags[i].bits);
	rc |= put(root, CVM_RULE_TDX_TCB_STATUS, status_list(facts->tcb_status));
	if (*facts->advisories)
		rc |= put(root, CVM_RULE_TDX_ADVISORIES, advisory_list(facts->advisories));
	return rc | put(root, CVM_RULE_TDX_TCB_EVALUATION, json_integer(facts->tcb_evaluation));
}

/* What the claims do not say the policy cannot ask for: where they do it must not be worse. */
static int put_claims(json_t *root, const struct cvm_hcl_config *config)
{
	int rc = 0;

	for (uint32_t i = 0; i < CVM_HCL_FLAGS; i++) {
		enum cvm_rule_id id = CVM_RULE_AZURE_SECURE_BOOT + i;

		if (config->has & 1U << i)
			rc |= put_flag(root, id, config->set & 1U << i);
		else if (cvm_rule_infos[id].absent != CVM_ABSENT_ALLOWS)
			rc |= put(root, id, json_string("unsaid"));
	}
	/* a word that a policy cannot have is to be seen in it */
	if (config->has_sealing)
		rc |= put(root, CVM_RULE_AZURE_SEALING,
			  cvm_sealing_word(config->sealing) == CVM_SEALING_WORDS ?
			  json_string("any") : json_list(json_string(config->sealing)));
	if (config->has_root_cert)
		rc |= put(root, CVM_RULE_AZURE_ROOT_CERT,
			  json_list(json_string(config->root_cert)));
	return rc;
}

/*
 * What of Secure Boot was measured, which the values of PCRs say already: but this can be
 * read, and can stay where PCR 7 has to go.
 */
static int put_log(json_t *root, const struct cvm_facts *facts)
{
	const struct cvm_measured *m = facts->boot.variable;
	int rc = 0;

	if (!(facts->boot_pcrs & 1U << CVM_BOOT_PCR) || !facts->boot.separator ||
	    facts->boot.failed || facts->boot.unfounded)
		return 0;
	if (m->number && !m->again)
		rc |= put(root, CVM_RULE_AZURE_LOG_SECURE_BOOT,
			  m->is_one ? json_true() : json_string("any"));
	for (enum cvm_boot_variable i = CVM_BOOT_PK; i <= CVM_BOOT_DBX; i++)
		if (m[i].number && !m[i].again)
			rc |= put_digest(root, CVM_RULE_AZURE_PK + (i - CVM_BOOT_PK), m[i].digest);
	return rc;
}

static int put_azure(json_t *root, const struct cvm_facts *facts)
{
	json_t *pcrs = json_object();
	char key[8];

	for (uint32_t i = 0; i < CVM_PCRS; i++)
		if (facts->pcr_mask & 1U << i) {
			snprintf(key, sizeof(key), "%u", i);
			json_object_set_new(pcrs, key,
					    json_list(cvm_json_of_hex(facts->pcrs[i], 32)));
		}
	return put(root, CVM_RULE_AZURE_PCRS, pcrs) | put_claims(root, &facts->config) |
	       put_log(root, facts);
}

json_t *cvm_policy_of(const struct cvm_facts *facts, uint32_t binding)
{
	json_t *root = json_pack("{s:i}", "version", 1);
	int rc = 0;

	if (binding != CVM_BINDING_REPORT)
		rc |= put(root, CVM_RULE_BINDING,
			  json_string(cvm_rule_infos[CVM_RULE_BINDING].words[binding]));
	rc |= facts->kind == CVM_FACT_SNP ? put_snp(root, facts) : put_tdx(root, facts);
	if (binding >= CVM_BINDING_AZURE)
		rc |= put_azure(root, facts);
	if (!rc)
		return root;
	json_decref(root);
	return NULL;
}

int cvm_verdict_policy(const struct cvm_verdict *verdict, char **policy, struct cvm_error *error)
{
	const struct cvm_facts *facts = &verdict->facts;
	json_t *json;

	*policy = NULL;
	if (!cvm_verdict_authentic(verdict))
		return cvm_set_error(error, -EINVAL, "the evidence is not authentic");
	if (facts->kind == CVM_FACT_TDX && !facts->tcb_status)
		return cvm_set_error(error, -EINVAL,
				     "without collateral the TCB of the platform is not known");
	if (verdict->binding >= CVM_BINDING_AZURE && !facts->pcr_mask)
		return cvm_set_error(error, -EINVAL,
				     "without a quote of the vTPM the system is not known");
	json = cvm_policy_of(facts, verdict->binding);
	if (json)
		*policy = json_dumps(json, JSON_INDENT(2));
	json_decref(json);
	return *policy ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}
