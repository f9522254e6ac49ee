// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/api.h"
#include "../common/cleanup.h"
#include "../common/json_hex.h"
#include "../formats/cbor.h"
#include "../formats/detect.h"
#include "cmw_write.h"
#include "evidence_json.h"

#define MAX_PARTS	6	/* below 24, so that a map's head is a byte */
#define MAX_MEDIA_TYPE	255

/* ---- media types */

static bool is_number(const char *text)
{
	return *text && !text[strspn(text, "0123456789")];
}

static bool is_alphanumeric(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

/* "type/subtype", perhaps with parameters: printable, so that no terminal is steered */
bool cvm_cmw_is_media_type(const char *text)
{
	const char *slash = strchr(text, '/');

	for (const char *p = text; *p; p++)
		if (*p < ' ' || *p > '~')
			return false;
	return slash && slash[1] && is_alphanumeric(*text) && strlen(text) <= MAX_MEDIA_TYPE;
}

bool cvm_cmw_is_content_format(const char *text)
{
	return is_number(text) && strlen(text) <= 5 && strtoul(text, NULL, 10) <= UINT16_MAX;
}

/* ---- parts */

struct part {
	const struct cvm_cmw_type *type;
	const char *media_type;
	struct cvm_span value;
};

struct parts {
	struct part part[MAX_PARTS];
	size_t count;
};

static const char *certs_name(const struct cvm_blob *certs)
{
	switch (cvm_format_detect(certs->data, certs->len)) {
	case CVM_FORMAT_PEM:
		return "certs-pem";
	case CVM_FORMAT_DER:
		return "certs-der";
	default:
		return "certs-table";
	}
}

/* @media_types: NULL, or as cvm_cmw_json() has it */
static bool has_form(const char *name)
{
	size_t i = 0;

	while (cvm_cmw_types[i].name && strcmp(cvm_cmw_types[i].name, name))
		i++;
	return cvm_cmw_types[i].name;
}

/* @name: one that has_form() */
static void add(struct parts *parts, const char *const *media_types, const char *name,
		const void *data, size_t len)
{
	const struct cvm_cmw_type *type;
	size_t i = 0;

	if (!data)
		return;
	while (strcmp(cvm_cmw_types[i].name, name))
		i++;
	type = &cvm_cmw_types[i];
	parts->part[parts->count++] = (struct part){
		.type = type, .value = { data, len },
		.media_type = media_types && media_types[i] ? media_types[i] : type->media_type,
	};
}

/*
 * In the order of a map's labels as deterministic encoding has them (RFC 8949, section
 * 4.2.1): the shorter first, and of one length as bytes are. @tpm_quote: for free()
 */
static int list_parts(const struct cvm_evidence_file *file, const char *const *types,
		      char **tpm_quote, struct parts *parts, struct cvm_error *error)
{
	json_t *json;

	if (!has_form(cvm_evidence_type_name(file->type)))
		return cvm_set_error(error, -EINVAL, "evidence of type %u has no form in a CMW", file->type);
	json = file->has_tpm ? cvm_tpm_quote_json(&file->tpm.quote) : NULL;
	*tpm_quote = json ? json_dumps(json, JSON_COMPACT) : NULL;
	json_decref(json);
	if (file->has_tpm && !*tpm_quote)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	*parts = (struct parts){ 0 };
	if (file->certs.data)
		add(parts, types, certs_name(&file->certs), file->certs.data, file->certs.len);
	add(parts, types, "proof", file->proof.data, file->proof.len);
	add(parts, types, cvm_evidence_type_name(file->type), file->report.data, file->report.len);
	add(parts, types, "td-quote", file->td_quote.data, file->td_quote.len);
	add(parts, types, "event-log", file->event_log.data, file->event_log.len);
	add(parts, types, "tpm-quote", *tpm_quote, *tpm_quote ? strlen(*tpm_quote) : 0);
	return 0;
}

/* ---- JSON */

static json_t *record_json(const struct part *part)
{
	return json_pack("[s, o, i]", part->media_type,
			 cvm_json_of_base64url(part->value.data, part->value.len, false),
			 (int)part->type->ind);
}

static json_t *parts_json(const struct parts *parts)
{
	json_t *json;

	if (parts->count == 1)
		return record_json(&parts->part[0]);
	json = json_object();
	for (size_t i = 0; i < parts->count; i++)
		if (json_object_set_new(json, parts->part[i].type->label,
					record_json(&parts->part[i]))) {
			json_decref(json);
			return NULL;
		}
	return json;
}

int cvm_cmw_json(const struct cvm_evidence_file *file, const char *const *media_types,
		 json_t **json, struct cvm_error *error)
{
	__cleanup_free char *tpm_quote = NULL;
	struct parts parts;
	int ret = list_parts(file, media_types, &tpm_quote, &parts, error);

	if (ret)
		return ret;
	*json = parts_json(&parts);
	return *json ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}

/* ---- CBOR */

static void put(struct cvm_blob *out, const void *data, size_t len)
{
	memcpy(out->data + out->len, data, len);
	out->len += len;
}

static void put_head(struct cvm_blob *out, enum cvm_cbor_major major, uint64_t value)
{
	out->len += cvm_cbor_head(out->data + out->len, major, value);
}

static void put_string(struct cvm_blob *out, enum cvm_cbor_major major, const void *data,
		       size_t len)
{
	put_head(out, major, len);
	put(out, data, len);
}

static void put_record(struct cvm_blob *out, const struct part *part)
{
	const char *type = part->media_type;

	put_head(out, CVM_CBOR_ARRAY, 3);
	if (is_number(type))
		put_head(out, CVM_CBOR_UINT, strtoul(type, NULL, 10));
	else
		put_string(out, CVM_CBOR_TEXT, type, strlen(type));
	put_string(out, CVM_CBOR_BYTES, part->value.data, part->value.len);
	put_head(out, CVM_CBOR_UINT, part->type->ind);
}

/* each with all its heads at their longest */
static size_t room_for(const struct parts *parts)
{
	size_t room = CVM_CBOR_HEAD_MAX;

	for (size_t i = 0; i < parts->count; i++)
		room += 5 * CVM_CBOR_HEAD_MAX + strlen(parts->part[i].type->label) +
			strlen(parts->part[i].media_type) + parts->part[i].value.len;
	return room;
}

int cvm_cmw_cbor(const struct cvm_evidence_file *file, const char *const *media_types,
		 struct cvm_blob *cbor, struct cvm_error *error)
{
	__cleanup_free char *tpm_quote = NULL;
	struct parts parts;
	int ret = list_parts(file, media_types, &tpm_quote, &parts, error);

	if (ret)
		return ret;
	*cbor = (struct cvm_blob){ .data = malloc(room_for(&parts)) };
	if (!cbor->data)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	if (parts.count > 1)
		put_head(cbor, CVM_CBOR_MAP, parts.count);
	for (size_t i = 0; i < parts.count; i++) {
		const char *label = parts.part[i].type->label;

		if (parts.count > 1)
			put_string(cbor, CVM_CBOR_TEXT, label, strlen(label));
		put_record(cbor, &parts.part[i]);
	}
	return 0;
}
