// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/api.h"
#include "../formats/cbor.h"
#include "cmw.h"

/* tags that are made of a content format: RFC 9277, appendix B */
#define TAG_FIRST	0x63740101U
#define TAG_LAST	0x6374ffffU

static int read_ind(struct cvm_cbor *from, uint64_t *ind, struct cvm_format_error *err)
{
	size_t at = from->at;
	struct cvm_cbor_item item;
	int ret = cvm_cbor_next(from, "the indicator", &item, err);

	*ind = item.value;
	if (!ret && (item.major != CVM_CBOR_UINT || !item.value || item.value > UINT32_MAX))
		return cvm_format_bad(err, at, "the indicator", "a number of 32 bits, not zero",
				      from->in.data[at]);
	return ret;
}

static int read_value(struct cvm_cbor *from, struct cvm_span *value, struct cvm_format_error *err)
{
	size_t at = from->at;
	struct cvm_cbor_item item;
	int ret = cvm_cbor_next(from, "the value", &item, err);

	*value = item.string;
	if (!ret && (item.major != CVM_CBOR_BYTES || !item.string.len))
		return cvm_format_bad(err, at, "the value", "a byte string", from->in.data[at]);
	return ret;
}

/* Record or tag, whose head is @head. @type: out: none where it is a number */
static int read_record(struct cvm_cbor *from, const struct cvm_cbor_item *head, size_t at,
		       struct cvm_span *type, struct cvm_span *value, uint64_t *ind,
		       struct cvm_format_error *err)
{
	struct cvm_cbor_item item = { 0 };
	int ret;

	*type = (struct cvm_span){ 0 };
	*ind = 0;
	if (head->major == CVM_CBOR_TAG && head->value >= TAG_FIRST &&
	    head->value <= TAG_LAST)
		return read_value(from, value, err);
	if (head->major != CVM_CBOR_ARRAY || head->value < 2 || head->value > 3)
		return cvm_format_bad(err, at, "the record",
				      "an array of 2 or 3, or a tag of a content format",
				      from->in.data[at]);
	at = from->at;
	ret = cvm_cbor_next(from, "the media type", &item, err);
	*type = item.string;
	if (!ret && item.major != CVM_CBOR_TEXT &&
	    (item.major != CVM_CBOR_UINT || item.value > UINT16_MAX))
		ret = cvm_format_bad(err, at, "the media type", "a text or a content format",
				     from->in.data[at]);
	if (!ret)
		ret = read_value(from, value, err);
	return ret || head->value < 3 ? ret : read_ind(from, ind, err);
}

/* @part: NULL: the record is not known, and passed over */
static int take_copy(struct cvm_evidence_file *file, const char *part, uint64_t ind,
		     struct cvm_span value, struct cvm_error *error)
{
	struct cvm_blob copy = { .data = part ? malloc(value.len + 1) : NULL, .len = value.len };

	if (!part)
		return 0;
	if (!copy.data)
		return -ENOMEM;
	memcpy(copy.data, value.data, value.len);
	copy.data[value.len] = 0;
	return cvm_cmw_take(file, part, ind, copy, error);
}

static bool same_label(const struct cvm_cbor_item *a, const struct cvm_cbor_item *b)
{
	return a->major == b->major && a->value == b->value &&
	       (!a->string.len || !memcmp(a->string.data, b->string.data, a->string.len));
}

/* labels[count] is read; text or number, and not there yet */
static int read_label(struct cvm_cbor *from, struct cvm_cbor_item *labels, size_t count,
		      struct cvm_format_error *err)
{
	struct cvm_cbor_item *label = &labels[count];
	size_t at = from->at;
	int ret = cvm_cbor_next(from, "the label", label, err);

	if (!ret && label->major != CVM_CBOR_TEXT && label->major > CVM_CBOR_NEGATIVE)
		return cvm_format_bad(err, at, "the label", "a text or a number",
				      from->in.data[at]);
	for (size_t i = 0; !ret && i < count; i++)
		if (same_label(label, &labels[i]))
			return cvm_format_bad(err, at, "the label", "another one than before",
					      from->in.data[at]);
	return ret;
}

static int read_type_of_collection(struct cvm_cbor *from, struct cvm_format_error *err)
{
	size_t at = from->at;
	struct cvm_cbor_item item;
	int ret = cvm_cbor_next(from, "the collection's type", &item, err);

	return ret || item.major == CVM_CBOR_TEXT ? ret :
	       cvm_format_bad(err, at, "the collection's type", "a text", from->in.data[at]);
}

static int explain(struct cvm_error *error, int ret, const struct cvm_format_error *err)
{
	char text[256];

	/* what a part has to say of itself has been said */
	if (!err->field)
		return ret;
	return cvm_set_error(error, ret, "CMW: %s", cvm_format_error_text(err, text, sizeof(text)));
}

static int read_members(struct cvm_cbor *from, size_t count, struct cvm_evidence_file *file,
			struct cvm_format_error *err, struct cvm_error *error)
{
	struct cvm_cbor_item labels[CVM_CMW_MEMBERS], head;
	struct cvm_span type, value;
	uint64_t ind;
	int ret = 0;

	for (size_t i = 0, at; !ret && i < count; i++) {
		ret = read_label(from, labels, i, err);
		if (!ret && cvm_cmw_span_is(labels[i].string, CVM_CMW_COLLECTION_TYPE)) {
			ret = read_type_of_collection(from, err);
			continue;
		}
		at = from->at;
		if (!ret)
			ret = cvm_cbor_next(from, "the record", &head, err);
		if (!ret)
			ret = read_record(from, &head, at, &type, &value, &ind, err);
		if (!ret)
			ret = take_copy(file, cvm_cmw_part_of(labels[i].string, type), ind, value,
					error);
	}
	return ret;
}

int cvm_cmw_read_cbor(struct cvm_span in, struct cvm_evidence_file *file,
		      struct cvm_error *error)
{
	struct cvm_cbor from = { .in = in };
	struct cvm_format_error err = { 0 };
	struct cvm_cbor_item head;
	struct cvm_span type, value;
	uint64_t ind;
	int ret = cvm_cbor_next(&from, "the CMW", &head, &err);

	if (!ret && head.major == CVM_CBOR_MAP) {
		if (!head.value || head.value > CVM_CMW_MEMBERS)
			ret = cvm_format_bad(&err, 0, "the number of members", "1 to 16",
					     head.value);
		else
			ret = read_members(&from, (size_t)head.value, file, &err, error);
	} else if (!ret) {
		ret = read_record(&from, &head, 0, &type, &value, &ind, &err);
		if (!ret)
			ret = take_copy(file, CVM_CMW_LABEL_EVIDENCE, ind, value, error);
	}
	if (!ret && from.at < in.len)
		ret = cvm_format_bad(&err, from.at, "the byte behind it", "the end",
				     in.data[from.at]);
	return ret ? explain(error, ret, &err) : cvm_cmw_finish(file, error);
}
