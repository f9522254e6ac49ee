// SPDX-License-Identifier: GPL-2.0
/*
 * How fast evidence is verified in full, by a policy, where chain and collateral are
 * those of the evidence before it:
 *	bench_verification snp|tdx|tdx-certs|proofs SECONDS THREADS
 * prints one number: verifications a second by all threads, or microseconds that each
 * of 1,000 proofs takes besides the verification of their report. tdx-certs: the PCK
 * chain comes along with each quote, of which then two signatures are checked, the QE
 * report's as well as its own.
 */
#include <pthread.h>
#include <time.h>

#include "mutate_batch.h"

#define REPORTS	64	/* different ones, so that nothing is answered from memory */
#define LEAVES	1000

static const uint8_t nonce[64] = { [0 ... 63] = 0xd5 };

static struct subject subjects[REPORTS];
static double seconds;
static struct {
	char *pem;
	size_t len;
} chain;	/* that comes along, or NULL */

/* Of this thread's work, as openssl speed counts it: what others do meanwhile is no matter */
static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void verify(const struct subject *s, const struct cvm_verifier *v,
		   const struct cvm_verify_opts *opts, struct cvm_verdict **verdict)
{
	if (cvm_verify(v, s->evidence, s->len, opts, verdict, NULL) ||
	    !cvm_verdict_verified(*verdict))
		need(NULL);
}

static void verify_one(const struct subject *s)
{
	const struct cvm_verify_opts opts = { .size = sizeof(opts), .at = TEST_NOW,
					      .report_data = nonce, .certs = chain.pem,
					      .certs_len = chain.len };
	struct cvm_verdict *verdict;

	verify(s, subjects[0].v, &opts, &verdict);
	cvm_verdict_free(verdict);
}

/* @arg: out: verifications a second */
static void *work(void *arg)
{
	double start = now(), end = start;
	size_t count = 0;

	for (; end - start < seconds; end = now(), count++)
		verify_one(&subjects[count % REPORTS]);
	*(double *)arg = (double)count / (end - start);
	return NULL;
}

/* PCK, CA and root of the kind of quotes that are verified */
static void make_chain(void)
{
	struct tdx_world w = tdx_world_of(&tdx_kinds[2]);
	X509 *certs[3];

	w.pck.arg = &w.sgx;
	certs[0] = make_cert(&w.pck);
	certs[1] = make_cert(&w.ca);
	certs[2] = make_cert(&w.root);
	chain.pem = certs_pem(certs, 3, &chain.len);
	for (int i = 0; i < 3; i++)
		X509_free(certs[i]);
	tdx_done(&w);
}

static double rate_of(bool tdx, int threads)
{
	double rates[64], sum = 0;
	pthread_t id[64];

	for (int i = 0; i < REPORTS; i++)
		subjects[i] = tdx ? tdx_about(&tdx_kinds[2], nonce, "{}") :
				    snp_about(&snp_kinds[0], nonce, "{}");
	/* each has an attestation key of its own, which is to be found certified already */
	for (int i = 0; i < REPORTS; i++)
		verify_one(&subjects[i]);
	for (int i = 0; i < threads; i++)
		need(pthread_create(&id[i], NULL, work, &rates[i]) ? NULL : (void *)"");
	for (int i = 0; i < threads; i++) {
		pthread_join(id[i], NULL);
		sum += rates[i];
	}
	for (int i = 0; i < REPORTS; i++)
		cvm_verifier_free(subjects[i].v);
	return sum;
}

/* ---- 1,000 proofs of one report */

static struct {
	struct cvm_leaf leaf[LEAVES];
	__u8 nodes[CVM_TREE_NODES(LEAVES)][CVM_HASH_SIZE];
	__u8 proof[LEAVES][CVM_PROOF_MAX];
	size_t len[LEAVES];
	__u8 r64[CVM_USER_DATA_SIZE];
} batch;

static void make_batch(void)
{
	struct cvm_merkle tree = { .nodes = batch.nodes, .size = LEAVES };

	for (__u32 i = 0; i < LEAVES; i++) {
		memcpy(batch.leaf[i].user_data, &i, sizeof(i));
		cvm_scope_plain(batch.leaf[i].scope, 1);
		cvm_merkle_leaf(batch.nodes[i], &batch.leaf[i]);
	}
	cvm_merkle_build(&tree);
	cvm_merkle_r64(&tree, batch.r64);
	for (__u32 i = 0; i < LEAVES; i++)
		batch.len[i] = cvm_merkle_proof(&tree, i, &batch.leaf[i], batch.proof[i]);
}

/* Microseconds of each proof, the report's verification not counted */
static double proofs_of_one(const struct subject *s)
{
	const struct cvm_verify_opts opts = { .size = sizeof(opts), .at = TEST_NOW,
					      .flags = CVM_VERIFY_BATCH };
	struct cvm_verdict *verdict;
	double start;

	verify(s, s->v, &opts, &verdict);
	start = now();
	for (int i = 0; i < LEAVES; i++)
		if (cvm_verdict_proof(verdict, batch.leaf[i].user_data, batch.proof[i],
				      batch.len[i], NULL, NULL))
			need(NULL);
	start = now() - start;
	cvm_verdict_free(verdict);
	return start * 1e6 / LEAVES;
}

static double proofs(void)
{
	double best = 1e9, start = now();
	struct subject s;

	make_batch();
	s = snp_about(&snp_kinds[0], batch.r64, "{\"batch\": {\"scopes\": [\"privileged\"]}}");
	while (now() - start < seconds) {
		double us = proofs_of_one(&s);

		best = us < best ? us : best;
	}
	cvm_verifier_free(s.v);
	return best;
}

int main(int argc, char **argv)
{
	int threads = argc == 4 ? atoi(argv[3]) : 0;

	seconds = argc == 4 ? atof(argv[2]) : 0;
	if (seconds <= 0 || threads < 1 || threads > 64) {
		fprintf(stderr, "usage: bench_verification snp|tdx|tdx-certs|proofs SECONDS THREADS\n");
		return 2;
	}
	snp_make_kinds();
	tdx_make_kinds();
	if (!strcmp(argv[1], "tdx-certs"))
		make_chain();
	printf("%.2f\n", !strcmp(argv[1], "proofs") ? proofs() :
	       rate_of(!strncmp(argv[1], "tdx", 3), threads));
	free(chain.pem);
	snp_free_kinds();
	tdx_free_kinds();
	return 0;
}
