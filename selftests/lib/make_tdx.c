// SPDX-License-Identifier: GPL-2.0
#include <openssl/ec.h>
#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "make_tdx.h"

#define AUTH_DATA	"authentication data, 32 bytes..."
#define AUTH_LEN	32

struct tdx_keys tdx_keys;

void tdx_make_keys(void)
{
	tdx_keys = (struct tdx_keys){
		.root = make_ec("P-256"), .ca = make_ec("P-256"), .pck = make_ec("P-256"),
		.attestation = make_ec("P-256"), .other = make_ec("P-256"),
		.p384 = make_ec("P-384"),
	};
}

void tdx_free_keys(void)
{
	EVP_PKEY_free(tdx_keys.root);
	EVP_PKEY_free(tdx_keys.ca);
	EVP_PKEY_free(tdx_keys.pck);
	EVP_PKEY_free(tdx_keys.attestation);
	EVP_PKEY_free(tdx_keys.other);
	EVP_PKEY_free(tdx_keys.p384);
}

struct tdx_world tdx_genuine(void)
{
	struct tdx_world w = {
		.root = { .name = "Test SGX Root CA", .key = tdx_keys.root, .ca = true },
		.ca = { .name = "Test SGX PCK Platform CA", .key = tdx_keys.ca, .ca = true },
		.pck = { .name = "Test SGX PCK Certificate", .key = tdx_keys.pck,
			 .extend = add_sgx_extension },
		.version = 4,
		.body_type = 2,
		.cert_type = 5,
		.qe_signer = tdx_keys.pck,
		.attestation = tdx_keys.attestation,
		.signer = tdx_keys.attestation,
		.at = TEST_NOW,
	};
	struct cert_spec *all[] = { &w.root, &w.ca, &w.pck };

	for (int i = 0; i < 3; i++) {
		all[i]->issuer_name = all[i ? i - 1 : 0]->name;
		all[i]->issuer_key = all[i ? i - 1 : 0]->key;
		all[i]->md = EVP_sha256();
		all[i]->from = TEST_NOW - TEST_YEAR;
		all[i]->until = TEST_NOW + TEST_YEAR;
	}
	return w;
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
	uint8_t body[648];

	w->len = 0;
	put16(w, w->version);
	put16(w, 2);
	put32(w, 0x81);
	put(w, "\0\0\0\0vendor id 16 b..user data, twenty b.", 40);
	if (w->version == 5) {
		put16(w, w->body_type);
		put32(w, size);
	}
	memset(body, 0x33, sizeof(body));
	memset(body + 520, 0xd5, 64);
	put(w, body, size);
	w->signed_len = w->len;
}

static void put_qe_report(struct tdx_world *w, const uint8_t key[64])
{
	uint8_t report[384], input[64 + AUTH_LEN];

	memset(report, 0x44, sizeof(report));
	memset(report + 320, 0, 64);
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

static char *make_chain(const struct tdx_world *w, size_t *len)
{
	const struct cert_spec *specs[] = { &w->pck, &w->ca, &w->root };
	const bool left_out[] = { w->no_pck, w->no_ca, w->no_root };
	X509 *certs[3];
	size_t count = 0;
	char *pem;

	for (int i = 0; i < 3; i++) {
		int n = w->reversed ? 2 - i : i;

		if (!left_out[n])
			certs[count++] = make_cert(specs[n]);
	}
	pem = certs_pem(certs, count, len);
	if (w->garbage_chain)
		pem[40] = '!';
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

static void give(struct cvm_verifier *v, const struct cert_spec *spec, bool root)
{
	X509 *cert = make_cert(spec);
	size_t len;
	uint8_t *der = cert_der(cert, &len);

	if (root ? cvm_verifier_add_trust_root(v, der, len, NULL) :
		   cvm_verifier_add_certs(v, der, len, NULL))
		need(NULL);
	free(der);
	X509_free(cert);
}

struct cvm_verifier *tdx_verifier(const struct tdx_world *w)
{
	struct cert_spec other = w->root;
	struct cvm_verifier *v;

	if (cvm_verifier_new(&v))
		need(NULL);
	other.key = other.issuer_key = tdx_keys.other;
	if (w->other_trust)
		give(v, &other, true);
	else if (!w->no_trust)
		give(v, &w->root, true);
	if (w->given_chain) {
		give(v, &w->pck, false);
		give(v, &w->ca, false);
		give(v, &w->root, false);
	}
	cvm_verifier_set_time(v, w->at);
	if (w->report_data)
		cvm_verifier_set_report_data(v, (const uint8_t *)w->report_data);
	return v;
}
