// SPDX-License-Identifier: GPL-2.0
/*
 * Evidence through an SVSM, direct and of a batch; and many proofs of evidence that
 * was verified once.
 */
#include <errno.h>

#include <openssl/sha.h>

#include "mutate_batch.h"

#define SIZE	7	/* leaves */

static const uint8_t manifest[] = "services of an SVSM";

static struct batch batch, other;

/* ---- through an SVSM: REPORT_DATA is a hash */

#define SVSM	"{\"binding\": \"svsm\", \"batch\": {\"scopes\": \"any\"}}"

static void svsm_hash(const uint8_t value[64], uint8_t hash[64])
{
	uint8_t both[64 + sizeof(manifest)];

	memcpy(both, value, 64);
	memcpy(both + 64, manifest, sizeof(manifest));
	SHA512(both, sizeof(both), hash);
}

static struct cvm_verify_opts svsm_opts(void)
{
	struct cvm_verify_opts opts = opts_of(&batch, 1);

	opts.manifest = manifest;
	opts.manifest_len = sizeof(manifest);
	return opts;
}

static int errors_of(const struct subject *s, const struct cvm_verify_opts *opts)
{
	struct cvm_verdict *verdict = NULL;
	int ret = cvm_verify(s->v, s->evidence, s->len, opts, &verdict, NULL);

	cvm_verdict_free(verdict);
	return ret;
}

static void test_svsm_batch(void)
{
	struct cvm_verify_opts opts = svsm_opts();
	struct subject s;
	uint8_t hash[64];

	svsm_hash(batch.r64, hash);
	s = snp_about(&snp_kinds[0], hash, SVSM);
	refuse(&s, &opts, NULL, "a batch through an SVSM");
	opts.binding = CVM_BINDING_SVSM;
	refuse(&s, &opts, NULL, "a batch through an SVSM, which is asked for too");
	opts.manifest_len--;
	refuse(&s, &opts, "=report_data", "a batch through an SVSM, another manifest");
	opts.manifest_len = 0;
	refuse(&s, &opts, "=report_data", "a batch through an SVSM, an empty manifest");
	opts.manifest = NULL;
	check(errors_of(&s, &opts) == -EINVAL, "an SVSM without a manifest: an error");
	opts = svsm_opts();
	opts.binding = CVM_BINDING_AZURE;
	check(errors_of(&s, &opts) == -EINVAL, "another binding than the policy's: an error");
	set_policy(s.v, snp_kinds[0].policy, "{\"batch\": {\"scopes\": \"any\"}}");
	opts = svsm_opts();
	check(errors_of(&s, &opts) == -EINVAL, "a manifest without an SVSM: an error");
	opts = opts_of(&batch, 1);
	refuse(&s, &opts, "=report_data", "a batch through an SVSM where none was expected");
	cvm_verifier_free(s.v);

	s = snp_about_at(1, &snp_kinds[0], hash, SVSM);
	opts = svsm_opts();
	opts.binding = CVM_BINDING_SVSM;
	refuse(&s, &opts, "requester", "a batch of the guest's own in a manifest of its own");
	cvm_verifier_free(s.v);

	s = snp_about(&snp_kinds[0], batch.r64, SVSM);
	opts = svsm_opts();
	refuse(&s, &opts, "=report_data", "a batch of the guest's own where an SVSM was expected");
	cvm_verifier_free(s.v);

	s = tdx_about(&tdx_kinds[0], hash, SVSM);
	refuse(&s, &opts, "=binding", "a quote where an SVSM was expected");
	cvm_verifier_free(s.v);
}

static void test_svsm_direct(void)
{
	static const uint8_t nonce[64] = { 1, 2, 3 };
	struct cvm_verify_opts opts = svsm_opts();
	struct subject s;
	uint8_t hash[64];

	svsm_hash(nonce, hash);
	s = snp_about(&snp_kinds[0], hash, SVSM);
	opts.user_data = opts.proof = NULL;
	opts.report_data = nonce;
	refuse(&s, &opts, NULL, "direct evidence through an SVSM");
	opts.report_data = hash;
	refuse(&s, &opts, "=report_data", "direct evidence through an SVSM, its hash expected");
	cvm_verifier_free(s.v);

	s = snp_about_at(1, &snp_kinds[0], hash, SVSM);
	opts.report_data = nonce;
	refuse(&s, &opts, "requester", "the guest's own report of a manifest of its own");
	cvm_verifier_free(s.v);

	svsm_hash(batch.r64, hash);
	s = snp_about(&snp_kinds[0], hash, SVSM);
	opts.report_data = batch.r64;
	refuse(&s, &opts, "=report_data", "a batch through an SVSM taken for direct evidence");
	cvm_verifier_free(s.v);
}

/* ---- many proofs of one report */

static int proof_of(const struct cvm_verdict *verdict, const struct batch *b, size_t leaf,
		    const char *scope)
{
	return cvm_verdict_proof(verdict, b->leaf[leaf].user_data, b->proof[leaf],
				 b->proof_len[leaf], scope, NULL);
}

static struct cvm_verdict *verdict_of(const struct subject *s, struct cvm_verify_opts *opts)
{
	struct cvm_verdict *verdict = NULL;

	opts->user_data = opts->proof = NULL;
	opts->flags = CVM_VERIFY_BATCH;
	if (cvm_verify(s->v, s->evidence, s->len, opts, &verdict, NULL))
		need(NULL);
	return verdict;
}

static void test_refused_proofs(const struct cvm_verdict *verdict, const char *name)
{
	uint8_t proof[CVM_PROOF_MAX];
	struct cvm_error error;

	check(proof_of(verdict, &other, 1, NULL) == -EKEYREJECTED, "%s, a proof of other evidence",
	      name);
	check(proof_of(verdict, &batch, 0, NULL) == -EPERM, "%s, a proof for a scope refused", name);
	check(proof_of(verdict, &batch, 1, "unprivileged") == -EPERM,
	      "%s, a proof for another scope", name);
	check(proof_of(verdict, &batch, 1, "x") == -EINVAL, "%s, no scope", name);
	memcpy(proof, batch.proof[1], sizeof(proof));
	check(cvm_verdict_proof(verdict, batch.leaf[4].user_data, proof, batch.proof_len[1], NULL,
				&error) == -EKEYREJECTED && strstr(error.text, "other evidence"),
	      "%s, a proof of other user data", name);
	proof[50] ^= 1;
	check(cvm_verdict_proof(verdict, batch.leaf[1].user_data, proof, batch.proof_len[1], NULL,
				NULL) == -EKEYREJECTED, "%s, a proof with another salt", name);
	check(cvm_verdict_proof(verdict, batch.leaf[1].user_data, proof, 67, NULL,
				NULL) == -EBADMSG, "%s, a proof cut short", name);
	check(cvm_verdict_proof(verdict, batch.r64, batch.proof[1], batch.proof_len[1], NULL,
				NULL) == -EINVAL, "%s, reserved user data", name);
}

static void test_proofs(const char *name, struct subject s, struct cvm_verify_opts opts)
{
	struct cvm_verdict *verdict = verdict_of(&s, &opts);
	size_t good = 0;

	check(cvm_verdict_verified(verdict), "%s, evidence of a batch: verified", name);
	for (size_t i = 0; i < SIZE; i++)
		good += !proof_of(verdict, &batch, i, NULL);
	check(good == 4, "%s, the proofs of root and of the label: they hold", name);
	test_refused_proofs(verdict, name);
	cvm_verdict_free(verdict);
	cvm_verifier_free(s.v);
}

#define ANY	"{\"batch\": {\"scopes\": \"any\"}}"
#define REFUSED	"{\"batch\": {\"scopes\": \"any\"}, \"snp\": {\"measurement\": []}}"

/*
 * Evidence that is not what it should be, and commits to the batch all the same:
 * with a bit flipped at @flip; NULL: refused by the policy alone
 */
static void test_forged(const char *name, struct subject s, const size_t *flip)
{
	struct cvm_verify_opts opts = opts_of(&batch, 1);
	struct cvm_verdict *verdict;
	size_t refused = 0;

	if (flip)
		s.evidence[*flip] ^= 1;
	verdict = verdict_of(&s, &opts);
	check(cvm_verdict_authentic(verdict) == !flip && !cvm_verdict_verified(verdict),
	      "%s: %s, and not verified", name, !flip ? "authentic" : "not authentic");
	for (size_t i = 0; i < SIZE; i++)
		refused += proof_of(verdict, &batch, i, "any") == -EACCES;
	check(refused == SIZE, "%s: no proof of it holds", name);
	cvm_verdict_free(verdict);
	cvm_verifier_free(s.v);
}

/* Without a policy authentic evidence is enough, and no less. */
static void test_without_policy(void)
{
	for (int forged = 0; forged < 2; forged++) {
		struct snp_world w = snp_world_of(&snp_kinds[0]);
		struct cvm_verify_opts opts = opts_of(&batch, 1);
		struct subject s = { .name = "SNP", .len = sizeof(w.report) };
		struct cvm_verdict *verdict;

		w.policy = NULL;
		memcpy(w.report + 0x50, batch.r64, 64);
		snp_sign(&w);
		s.v = snp_verifier(&w);
		memcpy(s.evidence, w.report, s.len);
		s.evidence[0x90] ^= forged ? 1 : 0;
		verdict = verdict_of(&s, &opts);
		check_is(proof_of(verdict, &batch, 1, NULL), forged ? -EACCES : 0,
			 forged ? "no policy, forged evidence: no proof holds" :
			 "no policy, authentic evidence: its proof holds");
		cvm_verdict_free(verdict);
		cvm_verifier_free(s.v);
	}
}

static void test_no_proofs(void)
{
	struct subject s = snp_about(&snp_kinds[0], batch.r64,
				     "{\"batch\": {\"scopes\": [\"privileged\"]}}");
	struct cvm_verify_opts opts = opts_of(&batch, 1);
	struct cvm_verdict *verdict = NULL;

	if (cvm_verify(s.v, s.evidence, s.len, &opts, &verdict, NULL))
		need(NULL);
	check(proof_of(verdict, &batch, 1, NULL) == -EINVAL, "a verdict about one proof takes no more");
	cvm_verdict_free(verdict);
	cvm_verifier_free(s.v);
}

int main(void)
{
	static const char scopes_of[] = "\"batch\": {\"scopes\": [\"privileged\", \"label:" BATCH_LABEL "\"]}}";
	char members[256];
	uint8_t hash[64];

	snp_make_kinds();
	tdx_make_kinds();
	batch_make(&batch, SIZE, 0x40);
	batch_make(&other, SIZE, 0x90);
	test_svsm_batch();
	test_svsm_direct();
	snprintf(members, sizeof(members), "{%s", scopes_of);
	test_proofs("SNP", snp_about(&snp_kinds[0], batch.r64, members), opts_of(&batch, 1));
	test_proofs("TDX", tdx_about(&tdx_kinds[2], batch.r64, members), opts_of(&batch, 1));
	snprintf(members, sizeof(members), "{\"binding\": \"svsm\", %s", scopes_of);
	svsm_hash(batch.r64, hash);
	test_proofs("SVSM", snp_about(&snp_kinds[0], hash, members), svsm_opts());
	test_no_proofs();
	test_forged("a forged report", snp_about(&snp_kinds[0], batch.r64, ANY), &(size_t){ 0x2a0 });
	test_forged("a forged quote", tdx_about(&tdx_kinds[0], batch.r64, ANY), &(size_t){ 636 });
	test_forged("a report that the policy refuses", snp_about(&snp_kinds[0], batch.r64, REFUSED),
		    NULL);
	test_without_policy();
	snp_free_kinds();
	tdx_free_kinds();
	return tap_end();
}
