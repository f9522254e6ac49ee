// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target of what reads JSON, certificates and TPM structures, one at a
 * time: built with READER set to the name of one.
 */
#include <stdlib.h>

#include <openssl/err.h>
#include <openssl/rsa.h>

#include "common/base64url.h"
#include "formats/proof.h"
#include "must.h"
#include "verify/cmw.h"
#include "verify/evidence_file.h"
#include "verify/hcl_claims.h"
#include "verify/internal.h"
#include "verify/tpm_file.h"

static __attribute__((unused)) void policy(const uint8_t *data, size_t len)
{
	struct cvm_error error = { 0 };
	struct cvm_policy *p;
	int ret = cvm_policy_load(&p, data, len, &error);

	must_explain(ret, &error);
	must(!ret == !!p);
	if (p) {
		char *words = cvm_policy_explain(p);

		must(words && *words);
		free(words);
	}
	cvm_policy_put(p);
}

static __attribute__((unused)) void collateral(const uint8_t *data, size_t len)
{
	static const struct cvm_pck_cert pck = { .fmspc = { 0x50, 0x80, 0x6f } };
	struct cvm_collateral c = { 0 };
	struct cvm_error error = { 0 };
	int ret = cvm_collateral_load(&c, data, len, &error);

	must_explain(ret, &error);
	must(!ret || !(c.tcb_info_count + c.qe_identity_count + c.issuers.count +
		       c.issuers.crl_count));
	cvm_collateral_tcb_info(&c, &pck, 1750000000);
	cvm_collateral_qe_identity(&c, 1750000000);
	cvm_collateral_free(&c);
}

static __attribute__((unused)) void tcb_info(const uint8_t *data, size_t len)
{
	struct cvm_tcb_info *info = calloc(1, sizeof(*info));
	struct cvm_error error = { 0 };

	info->sig.text = strndup((const char *)data, len);
	info->sig.len = strlen(info->sig.text);
	must_explain(cvm_tcb_info_parse(info, &error), &error);
	cvm_tcb_info_free(info);
}

static __attribute__((unused)) void qe_identity(const uint8_t *data, size_t len)
{
	struct cvm_qe_identity *identity = calloc(1, sizeof(*identity));
	struct cvm_error error = { 0 };

	identity->sig.text = strndup((const char *)data, len);
	identity->sig.len = strlen(identity->sig.text);
	must_explain(cvm_qe_identity_parse(identity, &error), &error);
	cvm_qe_identity_free(identity);
}

static __attribute__((unused)) void claims(const uint8_t *data, size_t len)
{
	struct cvm_hcl_config config;
	struct cvm_hcl_claims c;
	struct cvm_error error = { 0 };
	int ret = cvm_hcl_claims_parse((struct cvm_span){ data, len }, &c, &error);

	must_explain(ret, &error);
	must(!ret == !!c.ak);
	EVP_PKEY_free(c.ak);
	cvm_hcl_config_parse((struct cvm_span){ data, len }, &config);
	must_print(config.sealing);
	must_print(config.root_cert);
	must(!(config.set & ~config.has) && !(config.has >> CVM_HCL_FLAGS));
}

static __attribute__((unused)) void tpm_file(const uint8_t *data, size_t len)
{
	static struct cvm_tpm_file file;
	struct cvm_error error = { 0 };
	int ret = cvm_tpm_file_parse(&file, data, len, &error);

	must_explain(ret, &error);
	if (ret)
		return;
	must(file.quote.message_len <= sizeof(file.message));
	must(file.quote.signature_len <= sizeof(file.signature));
	must(file.quote.pcr_count && file.quote.pcr_count <= CVM_TPM_PCRS);
}

static bool is_whole(const struct cvm_blob *blob, size_t max)
{
	return blob->data ? blob->len <= max : !blob->len;
}

static void must_be_whole(const struct cvm_evidence_file *file)
{
	must(is_whole(&file->report, CVM_FILE_REPORT_MAX) &&
	     is_whole(&file->certs, CVM_FILE_CERTS_MAX));
	must(is_whole(&file->event_log, CVM_FILE_LOG_MAX));
	must(is_whole(&file->td_quote, CVM_FILE_REPORT_MAX) &&
	     is_whole(&file->proof, CVM_FILE_REPORT_MAX));
	if (file->report.data && file->has_tpm)
		must(file->tpm.quote.message_len <= sizeof(file->tpm.message) &&
		     file->tpm.quote.signature_len <= sizeof(file->tpm.signature) &&
		     file->tpm.quote.pcr_count && file->tpm.quote.pcr_count <= CVM_TPM_PCRS);
}

static __attribute__((unused)) void evidence_file(const uint8_t *data, size_t len)
{
	static struct cvm_evidence_file file;
	struct cvm_error error = { 0 };
	int ret = cvm_evidence_file_parse(&file, data, len, &error);

	must_explain(ret, &error);
	must(!ret == !!file.report.data);
	must_be_whole(&file);
	cvm_evidence_file_free(&file);
}

/* In CBOR, whatever it begins with */
static __attribute__((unused)) void cmw(const uint8_t *data, size_t len)
{
	struct cvm_evidence_file file = { 0 };
	struct cvm_error error = { 0 };
	int ret = cvm_cmw_read_cbor((struct cvm_span){ data, len }, &file, &error);

	must_explain(ret, &error);
	must(ret || (file.report.data && file.type));
	must_be_whole(&file);
	cvm_evidence_file_free(&file);
}

/* Linked so that every signature holds: what a TPM's message says is looked at all the same */
static __attribute__((unused)) void tpm_quote(const uint8_t *data, size_t len)
{
	static const uint8_t pcrs[24 * 32], nonce[64] = { 0xd5 };
	const struct cvm_tpm_quote quote = { .size = sizeof(quote), .message = data,
					     .message_len = len, .signature = pcrs,
					     .signature_len = 256, .pcrs = pcrs, .pcr_count = 24 };
	struct cvm_verdict *v = cvm_verdict_new();
	static EVP_PKEY *key;
	bool held;

	key = key ? key : EVP_RSA_gen(2048);
	held = cvm_tpm_check(v, key, &quote, nonce, sizeof(nonce), false);
	must(cvm_verdict_count(v) >= 1 && cvm_verdict_count(v) <= 3);
	must(held == !v->failed);
	must(v->tpm_data_len <= sizeof(v->tpm_data));
	cvm_verdict_free(v);
}

static __attribute__((unused)) void certs(const uint8_t *data, size_t len)
{
	static const struct cvm_certs none;
	struct cvm_certs c = { .limit = CVM_BUNDLE_CERTS };
	const struct cvm_sources from = { .sets = { &c }, .count = 1, .roots = &none };
	struct cvm_error error = { 0 };
	int ret = cvm_certs_load(&c, data, len, &error);

	must_explain(ret, &error);
	must(!ret || !(c.count + c.crl_count));
	/* of making chains who calls clears it */
	must(!ERR_peek_error());
	must(!cvm_certs_make_chains(&c, &from));
	for (size_t i = 0; i < c.count; i++)
		must(c.cert[i].leaf == CVM_LEAF_NONE ||
		     (c.cert[i].chain && !(c.cert[i].chain->holds && c.cert[i].chain->trusted)));
	cvm_certs_free(&c);
}

/* A proof as batch --jsonl prints it, and as verify and expect take it */
static __attribute__((unused)) void proof_text(const uint8_t *data, size_t len)
{
	uint8_t bytes[836];
	struct cvm_format_error err;
	struct cvm_proof proof;
	long n = cvm_base64url_decode((const char *)data, len, bytes, sizeof(bytes));

	must(n == -EINVAL || (n >= 0 && (size_t)n <= sizeof(bytes) && (size_t)n <= len));
	if (n >= 0)
		cvm_proof_parse(bytes, (size_t)n, &proof, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	READER(data, len);
	ERR_clear_error();
	return 0;
}
