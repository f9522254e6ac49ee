// SPDX-License-Identifier: MIT
#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"

/* rows of the table below; the parts are first, and in their order */
enum field_id {
	AUDIENCE, NONCE, CHANNEL_KEY, USER_DATA, MODE, FORMAT, CERTS, TIMEOUT, RUNTIME_DATA,
	ENCODING,
};

_Static_assert((int)AUDIENCE == (int)AGENT_AUDIENCE && (int)NONCE == (int)AGENT_NONCE &&
	       (int)CHANNEL_KEY == (int)AGENT_CHANNEL_KEY, "the parts' fields have their numbers");

/**
 * struct field - something that a request may say
 * @name: in the query and in JSON
 * @endpoints: bit of each enum agent_fields that has it
 * @min: bytes of it; of a part, or of data
 * @max: bytes
 * @set: take it
 */
struct field {
	const char *name;
	uint32_t endpoints;
	size_t min, max;
	int (*set)(struct agent_ask *ask, const struct field *field, const char *value,
		   size_t len, struct cvm_error *error);
};

static const struct field all_fields[ENCODING + 1];

static uint32_t bit_of(const struct field *field)
{
	return 1U << (field - all_fields);
}

/* ---- values */

static int wrong(struct cvm_error *error, const struct field *field, const char *expected)
{
	return cvm_set_error(error, -EINVAL, "%s: %s is expected", field->name, expected);
}

static int wrong_length(struct cvm_error *error, const struct field *field, size_t len)
{
	if (field->min == field->max)
		return cvm_set_error(error, -EINVAL, "%s: %zu bytes, %zu are expected", field->name,
				     len, field->max);
	return cvm_set_error(error, -EINVAL, "%s: %zu bytes, %zu to %zu are expected", field->name,
			     len, field->min, field->max);
}

/* Hexadecimal */
static int set_bytes(const struct field *field, const char *value, size_t len, uint8_t *out,
		     size_t *out_len, struct cvm_error *error)
{
	size_t where;
	int rc;

	/* a zero byte would end the text before its end */
	if (strlen(value) != len)
		return wrong(error, field, "hexadecimal text");
	rc = cvm_hex_decode(value, out, field->max, out_len, &where);
	if (rc == -EINVAL)
		return wrong(error, field, "hexadecimal text");
	return rc || *out_len < field->min ? wrong_length(error, field, *out_len) : 0;
}

static int set_part(struct agent_ask *ask, const struct field *field, const char *value,
		    size_t len, struct cvm_error *error)
{
	enum agent_part part = (enum agent_part)(field - all_fields);

	return set_bytes(field, value, len, ask->part[part], &ask->part_len[part], error);
}

static int set_audience(struct agent_ask *ask, const struct field *field, const char *value,
			size_t len, struct cvm_error *error)
{
	if (len < field->min || len > field->max)
		return wrong_length(error, field, len);
	memcpy(ask->part[AGENT_AUDIENCE], value, len);
	ask->part_len[AGENT_AUDIENCE] = len;
	return 0;
}

static int set_user_data(struct agent_ask *ask, const struct field *field, const char *value,
			 size_t len, struct cvm_error *error)
{
	return set_bytes(field, value, len, ask->data, &ask->data_len, error);
}

/* Kept as it came: how to read it may be said later. */
static int set_runtime_data(struct agent_ask *ask, const struct field *field, const char *value,
			    size_t len, struct cvm_error *error)
{
	if (len > field->max)
		return wrong_length(error, field, len);
	memcpy(ask->part[0], value, len);
	ask->part[0][len] = '\0';
	ask->part_len[0] = len;
	return 0;
}

static int set_encoding(struct agent_ask *ask, const struct field *field, const char *value,
			size_t len, struct cvm_error *error)
{
	ask->base64 = !strcmp(value, "base64");
	return ask->base64 ? 0 : wrong(error, field, "base64, or none for the bytes themselves");
}

static int set_mode(struct agent_ask *ask, const struct field *field, const char *value,
		    size_t len, struct cvm_error *error)
{
	ask->mode = !strcmp(value, "batch") ? AGENT_BATCH :
		    !strcmp(value, "direct") ? AGENT_DIRECT : AGENT_DEFAULT;
	return ask->mode ? 0 : wrong(error, field, "batch or direct");
}

static int set_format(struct agent_ask *ask, const struct field *field, const char *value,
		      size_t len, struct cvm_error *error)
{
	if (len < field->min || len > field->max)
		return wrong_length(error, field, len);
	memcpy(ask->format, value, len);
	return 0;
}

static int set_certs(struct agent_ask *ask, const struct field *field, const char *value,
		     size_t len, struct cvm_error *error)
{
	ask->certs = !strcmp(value, "true") ? 1 : !strcmp(value, "false") ? -1 : 0;
	return ask->certs ? 0 : wrong(error, field, "true or false");
}

static int set_timeout(struct agent_ask *ask, const struct field *field, const char *value,
		       size_t len, struct cvm_error *error)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno || end != value + len || !len || *value < '0' || *value > '9' ||
	    number < 1 || number > INT_MAX)
		return wrong(error, field, "a number of milliseconds");
	ask->timeout_ms = (uint32_t)number;
	return 0;
}

#define OWN	(1U << AGENT_OWN_FIELDS)
#define COCO	(1U << AGENT_COCO_FIELDS)

static const struct field all_fields[ENCODING + 1] = {
	[AUDIENCE]	= { "audience", OWN, 1, AGENT_MAX_AUDIENCE, set_audience },
	[NONCE]		= { "nonce", OWN, AGENT_MIN_NONCE, AGENT_MAX_NONCE, set_part },
	[CHANNEL_KEY]	= { "channel_key", OWN, 1, AGENT_MAX_CHANNEL_KEY, set_part },
	[USER_DATA]	= { "user_data", OWN, CVM_USER_DATA_LEN, CVM_USER_DATA_LEN, set_user_data },
	[MODE]		= { "mode", OWN | COCO, 0, 0, set_mode },
	[FORMAT]	= { "format", OWN, 1, sizeof(((struct agent_ask *)0)->format) - 1, set_format },
	[CERTS]		= { "certs", OWN | COCO, 0, 0, set_certs },
	[TIMEOUT]	= { "timeout_ms", OWN | COCO, 0, 0, set_timeout },
	/* in base64 a third more, with padding */
	[RUNTIME_DATA]	= { "runtime_data", COCO, 0, (CVM_USER_DATA_LEN + 2) / 3 * 4, set_runtime_data },
	[ENCODING]	= { "encoding", COCO, 0, 0, set_encoding },
};

static bool has(const struct agent_ask *ask, enum field_id id)
{
	return ask->given & bit_of(&all_fields[id]);
}

bool agent_ask_has(const struct agent_ask *ask, enum agent_part part)
{
	return has(ask, (enum field_id)part);
}

const char *agent_part_name(enum agent_part part)
{
	return all_fields[part].name;
}

int agent_ask_field(struct agent_ask *ask, enum agent_fields fields, const char *name,
		    const char *value, size_t len, struct cvm_error *error)
{
	for (size_t i = 0; i < ARRAY_SIZE(all_fields); i++) {
		const struct field *field = &all_fields[i];

		if (!(field->endpoints & 1U << fields) || strcmp(name, field->name))
			continue;
		if (ask->given & bit_of(field))
			return cvm_set_error(error, -EINVAL, "%s is given twice", name);
		ask->given |= bit_of(field);
		return field->set(ask, field, value, len, error);
	}
	return cvm_set_error(error, -EINVAL, "'%.40s' is nothing that can be asked for here", name);
}

/* ---- JSON */

/* Numbers and truth values as the query has them */
static int member(struct agent_ask *ask, enum agent_fields fields, const char *name,
		  const json_t *value, struct cvm_error *error)
{
	char number[32];
	const char *text = number;
	int len;

	if (json_is_string(value))
		return agent_ask_field(ask, fields, name, json_string_value(value),
				       json_string_length(value), error);
	if (json_is_integer(value))
		len = snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT,
			       json_integer_value(value));
	else if (json_is_boolean(value))
		len = snprintf(number, sizeof(number), "%s",
			       json_is_true(value) ? "true" : "false");
	else
		return cvm_set_error(error, -EINVAL, "'%.40s': a text, a number, true or false is expected",
				     name);
	return agent_ask_field(ask, fields, name, text, (size_t)len, error);
}

int agent_ask_json(struct agent_ask *ask, enum agent_fields fields, const char *text, size_t len,
		   struct cvm_error *error)
{
	json_error_t why;
	json_t *value, *json = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &why);
	const char *name;
	int rc = 0;

	if (!json)
		return cvm_set_error(error, -EINVAL, "the body is no JSON: line %d, column %d", why.line,
				     why.column);
	if (!json_is_object(json))
		rc = cvm_set_error(error, -EINVAL, "the body is no JSON object");
	json_object_foreach(json, name, value) {
		rc = member(ask, fields, name, value, error);
		if (rc)
			break;
	}
	json_decref(json);
	return rc;
}

/* ---- the whole */

/* Standard base64, as their clients send it, padded */
static int decode_base64(struct agent_ask *ask, struct cvm_error *error)
{
	const char *text = (const char *)ask->part[0];
	size_t len = ask->part_len[0], padding = 0;
	uint8_t bytes[CVM_USER_DATA_LEN + 3];

	while (padding < 2 && padding < len && text[len - padding - 1] == '=')
		padding++;
	if (len % 4 || strlen(text) != len || strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") != len - padding ||
	    EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)len) != (int)(len / 4 * 3))
		return wrong(error, &all_fields[RUNTIME_DATA], "base64 text");
	ask->data_len = len / 4 * 3 - padding;
	if (ask->data_len > sizeof(ask->data))
		return cvm_set_error(error, -EINVAL, "runtime_data: %zu bytes, 64 at most are expected",
				     ask->data_len);
	memcpy(ask->data, bytes, ask->data_len);
	return 0;
}

/* As the agent of confidential-containers has it: up to 64 bytes, then zeros */
static int end_coco(struct agent_ask *ask, struct cvm_error *error)
{
	if (!has(ask, RUNTIME_DATA))
		return cvm_set_error(error, -EINVAL, "runtime_data is missing");
	if (ask->base64)
		return decode_base64(ask, error);
	if (ask->part_len[0] > sizeof(ask->data))
		return cvm_set_error(error, -EINVAL, "runtime_data: %zu bytes, 64 at most are expected",
				     ask->part_len[0]);
	memcpy(ask->data, ask->part[0], ask->part_len[0]);
	ask->data_len = ask->part_len[0];
	return 0;
}

/*
 * One that is left out is hashed as none at all, of zero bytes. Without a nonce of the
 * relying party evidence proves nothing about now.
 */
static int end_own(struct agent_ask *ask, struct cvm_error *error)
{
	struct cvm_part parts[AGENT_PARTS];
	bool any = has(ask, AUDIENCE) || has(ask, CHANNEL_KEY);

	if (has(ask, USER_DATA) && (any || has(ask, NONCE)))
		return cvm_set_error(error, -EINVAL, "user_data is the whole: not together with audience, nonce, channel_key");
	if (has(ask, USER_DATA))
		return 0;
	if (!has(ask, NONCE))
		return cvm_set_error(error, -EINVAL, "%s", any ? "nonce is missing" :
				     "either user_data or nonce is missing");
	for (size_t i = 0; i < AGENT_PARTS; i++)
		parts[i] = (struct cvm_part){ ask->part[i], ask->part_len[i] };
	ask->data_len = sizeof(ask->data);
	if (cvm_user_data(parts, AGENT_PARTS, ask->data))
		return cvm_set_error(error, -ENOMEM, "out of memory");
	return 0;
}

int agent_ask_end(struct agent_ask *ask, enum agent_fields fields, struct cvm_error *error)
{
	switch (fields) {
	case AGENT_OWN_FIELDS:
		return end_own(ask, error);
	case AGENT_COCO_FIELDS:
		return end_coco(ask, error);
	default:
		return 0;
	}
}
