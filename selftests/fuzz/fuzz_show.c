// SPDX-License-Identifier: GPL-2.0
/* libFuzzer target of cvmctl show: all of its formats, as JSON and as text. */
#include <string.h>

#include "must.h"
#include "userspace/cvmctl/cmd_show.c"

/* Text of this many bytes for each of the input is what show may make of it. */
#define TIMES	64
#define BESIDES	65536

const char *command_name;

static void must_be_text(const char *text, size_t len)
{
	must(text && strlen(text) <= TIMES * len + BESIDES);
	for (; *text; text++)
		must(*text == '\n' || (*text >= ' ' && *text <= '~'));
}

/* as show_file(), but for what it says of what is no evidence; 1: it is none */
static int parts(const uint8_t *data, size_t len, json_t **json, struct cvm_format_error *err)
{
	struct cvm_evidence_file file = { 0 };
	int ret = 1;

	if (!cvm_evidence_file_parse(&file, data, len, NULL)) {
		*json = json_object();
		ret = add_parts(*json, &file, err);
	}
	cvm_evidence_file_free(&file);
	if (ret == -EBADMSG) {
		json_decref(*json);
		*json = NULL;
	}
	return ret;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cvm_format_error err = { 0 };
	json_t *json = NULL;
	char *text;
	int ret = is_file(data, len) ? parts(data, len, &json, &err) :
				       show_part(data, len, &json, &err);

	must(!ret == !!json || ret == -EPROTONOSUPPORT);
	if (ret < 0)
		must(err.offset <= len && err.field && err.expected);
	if (!json)
		return 0;
	text = json_to_text(json);
	must_be_text(text, len);
	free(text);
	text = json_dumps(json, JSON_INDENT(2));
	must(text && strlen(text) <= TIMES * len + BESIDES);
	free(text);
	json_decref(json);
	return 0;
}
