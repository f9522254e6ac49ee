// SPDX-License-Identifier: MIT
/*
 * Evidence as the agent of confidential-containers writes it. Of SNP it is the report
 * field by field, by the names of the library that reads it there (sev 6.3, reports of
 * version 2 to 5); what that does not know, batch_proof, it passes over, and then it
 * refuses the report for its REPORT_DATA.
 */
#include <errno.h>
#include <jansson.h>
#include <openssl/evp.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/json_hex.h"
#include "common/util.h"
#include "format.h"
#include "limits.h"
#include "formats/cert_table.h"
#include "formats/snp_report.h"
#include "verify/evidence_json.h"

/* the log of what the firmware has measured; there is none where it is not */
#define EVENT_LOG	"/sys/firmware/acpi/tables/data/CCEL"

/* Each is made once: in a list of bytes one costs a reference, not a number of its own. */
static json_t *byte_values[256];

static json_t *byte_value(uint8_t byte)
{
	if (!byte_values[byte])
		byte_values[byte] = json_integer(byte);
	return byte_values[byte];
}

static json_t *numbers(const uint8_t *bytes, size_t len)
{
	json_t *list = json_array();

	for (size_t i = 0; i < len; i++)
		if (json_array_append(list, byte_value(bytes[i]))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

#define NUMBERS(field)	numbers(field, sizeof(field))

static json_t *number_or_null(bool there, uint64_t value)
{
	return there ? json_integer((json_int_t)value) : json_null();
}

/* A report of version 2 does not say which product it is of, and so which layout. */
static enum cvm_snp_product product_of(const struct cvm_snp_report *report)
{
	const uint8_t *id = report->chip_id;

	if (report->product != CVM_SNP_PRODUCT_UNKNOWN)
		return report->product;
	/* Turin's identifiers have 8 bytes */
	return !cvm_is_zero(id, 8) && cvm_is_zero(id + 8, sizeof(report->chip_id) - 8) ?
	       CVM_SNP_TURIN : CVM_SNP_MILAN;
}

static json_t *tcb(const struct cvm_snp_report *report, uint64_t raw)
{
	struct cvm_snp_tcb t;

	if (cvm_snp_tcb_parse(product_of(report), raw, &t))
		return NULL;
	return json_pack("{s:o, s:i, s:i, s:i, s:i}", "fmc", number_or_null(t.has_fmc, t.fmc),
			 "bootloader", t.boot_loader, "tee", t.tee, "snp", t.snp,
			 "microcode", t.microcode);
}

static json_t *version(const struct cvm_snp_fw_version *v)
{
	return json_pack("{s:i, s:i, s:i}", "major", v->major, "minor", v->minor, "build", v->build);
}

static json_t *key_info(const struct cvm_snp_report *r)
{
	return json_integer(r->author_key_en | r->mask_chip_key << 1 | r->signing_key << 2);
}

static json_t *report_json(const struct cvm_snp_report *r)
{
	return json_pack("{s:I, s:I, s:I, s:o, s:o, s:I, s:I, s:o, s:I, s:o, s:o, s:o, s:o, s:o, "
			 "s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, "
			 "s:{s:o, s:o}}",
			 "version", (json_int_t)r->version,
			 "guest_svn", (json_int_t)r->guest_svn,
			 "policy", (json_int_t)r->policy,
			 "family_id", NUMBERS(r->family_id),
			 "image_id", NUMBERS(r->image_id),
			 "vmpl", (json_int_t)r->vmpl,
			 "sig_algo", (json_int_t)r->signature_algo,
			 "current_tcb", tcb(r, r->current_tcb),
			 "plat_info", (json_int_t)r->platform_info,
			 "key_info", key_info(r),
			 "report_data", NUMBERS(r->report_data),
			 "measurement", NUMBERS(r->measurement),
			 "host_data", NUMBERS(r->host_data),
			 "id_key_digest", NUMBERS(r->id_key_digest),
			 "author_key_digest", NUMBERS(r->author_key_digest),
			 "report_id", NUMBERS(r->report_id),
			 "report_id_ma", NUMBERS(r->report_id_ma),
			 "reported_tcb", tcb(r, r->reported_tcb),
			 "cpuid_fam_id", number_or_null(r->has_cpuid, r->cpuid_fam_id),
			 "cpuid_mod_id", number_or_null(r->has_cpuid, r->cpuid_mod_id),
			 "cpuid_step", number_or_null(r->has_cpuid, r->cpuid_step),
			 "chip_id", NUMBERS(r->chip_id),
			 "committed_tcb", tcb(r, r->committed_tcb),
			 "current", version(&r->current),
			 "committed", version(&r->committed),
			 "launch_tcb", tcb(r, r->launch_tcb),
			 "launch_mit_vector", number_or_null(r->has_mit_vectors, r->launch_mit_vector),
			 "current_mit_vector", number_or_null(r->has_mit_vectors, r->current_mit_vector),
			 "signature", "r", NUMBERS(r->signature_r), "s", NUMBERS(r->signature_s));
}

/* Kinds by their names there, any other by its GUID */
static json_t *cert_type(const struct cvm_cert_entry *entry)
{
	char hex[2 * sizeof(entry->guid) + 1];

	if (entry->kind != CVM_CERT_OTHER)
		return json_string(cvm_cert_kind_name(entry->kind));
	cvm_hex_encode(entry->guid, sizeof(entry->guid), hex);
	return json_pack("{s:o}", "OTHER", json_sprintf("%.8s-%.4s-%.4s-%.4s-%s", hex, hex + 8,
							hex + 12, hex + 16, hex + 20));
}

static json_t *list_certs(const struct cvm_cert_table *table)
{
	json_t *list = json_array();

	for (size_t i = 0; i < table->count; i++) {
		const struct cvm_cert_entry *entry = &table->entry[i];
		json_t *one = json_pack("{s:o, s:o}", "cert_type", cert_type(entry),
					"data", numbers(entry->cert.data, entry->cert.len));

		if (json_array_append_new(list, one)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* The host's table; certificates in another form are not of this report's making. */
static int cert_chain(const struct cvm_blob *certs, json_t **chain, struct cvm_error *error)
{
	struct cvm_cert_table table;
	struct cvm_format_error err;
	size_t listed = 0;

	*chain = NULL;
	if (!certs->data || cvm_cert_table_parse(certs->data, certs->len, &table, &err)) {
		*chain = json_null();
		return 0;
	}
	/* entries may lie over one another */
	for (size_t i = 0; i < table.count; i++)
		listed += table.entry[i].cert.len;
	if (listed > AGENT_MAX_LISTED)
		return cvm_set_error(error, -EOPNOTSUPP, "%zu bytes of certificates are more than this format's lists of numbers are made for: use json",
				     listed);
	*chain = list_certs(&table);
	return 0;
}

static int snp(const struct cvm_evidence_file *file, json_t **json, struct cvm_error *error)
{
	struct cvm_snp_report report;
	struct cvm_format_error err;
	char text[256];
	json_t *chain;
	int rc;

	if (cvm_snp_report_parse(file->report.data, file->report.len, &report, &err))
		return cvm_set_error(error, -EBADMSG, "SNP report: %s",
				     cvm_format_error_text(&err, text, sizeof(text)));
	rc = cert_chain(&file->certs, &chain, error);
	if (!rc)
		*json = json_pack("{s:o, s:o}", "attestation_report", report_json(&report),
				  "cert_chain", chain);
	return rc;
}

static json_t *json_base64(const void *data, size_t len)
{
	__cleanup_free char *text = malloc(4 * ((len + 2) / 3) + 1);

	if (!text)
		return NULL;
	EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	return json_string(text);
}

/* Read when the agent starts, as root; nothing is added to it after boot. */
static json_t *event_log;

int agent_coco_start(void)
{
	__cleanup_free void *log = NULL;
	size_t len;
	int rc = cvm_read_file(EVENT_LOG, AGENT_MAX_EVENT_LOG, &log, &len);

	if (!rc)
		event_log = json_base64(log, len);
	return rc == -ENOENT ? 0 : rc;
}

void agent_coco_end(void)
{
	json_decref(event_log);
	event_log = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(byte_values); i++) {
		json_decref(byte_values[i]);
		byte_values[i] = NULL;
	}
}

static int tdx(const struct cvm_evidence_file *file, json_t **json, struct cvm_error *error)
{
	*json = json_pack("{s:O?, s:o}", "cc_eventlog", event_log, "quote",
			  json_base64(file->report.data, file->report.len));
	return 0;
}

int agent_coco_write(const struct cvm_evidence_file *file, char **body, size_t *len,
		     struct cvm_error *error)
{
	json_t *json = NULL;
	int rc = -EOPNOTSUPP;

	switch (file->type) {
	case CVM_EVIDENCE_HCL_REPORT:
		rc = cvm_evidence_json(file, CVM_EVIDENCE_COCO_V2, &json, error);
		return rc ? rc : agent_json_text(json, body, len, error);
	case CVM_EVIDENCE_SNP_REPORT:
		rc = snp(file, &json, error);
		break;
	case CVM_EVIDENCE_TDX_QUOTE:
		rc = tdx(file, &json, error);
		break;
	default:
		return cvm_set_error(error, rc, "this format has no such evidence: use json");
	}
	/* in the place where Azure's evidence has it */
	if (!rc && json && file->proof.data &&
	    json_object_set_new(json, "batch_proof",
				cvm_json_of_base64url(file->proof.data, file->proof.len, false))) {
		json_decref(json);
		json = NULL;
	}
	return rc ? rc : agent_json_text(json, body, len, error);
}
