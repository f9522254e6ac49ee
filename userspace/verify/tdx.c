// SPDX-License-Identifier: MIT
/*
 * TDX quotes: Intel SGX Root CA, PCK CA, PCK; the PCK signs the quoting
 * enclave's report, the report carries a hash of the attestation key, and that
 * key signs the quote ("Intel TDX DCAP Quoting Library API", appendix A).
 */
#include <stdlib.h>

#include "internal.h"

/* Intel's; the only quoting enclave whose identity there is collateral of */
static const uint8_t intel_vendor_id[16] = {
	0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
	0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
};

struct tdx {
	struct cvm_case *c;
	struct cvm_verdict *v;
	const struct cvm_quote *quote;
	struct cvm_bundle *bundle;
};

static bool signed_by(EVP_PKEY *key, struct cvm_span signature, struct cvm_span data)
{
	return cvm_key_is_ec(key, "prime256v1") &&
	       cvm_ecdsa_verify_be(key, EVP_sha256(), signature.data, signature.data + 32, 32,
				   data);
}

/* REPORTDATA of the QE report: SHA-256(key || authentication data), 32 zeros */
static bool is_bound(const struct cvm_quote *q)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t expected[64] = { 0 };
	bool ok = ctx && EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 &&
		  EVP_DigestUpdate(ctx, q->attestation_key.data, q->attestation_key.len) == 1 &&
		  EVP_DigestUpdate(ctx, q->qe.auth_data.data, q->qe.auth_data.len) == 1 &&
		  EVP_DigestFinal_ex(ctx, expected, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return ok && !memcmp(expected, q->qe.qe.reportdata, sizeof(expected));
}

static bool has_pck(const struct cvm_certs *certs)
{
	for (size_t i = 0; i < certs->count; i++)
		if (certs->cert[i].leaf == CVM_LEAF_PCK)
			return true;
	return false;
}

/* The PCK certificate that signed the QE report; else the first, which did not */
static void find_pck(struct cvm_bundle *b, const struct cvm_certs *certs, const struct cvm_quote *q)
{
	for (size_t i = 0; i < certs->count && !b->qe_signed; i++) {
		const struct cvm_cert *cert = &certs->cert[i];

		if (cert->leaf != CVM_LEAF_PCK)
			continue;
		b->qe_signed = signed_by(X509_get0_pubkey(cert->x509), q->qe.signature,
					 q->qe.report);
		if (b->qe_signed || !b->pck)
			b->pck = cert;
	}
}

/* Each is the issuer of the one before it, by name; links are looked at later. */
static bool is_chain_in_order(const struct cvm_certs *certs)
{
	if (certs->crl_count || !certs->count || certs->count > 3 ||
	    certs->cert[0].leaf != CVM_LEAF_PCK)
		return false;
	for (size_t i = 1; i < certs->count; i++)
		if (X509_NAME_cmp(X509_get_issuer_name(certs->cert[i - 1].x509),
				  X509_get_subject_name(certs->cert[i].x509)))
			return false;
	return true;
}

static bool is_blank(const char *from, const char *to)
{
	for (; from < to; from++)
		if (*from && !strchr(" \t\r\n", *from))
			return false;
	return true;
}

/* Behind the line that ends the block which begins the text; NULL: none does */
static const char *skip_block(const char *text, const char *end)
{
	static const char begins[] = "-----BEGIN ", ends[] = "\n-----END ";
	const char *line;

	if ((size_t)(end - text) < sizeof(begins) || memcmp(text, begins, sizeof(begins) - 1))
		return NULL;
	line = memmem(text, (size_t)(end - text), ends, sizeof(ends) - 1);
	if (!line)
		return NULL;
	text = memchr(line + 1, '\n', (size_t)(end - line - 1));
	return text ? text : end;
}

/*
 * Nobody signed what is around the blocks, and PEM passes over it; so it does over
 * blocks that do not begin a line.
 */
static bool has_only_blocks(struct cvm_span chain)
{
	const char *text = (const char *)chain.data, *end = text + chain.len;

	while (text) {
		const char *block = memchr(text, '-', (size_t)(end - text));

		if (!block)
			return is_blank(text, end);
		if (!is_blank(text, block) ||
		    (block > (const char *)chain.data && block[-1] != '\n'))
			return false;
		text = skip_block(block, end);
	}
	return false;
}

/*
 * The chain as Intel's library writes it: PCK, CA, root, of which the last may be
 * missing, and nothing around them but white space and a zero byte.
 */
static int load_chain(struct cvm_certs *certs, struct cvm_span data, struct cvm_error *error)
{
	int ret;

	if (data.len > CVM_BUNDLE_BYTES)
		return cvm_set_error(error, -EBADMSG, "more than %u bytes", CVM_BUNDLE_BYTES);
	if (!has_only_blocks(data))
		return cvm_set_error(error, -EBADMSG,
				     "expected certificates in PEM and nothing around them");
	certs->unique = true;
	ret = cvm_certs_load(certs, data.data, data.len, error);
	if (ret || is_chain_in_order(certs))
		return ret;
	cvm_certs_truncate(certs, 0, 0);
	return cvm_set_error(error, -EBADMSG,
			     "expected the PCK certificate, its CA's, the root's, and nothing else");
}

/* The certificates of the quote, for which none was given in their place */
static int load_own(struct tdx *t, struct cvm_bundle *b)
{
	const struct cvm_cert_data *data = &t->quote->qe.cert;
	struct cvm_sources from = cvm_sources_of(t->c->verifier, &b->certs, t->c->given ?
						 &t->c->given->certs : NULL);
	struct cvm_error why;

	if (data->type != CVM_CERT_DATA_PCK_CHAIN) {
		snprintf(b->error, sizeof(b->error),
			 "the quote carries no PCK certificate chain but certification data of type %u (%s): give the chain",
			 data->type, cvm_cert_data_name(data->type));
		return 0;
	}
	if (load_chain(&b->certs, data->data, &why)) {
		snprintf(b->error, sizeof(b->error),
			 "PCK certificate chain at offset 0x%zx of the quote: %.150s",
			 data->offset, why.text);
		return 0;
	}
	return cvm_certs_make_chains(&b->certs, &from);
}

/* Where a PCK certificate is: what came with the evidence, else the verifier's, else the quote's */
static const struct cvm_certs *certs_of(const struct tdx *t, const struct cvm_bundle *own)
{
	if (t->c->given && has_pck(&t->c->given->certs))
		return &t->c->given->certs;
	return has_pck(&t->c->verifier->certs) ? &t->c->verifier->certs : &own->certs;
}

static int fill_bundle(struct tdx *t, struct cvm_bundle *b)
{
	const struct cvm_certs *certs = certs_of(t, b);
	const struct cvm_quote *q = t->quote;
	int ret = certs == &b->certs ? load_own(t, b) : 0;
	EVP_PKEY *key;

	if (ret)
		return ret;
	find_pck(b, certs, q);
	key = cvm_p256_key(q->attestation_key.data);
	b->attestation = key ? cvm_ecdsa_ready(key, EVP_sha256()) : NULL;
	EVP_PKEY_free(key);
	b->qe_bound = is_bound(q);
	return 0;
}

static bool is_worth_keeping(const struct cvm_bundle *b)
{
	return b->attestation && b->qe_bound && b->qe_signed && b->pck->chain->holds &&
	       b->pck->chain->trusted;
}

/*
 * All that stays the same from quote to quote of a platform, looked at once. The
 * PCK certificate may be one of @given's, whose bytes are a part of the key then
 * and of which a copy would have to be kept: those are looked at each time.
 */
static int get_bundle(struct tdx *t)
{
	struct cvm_cache *cache = t->c->verifier->cache;
	const struct cvm_span none = { NULL, 0 };
	bool cached = !t->c->given;
	int ret;

	if (cached)
		t->bundle = cvm_cache_find(cache, t->quote->certified, none);
	if (t->bundle)
		return 0;
	t->bundle = cvm_bundle_new();
	if (!t->bundle)
		return -ENOMEM;
	ret = fill_bundle(t, t->bundle);
	if (!ret && cached && is_worth_keeping(t->bundle))
		cvm_cache_keep(cache, t->bundle, t->quote->certified, none);
	return ret;
}

static bool check_chain(struct tdx *t)
{
	const struct cvm_bundle *b = t->bundle;

	/* or who gave the chain would be told to give it */
	if (*t->c->given_fault && !b->pck)
		return cvm_fail(t->v, "chain", "%s", t->c->given_fault);
	if (*b->error)
		return cvm_fail(t->v, "chain", "%s", b->error);
	if (!b->pck)
		return cvm_fail(t->v, "chain",
				"no PCK certificate (one with Intel's SGX extensions)");
	return cvm_chain_check(b->pck->chain, t->c->given_fault, t->c->opts.at, t->v);
}

static bool check_pck(struct tdx *t)
{
	const struct cvm_cert *pck = t->bundle->pck;
	char name[CVM_NAME_SIZE];

	if (!pck)
		return false;
	cvm_cert_name(pck->x509, name, sizeof(name));
	if (!strstr(name, CVM_PCK_NAME))
		return cvm_fail(t->v, "pck", "'%s' is no PCK certificate's name", name);
	if (pck->fault)
		return cvm_fail(t->v, "pck", "the certificate's extensions: %s", pck->fault);
	memcpy(t->v->facts.fmspc, pck->pck.fmspc, sizeof(t->v->facts.fmspc));
	return cvm_pass(t->v, "pck", "FMSPC %02x%02x%02x%02x%02x%02x, PCE id %02x%02x",
			pck->pck.fmspc[0], pck->pck.fmspc[1], pck->pck.fmspc[2],
			pck->pck.fmspc[3], pck->pck.fmspc[4], pck->pck.fmspc[5],
			pck->pck.pceid[0], pck->pck.pceid[1]);
}

static bool check_qe(struct tdx *t)
{
	const struct cvm_bundle *b = t->bundle;
	bool vendor = !memcmp(t->quote->qe_vendor_id, intel_vendor_id, sizeof(intel_vendor_id));

	cvm_verdict_add(t->v, "qe_vendor", vendor ? CVM_PASS : CVM_FAIL, vendor ?
			"Intel's" : "QE Vendor ID is not Intel's");
	if (!b->pck)
		cvm_skip(t->v, "qe_signature", "there is no chain");
	else
		cvm_verdict_add(t->v, "qe_signature", b->qe_signed ? CVM_PASS : CVM_FAIL,
				b->qe_signed ? "the QE report is signed by the PCK" :
				"the QE report's signature is not by the PCK");
	cvm_verdict_add(t->v, "qe_binding", b->qe_bound ? CVM_PASS : CVM_FAIL, b->qe_bound ?
			"the QE report is about this attestation key" :
			"the QE report is not about this attestation key and authentication data");
	return vendor && b->qe_signed && b->qe_bound;
}

static bool check_signature(struct tdx *t)
{
	const uint8_t *signature = t->quote->signature.data;

	if (!t->bundle->attestation)
		return cvm_fail(t->v, "signature", "the attestation key is not a point of P-256");
	if (!cvm_ecdsa_verify_be_ready(t->bundle->attestation, signature, signature + 32, 32,
				       t->quote->signed_part))
		return cvm_fail(t->v, "signature",
				"the quote's signature is not by the attestation key");
	return cvm_pass(t->v, "signature", "ECDSA P-256 with SHA-256");
}

/* The worst of what the lists say of CA and PCK; of each the reason, if it is not good */
static void check_revocation(struct tdx *t)
{
	const struct cvm_chain *chain = t->bundle->pck ? t->bundle->pck->chain : NULL;
	char name[CVM_NAME_SIZE], reason[CVM_REASON_SIZE] = "";
	enum cvm_outcome outcome;

	if (!chain || !chain->root) {
		cvm_miss(t->v, "revocation", "there is no chain");
		return;
	}
	outcome = cvm_revocation_check(&chain->leaf_lists,
				       cvm_cert_name(chain->leaf, name, sizeof(name)),
				       t->c->opts.at, &t->v->facts.issued, reason, sizeof(reason));
	if (outcome == CVM_PASS || (outcome == CVM_MISS && chain->ca_lists.revoked))
		outcome = cvm_revocation_check(&chain->ca_lists,
					       cvm_cert_name(chain->ca, name, sizeof(name)),
					       t->c->opts.at, &t->v->facts.root_crl_issued,
					       reason, sizeof(reason));
	cvm_verdict_add(t->v, "revocation", outcome, "%s", outcome != CVM_PASS ? reason :
			"neither the PCK certificate nor its CA is revoked");
}

static void check_quote(struct tdx *t)
{
	bool chain = check_chain(t), pck = check_pck(t), qe = check_qe(t);
	bool signature = check_signature(t);

	check_revocation(t);
	t->v->signed_by_root = chain && pck && qe && signature;
}

static void judge(struct tdx *t, bool has_tcb)
{
	if (!t->v->policy)
		return;
	if (!cvm_policy_speaks_of(t->v->policy, "tdx.")) {
		cvm_miss(t->v, "tdx", "the policy says nothing of TDX quotes");
		return;
	}
	cvm_judge_tdx(t->v, has_tcb);
	cvm_judge_age(t->v, t->c->opts.at);
}

/*
 * Buffers on the way are longer than quotes, and real quotes come with what was
 * left in them, zeros or not. Nobody signed it, and nothing here looks at it; but
 * that it is there is said, and that it is more than any buffer leaves is refused.
 */
static void check_trailing(struct tdx *t)
{
	size_t len = t->quote->trailing.len;

	if (!len)
		cvm_pass(t->v, "trailing", "nothing is behind the quote");
	else if (len <= CVM_QUOTE_TRAILING_MAX)
		cvm_skip(t->v, "trailing", "%zu bytes that nobody signed, ignored", len);
	else
		cvm_fail(t->v, "trailing", "%zu bytes that nobody signed, expected at most %u", len,
			 CVM_QUOTE_TRAILING_MAX);
}

static int check_parsed(struct tdx *t)
{
	const struct cvm_quote *q = t->quote;
	bool has_tcb = false;
	int ret;

	if (q->body_type == CVM_QUOTE_BODY_SGX) {
		cvm_fail(t->v, "format", "the quote is about an SGX enclave, expected one about a TD");
		return -EBADMSG;
	}
	cvm_pass(t->v, "format", "TDX quote, version %u, body of TDX %s", q->version,
		 q->body_type == CVM_QUOTE_BODY_TD15 ? "1.5" : "1.0");
	check_trailing(t);
	t->v->facts.kind = CVM_FACT_TDX;
	t->v->facts.body = q->body;
	t->v->facts.shows_service_tds = q->body_type == CVM_QUOTE_BODY_TD15;
	if (!q->has_qe) {
		cvm_fail(t->v, "chain", "certification data of type %u (%s), expected 6 (%s)",
			 q->cert.type, cvm_cert_data_name(q->cert.type),
			 cvm_cert_data_name(CVM_CERT_DATA_QE_REPORT));
		cvm_miss(t->v, "revocation", "there is no chain");
		return 0;
	}
	ret = get_bundle(t);
	if (ret)
		return ret;
	check_quote(t);
	if (t->bundle->pck && !t->bundle->pck->fault)
		has_tcb = cvm_check_tdx_tcb(t->c, q, &t->bundle->pck->pck);
	judge(t, has_tcb);
	return 0;
}

int cvm_check_tdx(struct cvm_case *c, struct cvm_span quote)
{
	struct tdx t = { .c = c, .v = c->v };
	struct cvm_format_error err;
	struct cvm_quote q;
	int ret;

	if (cvm_quote_parse(quote.data, quote.len, &q, &err))
		return cvm_fail_format(c->v, &err);
	t.quote = &q;
	ret = check_parsed(&t);
	cvm_bundle_put(t.bundle);
	return ret;
}
