// SPDX-License-Identifier: MIT
/*
 * Requests: with the fields of Azure's C++ client for the service that attests guests, and the
 * alphabets of base64 that it has in each; for those that attest the platform base64url, as the
 * service is documented. Keys are in order, and JSON is in base64 within JSON. None of them has
 * been sent to Azure yet.
 */
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/json_hex.h"
#include "skr.h"

#define FLAGS	(JSON_COMPACT | JSON_SORT_KEYS)

static json_t *base64(const void *data, size_t len)
{
	return cvm_json_of_base64(len ? data : "", len);
}

static json_t *base64_text(const char *text)
{
	return base64(text, strlen(text));
}

static json_t *base64_bytes(const struct cvm_skr_bytes *bytes)
{
	return base64(bytes->data, bytes->len);
}

static json_t *base64url(const void *data, size_t len)
{
	return cvm_json_of_base64url(len ? data : "", len, false);
}

/* Takes over @json. */
static char *dump(json_t *json)
{
	char *text = json ? json_dumps(json, FLAGS) : NULL;

	json_decref(json);
	return text;
}

/* ---- the service that attests guests */

static json_t *pcr_numbers(uint32_t pcrs)
{
	json_t *list = json_array();

	for (uint32_t pcr = 0; pcr < CVM_SKR_PCR_COUNT; pcr++)
		if (pcrs & 1U << pcr && json_array_append_new(list, json_integer(pcr))) {
			json_decref(list);
			return NULL;
		}
	return list;
}

static json_t *pcr_values(const uint8_t *values, uint32_t pcrs)
{
	json_t *list = json_array();

	for (uint32_t pcr = 0; pcr < CVM_SKR_PCR_COUNT; pcr++) {
		json_t *value;

		if (!(pcrs & 1U << pcr))
			continue;
		value = json_pack("{s:i, s:o}", "Index", (int)pcr, "Digest",
				  base64(values + (size_t)CVM_SKR_DIGEST * pcr, CVM_SKR_DIGEST));
		if (!value || json_array_append_new(list, value)) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *tpm_info(const struct cvm_skr_parts *parts, uint32_t pcrs)
{
	const struct cvm_skr_wrapping *w = &parts->wrapping;

	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "AikCert", base64(w->ak_cert, w->ak_cert_len),
			 "AikPub", base64_bytes(&w->ak),
			 "PcrQuote", base64_bytes(&w->quote),
			 "PcrSignature", base64_bytes(&w->quote_signature),
			 "EncKeyPub", base64_bytes(&w->packed),
			 "EncKeyCertifyInfo", base64_bytes(&w->certify),
			 "EncKeyCertifyInfoSignature", base64_bytes(&w->certify_signature),
			 "PcrSet", pcr_numbers(pcrs),
			 "PCRs", pcr_values(parts->pcrs, pcrs));
}

/* @encode: of the certificates, which is not the same for both services */
static char *snp_proof(const struct cvm_skr_parts *parts,
		       json_t *(*encode)(const void *data, size_t len))
{
	return dump(json_pack("{s:o, s:o}",
			      "SnpReport", base64url(parts->hardware.data, parts->hardware.len),
			      "VcekCertChain", encode(parts->certs, parts->certs_len)));
}

static json_t *isolation(const struct cvm_skr_parts *parts)
{
	__cleanup_free char *proof = parts->td ? NULL : snp_proof(parts, base64);
	json_t *encoded = parts->td ? base64(parts->td_quote.data, parts->td_quote.len) :
			  proof ? base64_text(proof) : NULL;

	return json_pack("{s:s, s:{s:o, s:o}}", "Type", parts->td ? "Tdx" : "SevSnp", "Evidence",
			 "Proof", encoded,
			 "RunTimeData", base64(parts->claims.data, parts->claims.len));
}

static json_t *guest_body(const struct cvm_skr_parts *parts, const struct cvm_skr_state *state)
{
	char nonce[CVM_SKR_NONCE_TEXT];
	__cleanup_free char *info = dump(json_pack(
		"{s:s, s:o, s:o, s:i, s:i, s:o, s:o, s:{s:o}, s:o, s:o}",
		"AttestationProtocolVersion", "2.0",
		"OSType", base64_text("Linux"),
		"OSDistro", base64_text(parts->distribution),
		"OSVersionMajor", (int)parts->major,
		"OSVersionMinor", (int)parts->minor,
		"OSBuild", base64_text("NotApplicable"),
		"TcgLogs", base64(parts->event_log, parts->event_log_len),
		"ClientPayload", "nonce", base64_text(cvm_skr_nonce_text(state, nonce)),
		"TpmInfo", tpm_info(parts, state->pcrs),
		"IsolationInfo", isolation(parts)));

	return info ? json_pack("{s:o}", "AttestationInfo", base64url(info, strlen(info))) : NULL;
}

/* ---- those that attest the platform */

static json_t *platform_body(const struct cvm_skr_parts *parts)
{
	__cleanup_free char *proof = parts->td ? NULL : snp_proof(parts, base64url);
	json_t *encoded = parts->td ? base64url(parts->td_quote.data, parts->td_quote.len) :
			  proof ? base64url(proof, strlen(proof)) : NULL;

	return json_pack("{s:o, s:{s:o, s:s}}", parts->td ? "quote" : "report", encoded,
			 "runtimeData", "data", base64url(parts->claims.data, parts->claims.len),
			 "dataType", "JSON");
}

static int check_form(const struct cvm_skr_parts *parts, uint32_t form, struct cvm_error *error)
{
	if (form == CVM_SKR_SEV_SNP_VM && parts->td)
		return cvm_set_error(error, -EINVAL, "this is a TDX VM: a request for sev-snp-vm is of another");
	if (form == CVM_SKR_TDX_VM && !parts->td)
		return cvm_set_error(error, -EINVAL, "this is an SEV-SNP VM: a request for tdx-vm is of another");
	if (parts->td && !parts->td_quote.len)
		return cvm_set_error(error, -EINVAL, "there is no quote of the TDREPORT");
	if (!parts->td && !parts->certs_len)
		return cvm_set_error(error, -EINVAL, "there is no VCEK with its chain");
	return 0;
}

int cvm_skr_attest_body(const struct cvm_skr_parts *parts, const struct cvm_skr_state *state,
			char **body, struct cvm_error *error)
{
	int rc = check_form(parts, state->form, error);

	*body = NULL;
	if (rc)
		return rc;
	*body = dump(state->form == CVM_SKR_AZURE_GUEST ? guest_body(parts, state) :
		     platform_body(parts));
	return *body ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}

int cvm_skr_release_body(const char *token, const struct cvm_skr_state *state, char **body,
			 struct cvm_error *error)
{
	char nonce[CVM_SKR_NONCE_TEXT];

	*body = dump(json_pack("{s:s, s:s, s:s}", "target", token,
			       "nonce", cvm_skr_nonce_text(state, nonce),
			       "enc", cvm_skr_wrap_name(state->wrap)));
	return *body ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}
