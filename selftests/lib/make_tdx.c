// SPDX-License-Identifier: GPL-2.0
#include <openssl/ec.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "make_collateral.h"
#include "make_tdx.h"

#define AUTH_DATA	"authentication data, 32 bytes..."
#define AUTH_LEN	32

struct tdx_keys tdx_keys;

void tdx_make_keys(void)
{
	tdx_keys = (struct tdx_keys){
		.root = make_ec("P-256"), .ca = make_ec("P-256"), .pck = make_ec("P-256"),
		.attestation = make_ec("P-256"), .tcb = make_ec("P-256"),
		.other = make_ec("P-256"),
		.p384 = make_ec("P-384"),
	};
}

void tdx_free_keys(void)
{
	EVP_PKEY_free(tdx_keys.root);
	EVP_PKEY_free(tdx_keys.ca);
	EVP_PKEY_free(tdx_keys.pck);
	EVP_PKEY_free(tdx_keys.attestation);
	EVP_PKEY_free(tdx_keys.tcb);
	EVP_PKEY_free(tdx_keys.other);
	EVP_PKEY_free(tdx_keys.p384);
}

static const struct sgx_extension genuine_sgx = {
	.tcb = { 2, 2, 2, 2, 3, 1, 0, 5 }, .pcesvn = 11, .fmspc = { 0x50, 0x80, 0x6f },
};

/* What is not zero in the body of a TD that is up to date */
static void fill_body(uint8_t *body)
{
	memcpy(body + TDX_TEE_TCB_SVN, "\5\1\3", 3);
	memset(body + TDX_MRSEAM, 0x31, 48);
	body[TDX_TDATTRIBUTES + 3] = 0x10;	/* SEPT_VE_DISABLE */
	memcpy(body + TDX_XFAM, "\xe7\2\6", 3);
	memset(body + TDX_MRTD, 0x33, 48);
	for (int i = 0; i < 4; i++)
		memset(body + TDX_RTMR0 + 48 * i, 0x40 + i, 48);
	memset(body + TDX_REPORTDATA, 0xd5, 64);
	memcpy(body + TDX_TEE_TCB_SVN_2, "\5\1\3", 3);
}

static void fill_qe_report(uint8_t *report)
{
	memset(report, 0x20, 16);		/* CPUSVN */
	report[48] = 0x11;			/* ATTRIBUTES */
	report[56] = 0xe7;
	memset(report + 64, 0x45, 32);		/* MRENCLAVE */
	memset(report + 128, 0x46, 32);		/* MRSIGNER */
	report[256] = 2;			/* ISVPRODID */
	report[258] = 4;			/* ISVSVN */
}

static void make_genuine_certs(struct tdx_world *w)
{
	struct cert_spec *all[] = { &w->root, &w->ca, &w->pck, &w->tcb_signer };

	w->root = (struct cert_spec){ .name = "Test SGX Root CA", .key = tdx_keys.root,
				      .ca = true };
	w->ca = (struct cert_spec){ .name = "Test SGX PCK Platform CA", .key = tdx_keys.ca,
				    .ca = true };
	w->pck = (struct cert_spec){ .name = "Test SGX PCK Certificate", .key = tdx_keys.pck,
				     .extend = add_sgx_extension, .arg = &genuine_sgx };
	w->tcb_signer = (struct cert_spec){ .name = "Test SGX TCB Signing", .key = tdx_keys.tcb };
	for (int i = 0; i < 4; i++) {
		struct cert_spec *issuer = i == 2 ? &w->ca : &w->root;

		all[i]->issuer_name = issuer->name;
		all[i]->issuer_key = issuer->key;
		all[i]->md = EVP_sha256();
		all[i]->from = TEST_NOW - TEST_YEAR;
		all[i]->until = TEST_NOW + TEST_YEAR;
		all[i]->serial = 100 + i;
	}
}

static struct crl_spec genuine_crl(const struct cert_spec *issuer)
{
	return (struct crl_spec){
		.issuer = issuer->name, .key = issuer->key, .md = EVP_sha256(),
		.from = TEST_NOW - 86400, .until = TEST_NOW + 30 * 86400,
		.revoked_count = 2, .revoked = { 4711, 4712 },
	};
}

struct tdx_world tdx_genuine(void)
{
	struct tdx_world w = {
		.sgx = genuine_sgx,
		.version = 4, .body_type = 2, .cert_type = 5,
		.qe_signer = tdx_keys.pck,
		.attestation = tdx_keys.attestation, .signer = tdx_keys.attestation,
		.tcb_info_key = tdx_keys.tcb, .qe_identity_key = tdx_keys.tcb,
		.at = TEST_NOW,
	};

	make_genuine_certs(&w);
	fill_body(w.body);
	fill_qe_report(w.qe_report);
	w.root_crl = genuine_crl(&w.root);
	w.pck_crl = genuine_crl(&w.ca);
	w.tcb_info = make_tcb_info();
	w.qe_identity = make_qe_identity();
	return w;
}

void tdx_done(struct tdx_world *w)
{
	json_decref(w->tcb_info);
	json_decref(w->qe_identity);
}

static void put(struct tdx_world *w, const void *data, size_t len)
{
	memcpy(w->quote + w->len, data, len);
	w->len += len;
}

static void put16(struct tdx_world *w, uint16_t v)
{
	put(w, (uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8) }, 2);
}

static void put32(struct tdx_world *w, size_t v)
{
	put16(w, (uint16_t)v);
	put16(w, (uint16_t)(v >> 16));
}

static void put_signature(struct tdx_world *w, EVP_PKEY *key, const uint8_t *data, size_t len)
{
	uint8_t rs[64];

	sign_ecdsa(key, EVP_sha256(), data, len, rs, rs + 32, 32);
	put(w, rs, sizeof(rs));
}

static void put_header_and_body(struct tdx_world *w)
{
	size_t size = w->body_type == 3 ? 648 : 584;

	w->len = 0;
	put16(w, w->version);
	put16(w, 2);
	put32(w, 0x81);
	put(w, "\0\0\0\0", 4);
	put(w, w->other_vendor ? "vendor id 16 b.." :
	    "\x93\x9a\x72\x33\xf7\x9c\x4c\xa9\x94\x0a\x0d\xb3\x95\x7f\x06\x07", 16);
	put(w, "user data, twenty b.", 20);
	if (w->version == 5) {
		put16(w, w->body_type);
		put32(w, size);
	}
	put(w, w->body, size);
	w->signed_len = w->len;
}

static void put_qe_report(struct tdx_world *w, const uint8_t key[64])
{
	uint8_t report[384], input[64 + AUTH_LEN];

	memcpy(report, w->qe_report, sizeof(report));
	memcpy(input, key, 64);
	memcpy(input + 64, AUTH_DATA, AUTH_LEN);
	SHA256(input, sizeof(input), report + 320);
	if (w->wrong_binding)
		report[320] ^= 1;
	if (w->binding_tail)
		report[383] = 1;
	w->qe_at = w->len;
	put(w, report, sizeof(report));
	put_signature(w, w->qe_signer, report, sizeof(report));
}

static X509 *make_pck(const struct tdx_world *w)
{
	struct cert_spec pck = w->pck;

	pck.arg = &w->sgx;
	return make_cert(&pck);
}

/* Takes @pem, and puts text around it */
static char *surround(const struct tdx_world *w, char *pem, size_t *len)
{
	const char *before = w->before_chain ? w->before_chain : "";
	const char *behind = w->behind_chain ? w->behind_chain : "";
	char *text = need(malloc(strlen(before) + *len + strlen(behind) + 1));

	*len = (size_t)sprintf(text, "%s%.*s%s", before, (int)*len, pem, behind);
	free(pem);
	return text;
}

static char *make_chain(const struct tdx_world *w, size_t *len)
{
	const struct cert_spec *specs[] = { &w->pck, &w->ca, &w->root };
	const bool left_out[] = { w->no_pck, w->no_ca, w->no_root };
	X509 *certs[6];
	size_t count = 0;
	char *pem;

	for (int i = 0; i < 3; i++) {
		int n = w->reversed ? 2 - i : w->ca_last && i ? 3 - i : i;

		if (!left_out[n])
			certs[count++] = n ? make_cert(specs[n]) : make_pck(w);
		if (!left_out[n] && w->duplicated) {
			certs[count] = certs[count - 1];
			X509_up_ref(certs[count++]);
		}
	}
	pem = certs_pem(certs, count, len);
	if (w->garbage_chain)
		pem[40] = '!';
	pem = surround(w, pem, len);
	/* with the zero byte at its end that Intel's library leaves there */
	pem[(*len)++] = '\0';
	while (count)
		X509_free(certs[--count]);
	return pem;
}

void tdx_make(struct tdx_world *w)
{
	size_t chain_len, nested;
	char *chain = make_chain(w, &chain_len);
	uint8_t point[65];
	size_t point_len;

	put_header_and_body(w);
	nested = w->no_qe ? 0 : 384 + 64 + 2 + AUTH_LEN + 6;
	put32(w, 128 + 6 + nested + chain_len);
	put_signature(w, w->signer, w->quote, w->signed_len);
	EVP_PKEY_get_octet_string_param(w->attestation, "pub", point, sizeof(point), &point_len);
	put(w, point + 1, 64);
	if (!w->no_qe) {
		put16(w, 6);
		put32(w, nested + chain_len);
		put_qe_report(w, point + 1);
		put16(w, AUTH_LEN);
		put(w, AUTH_DATA, AUTH_LEN);
	}
	put16(w, w->cert_type);
	put32(w, chain_len);
	put(w, chain, chain_len);
	memset(w->quote + w->len, 0xee, w->padding);
	w->len += w->padding;
	free(chain);
}

static void give(struct cvm_verifier *v, X509 *cert, bool root)
{
	size_t len;
	uint8_t *der = cert_der(cert, &len);

	if (root ? cvm_verifier_add_trust_root(v, der, len, NULL) :
		   cvm_verifier_add_certs(v, der, len, NULL))
		need(NULL);
	free(der);
	X509_free(cert);
}

static void give_collateral(struct cvm_verifier *v, const struct tdx_world *w)
{
	char *collateral = tdx_collateral(w);
	struct cvm_error error;

	if (cvm_verifier_add_collateral(v, collateral, strlen(collateral), &error)) {
		printf("Bail out! collateral: %s\n", error.text);
		exit(1);
	}
	free(collateral);
}

struct cvm_verifier *tdx_verifier(const struct tdx_world *w)
{
	struct cert_spec other = w->root;
	struct cvm_verifier *v;
	struct cvm_error error;

	if (cvm_verifier_new(&v))
		need(NULL);
	other.key = other.issuer_key = tdx_keys.other;
	if (w->other_trust)
		give(v, make_cert(&other), true);
	else if (!w->no_trust)
		give(v, make_cert(&w->root), true);
	if (w->given_chain) {
		give(v, make_pck(w), false);
		give(v, make_cert(&w->ca), false);
		give(v, make_cert(&w->root), false);
	}
	if (!w->no_collateral)
		give_collateral(v, w);
	if (w->policy && cvm_verifier_set_policy(v, w->policy, strlen(w->policy), &error)) {
		printf("Bail out! policy: %s\n", error.text);
		exit(1);
	}
	return v;
}

struct cvm_verify_opts tdx_opts(const struct tdx_world *w)
{
	return (struct cvm_verify_opts){
		.size = sizeof(struct cvm_verify_opts), .at = w->at,
		.report_data = (const uint8_t *)w->report_data,
	};
}
