// SPDX-License-Identifier: MIT
#include <openssl/x509.h>

#include "common/json_hex.h"
#include "evidence_json.h"
#include "formats/hcl.h"
#include "verify/certs.h"

#define DIGEST	32	/* bytes of a PCR */

static void cleanup_certs(struct cvm_certs *certs)
{
	cvm_certs_free(certs);
}

/* A member, unless there is nothing of it; 0 where it is there then */
static int put_hex(json_t *json, const char *key, const struct cvm_blob *blob)
{
	return blob->data ? json_object_set_new(json, key, cvm_json_of_hex(blob->data, blob->len)) :
			    0;
}

static int put_base64url(json_t *json, const char *key, const struct cvm_blob *blob, bool padded)
{
	return blob->data ? json_object_set_new(json, key, cvm_json_of_base64url(blob->data,
						blob->len, padded)) : 0;
}

static json_t *pcrs_json(const struct cvm_tpm_quote *q)
{
	json_t *list = json_array();

	for (size_t i = 0; i < q->pcr_count; i++)
		if (json_array_append_new(list, cvm_json_of_hex(q->pcrs + DIGEST * i, DIGEST))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

json_t *tpm_quote_json(const struct cvm_tpm_quote *q)
{
	return json_pack("{s:o, s:o, s:o}",
			 "signature", cvm_json_of_hex(q->signature, q->signature_len),
			 "message", cvm_json_of_hex(q->message, q->message_len),
			 "pcrs", pcrs_json(q));
}

static json_t *own_json(const struct cvm_evidence_file *file)
{
	bool quote = file->type == CVM_EVIDENCE_TDX_QUOTE;
	json_t *json = json_pack("{s:s}", "type", cvm_evidence_type_name(file->type));
	int rc = put_hex(json, quote ? "quote" : "report", &file->report);

	if (file->has_tpm)
		rc |= json_object_set_new(json, "tpm_quote", tpm_quote_json(&file->tpm.quote));
	rc |= put_hex(json, "td_quote", &file->td_quote);
	rc |= put_hex(json, "certs", &file->certs);
	rc |= put_base64url(json, "proof", &file->proof, false);
	if (!rc)
		return json;
	json_decref(json);
	return NULL;
}

/* ---- confidential-containers */

static int der_of(X509 *x509, struct cvm_blob *der)
{
	int len = i2d_X509(x509, &der->data);

	der->len = len > 0 ? (size_t)len : 0;
	return len > 0 ? 0 : fail(EXIT_FAILED, "out of memory");
}

/* The first of them: whose it is the verifier sees */
static int find_vcek(const struct cvm_blob *given, struct cvm_blob *der)
{
	struct cvm_certs certs __cleanup(cleanup_certs) = { 0 };
	struct cvm_error error;

	if (!given->data)
		return fail(EXIT_FAILED, "this format has the VCEK in it: give it by --certs (cvmctl certs fetch --from thim)");
	if (cvm_certs_load(&certs, given->data, given->len, &error))
		return fail(EXIT_FAILED, "certificates: %s", error.text);
	for (size_t i = 0; i < certs.count; i++)
		if (certs.cert[i].leaf == CVM_LEAF_VCEK)
			return der_of(certs.cert[i].x509, der);
	return fail(EXIT_FAILED, "this format has the VCEK in it, which is not among the certificates");
}

/* It goes with a TDREPORT, and a VCEK with an SNP report. */
static int check_parts(const struct cvm_evidence_file *file, bool *is_td)
{
	struct cvm_format_error err;
	struct cvm_hcl_report hcl;
	char text[256];

	if (file->type != CVM_EVIDENCE_HCL_REPORT)
		return fail(EXIT_NOT_SUPPORTED, "this format is of Azure's guests: use json");
	if (cvm_hcl_parse(file->report.data, file->report.len, &hcl, &err))
		return fail(EXIT_FAILED, "HCL report: %s",
			    cvm_format_error_text(&err, text, sizeof(text)));
	*is_td = hcl.report_type == CVM_HCL_TDX;
	if (!file->has_tpm)
		return fail(EXIT_FAILED, "this format has the vTPM's quote in it: give it by --tpm-quote");
	if (*is_td && !file->td_quote.data)
		return fail(EXIT_FAILED, "this format has the quote of the TDREPORT in it: give it by --td-quote");
	return 0;
}

static int coco_json(const struct cvm_evidence_file *file, int version, json_t **json)
{
	struct cvm_blob vcek = { 0 };
	bool is_td = false;
	int rc, status = check_parts(file, &is_td);

	if (!status && !is_td)
		status = find_vcek(&file->certs, &vcek);
	if (status)
		return status;
	*json = json_pack("{s:i, s:o}", "version", version, "tpm_quote", tpm_quote_json(&file->tpm.quote));
	rc = put_base64url(*json, "hcl_report", &file->report, true);
	rc |= put_base64url(*json, "vcek", &vcek, true);
	if (is_td)
		rc |= put_base64url(*json, "td_quote", &file->td_quote, true);
	rc |= put_base64url(*json, "batch_proof", &file->proof, false);
	OPENSSL_free(vcek.data);
	if (!rc)
		return 0;
	json_decref(*json);
	return fail(EXIT_FAILED, "out of memory");
}

int evidence_json(const struct cvm_evidence_file *file, enum evidence_format format,
		  json_t **json)
{
	if (format == EVIDENCE_COCO_V1)
		return coco_json(file, 1, json);
	if (format == EVIDENCE_COCO_V2)
		return coco_json(file, 2, json);
	*json = own_json(file);
	return *json ? 0 : fail(EXIT_FAILED, "out of memory");
}
