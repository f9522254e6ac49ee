// SPDX-License-Identifier: GPL-2.0
/*
 * Eight threads that share a verifier and a verdict: each verifies evidence of both
 * kinds, right and wrong, with certificates that come along and without, and proofs.
 * Every one of them must be told the truth. Run under TSan as well.
 */
#include <errno.h>
#include <pthread.h>

#include "mutate_batch.h"

#define THREADS	8
#define ROUNDS	24
#define LEAVES	8

static struct batch batch;

/* What is shared; everything in it is only read */
static struct {
	struct subject snp, tdx, bare;
	uint8_t forged[CVM_SNP_REPORT_SIZE];
	char *chain;
	size_t chain_len;
	struct cvm_verdict *verdict;
} shared;

struct thread {
	pthread_t id;
	unsigned int number;
	unsigned int verified, refused, proofs, wrong;
};

static bool is_verified(const struct subject *s, const void *evidence,
			const struct cvm_verify_opts *opts)
{
	struct cvm_verdict *verdict = NULL;
	bool verified;

	cvm_verify(s->v, evidence, s->len, opts, &verdict, NULL);
	verified = verdict && cvm_verdict_verified(verdict);
	cvm_verdict_free(verdict);
	return verified;
}

static void count(struct thread *t, bool verified)
{
	if (verified)
		t->verified++;
	else
		t->refused++;
}

/* Chains that differ from thread to thread and round to round push each other out. */
static void with_chain(struct thread *t, unsigned int round)
{
	struct cvm_verify_opts opts = opts_of(&batch, 1);
	char *text = need(malloc(shared.chain_len + 32));
	int len = sprintf(text, "chain %u\n%.*s", (round + t->number) % 5, (int)shared.chain_len,
			  shared.chain);

	opts.certs = text;
	opts.certs_len = (size_t)len;
	count(t, is_verified(&shared.bare, shared.bare.evidence, &opts));
	count(t, is_verified(&shared.bare, shared.forged, &opts));
	free(text);
}

static void with_proof(struct thread *t, unsigned int leaf)
{
	int ret = cvm_verdict_proof(shared.verdict, batch.leaf[leaf].user_data, batch.proof[leaf],
				    batch.proof_len[leaf], "any", NULL);

	if (ret == (leaf % 3 == 1 ? 0 : -EPERM))
		t->proofs++;
	else
		t->wrong++;
}

static void *work(void *arg)
{
	struct thread *t = arg;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		struct cvm_verify_opts opts = opts_of(&batch, 1), other = opts_of(&batch, 0);

		count(t, is_verified(&shared.snp, shared.snp.evidence, &opts));
		count(t, is_verified(&shared.snp, shared.forged, &opts));
		count(t, is_verified(&shared.tdx, shared.tdx.evidence, &opts));
		count(t, is_verified(&shared.tdx, shared.tdx.evidence, &other));
		with_chain(t, i);
		with_proof(t, (i + t->number) % LEAVES);
	}
	return NULL;
}

static char *make_chain(size_t *len)
{
	struct snp_world w = snp_world_of(&snp_kinds[0]);
	X509 *certs[3];
	char *pem;

	w.leaf.arg = &w.amd;
	certs[0] = make_cert(&w.ark);
	certs[1] = make_cert(&w.ask);
	certs[2] = make_cert(&w.leaf);
	pem = certs_pem(certs, 3, len);
	for (int i = 0; i < 3; i++)
		X509_free(certs[i]);
	return pem;
}

/* A verifier without the chain, for evidence that brings it */
static struct subject make_bare(const char *members)
{
	struct subject s = shared.snp;
	struct snp_world w = snp_world_of(&snp_kinds[0]);

	w.no_ark = w.no_ask = w.no_leaf = true;
	s.v = snp_verifier(&w);
	set_policy(s.v, snp_kinds[0].policy, members);
	return s;
}

static struct cvm_verdict *make_verdict(void)
{
	const struct cvm_verify_opts opts = { .size = sizeof(opts), .at = TEST_NOW,
					      .flags = CVM_VERIFY_BATCH };
	struct cvm_verdict *verdict = NULL;
	/* of its own: nobody has prepared the shared ones yet */
	struct subject s = snp_about(&snp_kinds[0], batch.r64,
				     "{\"batch\": {\"scopes\": [\"privileged\"]}}");

	if (cvm_verify(s.v, s.evidence, s.len, &opts, &verdict, NULL))
		need(NULL);
	/* a verdict outlives its verifier */
	cvm_verifier_free(s.v);
	return verdict;
}

static void make_shared(void)
{
	static const char members[] = "{\"batch\": {\"scopes\": [\"privileged\"]}}";

	batch_make(&batch, LEAVES, 0x40);
	shared.snp = snp_about(&snp_kinds[0], batch.r64, members);
	shared.tdx = tdx_about(&tdx_kinds[2], batch.r64, members);
	shared.bare = make_bare(members);
	memcpy(shared.forged, shared.snp.evidence, sizeof(shared.forged));
	shared.forged[0x90] ^= 1;
	shared.chain = make_chain(&shared.chain_len);
	shared.verdict = make_verdict();
}

static void free_shared(void)
{
	cvm_verdict_free(shared.verdict);
	cvm_verifier_free(shared.snp.v);
	cvm_verifier_free(shared.tdx.v);
	cvm_verifier_free(shared.bare.v);
	free(shared.chain);
}

int main(void)
{
	struct thread thread[THREADS] = { 0 };

	snp_make_kinds();
	tdx_make_kinds();
	make_shared();
	for (unsigned int i = 0; i < THREADS; i++) {
		thread[i].number = i;
		need(pthread_create(&thread[i].id, NULL, work, &thread[i]) ? NULL : (void *)"");
	}
	for (unsigned int i = 0; i < THREADS; i++) {
		const struct thread *t = &thread[i];

		pthread_join(t->id, NULL);
		check(t->verified == 3 * ROUNDS, "thread %u: what is genuine was verified", i);
		check(t->refused == 3 * ROUNDS, "thread %u: what is not was refused", i);
		check(t->proofs == ROUNDS && !t->wrong, "thread %u: proofs", i);
	}
	free_shared();
	snp_free_kinds();
	tdx_free_kinds();
	return tap_end();
}
