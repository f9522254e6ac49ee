// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/api.h"
#include "../common/util.h"
#include "certs.h"
#include "json_in.h"

/* What is cited of a key or text in an error, in which it must not run wild */
#define CITED	60

/* For a terminal: what is cited may be anything */
static void make_printable(char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			*text = '?';
}

int cvm_json_load_any(const void *data, size_t len, const char *name, struct cvm_json *out,
		      struct cvm_error *error)
{
	json_error_t why;
	json_t *value;

	*out = (struct cvm_json){ .key = name, .error = error };
	if (len > CVM_JSON_MAX)
		return cvm_set_error(error, -EBADMSG, "%s%slonger than %u bytes", name,
				     *name ? ": " : "", CVM_JSON_MAX);
	value = json_loadb(data, len, JSON_REJECT_DUPLICATES, &why);
	if (!value) {
		make_printable(why.text);
		return cvm_set_error(error, -EBADMSG, "%s%sline %d, column %d: no JSON: %.100s",
				     name, *name ? ": " : "", why.line, why.column, why.text);
	}
	out->value = value;
	return 0;
}

int cvm_json_load(const void *data, size_t len, const char *name, struct cvm_json *out,
		  struct cvm_error *error)
{
	int ret = cvm_json_load_any(data, len, name, out, error);

	if (ret || json_is_object(out->value))
		return ret;
	json_decref((json_t *)out->value);
	out->value = NULL;
	return cvm_json_wrong(out, "an object");
}

static void append(char *path, size_t size, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
static void append(char *path, size_t size, const char *format, ...)
{
	size_t used = strlen(path);
	va_list args;

	va_start(args, format);
	vsnprintf(path + used, size - used, format, args);
	va_end(args);
}

static void write_path(const struct cvm_json *in, char *path, size_t size)
{
	if (in->up)
		write_path(in->up, path, size);
	if (!in->key)
		append(path, size, "[%zu]", in->index);
	else
		append(path, size, "%s%.*s", *path && *in->key ? "." : "", CITED, in->key);
}

int cvm_json_wrong(const struct cvm_json *in, const char *expected)
{
	char path[256] = "";

	write_path(in, path, sizeof(path));
	make_printable(path);
	return cvm_set_error(in->error, -EBADMSG, "%s%sexpected %s", path, *path ? ": " : "",
			     expected);
}

int cvm_json_member(const struct cvm_json *in, const char *key, struct cvm_json *out)
{
	*out = (struct cvm_json){ json_object_get(in->value, key), in, key, 0, in->error };
	return out->value ? 0 : cvm_json_wrong(out, "to be there");
}

bool cvm_json_has(const struct cvm_json *in, const char *key)
{
	return json_object_get(in->value, key);
}

int cvm_json_array(const struct cvm_json *in, size_t max, size_t *count)
{
	char expected[64];

	*count = json_array_size(in->value);
	if (json_is_array(in->value) && *count <= max)
		return 0;
	snprintf(expected, sizeof(expected), "an array of at most %zu elements", max);
	return cvm_json_wrong(in, expected);
}

void cvm_json_item(const struct cvm_json *in, size_t index, struct cvm_json *out)
{
	*out = (struct cvm_json){ json_array_get(in->value, index), in, NULL, index, in->error };
}

int cvm_json_object(const struct cvm_json *in)
{
	return json_is_object(in->value) ? 0 : cvm_json_wrong(in, "an object");
}

int cvm_json_text(const struct cvm_json *in, const char **out)
{
	*out = json_string_value(in->value);
	return *out ? 0 : cvm_json_wrong(in, "a string");
}

int cvm_json_number(const struct cvm_json *in, uint64_t max, uint64_t *out)
{
	json_int_t number = json_integer_value(in->value);
	char expected[64];

	if (json_is_integer(in->value) && number >= 0 && (uint64_t)number <= max) {
		*out = (uint64_t)number;
		return 0;
	}
	snprintf(expected, sizeof(expected), "a number from 0 to %llu", (unsigned long long)max);
	return cvm_json_wrong(in, expected);
}

int cvm_json_bool(const struct cvm_json *in, bool *out)
{
	*out = json_is_true(in->value);
	return json_is_boolean(in->value) ? 0 : cvm_json_wrong(in, "true or false");
}

int cvm_json_time(const struct cvm_json *in, int64_t *out)
{
	const char *text = json_string_value(in->value);

	return text && cvm_time_of_text(text, out) ? 0 :
	       cvm_json_wrong(in, "a time as 2025-06-30T12:00:00Z");
}

int cvm_json_hex(const struct cvm_json *in, void *out, size_t len)
{
	const char *text = json_string_value(in->value);
	char expected[64];
	size_t got, where;

	if (text && !cvm_hex_decode(text, out, len, &got, &where) && got == len)
		return 0;
	snprintf(expected, sizeof(expected), "%zu hexadecimal digits", 2 * len);
	return cvm_json_wrong(in, expected);
}

int cvm_json_bytes(const struct cvm_json *in, void *out, size_t size, size_t *len)
{
	const char *text = json_string_value(in->value);
	char expected[64];
	size_t where;

	if (text && !cvm_hex_decode(text, out, size, len, &where))
		return 0;
	*len = 0;
	snprintf(expected, sizeof(expected), "hexadecimal digits of at most %zu bytes", size);
	return cvm_json_wrong(in, expected);
}

int cvm_json_get_text(const struct cvm_json *in, const char *key, const char **out)
{
	struct cvm_json member;
	int ret = cvm_json_member(in, key, &member);

	return ret ? ret : cvm_json_text(&member, out);
}

int cvm_json_get_number(const struct cvm_json *in, const char *key, uint64_t max, uint64_t *out)
{
	struct cvm_json member;
	int ret = cvm_json_member(in, key, &member);

	return ret ? ret : cvm_json_number(&member, max, out);
}

int cvm_json_get_time(const struct cvm_json *in, const char *key, int64_t *out)
{
	struct cvm_json member;
	int ret = cvm_json_member(in, key, &member);

	return ret ? ret : cvm_json_time(&member, out);
}

int cvm_json_get_hex(const struct cvm_json *in, const char *key, void *out, size_t len)
{
	struct cvm_json member;
	int ret = cvm_json_member(in, key, &member);

	return ret ? ret : cvm_json_hex(&member, out, len);
}

int cvm_json_get_bytes(const struct cvm_json *in, const char *key, void *out, size_t size,
		       size_t *len)
{
	struct cvm_json member;
	int ret = cvm_json_member(in, key, &member);

	*len = 0;
	return ret ? ret : cvm_json_bytes(&member, out, size, len);
}
