// SPDX-License-Identifier: MIT
#include <errno.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "common/api.h"
#include "common/util.h"
#include "format.h"
#include "verify/cmw_write.h"
#include "verify/evidence_json.h"

int agent_json_text(json_t *json, char **body, size_t *len, struct cvm_error *error)
{
	char *text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;

	json_decref(json);
	if (!text)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	*body = text;
	*len = strlen(text);
	return 0;
}

/* As `cvmctl evidence` writes it, and `cvmctl verify` reads it */
static int write_own(const struct cvm_evidence_file *file, char **body, size_t *len,
		     struct cvm_error *error)
{
	json_t *json;
	int rc = cvm_evidence_json(file, CVM_EVIDENCE_JSON, &json, error);

	return rc ? rc : agent_json_text(json, body, len, error);
}

static int write_cmw(const struct cvm_evidence_file *file, char **body, size_t *len,
		     struct cvm_error *error)
{
	json_t *json;
	int rc = cvm_cmw_json(file, NULL, &json, error);

	return rc ? rc : agent_json_text(json, body, len, error);
}

static int write_cmw_cbor(const struct cvm_evidence_file *file, char **body, size_t *len,
			  struct cvm_error *error)
{
	struct cvm_blob cbor;
	int rc = cvm_cmw_cbor(file, NULL, &cbor, error);

	if (rc)
		return rc;
	*body = (char *)cbor.data;
	*len = cbor.len;
	return 0;
}

/* The first is the default. Of two with one media type Accept finds the first. */
static const struct agent_format formats[] = {
	{ "json", "application/json", write_own },
	{ "coco", "application/json", agent_coco_write },
	{ "cmw", "application/cmw+json", write_cmw },
	{ "cmw-cbor", "application/cmw+cbor", write_cmw_cbor },
};

const struct agent_format *agent_format_default(void)
{
	return &formats[0];
}

const struct agent_format *agent_format_coco(void)
{
	return agent_format_named("coco");
}

const struct agent_format *agent_format_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		if (!strcmp(formats[i].name, name))
			return &formats[i];
	return NULL;
}

/* Does the media range of @len characters take in @type? */
static bool takes(const char *range, size_t len, const char *type)
{
	size_t major = strcspn(type, "/") + 1;

	if (len == 3 && !strncmp(range, "*/*", len))
		return true;
	if (len == major + 1 && range[major] == '*' && !strncasecmp(range, type, major))
		return true;
	return len == strlen(type) && !strncasecmp(range, type, len);
}

/* In the client's order; what it would rather have by q= is not looked at. */
const struct agent_format *agent_format_accepted(const char *accept)
{
	if (!accept)
		return &formats[0];
	while (*accept) {
		const char *range = accept + strspn(accept, " \t,");
		size_t len = strcspn(range, " \t,;");

		for (size_t i = 0; len && i < ARRAY_SIZE(formats); i++)
			if (takes(range, len, formats[i].type))
				return &formats[i];
		accept = range + strcspn(range, ",");
	}
	return NULL;
}
