// SPDX-License-Identifier: MIT
/*
 * TDX quotes: Intel SGX Root CA, PCK CA, PCK; the PCK signs the quoting
 * enclave's report, the report carries a hash of the attestation key, and that
 * key signs the quote ("Intel TDX DCAP Quoting Library API", appendix A).
 */
#include <openssl/objects.h>
#include <openssl/sha.h>

#include "../formats/quote.h"
#include "internal.h"

/* "Intel SGX PCK Certificate and CRL Profile Specification" */
#define OID_SGX_EXTENSIONS	"1.2.840.113741.1.13.1"

static const struct cvm_chain_rules rules = {
	.vendor = CVM_VENDOR_INTEL,
	.signature_nid = NID_X9_62_id_ecPublicKey,
	.digest_nid = NID_sha256,
	.ca_key = "prime256v1",
	.leaf_key = "prime256v1",
	.algorithms = "has other algorithms than Intel's: ECDSA P-256 with SHA-256",
};

struct tdx {
	const struct cvm_verifier *verifier;
	struct cvm_verdict *v;
	struct cvm_quote quote;
	struct cvm_chain chain;
	const struct cvm_root *root;
};

static void cleanup_pkey(EVP_PKEY **key)
{
	EVP_PKEY_free(*key);
}

static bool signed_by(EVP_PKEY *key, struct cvm_span signature,
		      struct cvm_span data)
{
	return cvm_key_is_ec(key, "prime256v1") &&
	       cvm_ecdsa_verify_be(key, EVP_sha256(), signature.data,
				   signature.data + 32, 32, data);
}

/* The certificates of the quote, or what the caller gave in their place */
static bool collect(struct tdx *t, struct cvm_cert_set *own,
		    const struct cvm_cert_set **certs)
{
	const struct cvm_cert_data *data = &t->quote.qe.cert;
	struct cvm_error error;

	*certs = &t->verifier->certs;
	if ((*certs)->count)
		return true;
	*certs = own;
	if (data->type != CVM_CERT_DATA_PCK_CHAIN)
		return cvm_fail(t->v, "chain",
				"the quote carries no PCK certificate chain but certification data of type %u (%s): give the chain",
				data->type, cvm_cert_data_name(data->type));
	if (cvm_cert_set_load(own, data->data.data, data->data.len, &error))
		return cvm_fail(t->v, "chain",
				"PCK certificate chain at offset 0x%zx of the quote: %s",
				data->offset, error.text);
	return true;
}

static bool is_pck(X509 *cert)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_SGX_EXTENSIONS, 1);
	bool found = oid && X509_get_ext_by_OBJ(cert, oid, -1) >= 0;

	ASN1_OBJECT_free(oid);
	return found;
}

/* The first PCK certificate; a platform has one. */
static bool find_chain(struct tdx *t, const struct cvm_cert_set *certs)
{
	const struct cvm_cert_set *sets[] = { certs,
					      &t->verifier->trust_roots };

	for (size_t i = 0; i < certs->count && !t->chain.leaf; i++)
		if (is_pck(certs->cert[i]))
			t->chain.leaf = certs->cert[i];
	if (!t->chain.leaf)
		return cvm_fail(t->v, "chain",
				"no PCK certificate (one with Intel's SGX extensions)");
	t->chain.ca = cvm_find_issuer(t->chain.leaf, sets, ARRAY_SIZE(sets));
	if (!t->chain.ca)
		return cvm_fail(t->v, "chain",
				"no certificate of the CA that issued the PCK certificate");
	t->chain.root = cvm_find_issuer(t->chain.ca, sets, ARRAY_SIZE(sets));
	if (!t->chain.root)
		return cvm_fail(t->v, "chain",
				"no certificate of the root that issued the PCK CA's");
	return true;
}

static bool check_qe_signature(struct tdx *t)
{
	const struct cvm_qe_cert *qe = &t->quote.qe;

	if (!signed_by(X509_get0_pubkey(t->chain.leaf), qe->signature,
		       qe->report))
		return cvm_fail(t->v, "qe_signature",
				"the QE report's signature is not by the PCK");
	return cvm_pass(t->v, "qe_signature", "the QE report is signed by the PCK");
}

static bool hash_binding(const struct cvm_quote *q, uint8_t hash[64])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, q->attestation_key.data,
				   q->attestation_key.len) == 1 &&
		  EVP_DigestUpdate(ctx, q->qe.auth_data.data,
				   q->qe.auth_data.len) == 1 &&
		  EVP_DigestFinal_ex(ctx, hash, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return ok;
}

/* REPORTDATA of the QE report: SHA-256(key || authentication data), 32 zeros */
static bool check_qe_binding(struct tdx *t)
{
	const uint8_t *reportdata = t->quote.qe.qe.reportdata;
	uint8_t expected[64] = { 0 };

	if (!hash_binding(&t->quote, expected) ||
	    memcmp(expected, reportdata, sizeof(expected)))
		return cvm_fail(t->v, "qe_binding",
				"the QE report is not about this attestation key and authentication data");
	return cvm_pass(t->v, "qe_binding",
			"the QE report is about this attestation key");
}

static bool check_signature(struct tdx *t)
{
	EVP_PKEY *key __cleanup(cleanup_pkey) =
		cvm_p256_key(t->quote.attestation_key.data);

	if (!key)
		return cvm_fail(t->v, "signature",
				"the attestation key is not a point of P-256");
	if (!signed_by(key, t->quote.signature, t->quote.signed_part))
		return cvm_fail(t->v, "signature",
				"the quote's signature is not by the attestation key");
	return cvm_pass(t->v, "signature", "ECDSA P-256 with SHA-256");
}

static bool check_chain(struct tdx *t, struct cvm_cert_set *own)
{
	const struct cvm_cert_set *certs;

	if (!collect(t, own, &certs) || !find_chain(t, certs))
		return cvm_unchecked(t->v, "qe_signature", "there is no chain");
	/* Both are always made: a verdict names everything that is wrong. */
	return cvm_chain_check(t->verifier, &t->chain, &rules, &t->root, t->v) &
	       check_qe_signature(t);
}

static void check_quote(struct tdx *t)
{
	struct cvm_cert_set own = { 0 };
	bool chain, binding, signature;

	if (!t->quote.has_qe) {
		cvm_fail(t->v, "chain",
			 "certification data of type %u (%s), expected 6 (%s)",
			 t->quote.cert.type,
			 cvm_cert_data_name(t->quote.cert.type),
			 cvm_cert_data_name(CVM_CERT_DATA_QE_REPORT));
		return;
	}
	chain = check_chain(t, &own);
	binding = check_qe_binding(t);
	signature = check_signature(t);
	t->v->signed_by_root = chain && binding && signature;
	cvm_cert_set_free(&own);
}

int cvm_verify_tdx(const struct cvm_verifier *verifier, const void *data,
		   size_t len, struct cvm_verdict *v)
{
	struct tdx t = { .verifier = verifier, .v = v };
	struct cvm_format_error err;
	int ret = cvm_quote_parse(data, len, &t.quote, &err);

	if (ret) {
		cvm_fail_format(v, &err);
		return -EBADMSG;
	}
	if (t.quote.body_type == CVM_QUOTE_BODY_SGX) {
		cvm_fail(v, "format", "the quote is about an SGX enclave, expected one about a TD");
		return -EBADMSG;
	}
	cvm_pass(v, "format", "TDX quote, version %u, body of TDX %s",
		 t.quote.version,
		 t.quote.body_type == CVM_QUOTE_BODY_TD15 ? "1.5" : "1.0");
	check_quote(&t);
	cvm_check_report_data(verifier, t.quote.body.reportdata, v);
	cvm_unchecked_without_policy(v);
	return 0;
}
