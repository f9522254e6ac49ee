// SPDX-License-Identifier: MIT
/* The identity of Intel's TD quoting enclave, from JSON. */
#include <errno.h>

#include "collateral.h"
#include "json_in.h"

/* What it is: other enclaves have such identities too */
static int parse_head(const struct cvm_json *in, struct cvm_qe_identity *identity)
{
	struct cvm_json member;
	uint64_t number = 0;
	const char *id;
	int ret = cvm_json_get_text(in, "id", &id);

	if (!ret && strcmp(id, "TD_QE")) {
		cvm_json_member(in, "id", &member);
		return cvm_json_wrong(&member, "TD_QE: this is of another enclave");
	}
	if (!ret)
		ret = cvm_json_get_number(in, "version", UINT32_MAX, &number);
	if (!ret && number != 2) {
		cvm_json_member(in, "version", &member);
		return cvm_json_wrong(&member, "2");
	}
	if (!ret)
		ret = cvm_json_get_number(in, "tcbEvaluationDataNumber", UINT32_MAX, &number);
	identity->evaluation = (uint32_t)number;
	return ret;
}

static int parse_enclave(const struct cvm_json *in, struct cvm_qe_identity *id)
{
	uint64_t number = 0;
	const struct { const char *key; void *to; size_t len; } fields[] = {
		{ "miscselect", id->miscselect, sizeof(id->miscselect) },
		{ "miscselectMask", id->miscselect_mask, sizeof(id->miscselect_mask) },
		{ "attributes", id->attributes, sizeof(id->attributes) },
		{ "attributesMask", id->attributes_mask, sizeof(id->attributes_mask) },
		{ "mrsigner", id->mrsigner, sizeof(id->mrsigner) },
	};
	int ret = 0;

	for (size_t i = 0; !ret && i < ARRAY_SIZE(fields); i++)
		ret = cvm_json_get_hex(in, fields[i].key, fields[i].to, fields[i].len);
	if (!ret)
		ret = cvm_json_get_number(in, "isvprodid", UINT16_MAX, &number);
	id->isvprodid = (uint16_t)number;
	return ret;
}

static int parse(const struct cvm_json *in, struct cvm_qe_identity *identity)
{
	int ret = parse_head(in, identity);

	if (!ret)
		ret = cvm_json_get_time(in, "issueDate", &identity->sig.issued);
	if (!ret)
		ret = cvm_json_get_time(in, "nextUpdate", &identity->sig.next);
	if (!ret)
		ret = parse_enclave(in, identity);
	return ret ? ret : cvm_svn_levels_parse(in, &identity->level, &identity->level_count);
}

int cvm_qe_identity_parse(struct cvm_qe_identity *identity, struct cvm_error *error)
{
	struct cvm_json in;
	int ret = cvm_json_load(identity->sig.text, identity->sig.len, CVM_COLLATERAL_QE_IDENTITY,
				&in, error);

	if (ret)
		return ret;
	ret = parse(&in, identity);
	json_decref((json_t *)in.value);
	return ret;
}
