// SPDX-License-Identifier: MIT
/*
 * What evidence is bound to: the 64 bytes that were asked for, or what a proof of
 * them leads to. "Batch v1", section 2: nobody who expects one takes the other.
 */
#include <openssl/evp.h>

#include "../common/tpm_nonce.h"
#include "driver/merkle.h"
#include "internal.h"

bool cvm_svsm_report_data(const uint8_t value[64], const void *manifest, size_t len,
			  uint8_t out[64])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done = ctx && EVP_DigestInit_ex(ctx, EVP_sha512(), NULL) == 1 &&
		    EVP_DigestUpdate(ctx, value, 64) == 1 &&
		    EVP_DigestUpdate(ctx, manifest, len) == 1 &&
		    EVP_DigestFinal_ex(ctx, out, NULL) == 1;

	EVP_MD_CTX_free(ctx);
	return done;
}

/* Does the policy accept proofs that speak for whom this one does? */
static int policy_accepts(const struct cvm_policy *policy, const uint8_t *user_data,
			  const void *proof, size_t len, struct cvm_error *error)
{
	const struct cvm_rule *rule = &policy->rule[CVM_RULE_BATCH_SCOPES];
	uint8_t unused[CVM_REPORT_DATA_LEN];

	if (rule->any)
		return 0;
	for (size_t i = 0; i < rule->texts.count; i++)
		if (!cvm_batch_expected(user_data, proof, len, rule->texts.text[i], unused, NULL))
			return 0;
	return cvm_set_error(error, -EPERM, rule->given ?
			     "the policy does not accept for whom the proof speaks" :
			     "the policy does not accept batch evidence");
}

/*
 * What must be committed to if @proof is right and speaks for @scope: whom nobody
 * names is whom the policy accepts, where there is one, or else root.
 * @tpm: out: 48 bytes, or NULL
 */
static int proof_expected(const struct cvm_policy *policy, const uint8_t *user_data,
			  const void *proof, size_t len, const char *scope, uint8_t *value,
			  uint8_t *tpm, struct cvm_error *error)
{
	uint8_t unused[CVM_SCOPE_SIZE];
	int ret = cvm_batch_expected(user_data, proof, len, scope ? scope : policy ? "any" : NULL,
				     value, error);

	return ret || !tpm ? ret : cvm_merkle_expected(user_data, proof, len, value, tpm, unused);
}

static void judge_scope(struct cvm_case *c)
{
	const struct cvm_verify_opts *o = &c->opts;
	const char *path = cvm_rule_infos[CVM_RULE_BATCH_SCOPES].path;
	struct cvm_error error;

	if (policy_accepts(c->v->policy, o->user_data, o->proof, o->proof_len, &error))
		cvm_verdict_add(c->v, path, CVM_BREAK, "%s", error.text);
	else
		cvm_pass(c->v, path, "the policy accepts for whom the proof speaks");
}

static void expect_proof(struct cvm_case *c)
{
	const struct cvm_verify_opts *o = &c->opts;
	struct cvm_error error;

	c->batch = true;
	if (proof_expected(c->v->policy, o->user_data, o->proof, o->proof_len, o->scope, c->value,
			   c->tpm_value, &error)) {
		cvm_fail(c->v, "proof", "%s", error.text);
		return;
	}
	c->tpm_value_len = CVM_TPM48_SIZE;
	c->bound = true;
	cvm_pass(c->v, "proof", "of batch evidence%s",
		 c->v->policy && !o->scope ? "" : "; it speaks for whom it should");
	if (c->v->policy)
		judge_scope(c);
}

static void expect_direct(struct cvm_case *c)
{
	memcpy(c->value, c->opts.report_data, CVM_REPORT_DATA_LEN);
	c->tpm_value_len = cvm_tpm_nonce(c->value, c->tpm_value);
	c->bound = true;
}

void cvm_case_expect(struct cvm_case *c)
{
	if (c->opts.user_data)
		expect_proof(c);
	else if (c->opts.report_data)
		expect_direct(c);
}

/* Whoever asked directly does not take batch evidence, whatever it was told to expect. */
static bool is_batch(struct cvm_case *c, const uint8_t *carried)
{
	if (!cvm_user_data_reserved(carried))
		return false;
	cvm_fail(c->v, "report_data",
		 "this is batch evidence: what was asked for, and a proof of it, are needed");
	return true;
}

void cvm_check_expected(struct cvm_case *c)
{
	if (!c->bound || c->batch || !is_batch(c, c->value))
		cvm_skip(c->v, "report_data", "the quote of the vTPM is what is bound");
}

static void check_direct(struct cvm_case *c, const uint8_t *carried, const uint8_t *wanted)
{
	if (is_batch(c, carried) || is_batch(c, c->value))
		return;
	if (memcmp(carried, wanted, CVM_REPORT_DATA_LEN))
		cvm_fail(c->v, "report_data", "REPORT_DATA is another than the expected one");
	else
		cvm_pass(c->v, "report_data", "REPORT_DATA is the expected one");
}

static void check_nothing(struct cvm_case *c, const uint8_t *carried)
{
	if (c->v->batch && (cvm_user_data_reserved(carried) || c->opts.binding == CVM_BINDING_SVSM))
		cvm_skip(c->v, "report_data", "batch evidence, whose proofs are to be checked");
	else if (c->v->batch)
		cvm_fail(c->v, "report_data", "this is no batch evidence");
	else if (c->batch)
		cvm_skip(c->v, "report_data", "the proof does not hold");
	else
		cvm_miss(c->v, "report_data",
			 "no REPORT_DATA to expect was given: nothing says that this is fresh");
}

void cvm_check_report_data(struct cvm_case *c, const uint8_t carried[CVM_REPORT_DATA_LEN])
{
	uint8_t hash[64];
	const uint8_t *wanted = c->value;

	memcpy(c->v->facts.report_data, carried, CVM_REPORT_DATA_LEN);
	if (!c->bound) {
		check_nothing(c, carried);
		return;
	}
	if (c->opts.binding == CVM_BINDING_SVSM) {
		if (!cvm_svsm_report_data(c->value, c->opts.manifest, c->opts.manifest_len, hash)) {
			cvm_fail(c->v, "report_data", "SHA-512 failed");
			return;
		}
		wanted = hash;
	}
	if (!c->batch)
		check_direct(c, carried, wanted);
	else if (memcmp(carried, wanted, CVM_REPORT_DATA_LEN))
		cvm_fail(c->v, "report_data", "the proof is of other evidence");
	else
		cvm_pass(c->v, "report_data", "REPORT_DATA is what the proof leads to");
}

/* What the vTPM's quote was bound to, and the claims, are both compared. */
static bool commits(const struct cvm_verdict *v, const uint8_t *value, const uint8_t *tpm)
{
	uint8_t hash[64];

	switch (v->binding) {
	case CVM_BINDING_REPORT:
		return !memcmp(v->facts.report_data, value, CVM_REPORT_DATA_LEN);
	case CVM_BINDING_SVSM:
		return cvm_svsm_report_data(value, v->manifest, v->manifest_len, hash) &&
		       !memcmp(v->facts.report_data, hash, sizeof(hash));
	case CVM_BINDING_AZURE:
		return !memcmp(v->facts.report_data, value, CVM_REPORT_DATA_LEN) &&
		       v->tpm_data_len == CVM_TPM48_SIZE &&
		       !memcmp(v->tpm_data, tpm, CVM_TPM48_SIZE);
	default:
		return v->tpm_data_len == CVM_TPM48_SIZE &&
		       !memcmp(v->tpm_data, tpm, CVM_TPM48_SIZE);
	}
}

int cvm_verdict_proof(const struct cvm_verdict *verdict, const uint8_t *user_data,
		      const void *proof, size_t len, const char *scope, struct cvm_error *error)
{
	bool azure = verdict->binding >= CVM_BINDING_AZURE;
	uint8_t value[CVM_REPORT_DATA_LEN], tpm[CVM_TPM48_SIZE];
	int ret;

	if (!verdict->batch)
		return cvm_set_error(error, -EINVAL, "the evidence was not verified as a batch's");
	/* Anybody can write evidence that commits to a tree of his own. */
	if (!(verdict->policy ? cvm_verdict_verified(verdict) : cvm_verdict_authentic(verdict)))
		return cvm_set_error(error, -EACCES, "the evidence that it is of is not %s",
				     verdict->policy ? "verified" : "authentic");
	ret = proof_expected(verdict->policy, user_data, proof, len, scope, value,
			     azure ? tpm : NULL, error);
	if (!ret && verdict->policy)
		ret = policy_accepts(verdict->policy, user_data, proof, len, error);
	if (ret)
		return ret;
	return commits(verdict, value, tpm) ? 0 :
	       cvm_set_error(error, -EKEYREJECTED, "the proof is of other evidence");
}
