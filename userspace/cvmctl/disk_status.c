// SPDX-License-Identifier: MIT
/* cvmctl disk status: what is open, what its record says, whether they agree. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "disk.h"
#include "disk/dm.h"

/* the live table, and whether it is the record's */
static int add_table(json_t *json, const struct disk_options *options,
		     const struct cvm_key_record *record)
{
	struct cvm_error error = { 0 };
	struct cvm_dm dm;
	int rc = cvm_dm_table(options->name, &dm, &error);

	if (rc)
		return fail_key(rc, NULL, &error);
	json_object_set_new(json, "open", json_boolean(dm.exists));
	if (!dm.exists)
		return 0;
	json_object_set_new(json, "table", json_sprintf("%s %s", dm.type, dm.params));
	if (!record)
		return 0;
	rc = cvm_disk_check(options->name, record, &error);
	json_object_set_new(json, "as_recorded", json_boolean(!rc));
	return rc ? fail_key(rc, NULL, &error) : 0;
}

/* nothing of it is authenticated: that takes the keys */
static void add_record(json_t *json, const struct cvm_key_record *record)
{
	const struct cvm_key_inputs *in = &record->inputs;
	char mix[CVM_MIX_TEXT], pcrs[CVM_PCRS_TEXT];

	json_object_set_new(json, "root", json_string(cvm_root_name(in->root)));
	if (record->sealed.pcrs)
		json_object_set_new(json, "pcrs",
				    json_string(cvm_pcrs_text(record->sealed.pcrs, pcrs)));
	json_object_set_new(json, "mix", json_string(cvm_mix_text(in->mix, mix)));
	json_object_set_new(json, "tcb", json_sprintf("%016" PRIx64, in->tcb));
	json_object_set_new(json, "svn", json_integer(in->guest_svn));
	json_object_set_new(json, "integrity", json_boolean(record->cipher == CVM_DISK_XTS_HMAC));
	json_object_set_new(json, "luks", json_boolean(record->cipher == CVM_DISK_LUKS2));
	json_object_set_new(json, "sectors", json_integer((json_int_t)record->sectors));
}

/* whether a rotation would change something, or a roll-back has happened */
static void add_rotation(json_t *json, const struct disk_options *options,
			 const struct cvm_key_record *record)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	struct cvm_key_inputs newest;
	const char *state = "unknown";
	int rc = cvm_key_door_open(&door, CVM_FROM_FIRMWARE, NULL);

	if (!rc) {
		json_object_set_new(json, "committed_tcb",
				    json_sprintf("%016" PRIx64, door.facts.committed_tcb));
		disk_newest_inputs(options, &door, &record->inputs, &newest);
		rc = cvm_key_inputs_check(&record->inputs, &door.facts, NULL);
	}
	if (rc == -ESTALE)
		state = "rolled back";
	else if (!rc && newest.vmpl == record->inputs.vmpl)
		state = memcmp(&newest, &record->inputs, sizeof(newest)) ? "due" : "current";
	json_object_set_new(json, "rotation", json_string(state));
}

/* whether the TPM would give its secret out, now and here */
static void add_sealed(json_t *json, const struct cvm_key_record *record)
{
	struct cvm_tpm *tpm;
	int rc = cvm_tpm_open(&tpm, NULL);

	if (!rc)
		rc = cvm_sealed_check(tpm, &record->sealed, NULL);
	cvm_tpm_close(tpm);
	json_object_set_new(json, "sealed",
			    json_string(!rc ? "opens" : rc == -ESTALE ? "other PCRs" :
					rc == -EKEYREJECTED ? "another TPM" :
					rc == -EBADMSG ? "by another system" : "unknown"));
}

static int print_text(const json_t *json)
{
	const char *name;
	json_t *value;

	json_object_foreach((json_t *)json, name, value) {
		if (json_is_boolean(value))
			printf("%-14s %s\n", name, json_is_true(value) ? "yes" : "no");
		else if (json_is_integer(value))
			printf("%-14s %" JSON_INTEGER_FORMAT "\n", name, json_integer_value(value));
		else
			printf("%-14s %s\n", name, json_string_value(value));
	}
	return flush_output();
}

int disk_status(const struct disk_options *options)
{
	struct cvm_key_record record;
	struct cvm_error error;
	json_t *json = json_pack("{s:s}", "name", options->name);
	int rc = options->record ? cvm_record_read(options->record, &record, &error) : 0, differs;

	if (rc) {
		json_decref(json);
		return fail_key(rc, NULL, &error);
	}
	differs = add_table(json, options, options->record ? &record : NULL);
	if (!json_object_get(json, "open")) {
		json_decref(json);
		return differs;
	}
	if (options->record) {
		add_record(json, &record);
		if (record.sealed.pcrs)
			add_sealed(json, &record);
		if (record.inputs.root != CVM_ROOT_TPM)
			add_rotation(json, options, &record);
	}
	if (options->json) {
		rc = output_json(NULL, json);
		return rc ? rc : differs;
	}
	rc = print_text(json);
	json_decref(json);
	return rc ? rc : differs;
}
