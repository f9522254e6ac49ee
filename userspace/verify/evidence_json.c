// SPDX-License-Identifier: MIT
#include <errno.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "../common/api.h"
#include "../common/json_hex.h"
#include "../formats/hcl.h"
#include "certs.h"
#include "evidence_json.h"

#define DIGEST	32	/* bytes of a PCR */

/* ---- evidence that was asked for */

static int copy_blob(struct cvm_blob *to, const void *data, size_t len)
{
	if (!data)
		return 0;
	to->data = malloc(len + 1);
	if (!to->data)
		return -ENOMEM;
	memcpy(to->data, data, len);
	to->len = len;
	return 0;
}

static void copy_tpm(struct cvm_tpm_file *to, const struct cvm_tpm_quote *q)
{
	to->quote = *q;
	memcpy(to->message, q->message, q->message_len);
	memcpy(to->signature, q->signature, q->signature_len);
	memcpy(to->pcrs, q->pcrs, q->pcr_count * DIGEST);
	to->quote.message = to->message;
	to->quote.signature = to->signature;
	to->quote.pcrs = to->pcrs;
}

int cvm_evidence_file_take(struct cvm_evidence_file *file, const struct cvm_evidence *evidence,
			   struct cvm_error *error)
{
	struct cvm_tpm_quote quote = { .size = sizeof(quote) };
	size_t len, certs_len, proof_len, td_len;
	const void *data = cvm_evidence_data(evidence, &len);
	const void *certs = cvm_evidence_certs(evidence, &certs_len);
	const void *proof = cvm_evidence_proof(evidence, &proof_len);
	const void *td_quote = cvm_evidence_td_quote(evidence, &td_len);
	int rc = copy_blob(&file->report, data, len);

	rc |= copy_blob(&file->certs, certs, certs_len);
	rc |= copy_blob(&file->proof, proof, proof_len);
	rc |= copy_blob(&file->td_quote, td_quote, td_len);
	file->type = cvm_evidence_type(evidence);
	file->has_tpm = !cvm_evidence_tpm_quote(evidence, &quote);
	if (file->has_tpm)
		copy_tpm(&file->tpm, &quote);
	return rc ? cvm_set_error(error, -ENOMEM, "out of memory") : 0;
}

/* ---- ours */

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

json_t *cvm_tpm_quote_json(const struct cvm_tpm_quote *q)
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
		rc |= json_object_set_new(json, "tpm_quote", cvm_tpm_quote_json(&file->tpm.quote));
	rc |= put_hex(json, "td_quote", &file->td_quote);
	rc |= put_hex(json, "certs", &file->certs);
	rc |= put_base64url(json, "proof", &file->proof, false);
	rc |= put_base64url(json, "event_log", &file->event_log, false);
	if (!rc)
		return json;
	json_decref(json);
	return NULL;
}

/* ---- confidential-containers */

static int der_of(X509 *x509, struct cvm_blob *der, struct cvm_error *error)
{
	int len = i2d_X509(x509, &der->data);

	der->len = len > 0 ? (size_t)len : 0;
	return len > 0 ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}

/* The first of them: whose it is the verifier sees */
static int find_vcek(const struct cvm_blob *given, struct cvm_blob *der, struct cvm_error *error)
{
	struct cvm_certs certs __cleanup(cleanup_certs) = { 0 };
	struct cvm_error why;
	int rc;

	if (!given->data)
		return cvm_set_error(error, -ENODATA, "this format has the VCEK in it: give it by --certs (cvmctl certs fetch --from thim)");
	rc = cvm_certs_load(&certs, given->data, given->len, &why);
	if (rc)
		return cvm_set_error(error, rc, "certificates: %s", why.text);
	for (size_t i = 0; i < certs.count; i++)
		if (certs.cert[i].leaf == CVM_LEAF_VCEK)
			return der_of(certs.cert[i].x509, der, error);
	return cvm_set_error(error, -ENODATA, "this format has the VCEK in it, which is not among the certificates");
}

/* It goes with a TDREPORT, and a VCEK with an SNP report. */
static int check_parts(const struct cvm_evidence_file *file, bool *is_td,
		       struct cvm_error *error)
{
	struct cvm_format_error err;
	struct cvm_hcl_report hcl;
	char text[256];

	if (file->type != CVM_EVIDENCE_HCL_REPORT)
		return cvm_set_error(error, -EOPNOTSUPP, "this format is of Azure's guests: use json");
	if (cvm_hcl_parse(file->report.data, file->report.len, &hcl, &err))
		return cvm_set_error(error, -EBADMSG, "HCL report: %s",
				     cvm_format_error_text(&err, text, sizeof(text)));
	*is_td = hcl.report_type == CVM_HCL_TDX;
	if (!file->has_tpm)
		return cvm_set_error(error, -ENODATA, "this format has the vTPM's quote in it: give it by --tpm-quote");
	if (*is_td && !file->td_quote.data)
		return cvm_set_error(error, -ENODATA, "this format has the quote of the TDREPORT in it: give it by --td-quote");
	return 0;
}

static int coco_json(const struct cvm_evidence_file *file, int version, json_t **json,
		     struct cvm_error *error)
{
	struct cvm_blob vcek = { 0 };
	bool is_td = false;
	int rc = check_parts(file, &is_td, error);

	if (!rc && !is_td)
		rc = find_vcek(&file->certs, &vcek, error);
	if (rc)
		return rc;
	*json = json_pack("{s:i, s:o}", "version", version, "tpm_quote", cvm_tpm_quote_json(&file->tpm.quote));
	rc = put_base64url(*json, "hcl_report", &file->report, true);
	rc |= put_base64url(*json, "vcek", &vcek, true);
	if (is_td)
		rc |= put_base64url(*json, "td_quote", &file->td_quote, true);
	rc |= put_base64url(*json, "batch_proof", &file->proof, false);
	OPENSSL_free(vcek.data);
	if (!rc)
		return 0;
	json_decref(*json);
	return cvm_set_error(error, -ENOMEM, "out of memory");
}

int cvm_evidence_json(const struct cvm_evidence_file *file, enum cvm_evidence_format format,
		      json_t **json, struct cvm_error *error)
{
	if (format == CVM_EVIDENCE_COCO_V1)
		return coco_json(file, 1, json, error);
	if (format == CVM_EVIDENCE_COCO_V2)
		return coco_json(file, 2, json, error);
	*json = own_json(file);
	return *json ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}
