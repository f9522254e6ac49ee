// SPDX-License-Identifier: MIT
/* An event log as JSON: what it says was measured, and the PCRs that this leads to. */
#include <openssl/sha.h>
#include <stdio.h>

#include "show.h"
#include "verify/boot_log.h"

/* NULL: the event shows no variable of Secure Boot */
static json_t *show_variable(const struct cvm_event *e)
{
	struct cvm_efi_variable variable;
	uint8_t digest[CVM_EVENT_DIGEST];
	struct cvm_format_error err;
	enum cvm_boot_variable which;

	if (e->type != CVM_EV_EFI_VARIABLE_DRIVER_CONFIG ||
	    cvm_efi_variable_parse(e->data.data, e->data.len, &variable, &err))
		return NULL;
	which = cvm_boot_variable_of(&variable);
	if (which == CVM_BOOT_VARIABLES)
		return NULL;
	SHA256(variable.data.data, variable.data.len, digest);
	return json_pack("{s:s, s:I, s:o}", "name", cvm_boot_variable_name(which),
			 "size", (json_int_t)variable.data.len,
			 "sha256", cvm_json_of_hex(digest, sizeof(digest)));
}

static json_t *show_event(const struct cvm_event *e)
{
	const char *name = cvm_event_type_name(e->type);
	json_t *type = name ? json_string(name) : json_sprintf("0x%08x", e->type);

	return json_pack("{s:I, s:I, s:o, s:o*, s:I, s:o*}", "event", (json_int_t)e->number,
			 "pcr", (json_int_t)e->pcr, "type", type,
			 "digest", e->digest ? cvm_json_of_hex(e->digest, CVM_EVENT_DIGEST) : NULL,
			 "size", (json_int_t)e->data.len, "variable", show_variable(e));
}

static json_t *show_pcrs(const struct cvm_boot_log *boot)
{
	json_t *pcrs = json_object();
	char key[8];

	for (unsigned int i = 0; i < CVM_EVENT_PCRS; i++) {
		if (!boot->events[i])
			continue;
		snprintf(key, sizeof(key), "%u", i);
		json_object_set_new(pcrs, key, cvm_json_of_hex(boot->pcr[i], CVM_EVENT_DIGEST));
	}
	return pcrs;
}

int show_event_log(struct cvm_span in, json_t **json, struct cvm_format_error *err)
{
	struct cvm_event_log log;
	struct cvm_boot_log boot;
	struct cvm_event e;
	json_t *events;
	int ret = cvm_boot_log_replay(in, &boot, err);

	*json = NULL;
	if (!ret)
		ret = cvm_event_log_open(in.data, in.len, &log, err);
	if (ret)
		return ret;
	events = json_array();
	while (!ret && cvm_event_log_more(&log)) {
		ret = cvm_event_log_next(&log, &e, err);
		if (!ret)
			json_array_append_new(events, show_event(&e));
	}
	*json = json_pack("{s:s, s:o, s:o}", "type", "event-log", "events", events,
			  "pcrs", show_pcrs(&boot));
	return ret;
}
