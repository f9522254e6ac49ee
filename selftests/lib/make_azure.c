// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <tss2/tss2_mu.h>

#include "make_azure.h"

#define HW_AT		0x20
#define RUNTIME_AT	0x4c0
#define CLAIMS_AT	0x4d4

struct azure_keys azure_keys;

void azure_make_keys(void)
{
	azure_keys = (struct azure_keys){ .ak = make_rsa(2048), .other = make_rsa(2048),
					  .small = make_rsa(1024), .ec = make_ec("P-256") };
}

void azure_free_keys(void)
{
	EVP_PKEY_free(azure_keys.ak);
	EVP_PKEY_free(azure_keys.other);
	EVP_PKEY_free(azure_keys.small);
	EVP_PKEY_free(azure_keys.ec);
}

static void put32(uint8_t *p, size_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

/* ---- claims */

static json_t *base64url(EVP_PKEY *key, const char *param)
{
	uint8_t bytes[512];
	char text[1024];
	BIGNUM *bn = NULL;
	int len;

	if (!EVP_PKEY_get_bn_param(key, param, &bn))
		need(NULL);
	len = EVP_EncodeBlock((uint8_t *)text, bytes, BN_bn2bin(bn, bytes));
	BN_free(bn);
	for (int i = 0; i < len; i++)
		text[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
	while (text[len - 1] == '=')
		len--;
	return json_stringn(text, (size_t)len);
}

json_t *azure_make_key(const char *kid, EVP_PKEY *key)
{
	return need(json_pack("{s:s, s:[s], s:s, s:o, s:o}", "kid", kid, "key_ops", "sign",
			      "kty", "RSA", "e", base64url(key, OSSL_PKEY_PARAM_RSA_E),
			      "n", base64url(key, OSSL_PKEY_PARAM_RSA_N)));
}

void azure_set_user_data(struct azure_world *w, const uint8_t user_data[64])
{
	char hex[129];

	for (int i = 0; i < 64; i++)
		sprintf(hex + 2 * i, "%02X", user_data[i]);
	json_object_set_new(w->claims, "user-data", json_string(hex));
}

/* as those of a guest of 2025: a console, and nothing of who types at it, nor of sealing */
static json_t *make_claims(void)
{
	json_t *vm = need(json_pack("{s:s, s:b, s:b, s:b, s:b, s:b, s:s}", "root-cert-thumbprint",
				    "6nZZnYaJc4Kq", "console-enabled", 1, "secure-boot", 1,
				    "tpm-enabled", 1, "tpm-persisted", 1,
				    "filtered-vpci-devices-allowed", 0, "vmUniqueId",
				    "00000000-0000-0000-0000-000000000000"));

	return need(json_pack("{s:[o, o], s:o}", "keys",
			      azure_make_key("HCLAkPub", azure_keys.ak),
			      azure_make_key("HCLEkPub", azure_keys.other), "vm-configuration", vm));
}

/* ---- what is genuine */

static const uint8_t asked_for[64] = { [0 ... 63] = 0xd5 };

/* that is more than a vTPM takes */
static TPMS_ATTEST genuine_attest(void)
{
	TPMS_ATTEST a = {
		.magic = TPM2_GENERATED_VALUE, .type = TPM2_ST_ATTEST_QUOTE,
		.extraData.size = 48, .clockInfo = { .clock = 1000, .resetCount = 7, .safe = 1 },
		.attested.quote.pcrSelect = { .count = 1, .pcrSelections = {
			{ .hash = TPM2_ALG_SHA256, .sizeofSelect = 3,
			  .pcrSelect = { 0xff, 0xff, 0 } } } },
	};

	SHA384(asked_for, sizeof(asked_for), a.extraData.buffer);
	return a;
}

struct azure_world azure_genuine(bool is_td)
{
	struct azure_world w = {
		.is_td = is_td, .claims = make_claims(), .version = 2,
		.report_type = is_td ? 4 : 2, .hash_type = 1, .quote_signer = azure_keys.ak,
		.attest = genuine_attest(), .pcr_count = 24,
	};

	for (int i = 0; i < 24; i++)
		memset(w.pcrs + 32 * i, i + 1, 32);
	azure_set_user_data(&w, asked_for);
	if (is_td)
		w.tdx = tdx_genuine();
	else
		w.snp = snp_genuine();
	return w;
}

void azure_done(struct azure_world *w)
{
	json_decref(w->claims);
	if (w->is_td)
		tdx_done(&w->tdx);
}

/* ---- making it */

/* TDREPORT_STRUCT: what the module would have said of the quote's body */
static void put_tdreport(struct azure_world *w, uint8_t *p)
{
	const uint8_t *b = w->tdx.body;

	p[0] = 0x81;
	memcpy(p + 128, b + TDX_REPORTDATA, 64);
	memset(p + 256, 0xff, 8);
	memcpy(p + 264, b + TDX_TEE_TCB_SVN, 16);
	memcpy(p + 280, b + TDX_MRSEAM, 48);
	memcpy(p + 328, b + TDX_MRSIGNERSEAM, 48);
	memcpy(p + 376, b + TDX_SEAMATTRIBUTES, 8);
	/* TDINFO_STRUCT is in the body as it is, all but its last two fields */
	memcpy(p + 512, b + TDX_TDATTRIBUTES, TDX_REPORTDATA - TDX_TDATTRIBUTES);
}

static void put_hardware(struct azure_world *w, const uint8_t report_data[64])
{
	if (!w->is_td) {
		memcpy(w->snp.report + 0x50, report_data, 64);
		snp_sign(&w->snp);
		memcpy(w->hcl + HW_AT, w->snp.report, CVM_SNP_REPORT_SIZE);
		return;
	}
	memcpy(w->tdx.body + TDX_REPORTDATA, report_data, 64);
	put_tdreport(w, w->hcl + HW_AT);
	if (w->other_td)
		w->tdx.body[TDX_RTMR2] ^= 1;
	tdx_make(&w->tdx);
}

static void make_hcl(struct azure_world *w)
{
	char *claims = need(json_dumps(w->claims, JSON_COMPACT));
	size_t len = strlen(claims);
	uint8_t hash[64] = { 0 };

	memset(w->hcl, 0, sizeof(w->hcl));
	memcpy(w->hcl, "HCLA", 4);
	put32(w->hcl + 4, w->version);
	put32(w->hcl + 8, CLAIMS_AT - HW_AT + len);
	put32(w->hcl + 12, 2);
	put32(w->hcl + RUNTIME_AT, 20 + len);
	put32(w->hcl + RUNTIME_AT + 4, 1);
	put32(w->hcl + RUNTIME_AT + 8, w->report_type);
	put32(w->hcl + RUNTIME_AT + 12, w->hash_type);
	put32(w->hcl + RUNTIME_AT + 16, len);
	memcpy(w->hcl + CLAIMS_AT, claims, len);
	SHA256((const uint8_t *)claims, len, hash);
	put_hardware(w, hash);
	w->len = CLAIMS_AT + len + w->padding;
	free(claims);
}

static void fill_pcr_digest(struct azure_world *w)
{
	TPMS_QUOTE_INFO *info = &w->attest.attested.quote;
	const TPMS_PCR_SELECTION *s = &info->pcrSelect.pcrSelections[0];
	uint8_t chosen[24 * 32];
	size_t len = 0;

	for (size_t i = 0; i < 24; i++)
		if (s->pcrSelect[i / 8] & 1 << i % 8) {
			memcpy(chosen + len, w->pcrs + 32 * i, 32);
			len += 32;
		}
	if (!info->pcrDigest.size) {
		SHA256(chosen, len, info->pcrDigest.buffer);
		info->pcrDigest.size = 32;
	}
}

static void make_quote(struct azure_world *w)
{
	EVP_MD_CTX *ctx = need(EVP_MD_CTX_new());

	fill_pcr_digest(w);
	w->message_len = 0;
	if (Tss2_MU_TPMS_ATTEST_Marshal(&w->attest, w->message, sizeof(w->message),
					&w->message_len))
		need(NULL);
	if (w->misform)
		w->misform(w);
	w->signature_len = sizeof(w->signature);
	if (EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, w->quote_signer) != 1 ||
	    EVP_DigestSign(ctx, w->signature, &w->signature_len, w->message, w->message_len) != 1)
		need(NULL);
	EVP_MD_CTX_free(ctx);
}

void azure_make(struct azure_world *w)
{
	make_hcl(w);
	make_quote(w);
	if (w->tamper)
		w->tamper(w);
}

struct cvm_verifier *azure_verifier(struct azure_world *w)
{
	return w->is_td ? tdx_verifier(&w->tdx) : snp_verifier(&w->snp);
}

struct cvm_verify_opts azure_opts(const struct azure_world *w, struct cvm_tpm_quote *quote)
{
	*quote = (struct cvm_tpm_quote){
		.size = sizeof(*quote), .message = w->message, .message_len = w->message_len,
		.signature = w->signature, .signature_len = w->signature_len,
		.pcrs = w->pcrs, .pcr_count = w->pcr_count,
	};
	return (struct cvm_verify_opts){
		.size = sizeof(struct cvm_verify_opts), .at = TEST_NOW,
		.binding = CVM_BINDING_AZURE,
		.td_quote = w->is_td && !w->no_td_quote ? w->tdx.quote : NULL,
		.td_quote_len = w->is_td && !w->no_td_quote ? w->tdx.len : 0,
		.tpm_quote = w->no_tpm_quote ? NULL : quote,
		.event_log = w->log.len ? w->log.bytes : NULL, .event_log_len = w->log.len,
	};
}
