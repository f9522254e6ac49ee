// SPDX-License-Identifier: MIT
/* A JSON object as text that people read. */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "show.h"

#define COLUMN	28	/* where values begin */
#define WRAP	64	/* digits of a long value in one line */

json_t *json_hex64(uint64_t value)
{
	return json_sprintf("0x%016llx", (unsigned long long)value);
}

/* What the host wrote must not steer the terminal. */
static void print_clean(FILE *out, const char *text)
{
	for (; *text; text++)
		fputc(*text < ' ' || *text > '~' ? '?' : *text, out);
}

static void print_string(FILE *out, const char *text)
{
	size_t len = strlen(text);
	bool wraps = len > WRAP && strspn(text, "0123456789abcdef") == len;

	while (wraps && len > WRAP) {
		fprintf(out, "%.*s\n%*s", WRAP, text, COLUMN, "");
		text += WRAP;
		len -= WRAP;
	}
	print_clean(out, text);
	fputc('\n', out);
}

static void print_scalar(FILE *out, const json_t *value)
{
	if (json_is_string(value))
		print_string(out, json_string_value(value));
	else if (json_is_integer(value))
		fprintf(out, "%lld\n", (long long)json_integer_value(value));
	else
		fprintf(out, "%s\n", json_is_true(value) ? "yes" : "no");
}

static void print_object(FILE *out, const json_t *object, int indent);

static void print_value(FILE *out, const char *key, const json_t *value,
			int indent)
{
	int used = indent + (int)strlen(key);
	size_t i;
	json_t *item;

	if (json_is_object(value)) {
		fprintf(out, "%*s", indent, "");
		print_clean(out, key);
		fprintf(out, ":\n");
		print_object(out, value, indent + 2);
	} else if (json_is_array(value)) {
		json_array_foreach(value, i, item) {
			char name[COLUMN + 32];

			snprintf(name, sizeof(name), "%.*s[%zu]", COLUMN, key, i);
			print_value(out, name, item, indent);
		}
	} else {
		fprintf(out, "%*s", indent, "");
		print_clean(out, key);
		fprintf(out, "%*s ", used < COLUMN - 1 ? COLUMN - 1 - used : 0, "");
		print_scalar(out, value);
	}
}

static void print_object(FILE *out, const json_t *object, int indent)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)object, key, value)
		print_value(out, key, value, indent);
}

char *json_to_text(const json_t *object)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	print_object(out, object, 0);
	if (fclose(out)) {
		free(text);
		return NULL;
	}
	return text;
}
