// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/api.h"
#include "../common/base64url.h"
#include "../common/util.h"
#include "../formats/detect.h"
#include "cmw.h"
#include "evidence_file.h"
#include "json_in.h"

/* bytes of a PCR */
#define DIGEST	32

static int new_blob(struct cvm_blob *out, size_t size)
{
	out->data = malloc(size + 1);
	return out->data ? 0 : -ENOMEM;
}

/* Two digits a byte */
static int get_hex(const struct cvm_json *in, const char *key, size_t max, struct cvm_blob *out)
{
	int ret = new_blob(out, max);

	return ret ? ret : cvm_json_get_bytes(in, key, out->data, max, &out->len);
}

/* None, or as much as takes the digits to a multiple of four */
static bool is_padding(const char *text, size_t digits)
{
	size_t len = strlen(text);

	return !len || (len <= 2 && strspn(text, "=") == len && (digits + len) % 4 == 0);
}

/* base64url, whose padding some leave out */
static int get_base64url(const struct cvm_json *in, const char *key, size_t max,
			 struct cvm_blob *out)
{
	struct cvm_json member;
	const char *text;
	size_t digits;
	long len = -EINVAL;
	int ret = cvm_json_member(in, key, &member);

	if (!ret)
		ret = cvm_json_text(&member, &text);
	if (!ret)
		ret = new_blob(out, max);
	if (ret)
		return ret;
	digits = strcspn(text, "=");
	if (is_padding(text + digits, digits))
		len = cvm_base64url_decode(text, digits, out->data, max);
	if (len < 0)
		return cvm_json_wrong(&member, "base64url");
	out->len = (size_t)len;
	return 0;
}

/* A list of numbers below 256 */
static int read_numbers(const struct cvm_json *in, size_t max, uint8_t *out, size_t *len)
{
	struct cvm_json item;
	uint64_t number = 0;
	int ret = cvm_json_array(in, max, len);

	for (size_t i = 0; !ret && i < *len; i++) {
		cvm_json_item(in, i, &item);
		ret = cvm_json_number(&item, UINT8_MAX, &number);
		out[i] = (uint8_t)number;
	}
	return ret;
}

static int get_numbers(const struct cvm_json *in, const char *key, size_t max, uint8_t *out,
		       size_t *len)
{
	struct cvm_json member;
	int ret = cvm_json_member(in, key, &member);

	return ret ? ret : read_numbers(&member, max, out, len);
}

static int get_number_blob(const struct cvm_json *in, const char *key, size_t max,
			   struct cvm_blob *out)
{
	int ret = new_blob(out, max);

	return ret ? ret : get_numbers(in, key, max, out->data, &out->len);
}

/* ---- confidential-containers, versions 1 and 2: hexadecimal and base64url */

static int parse_tpm(const struct cvm_json *in, struct cvm_evidence_file *file)
{
	struct cvm_json quote;
	int ret = cvm_json_member(in, "tpm_quote", &quote);

	if (!ret)
		ret = cvm_json_object(&quote);
	if (!ret)
		ret = cvm_tpm_file_read(&file->tpm, &quote);
	file->has_tpm = !ret;
	return ret;
}

static int parse_v1(const struct cvm_json *in, struct cvm_evidence_file *file)
{
	int ret = get_base64url(in, "hcl_report", CVM_FILE_REPORT_MAX, &file->report);

	file->type = CVM_EVIDENCE_HCL_REPORT;
	if (!ret)
		ret = parse_tpm(in, file);
	if (!ret && cvm_json_has(in, "vcek"))
		ret = get_base64url(in, "vcek", CVM_FILE_CERTS_MAX, &file->certs);
	if (!ret && cvm_json_has(in, "td_quote"))
		ret = get_base64url(in, "td_quote", CVM_FILE_REPORT_MAX, &file->td_quote);
	if (!ret && cvm_json_has(in, "batch_proof"))
		ret = get_base64url(in, "batch_proof", CVM_FILE_REPORT_MAX, &file->proof);
	return ret;
}

/* ---- version 0, which does not say that it is: numbers, and a certificate as PEM */

static int parse_pcrs_v0(const struct cvm_json *in, struct cvm_tpm_file *tpm)
{
	struct cvm_json list, item;
	size_t count = 0, len = 0;
	int ret = cvm_json_member(in, "pcrs", &list);

	if (!ret)
		ret = cvm_json_array(&list, CVM_TPM_PCRS, &count);
	for (size_t i = 0; !ret && i < count; i++) {
		cvm_json_item(&list, i, &item);
		ret = read_numbers(&item, DIGEST, tpm->pcrs + DIGEST * i, &len);
		if (!ret && len != DIGEST)
			ret = cvm_json_wrong(&item, "32 numbers");
	}
	if (!ret && !count)
		ret = cvm_json_wrong(&list, "a value of each PCR from PCR 0 on");
	tpm->quote.pcr_count = count;
	return ret;
}

static int parse_tpm_v0(const struct cvm_json *in, struct cvm_tpm_file *tpm)
{
	struct cvm_tpm_quote *q = &tpm->quote;
	struct cvm_json quote;
	int ret = cvm_json_member(in, "quote", &quote);

	*q = (struct cvm_tpm_quote){ .size = sizeof(*q), .message = tpm->message,
				     .signature = tpm->signature, .pcrs = tpm->pcrs };
	if (!ret)
		ret = cvm_json_object(&quote);
	if (!ret)
		ret = get_numbers(&quote, "message", sizeof(tpm->message), tpm->message,
				  &q->message_len);
	if (!ret)
		ret = get_numbers(&quote, "signature", sizeof(tpm->signature), tpm->signature,
				  &q->signature_len);
	return ret ? ret : parse_pcrs_v0(&quote, tpm);
}

static int get_text(const struct cvm_json *in, const char *key, size_t max, struct cvm_blob *out)
{
	struct cvm_json member;
	const char *text = NULL;
	int ret = cvm_json_member(in, key, &member);

	if (!ret)
		ret = cvm_json_text(&member, &text);
	if (!ret && strlen(text) > max)
		ret = cvm_json_wrong(&member, "a shorter text");
	if (!ret)
		ret = new_blob(out, max);
	if (!ret) {
		out->len = strlen(text);
		memcpy(out->data, text, out->len);
	}
	return ret;
}

static int parse_v0(const struct cvm_json *in, struct cvm_evidence_file *file)
{
	int ret = get_number_blob(in, "report", CVM_FILE_REPORT_MAX, &file->report);

	file->type = CVM_EVIDENCE_HCL_REPORT;
	if (!ret)
		ret = parse_tpm_v0(in, &file->tpm);
	file->has_tpm = !ret;
	if (!ret && cvm_json_has(in, "vcek"))
		ret = get_text(in, "vcek", CVM_FILE_CERTS_MAX, &file->certs);
	if (!ret && cvm_json_has(in, "td_quote"))
		ret = get_number_blob(in, "td_quote", CVM_FILE_REPORT_MAX, &file->td_quote);
	return ret;
}

/* ---- ours: hexadecimal, and the proof in base64url */

static const char *const type_names[] = {
	[CVM_EVIDENCE_SNP_REPORT] = "snp-report",
	[CVM_EVIDENCE_TDREPORT] = "tdreport",
	[CVM_EVIDENCE_TDX_QUOTE] = "tdx-quote",
	[CVM_EVIDENCE_HCL_REPORT] = "hcl-report",
};

const char *cvm_evidence_type_name(uint32_t type)
{
	return type < ARRAY_SIZE(type_names) && type_names[type] ? type_names[type] : "unknown";
}

uint32_t cvm_evidence_type_of(const void *data, size_t len)
{
	switch (cvm_format_detect(data, len)) {
	case CVM_FORMAT_SNP_REPORT:
		return CVM_EVIDENCE_SNP_REPORT;
	case CVM_FORMAT_TDREPORT:
		return CVM_EVIDENCE_TDREPORT;
	case CVM_FORMAT_TDX_QUOTE:
		return CVM_EVIDENCE_TDX_QUOTE;
	case CVM_FORMAT_HCL_REPORT:
		return CVM_EVIDENCE_HCL_REPORT;
	default:
		return 0;
	}
}

static int parse_type(const struct cvm_json *in, uint32_t *type)
{
	struct cvm_json member;
	const char *text;
	int ret = cvm_json_member(in, "type", &member);

	if (!ret)
		ret = cvm_json_text(&member, &text);
	for (*type = CVM_EVIDENCE_SNP_REPORT; !ret && *type < ARRAY_SIZE(type_names); ++*type)
		if (type_names[*type] && !strcmp(text, type_names[*type]))
			return 0;
	return ret ? ret : cvm_json_wrong(&member, "snp-report, tdx-quote or hcl-report");
}

static int parse_own(const struct cvm_json *in, struct cvm_evidence_file *file)
{
	int ret = parse_type(in, &file->type);

	if (!ret)
		ret = get_hex(in, file->type == CVM_EVIDENCE_TDX_QUOTE ? "quote" : "report",
			      CVM_FILE_REPORT_MAX, &file->report);
	if (!ret && cvm_json_has(in, "certs"))
		ret = get_hex(in, "certs", CVM_FILE_CERTS_MAX, &file->certs);
	if (!ret && cvm_json_has(in, "td_quote"))
		ret = get_hex(in, "td_quote", CVM_FILE_REPORT_MAX, &file->td_quote);
	if (!ret && cvm_json_has(in, "tpm_quote"))
		ret = parse_tpm(in, file);
	if (!ret && cvm_json_has(in, "proof"))
		ret = get_base64url(in, "proof", CVM_FILE_REPORT_MAX, &file->proof);
	if (!ret && cvm_json_has(in, "event_log"))
		ret = get_base64url(in, "event_log", CVM_FILE_LOG_MAX, &file->event_log);
	return ret;
}

static int parse(const struct cvm_json *in, struct cvm_evidence_file *file)
{
	uint64_t version;
	int ret;

	if (cvm_cmw_is_json(in->value))
		return cvm_cmw_read_json(in, file);
	if (cvm_json_has(in, "type"))
		return parse_own(in, file);
	if (!cvm_json_has(in, "version"))
		return parse_v0(in, file);
	ret = cvm_json_get_number(in, "version", 2, &version);
	if (!ret && !version)
		return cvm_json_wrong(in, "version 1 or 2");
	return ret ? ret : parse_v1(in, file);
}

static int parse_json(const void *data, size_t len, struct cvm_evidence_file *file,
		      struct cvm_error *error)
{
	struct cvm_json in;
	int ret = cvm_json_load_any(data, len, "", &in, error);

	if (ret)
		return ret;
	ret = parse(&in, file);
	json_decref((json_t *)in.value);
	return ret;
}

int cvm_evidence_file_parse(struct cvm_evidence_file *file, const void *data, size_t len,
			    struct cvm_error *error)
{
	int ret;

	*file = (struct cvm_evidence_file){ 0 };
	if (cvm_format_detect(data, len) == CVM_FORMAT_CMW)
		ret = cvm_cmw_read_cbor((struct cvm_span){ data, len }, file, error);
	else
		ret = parse_json(data, len, file, error);
	if (ret)
		cvm_evidence_file_free(file);
	return ret == -ENOMEM ? cvm_set_error(error, ret, "out of memory") : ret;
}

void cvm_evidence_file_free(struct cvm_evidence_file *file)
{
	free(file->report.data);
	free(file->certs.data);
	free(file->td_quote.data);
	free(file->proof.data);
	free(file->event_log.data);
	file->report = file->certs = file->td_quote = file->proof = file->event_log =
		(struct cvm_blob){ 0 };
}
