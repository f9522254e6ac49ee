// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/base64url.h"
#include "cmw.h"

static bool is_record(const json_t *value)
{
	return json_is_array(value) && json_is_string(json_array_get(value, 0));
}

bool cvm_cmw_is_json(const json_t *value)
{
	const char *key;
	json_t *member;

	if (!json_is_object(value))
		return json_is_array(value);
	json_object_foreach((json_t *)value, key, member)
		if (strcmp(key, CVM_CMW_COLLECTION_TYPE) && !is_record(member) &&
		    !json_is_object(member))
			return false;
	return json_object_size(value) > 0;
}

static int decode(const struct cvm_json *in, struct cvm_blob *value)
{
	const char *text;
	long len;
	int ret = cvm_json_text(in, &text);

	if (ret)
		return ret;
	value->data = malloc(strlen(text) + 1);
	if (!value->data)
		return -ENOMEM;
	len = cvm_base64url_decode(text, strlen(text), value->data, strlen(text));
	if (len <= 0) {
		free(value->data);
		return cvm_json_wrong(in, "base64url");
	}
	value->len = (size_t)len;
	return 0;
}

/* @label: NULL: the record is all there is, and evidence whatever it calls itself */
static int read_json_record(const struct cvm_json *in, const char *label,
			    struct cvm_evidence_file *file)
{
	struct cvm_blob value = { 0 };
	struct cvm_json item;
	uint64_t ind = 0;
	const char *type = "", *part;
	size_t count;
	int ret = cvm_json_array(in, 3, &count);

	if (!ret && count < 2)
		ret = cvm_json_wrong(in, "media type, value and perhaps an indicator");
	cvm_json_item(in, 0, &item);
	if (!ret)
		ret = cvm_json_text(&item, &type);
	cvm_json_item(in, 2, &item);
	if (!ret && count > 2)
		ret = cvm_json_number(&item, UINT32_MAX, &ind);
	if (!ret && count > 2 && !ind)
		ret = cvm_json_wrong(&item, "a number that is not zero");
	part = !label ? CVM_CMW_LABEL_EVIDENCE :
	       cvm_cmw_part_of((struct cvm_span){ (const uint8_t *)label, strlen(label) },
		       (struct cvm_span){ (const uint8_t *)type, strlen(type) });
	if (ret || !part)
		return ret;
	cvm_json_item(in, 1, &item);
	ret = decode(&item, &value);
	return ret ? ret : cvm_cmw_take(file, part, ind, value, in->error);
}

int cvm_cmw_read_json(const struct cvm_json *in, struct cvm_evidence_file *file)
{
	struct cvm_json member;
	const char *key;
	json_t *value;
	int ret = 0;

	if (json_is_array(in->value))
		ret = read_json_record(in, NULL, file);
	else if (json_object_size(in->value) > CVM_CMW_MEMBERS)
		ret = cvm_json_wrong(in, "fewer members");
	json_object_foreach((json_t *)in->value, key, value) {
		if (ret || !strcmp(key, CVM_CMW_COLLECTION_TYPE))
			continue;
		ret = cvm_json_member(in, key, &member);
		if (!ret)
			ret = read_json_record(&member, key, file);
	}
	return ret ? ret : cvm_cmw_finish(file, in->error);
}
