// SPDX-License-Identifier: GPL-2.0
/*
 * A client as there are many: it asks for evidence of whatever this machine is, by the
 * public header alone, and sends all that it got. It knows of no platform.
 *   any_client direct|batch HEX >FILE      (64 bytes, in hexadecimal digits)
 */
#include <cvmguest.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *hex(const void *data, size_t len)
{
	char *text = malloc(2 * len + 1);
	json_t *json;

	if (!text)
		exit(1);
	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", ((const unsigned char *)data)[i]);
	json = json_stringn(text, 2 * len);
	free(text);
	return json;
}

static void put(json_t *json, const char *name, const void *data, size_t len)
{
	if (data)
		json_object_set_new(json, name, hex(data, len));
}

/* without padding, as the evidence file has proofs */
static void put_base64url(json_t *json, const char *name, const uint8_t *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	char *text = malloc(2 * len + 1), *to = text;

	if (!data || !text)
		return free(text);
	for (size_t bit = 0; bit < 8 * len; bit += 6) {
		unsigned int two = data[bit / 8] << 8;

		if (bit / 8 + 1 < len)
			two |= data[bit / 8 + 1];
		*to++ = digits[two >> (10 - bit % 8) & 63];
	}
	json_object_set_new(json, name, json_stringn(text, (size_t)(to - text)));
	free(text);
}

static void put_tpm_quote(json_t *json, const struct cvm_evidence *evidence)
{
	struct cvm_tpm_quote q = { .size = sizeof(q) };
	json_t *quote = json_object(), *pcrs = json_array();

	if (cvm_evidence_tpm_quote(evidence, &q)) {
		json_decref(quote);
		json_decref(pcrs);
		return;
	}
	put(quote, "message", q.message, q.message_len);
	put(quote, "signature", q.signature, q.signature_len);
	for (size_t i = 0; i < q.pcr_count; i++)
		json_array_append_new(pcrs, hex(q.pcrs + 32 * i, 32));
	json_object_set_new(quote, "pcrs", pcrs);
	json_object_set_new(json, "tpm_quote", quote);
}

static json_t *json_of(const struct cvm_evidence *evidence)
{
	static const char *const types[] = {
		[CVM_EVIDENCE_SNP_REPORT] = "snp-report", [CVM_EVIDENCE_TDX_QUOTE] = "tdx-quote",
		[CVM_EVIDENCE_HCL_REPORT] = "hcl-report",
	};
	uint32_t type = cvm_evidence_type(evidence);
	json_t *json = json_pack("{s:s}", "type", types[type]);
	size_t len, certs_len, proof_len, td_len;
	const void *data = cvm_evidence_data(evidence, &len);
	const void *certs = cvm_evidence_certs(evidence, &certs_len);
	const void *proof = cvm_evidence_proof(evidence, &proof_len);
	const void *td_quote = cvm_evidence_td_quote(evidence, &td_len);

	put(json, type == CVM_EVIDENCE_TDX_QUOTE ? "quote" : "report", data, len);
	put(json, "certs", certs, certs_len);
	put(json, "td_quote", td_quote, td_len);
	put_base64url(json, "proof", proof, proof_len);
	put_tpm_quote(json, evidence);
	return json;
}

static int ask(const char *how, const uint8_t data[64], struct cvm_evidence **evidence,
	       struct cvm_error *error)
{
	struct cvm_report_opts direct = { .size = sizeof(direct), .flags = CVM_REQUEST_CERTS };
	struct cvm_batch_opts batch = { .size = sizeof(batch), .flags = CVM_REQUEST_CERTS };
	struct cvm_ctx *ctx;
	int rc = cvm_open(&ctx, NULL, error);

	*evidence = NULL;
	if (rc)
		return rc;
	if (!strcmp(how, "batch"))
		rc = cvm_batch_one(ctx, data, &batch, evidence, error);
	else
		rc = cvm_attest(ctx, data, &direct, evidence, error);
	cvm_close(ctx);
	return rc;
}

int main(int argc, char **argv)
{
	struct cvm_evidence *evidence;
	struct cvm_error error;
	uint8_t data[64];
	json_t *json;
	int rc;

	if (argc != 3 || strlen(argv[2]) != 2 * sizeof(data))
		return 2;
	for (size_t i = 0; i < sizeof(data); i++)
		if (sscanf(argv[2] + 2 * i, "%2hhx", &data[i]) != 1)
			return 2;
	if (ask(argv[1], data, &evidence, &error)) {
		fprintf(stderr, "%s\n", error.text);
		return 1;
	}
	json = json_of(evidence);
	cvm_evidence_free(evidence);
	rc = json_dumpf(json, stdout, JSON_COMPACT) || fflush(stdout);
	json_decref(json);
	return rc;
}
