// SPDX-License-Identifier: MIT
#include <limits.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "cmw.h"

/* the third element of a record: what it is a part of (RFC 9999) */
#define IND_ENDORSEMENTS	2
#define IND_EVIDENCE		4

/* ---- base64url without padding, by way of OpenSSL's base64 */

static json_t *json_base64url(const void *data, size_t len)
{
	char *text = malloc(4 * ((len + 2) / 3) + 1);
	json_t *json;

	if (!text || len > INT_MAX / 2) {
		free(text);
		return NULL;
	}
	EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	text[strcspn(text, "=")] = '\0';
	for (char *p = text; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	json = json_string(text);
	free(text);
	return json;
}

/* OpenSSL passes over white space at either end */
static const char base64url[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int decode(const char *text, struct cmw_part *part)
{
	size_t len = strlen(text), padded = (len + 3) / 4 * 4;
	char *base64 = malloc(padded + 1);
	unsigned char *data = malloc(padded / 4 * 3 + 1);
	int done = -1;

	if (base64 && data && len <= CMW_MAX && len % 4 != 1 && !text[strspn(text, base64url)]) {
		memset(base64, '=', padded);
		for (size_t i = 0; i < len; i++)
			base64[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
		done = EVP_DecodeBlock(data, (unsigned char *)base64, (int)padded);
	}
	free(base64);
	if (done <= 0) {
		free(data);
		return -1;
	}
	*part = (struct cmw_part){ data, (size_t)done - (padded - len) };
	return 0;
}

/* ---- records */

static json_t *record(const char *media_type, const void *data, size_t len, int ind)
{
	return json_pack("[s, o, i]", media_type, json_base64url(data, len), ind);
}

static json_t *evidence_record(const struct cvm_evidence *evidence)
{
	size_t len;
	const void *data = cvm_evidence_data(evidence, &len);

	switch (cvm_evidence_type(evidence)) {
	case CVM_EVIDENCE_SNP_REPORT:
		return record("application/vnd.amd.sev-snp.attestation-report", data, len,
			      IND_EVIDENCE);
	case CVM_EVIDENCE_TDX_QUOTE:
		return record("application/vnd.cvm-guest.tdx-quote", data, len, IND_EVIDENCE);
	default:
		return NULL;
	}
}

json_t *cmw_write(const struct cvm_evidence *evidence)
{
	size_t certs_len, proof_len;
	const void *certs = cvm_evidence_certs(evidence, &certs_len);
	const void *proof = cvm_evidence_proof(evidence, &proof_len);
	json_t *json = json_pack("{s: o}", "evidence", evidence_record(evidence));
	int rc = json ? 0 : -1;

	if (!rc && certs)
		rc = json_object_set_new(json, "certs",
					 record("application/vnd.amd.ghcb.guid-table", certs,
						certs_len, IND_ENDORSEMENTS));
	if (!rc && proof)
		rc = json_object_set_new(json, "proof",
					 record("application/vnd.cvm-guest.batch-proof", proof,
						proof_len, IND_EVIDENCE));
	if (!rc)
		return json;
	json_decref(json);
	return NULL;
}

/* The media type says nothing that is not seen when it is verified. */
static int read_part(const json_t *json, const char *label, struct cmw_part *part)
{
	const json_t *one = json_object_get(json, label);
	const char *text = json_string_value(json_array_get(one, 1));

	if (!one)
		return 0;
	return text ? decode(text, part) : -1;
}

int cmw_read(const json_t *json, struct cmw *cmw)
{
	*cmw = (struct cmw){ 0 };
	if (!read_part(json, "evidence", &cmw->evidence) && cmw->evidence.data &&
	    !read_part(json, "certs", &cmw->certs) && !read_part(json, "proof", &cmw->proof))
		return 0;
	cmw_free(cmw);
	return -1;
}

void cmw_free(struct cmw *cmw)
{
	free(cmw->evidence.data);
	free(cmw->certs.data);
	free(cmw->proof.data);
	*cmw = (struct cmw){ 0 };
}
