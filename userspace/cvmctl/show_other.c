// SPDX-License-Identifier: MIT
/* HCL reports and batch proofs as JSON. */
#include "show.h"

/* Real claims have 1 to 2 KiB, and three levels */
#define CLAIMS_MAX	(16U << 10)
#define CLAIMS_DEPTH	8

static bool is_deeper(const json_t *json, int levels)
{
	const char *key;
	size_t index;
	json_t *value;

	if (!json_is_object(json) && !json_is_array(json))
		return false;
	if (!levels)
		return true;
	json_object_foreach((json_t *)json, key, value)
		if (is_deeper(value, levels - 1))
			return true;
	json_array_foreach((json_t *)json, index, value)
		if (is_deeper(value, levels - 1))
			return true;
	return false;
}

/*
 * What is no JSON is shown as bytes: nobody has verified it. So is what is none that
 * Azure writes, since each level of it would be a column in each line below.
 */
static json_t *show_claims(struct cvm_span claims)
{
	json_t *json = claims.len > CLAIMS_MAX ? NULL :
		       json_loadb((const char *)claims.data, claims.len, JSON_REJECT_DUPLICATES,
				  NULL);

	if (json && !is_deeper(json, CLAIMS_DEPTH))
		return json;
	json_decref(json);
	return cvm_json_of_hex(claims.data, claims.len);
}

static json_t *show_hw_report(const struct cvm_hcl_report *r)
{
	union {
		struct cvm_snp_report snp;
		struct cvm_tdreport tdreport;
	} u;
	struct cvm_format_error err;

	if (r->report_type == CVM_HCL_SNP)
		return cvm_snp_report_parse(r->hw_report.data, r->hw_report.len, &u.snp, &err) ==
		       -EBADMSG ? NULL : show_snp_report(&u.snp);
	return cvm_tdreport_parse(r->hw_report.data, r->hw_report.len, &u.tdreport, &err) ==
	       -EBADMSG ? NULL : show_tdreport(&u.tdreport);
}

json_t *show_hcl_report(const struct cvm_hcl_report *r)
{
	json_t *object = json_pack("{s:s, s:I}", "type", "hcl-report",
				   "version", (json_int_t)r->version), *hw;

	/* A version that is not known: the parser filled in nothing else. */
	if (!r->claims.data)
		return object;
	json_object_update_new(object, json_pack("{s:I, s:I, s:I, s:s, s:I, s:o}",
		"report_size", (json_int_t)r->report_size,
		"request_type", (json_int_t)r->request_type, "status", (json_int_t)r->status,
		"report_type", cvm_hcl_type_name(r->report_type),
		"hash_type", (json_int_t)r->hash_type, "claims", show_claims(r->claims)));
	hw = r->hw_report.len ? show_hw_report(r) : NULL;
	if (hw)
		json_object_set_new(object, "hw_report", hw);
	return object;
}

static json_t *show_path(struct cvm_span path)
{
	json_t *list = json_array();

	for (size_t at = 0; at < path.len; at += CVM_PROOF_NODE)
		json_array_append_new(list, cvm_json_of_hex(path.data + at, CVM_PROOF_NODE));
	return list;
}

json_t *show_proof(const struct cvm_proof *p)
{
	json_t *object = json_pack("{s:s, s:i}", "type", "batch-proof", "alg", p->alg);

	if (!p->path.data)
		return object;
	json_object_update_new(object, json_pack("{s:b, s:I, s:I, s:s}",
		"dummies", p->flags & CVM_PROOF_DUMMIES, "tree_size", (json_int_t)p->tree_size,
		"leaf_index", (json_int_t)p->leaf_index,
		"scope", cvm_proof_scope_name(p->scope[0])));
	if (p->scope[0] == CVM_PROOF_LABEL)
		json_object_set_new(object, "label_hash", cvm_json_of_hex(p->scope + 1, 13));
	json_object_set_new(object, "salt", cvm_json_of_hex(p->salt, sizeof(p->salt)));
	json_object_set_new(object, "path", show_path(p->path));
	return object;
}
