// SPDX-License-Identifier: GPL-2.0
/*
 * Real parts of evidence that do not stand alone, from $CVM_VECTORS: a quote of a vTPM
 * and its key, a quote that is by no key there, claims without a report.
 */
#include <openssl/pem.h>
#include <unistd.h>

#include "make_certs.h"
#include "tap.h"
#include "userspace/formats/hcl.h"
#include "userspace/verify/hcl_claims.h"
#include "userspace/verify/internal.h"

struct file {
	uint8_t data[8192];
	size_t len;
};

static const char *dir;

static FILE *open_file(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/azure/%s", dir, name);
	return need(fopen(path, "r"));
}

static struct file read_file(const char *name)
{
	struct file f;
	FILE *in = open_file(name);

	f.len = fread(f.data, 1, sizeof(f.data), in);
	fclose(in);
	return f;
}

/* Lengths of 8 bytes stand before signature, message and the number of PCRs. */
static struct cvm_tpm_quote quote_of(const struct file *f)
{
	struct cvm_tpm_quote q = { .size = sizeof(q) };
	const uint8_t *p = f->data;

	q.signature_len = cvm_le64(p);
	q.signature = p + 8;
	p += 8 + q.signature_len;
	q.message_len = cvm_le64(p);
	q.message = p + 8;
	p += 8 + q.message_len;
	q.pcr_count = cvm_le64(p);
	q.pcrs = p + 8;
	need(p + 8 + 32 * q.pcr_count == f->data + f->len ? (void *)"" : NULL);
	return q;
}

/* The checks that failed, with commas */
static void failed(EVP_PKEY *key, const struct cvm_tpm_quote *q, const char *nonce, char names[128])
{
	struct cvm_verdict *v = need(cvm_verdict_new());
	size_t used = 0;
	bool held = cvm_tpm_check(v, key, q, (const uint8_t *)nonce, strlen(nonce), false);

	names[0] = '\0';
	for (size_t i = 0; i < cvm_verdict_count(v); i++)
		if (cvm_verdict_check(v, i)->state == CVM_CHECK_FAILED)
			used += (size_t)snprintf(names + used, 128 - used, "%s%s", used ? "," : "",
						 cvm_verdict_check(v, i)->name);
	if (held != !*names)
		snprintf(names, 128, "held: %d", held);
	cvm_verdict_free(v);
}

static void expect(EVP_PKEY *key, const struct cvm_tpm_quote *q, const char *nonce,
		   const char *wanted, const char *what)
{
	char names[128];

	failed(key, q, nonce, names);
	if (!check(!strcmp(names, wanted), "%s: %s%s", what, *wanted ? "refused by " : "it holds",
		   wanted))
		printf("# %s\n", names);
}

static EVP_PKEY *read_key(const char *name)
{
	FILE *in = open_file(name);
	EVP_PKEY *key = need(PEM_read_PUBKEY(in, NULL, NULL, NULL));

	fclose(in);
	return key;
}

/* The key in the claims of an HCL report */
static EVP_PKEY *claimed_key(const char *name)
{
	struct file f = read_file(name);
	struct cvm_hcl_claims claims;
	struct cvm_format_error err;
	struct cvm_hcl_report hcl;

	if (cvm_hcl_parse(f.data, f.len, &hcl, &err) ||
	    cvm_hcl_claims_parse(hcl.claims, &claims, NULL))
		need(NULL);
	return claims.ak;
}

static void test_quotes(void)
{
	struct file f = read_file("old.tpm-quote.bin");
	struct cvm_tpm_quote q = quote_of(&f);
	EVP_PKEY *key = read_key("old.akpub.pem"), *other = claimed_key("old-snp.hcl-report.bin");

	expect(key, &q, "challenge", "", "old.tpm-quote and its key");
	expect(key, &q, "chance", "tpm_nonce", "old.tpm-quote, another nonce");
	expect(other, &q, "challenge", "tpm_quote", "old.tpm-quote by the key of old-snp");
	f.data[f.len - 1] ^= 1;
	expect(key, &q, "challenge", "tpm_pcrs", "old.tpm-quote, another PCR");
	EVP_PKEY_free(key);
	EVP_PKEY_free(other);
}

static void test_nobodys(void)
{
	static const char *const names[] = {
		"old-snp.hcl-report.bin", "snp-hcl-report.bin", "snp-evidence-v2.hcl-report.bin",
		"tdx-hcl-report.bin", "tdx-openhcl.hcl-report.bin",
	};
	struct file message = read_file("snp-tpm-quote.msg"), pcrs = read_file("snp-quote.bin");
	struct file signature = read_file("snp-tpm-quote.sig");
	struct cvm_tpm_quote q = quote_of(&pcrs);

	q.message = message.data;
	q.message_len = message.len;
	q.signature = signature.data;
	q.signature_len = signature.len;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		EVP_PKEY *key = claimed_key(names[i]);

		expect(key, &q, "challenge", "tpm_quote", names[i]);
		EVP_PKEY_free(key);
	}
}

static void test_claims(void)
{
	struct file f = read_file("var-data.bin");
	struct cvm_hcl_claims claims;
	int ret = cvm_hcl_claims_parse((struct cvm_span){ f.data, f.len }, &claims, NULL);

	check(!ret && claims.ak && claims.has_user_data && EVP_PKEY_get_bits(claims.ak) == 2048,
	      "var-data: claims with a key of 2048 bits and user-data");
	EVP_PKEY_free(claims.ak);
}

/* The real roots, by the hash of their key: of Turin there is no evidence here. */
static void test_roots(void)
{
	static const struct {
		const char *name;
		enum cvm_snp_product product;
	} files[] = {
		{ "milan", CVM_SNP_MILAN }, { "milan_vlek", CVM_SNP_MILAN },
		{ "genoa", CVM_SNP_GENOA }, { "genoa_vlek", CVM_SNP_GENOA },
		{ "turin_vcek", CVM_SNP_TURIN }, { "turin_vlek", CVM_SNP_TURIN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		struct cvm_certs certs = { 0 };
		const struct cvm_root *ask, *ark;
		char path[64];
		struct file f;

		snprintf(path, sizeof(path), "../roots/amd/ask_ark_%s.pem", files[i].name);
		f = read_file(path);
		if (cvm_certs_load(&certs, f.data, f.len, NULL) || certs.count != 2)
			need(NULL);
		ask = cvm_root_find(CVM_VENDOR_AMD, certs.cert[0].x509);
		ark = cvm_root_find(CVM_VENDOR_AMD, certs.cert[1].x509);
		check(!ask && ark && ark->product == files[i].product &&
		      !cvm_root_find(CVM_VENDOR_INTEL, certs.cert[1].x509) &&
		      cvm_amd_name_is_of(certs.cert[0].x509, files[i].product) &&
		      cvm_amd_name_is_of(certs.cert[1].x509, files[i].product),
		      "ask_ark_%s: the ARK is pinned, and of its product", files[i].name);
		cvm_certs_free(&certs);
	}
}

int main(void)
{
	char path[4096];

	dir = getenv("CVM_VECTORS");
	dir = dir ? dir : "../shared/vectors";
	snprintf(path, sizeof(path), "%s/azure/var-data.bin", dir);
	if (access(path, R_OK)) {
		printf("1..0 # SKIP no real evidence at %s (CVM_VECTORS)\n", dir);
		return 0;
	}
	test_quotes();
	test_nobodys();
	test_claims();
	test_roots();
	return tap_end();
}
