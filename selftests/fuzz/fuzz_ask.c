// SPDX-License-Identifier: GPL-2.0
/*
 * What clients of cvm-agent write: the arguments of a query, a JSON object, Accept. The
 * first byte says which, and of which endpoint.
 */
#include <stdlib.h>
#include <string.h>

#include "must.h"
#include "userspace/agent/ask.h"
#include "userspace/agent/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* "name=value&name=value", decoded already, as libmicrohttpd hands it over */
static int ask_query(struct agent_ask *ask, enum agent_fields fields, char *text, char *end,
		     struct cvm_error *error)
{
	int rc = 0;

	while (!rc && text < end) {
		char *next = memchr(text, '&', (size_t)(end - text));
		char *stop = next ? next : end, *value;

		*stop = '\0';
		value = memchr(text, '=', (size_t)(stop - text));
		if (value)
			*value++ = '\0';
		else
			value = stop;
		rc = agent_ask_field(ask, fields, text, value, (size_t)(stop - value), error);
		text = stop + 1;
	}
	return rc;
}

/* What was taken is within its limits. */
static void check(const struct agent_ask *ask, enum agent_fields fields)
{
	must(ask->data_len <= sizeof(ask->data));
	must(ask->part_len[AGENT_AUDIENCE] <= sizeof(ask->part[0]));
	must(memchr(ask->format, '\0', sizeof(ask->format)));
	if (fields != AGENT_OWN_FIELDS)
		return;
	must(ask->data_len == sizeof(ask->data));
	must(!agent_ask_has(ask, AGENT_NONCE) || ask->part_len[AGENT_NONCE] >= AGENT_MIN_NONCE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct agent_ask ask = { 0 };
	struct cvm_error error;
	enum agent_fields fields;
	char *text;
	int rc;

	if (!len)
		return 0;
	fields = data[0] & 1 ? AGENT_OWN_FIELDS : AGENT_COCO_FIELDS;
	text = malloc(len);
	must(text);
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	agent_format_accepted(text);
	if (data[0] & 2)
		rc = agent_ask_json(&ask, fields, text, len - 1, &error);
	else
		rc = ask_query(&ask, fields, text, text + len - 1, &error);
	if (!rc)
		rc = agent_ask_end(&ask, fields, &error);
	if (!rc)
		check(&ask, fields);
	else
		must(memchr(error.text, '\0', sizeof(error.text)));
	free(text);
	return 0;
}
