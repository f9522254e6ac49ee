// SPDX-License-Identifier: MIT
/* cvmctl show: what evidence says, without a word on whether it is true. */
#include <string.h>

#include "common/cleanup.h"
#include "evidence_load.h"
#include "show.h"
#include "verify/evidence_json.h"

enum { JSON };

static const struct option_spec options[] = {
	[JSON] = { "json", NULL, "one JSON object" },
	{ 0 }
};

int read_evidence(const char *path, void **data, size_t *len)
{
	__cleanup_free void *raw = NULL;
	long bytes;
	int status = input_file(path, &raw, len);

	if (status)
		return status;
	if (cvm_format_is_hex(raw, *len)) {
		bytes = cvm_format_from_hex(raw, *len, raw);
		if (bytes < 0)
			return fail(EXIT_FAILED, "%s: hexadecimal text of an odd number of digits",
				    path);
		*len = (size_t)bytes;
	}
	*data = cvm_take_ptr(raw);
	return 0;
}

/* Each: 0, -EBADMSG, or -EPROTONOSUPPORT and what is certain all the same */
static int snp_report(struct cvm_span in, json_t **json, struct cvm_format_error *err)
{
	struct cvm_snp_report report;
	int ret = cvm_snp_report_parse(in.data, in.len, &report, err);

	*json = ret == -EBADMSG ? NULL : show_snp_report(&report);
	return ret;
}

static int tdreport(struct cvm_span in, json_t **json, struct cvm_format_error *err)
{
	struct cvm_tdreport report;
	int ret = cvm_tdreport_parse(in.data, in.len, &report, err);

	*json = ret == -EBADMSG ? NULL : show_tdreport(&report);
	return ret;
}

static int quote(struct cvm_span in, json_t **json, struct cvm_format_error *err)
{
	struct cvm_quote q;
	int ret = cvm_quote_parse(in.data, in.len, &q, err);

	*json = ret == -EBADMSG ? NULL : show_quote(&q);
	return ret;
}

static int cert_table(struct cvm_span in, json_t **json, struct cvm_format_error *err)
{
	struct cvm_cert_table table;
	int ret = cvm_cert_table_parse(in.data, in.len, &table, err);

	*json = ret ? NULL : show_cert_table(&table);
	return ret;
}

static int hcl_report(struct cvm_span in, json_t **json, struct cvm_format_error *err)
{
	struct cvm_hcl_report report;
	int ret = cvm_hcl_parse(in.data, in.len, &report, err);

	*json = ret == -EBADMSG ? NULL : show_hcl_report(&report);
	return ret;
}

static int proof(struct cvm_span in, json_t **json, struct cvm_format_error *err)
{
	struct cvm_proof p;
	int ret = cvm_proof_parse(in.data, in.len, &p, err);

	*json = ret == -EBADMSG ? NULL : show_proof(&p);
	return ret;
}

static int x509(struct cvm_span in, json_t **json, struct cvm_format_error *err)
{
	*json = show_x509(in);
	return *json ? 0 : cvm_format_bad(err, 0, "the first byte",
					  "a certificate or revocation list, PEM or DER",
					  in.data[0]);
}

/* @data: of a kind that is not a file of several parts */
static int show_part(const void *data, size_t len, json_t **json, struct cvm_format_error *err)
{
	static int (*const shows[])(struct cvm_span, json_t **, struct cvm_format_error *) = {
		[CVM_FORMAT_SNP_REPORT] = snp_report,
		[CVM_FORMAT_TDREPORT] = tdreport,
		[CVM_FORMAT_TDX_QUOTE] = quote,
		[CVM_FORMAT_CERT_TABLE] = cert_table,
		[CVM_FORMAT_HCL_REPORT] = hcl_report,
		[CVM_FORMAT_PROOF] = proof,
		[CVM_FORMAT_PEM] = x509,
		[CVM_FORMAT_DER] = x509,
		[CVM_FORMAT_EVENT_LOG] = show_event_log,
	};
	enum cvm_format format = cvm_format_detect(data, len);

	if (format < ARRAY_SIZE(shows) && shows[format])
		return shows[format]((struct cvm_span){ data, len }, json, err);
	*json = NULL;
	return cvm_format_short(err, 0, "the first field",
				"an SNP attestation report, a quote, a TDREPORT, an HCL report, a certificate table, certificates, an event log or a batch proof");
}

/* A member of @all, unless there is nothing of it. What cannot be parsed is an error. */
static int add_part(json_t *all, const char *name, const struct cvm_blob *part,
		    struct cvm_format_error *err)
{
	json_t *json = NULL;
	int ret = part->data ? show_part(part->data, part->len, &json, err) : 0;

	if (json)
		json_object_set_new(all, name, json);
	return ret;
}

static int add_parts(json_t *all, const struct cvm_evidence_file *file,
		     struct cvm_format_error *err)
{
	int ret = add_part(all, "evidence", &file->report, err);

	if (!ret)
		ret = add_part(all, "td_quote", &file->td_quote, err);
	if (!ret && file->has_tpm)
		json_object_set_new(all, "tpm_quote", cvm_tpm_quote_json(&file->tpm.quote));
	if (!ret)
		ret = add_part(all, "certs", &file->certs, err);
	if (!ret)
		ret = add_part(all, "event_log", &file->event_log, err);
	return ret ? ret : add_part(all, "proof", &file->proof, err);
}

/* Evidence with what came along: each part as it would be shown alone */
static int show_file(const char *path, const void *data, size_t len, json_t **json,
		     struct cvm_format_error *err)
{
	__cleanup_evidence_file struct cvm_evidence_file file = { 0 };
	struct cvm_error error;
	int ret;

	if (cvm_evidence_file_parse(&file, data, len, &error))
		return fail(EXIT_FAILED, "%s: no evidence: %s", path, error.text);
	*json = json_object();
	ret = add_parts(*json, &file, err);
	if (ret == -EBADMSG) {
		json_decref(*json);
		*json = NULL;
	}
	return ret;
}

static int print(json_t *json, bool as_json)
{
	__cleanup_free char *text = NULL;

	if (as_json)
		return output_json(NULL, json);
	text = json ? json_to_text(json) : NULL;
	json_decref(json);
	if (!text)
		return fail(EXIT_FAILED, "out of memory");
	return output_text(NULL, text);
}

static bool is_file(const void *data, size_t len)
{
	enum cvm_format format = cvm_format_detect(data, len);

	return format == CVM_FORMAT_JSON || format == CVM_FORMAT_CMW;
}

static int run(const struct arguments *args)
{
	const char *path = args->operand[0];
	struct cvm_format_error err = { 0 };
	__cleanup_free void *data = NULL;
	char text[512];
	json_t *json = NULL;
	size_t len;
	int ret, status = read_evidence(path, &data, &len);

	if (status)
		return status;
	if (is_file(data, len))
		ret = show_file(path, data, len, &json, &err);
	else
		ret = show_part(data, len, &json, &err);
	if (ret > 0)
		return ret;
	if (json || !ret)
		status = print(json, args->option[JSON] != NULL);
	if (ret)
		return fail(EXIT_FAILED, "%s: %s", path,
			    cvm_format_error_text(&err, text, sizeof(text)));
	return status;
}

const struct command cmd_show = {
	.name = "show",
	.summary = "print evidence, certificates, event logs, proofs; verifies nothing",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.run = run,
};
