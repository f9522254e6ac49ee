// SPDX-License-Identifier: MIT
/* cvmctl evidence: all that a verifier needs of this machine, or of files, in one text. */
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "certs.h"
#include "common/util.h"
#include "evidence.h"
#include "evidence_load.h"
#include "formats/hcl.h"
#include "verify/cmw_write.h"
#include "verify/evidence_json.h"

enum {
	REPORT_DATA, USER_DATA, PAD, QUOTE_ALONE, FORMAT, MEDIA_TYPE, OUT, FROM, TPM_QUOTE,
	TD_QUOTE, EVENT_LOG, NO_LOG, CERTS, IMDS_URL, NO_FETCH, BACKEND, TIMEOUT,
};

/* seconds for the VCEK, waiting for a busy host included */
#define FETCH_TIMEOUT	60

static const struct option_spec options[] = {
	[REPORT_DATA]	= { "report-data", "HEX|@FILE",
			    "direct evidence: the 64 bytes that it carries" },
	[USER_DATA]	= { "user-data", "HEX|@FILE",
			    "batch evidence: the 64 bytes that its proof is about" },
	[PAD]		= { "pad", NULL, HELP_PAD },
	[QUOTE_ALONE]	= { "quote-alone", NULL,
			    "Azure: no new report, but a quote of the vTPM about it: for\n"
			    "who has verified a report of this boot before" },
	[FORMAT]	= { "format", "json|coco-v1|coco-v2|cmw|cmw-cbor",
			    "json (default); the evidence of the confidential-containers'\n"
			    "agents in Azure's guests; or a conceptual message wrapper (RFC\n"
			    "9999), in JSON or CBOR" },
	[MEDIA_TYPE]	= { "media-type", "NAME=TYPE",
			    "for cmw: another media type than the default one of what NAME\n"
			    "says, for cmw-cbor also a content format's number; may be given\n"
			    "more than once", true },
	[OUT]		= { "out", "FILE", HELP_OUT },
	[FROM]		= { "from", "FILE",
			    "not of this machine: evidence of a file, in any form that\nverify reads" },
	[TPM_QUOTE]	= { "tpm-quote", "FILE", "with --from: the quote of the vTPM" },
	[TD_QUOTE]	= { "td-quote", "FILE", "with --from: the quote of the TDREPORT" },
	[EVENT_LOG]	= { "event-log", "FILE",
			    "Azure: what was measured into PCRs (default: what the kernel\n"
			    "has of this machine, where that can be read)" },
	[NO_LOG]	= { "no-event-log", NULL,
			    "Azure: without that, which names files and command lines" },
	[CERTS]		= { "certs", "FILE",
			    "certificates that go along: PEM, DER, or the host's table" },
	[IMDS_URL]	= { "imds-url", "URL",
			    "Azure: the host's service for quotes and the VCEK, in the\n"
			    "place of " CVM_THIM_URL },
	[NO_FETCH]	= { "no-fetch", NULL,
			    "Azure: without the VCEK, which json can do without" },
	[BACKEND]	= { "backend", ARG_BACKEND, HELP_BACKEND },
	[TIMEOUT]	= { "timeout", "MS", HELP_TIMEOUT },
	{ 0 }
};

/* formats besides enum cvm_evidence_format */
enum { CMW = CVM_EVIDENCE_COCO_V2 + 1, CMW_CBOR };

/**
 * struct form - how evidence is to be written
 * @format: enum cvm_evidence_format, or CMW*
 * @media_types: as cvm_cmw_json() takes them
 */
struct form {
	int format;
	const char *media_types[CVM_CMW_TYPES];
};

static int parse_format_name(const char *value, int *format)
{
	static const char *const names[] = {
		[CVM_EVIDENCE_JSON] = "json", [CVM_EVIDENCE_COCO_V1] = "coco-v1",
		[CVM_EVIDENCE_COCO_V2] = "coco-v2", [CMW] = "cmw", [CMW_CBOR] = "cmw-cbor",
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(value ? value : "json", names[i])) {
			*format = (int)i;
			return 0;
		}
	return usage_error("--format: '%s' is none of json, coco-v1, coco-v2, cmw, cmw-cbor", value);
}

/* those have no place for an event log */
static bool is_coco(const struct form *form)
{
	return form->format == CVM_EVIDENCE_COCO_V1 || form->format == CVM_EVIDENCE_COCO_V2;
}

/* NAME=TYPE */
static int parse_media_type(const char *given, struct form *form)
{
	size_t i = 0, len = strcspn(given, "=");
	const char *value = given + len + 1;

	while (cvm_cmw_types[i].name && (strlen(cvm_cmw_types[i].name) != len ||
					 strncmp(cvm_cmw_types[i].name, given, len)))
		i++;
	if (!cvm_cmw_types[i].name || !given[len])
		return usage_error("--media-type: '%s' does not begin with the name of a part and =",
				   given);
	if (!cvm_cmw_is_media_type(value) && !cvm_cmw_is_content_format(value))
		return usage_error("--media-type: '%s' is no media type and no content format", value);
	if (form->format == CMW && !cvm_cmw_is_media_type(value))
		return usage_error("--media-type: a content format (%s) is for cmw-cbor alone", value);
	form->media_types[i] = value;
	return 0;
}

/* Before anything is asked for: a mistyped one must not cost a report. */
static int parse_form(const struct arguments *args, struct form *form)
{
	int status = parse_format_name(args->option[FORMAT], &form->format);

	if (!status && args->option[EVENT_LOG] && is_coco(form))
		return usage_error("--event-log goes with --format json, cmw or cmw-cbor");
	if (!status && args->option[EVENT_LOG] && args->option[NO_LOG])
		return usage_error("either --event-log or --no-event-log");
	if (!status && args->option[MEDIA_TYPE] && form->format < CMW)
		return usage_error("--media-type goes with --format cmw or cmw-cbor");
	for (size_t i = 0; !status && i < args->given_count; i++)
		if (args->given[i].option == MEDIA_TYPE)
			status = parse_media_type(args->given[i].value, form);
	return status;
}

/* ---- of this machine */

static int ask(const struct arguments *args, const uint8_t *data, uint32_t timeout,
	       struct cvm_evidence_file *file)
{
	struct cvm_report_opts direct = { .size = sizeof(direct), .timeout_ms = timeout,
					  .flags = CVM_REQUEST_CERTS };
	struct cvm_batch_opts batch = { .size = sizeof(batch), .timeout_ms = timeout };
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	struct cvm_error error;
	int rc = 0;

	if (args->option[QUOTE_ALONE]) {
		direct.flags = CVM_REQUEST_QUOTE_ALONE;
		batch.flags = CVM_REQUEST_QUOTE_ALONE;
	}
	rc = open_source_at(args->option[BACKEND], args->option[IMDS_URL], &ctx);

	if (rc)
		return rc;
	if (args->option[USER_DATA])
		rc = cvm_batch_one(ctx, data, &batch, &evidence, &error);
	else
		rc = cvm_attest(ctx, data, &direct, &evidence, &error);
	if (!rc)
		rc = cvm_evidence_file_take(file, evidence, &error);
	return rc ? fail_library(rc, &error) : 0;
}

static int from_machine(const struct arguments *args, struct cvm_evidence_file *file)
{
	const char *direct = args->option[REPORT_DATA], *batch = args->option[USER_DATA];
	uint8_t data[CVM_REPORT_DATA_LEN];
	uint32_t timeout = 0;
	int status = 0;

	if (!direct == !batch)
		return usage_error("either --report-data, or --user-data, or --from");
	if (args->option[TPM_QUOTE] || args->option[TD_QUOTE])
		return usage_error("--tpm-quote and --td-quote go with --from");
	status = parse_bytes(direct ? "report-data" : "user-data", direct ? direct : batch, data,
			     sizeof(data), args->option[PAD]);
	if (!status && args->option[TIMEOUT])
		status = parse_number("timeout", args->option[TIMEOUT], INT_MAX, &timeout);
	return status ? status : ask(args, data, timeout, file);
}

/* ---- of files */

static int from_file(const struct arguments *args, struct cvm_evidence_file *file)
{
	static const int others[] = { REPORT_DATA, USER_DATA, PAD, QUOTE_ALONE, BACKEND, TIMEOUT };
	int status;

	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		if (args->option[others[i]])
			return usage_error("--%s does not go with --from", options[others[i]].name);
	status = load_evidence(args->option[FROM], file);
	if (status)
		return status;
	if (!file->type)
		return fail(EXIT_FAILED, "%s: no evidence", args->option[FROM]);
	if (args->option[TPM_QUOTE])
		status = load_tpm_quote(args->option[TPM_QUOTE], file);
	if (!status && args->option[TD_QUOTE])
		status = load_td_quote(args->option[TD_QUOTE], file);
	return status;
}

/* Those that are given are meant, whatever came along. */
static int load_certs(const char *path, struct cvm_evidence_file *file)
{
	void *data;
	size_t len;
	int status = input_file(path, &data, &len);

	if (status)
		return status;
	free(file->certs.data);
	file->certs = (struct cvm_blob){ data, len };
	return 0;
}

static bool has_snp(const struct cvm_evidence_file *file)
{
	struct cvm_format_error err;
	struct cvm_hcl_report hcl;

	return file->type == CVM_EVIDENCE_HCL_REPORT &&
	       !cvm_hcl_parse(file->report.data, file->report.len, &hcl, &err) &&
	       hcl.report_type == CVM_HCL_SNP;
}

/* From the host of this machine: a file may be of another, whose host has another */
static int fetch_certs(const struct arguments *args, struct cvm_evidence_file *file)
{
	const char *url = args->option[IMDS_URL];
	struct cvm_fetch f = { .thim = url ? url : CVM_THIM_URL, .timeout = FETCH_TIMEOUT,
			       .now = time(NULL) };
	char *text = NULL, cache[512];
	int status;

	if (file->certs.data || args->option[FROM] || args->option[NO_FETCH] || !has_snp(file))
		return 0;
	status = certs_cache(cache, sizeof(cache));
	f.cache = cache;
	if (!status)
		status = certs_vcek(file->report.data, file->report.len, &f, &text);
	if (!status)
		file->certs = (struct cvm_blob){ (uint8_t *)text, strlen(text) };
	return status;
}

/*
 * Of a TPM that is named nobody knows whether the kernel has its log, nor does it have that
 * of a simulated one.
 */
static bool is_this_machines(const struct arguments *args)
{
	const char *backend = args->option[BACKEND];

	return !args->option[FROM] && (!backend || !strchr(backend, ':'));
}

static int add_event_log(const struct arguments *args, const struct form *form,
			 struct cvm_evidence_file *file)
{
	if (args->option[EVENT_LOG])
		return load_event_log(args->option[EVENT_LOG], file);
	if (file->type == CVM_EVIDENCE_HCL_REPORT && !args->option[NO_LOG] && !is_coco(form) &&
	    is_this_machines(args))
		take_event_log(file);
	return 0;
}

static int write_cbor(const char *out, const struct cvm_evidence_file *file,
		      const struct form *form)
{
	struct cvm_blob cbor = { 0 };
	struct cvm_error error;
	int rc = cvm_cmw_cbor(file, form->media_types, &cbor, &error);
	int status = rc ? fail_library(rc, &error) : output_binary(out, cbor.data, cbor.len);

	free(cbor.data);
	return status;
}

static int write_form(const char *out, const struct cvm_evidence_file *file,
		      const struct form *form)
{
	struct cvm_error error;
	json_t *json = NULL;
	int rc;

	if (form->format == CMW_CBOR)
		return write_cbor(out, file, form);
	if (form->format == CMW)
		rc = cvm_cmw_json(file, form->media_types, &json, &error);
	else
		rc = cvm_evidence_json(file, (enum cvm_evidence_format)form->format, &json, &error);
	return rc ? fail_library(rc, &error) : output_json(out, json);
}

static int run(const struct arguments *args)
{
	__cleanup_evidence_file struct cvm_evidence_file file = { 0 };
	struct form form = { 0 };
	int status = parse_form(args, &form);

	if (!status)
		status = args->option[FROM] ? from_file(args, &file) : from_machine(args, &file);
	if (!status && args->option[CERTS])
		status = load_certs(args->option[CERTS], &file);
	if (!status)
		status = add_event_log(args, &form, &file);
	if (!status)
		status = fetch_certs(args, &file);
	return status ? status : write_form(args->option[OUT], &file, &form);
}

const struct command cmd_evidence = {
	.name = "evidence",
	.summary = "get evidence with all that belongs to it, in one file",
	.options = options,
	.run = run,
};
