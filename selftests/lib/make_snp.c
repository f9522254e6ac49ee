// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_snp.h"

struct snp_keys snp_keys;

void snp_make_keys(void)
{
	snp_keys = (struct snp_keys){
		.ark = make_rsa(4096), .ask = make_rsa(4096), .other = make_rsa(4096),
		.rsa2048 = make_rsa(2048), .leaf = make_ec("P-384"), .p256 = make_ec("P-256"),
	};
}

void snp_free_keys(void)
{
	EVP_PKEY_free(snp_keys.ark);
	EVP_PKEY_free(snp_keys.ask);
	EVP_PKEY_free(snp_keys.leaf);
	EVP_PKEY_free(snp_keys.p256);
	EVP_PKEY_free(snp_keys.other);
	EVP_PKEY_free(snp_keys.rsa2048);
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> 8 * i);
}

void snp_put64(struct snp_world *w, size_t at, uint64_t v)
{
	put32(w->report + at, (uint32_t)v);
	put32(w->report + at + 4, (uint32_t)(v >> 32));
}

uint64_t snp_get64(const struct snp_world *w, size_t at)
{
	return cvm_le64(w->report + at);
}

void snp_sign(struct snp_world *w)
{
	uint8_t r[72], s[72];

	sign_ecdsa(w->signer, EVP_sha384(), w->report, CVM_SNP_REPORT_SIGNED, r, s, 72);
	for (int i = 0; i < 72; i++) {
		w->report[0x2a0 + i] = r[71 - i];
		w->report[0x2e8 + i] = s[71 - i];
	}
}

/* reported, current, committed, launch */
static void set_tcbs(struct snp_world *w, uint64_t tcb)
{
	snp_put64(w, 0x180, tcb);
	snp_put64(w, 0x38, tcb);
	snp_put64(w, 0x1e0, tcb);
	snp_put64(w, 0x1f0, tcb);
}

struct snp_world snp_genuine(void)
{
	struct snp_world w = {
		.ark = { .name = "ARK-Genoa", .key = snp_keys.ark, .ca = true },
		.ask = { .name = "SEV-Genoa", .key = snp_keys.ask, .ca = true },
		.leaf = { .name = "SEV-VCEK", .key = snp_keys.leaf, .extend = add_amd_extensions },
		.amd = { .product = "Genoa", .boot_loader = 10, .tee = 1, .snp = 23,
			 .microcode = 0x84, .hwid_len = 64 },
		.signer = snp_keys.leaf,
		.at = TEST_NOW,
	};
	struct cert_spec *all[] = { &w.ark, &w.ask, &w.leaf };

	for (int i = 0; i < 3; i++) {
		all[i]->issuer_name = all[i ? i - 1 : 0]->name;
		all[i]->issuer_key = all[i ? i - 1 : 0]->key;
		all[i]->pss = true;
		all[i]->md = EVP_sha384();
		all[i]->from = TEST_NOW - TEST_YEAR;
		all[i]->until = TEST_NOW + TEST_YEAR;
	}
	w.crl = (struct crl_spec){ .issuer = w.ark.name, .key = w.ark.key, .md = EVP_sha384(),
				   .pss = true, .from = TEST_NOW - 86400,
				   .until = TEST_NOW + 30 * 86400, .revoked_count = 2,
				   .revoked = { 4711, 4712 } };
	w.ark.serial = 100;
	w.ask.serial = 101;
	/* Begins like a DER INTEGER, which once fooled a parser. */
	for (int i = 0; i < 64; i++)
		w.amd.hwid[i] = (uint8_t)(i + 2);
	memcpy(w.report + 0x1a0, w.amd.hwid, 64);
	put32(w.report, 3);
	put32(w.report + 0x34, 1);
	memset(w.report + 0x50, 0xd5, 64);
	memset(w.report + 0x90, 0x11, 48);
	set_tcbs(&w, 0x841700000000010a);
	snp_put64(&w, 0x08, 0x30000);	/* SMT, and the bit that is always set */
	snp_put64(&w, 0x40, 0x25);	/* SMT, ECC, aliases looked for */
	w.report[0x188] = 0x19;
	w.report[0x189] = 0x11;
	return w;
}

void snp_make_milan(struct snp_world *w)
{
	w->amd.product = "Milan-B0";
	w->ark.name = w->ark.issuer_name = w->ask.issuer_name = w->crl.issuer = "ARK-Milan";
	w->ask.name = w->leaf.issuer_name = "SEV-Milan";
	put32(w->report, 2);
	memset(w->report + 0x188, 0, 3);
}

void snp_make_turin(struct snp_world *w)
{
	w->amd.product = "Turin";
	w->ark.name = w->ark.issuer_name = w->ask.issuer_name = w->crl.issuer = "ARK-Turin";
	w->ask.name = w->leaf.issuer_name = "SEV-Turin";
	w->amd.has_fmc = true;
	w->amd.fmc = 5;
	w->amd.hwid_len = 8;
	memset(w->report + 0x1a8, 0, 56);
	set_tcbs(w, 0x8400000017010a05);
	put32(w->report, 5);
	w->report[0x188] = 0x1a;
	w->report[0x189] = 0x02;
	snp_put64(w, 0x1f8, 3);
	snp_put64(w, 0x200, 3);
}

void snp_make_vlek(struct snp_world *w)
{
	w->leaf.name = "SEV-VLEK";
	w->ask.name = w->leaf.issuer_name = "SEV-VLEK-Genoa";
	w->amd.hwid_len = 0;
	w->amd.csp_id = "CN=cloud.example";
	w->report[0x48] = 1 << 2;
	memset(w->report + 0x1a0, 0, 64);
}

static void give(struct cvm_verifier *v, X509 *cert, bool pem, bool root)
{
	size_t len;
	void *data = pem ? (void *)certs_pem(&cert, 1, &len) : cert_der(cert, &len);
	int ret = root ? cvm_verifier_add_trust_root(v, data, len, NULL) :
			 cvm_verifier_add_certs(v, data, len, NULL);

	if (ret)
		printf("# a certificate cannot be added: %d\n", ret);
	free(data);
}

static void give_chain(struct cvm_verifier *v, struct snp_world *w)
{
	struct cert_spec other = w->ark;
	X509 *certs[] = { w->no_ark ? NULL : make_cert(&w->ark),
			  w->no_ask ? NULL : make_cert(&w->ask),
			  w->no_leaf ? NULL : make_cert(&w->leaf) };
	X509 *root = NULL;

	for (int i = 0; i < 3; i++) {
		X509 *cert = certs[w->reversed ? 2 - i : i];

		if (cert)
			give(v, cert, w->as_pem, false);
		if (cert && w->duplicated)
			give(v, cert, !w->as_pem, false);
	}
	other.key = other.issuer_key = snp_keys.other;
	if (w->other_trust)
		root = make_cert(&other);
	else if (!w->no_trust)
		root = make_cert(&w->ark);
	if (root)
		give(v, root, true, true);
	X509_free(root);
	for (int i = 0; i < 3; i++)
		X509_free(certs[i]);
}

static void give_crl(struct cvm_verifier *v, const struct snp_world *w)
{
	size_t len;
	uint8_t *der = crl_der(&w->crl, &len);

	if (cvm_verifier_add_certs(v, der, len, NULL))
		need(NULL);
	free(der);
}

struct cvm_verifier *snp_verifier(struct snp_world *w)
{
	struct cvm_verifier *v;
	struct cvm_error error;

	w->leaf.arg = &w->amd;
	if (cvm_verifier_new(&v))
		need(NULL);
	give_chain(v, w);
	if (!w->no_crl)
		give_crl(v, w);
	if (w->policy && cvm_verifier_set_policy(v, w->policy, strlen(w->policy), &error)) {
		printf("Bail out! policy: %s\n", error.text);
		exit(1);
	}
	return v;
}

struct cvm_verify_opts snp_opts(const struct snp_world *w)
{
	return (struct cvm_verify_opts){
		.size = sizeof(struct cvm_verify_opts), .at = w->at,
		.report_data = (const uint8_t *)w->report_data,
	};
}

int snp_verify(struct snp_world *w, struct cvm_verdict **verdict)
{
	const struct cvm_verify_opts opts = snp_opts(w);
	struct cvm_verifier *v = snp_verifier(w);
	int ret;

	snp_sign(w);
	if (w->tamper)
		w->tamper(w);
	ret = cvm_verify(v, w->report, sizeof(w->report), &opts, verdict, NULL);
	cvm_verifier_free(v);
	return ret;
}
