// SPDX-License-Identifier: GPL-2.0
/* What batch v1 costs a processor: 1,024 leaves built, a proof of them verified. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <jansson.h>

#include "merkle.h"

#define LEAVES	1024
#define ROUNDS	20

static struct cvm_leaf leaves[LEAVES];
static __u8 nodes[CVM_TREE_NODES(LEAVES)][CVM_HASH_SIZE];
static struct cvm_merkle tree = { .nodes = nodes, .size = LEAVES };

static double now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

static void build(void)
{
	for (int i = 0; i < LEAVES; i++)
		cvm_merkle_leaf(nodes[i], &leaves[i]);
	cvm_merkle_build(&tree);
}

/* the time of the verifications alone; false: one failed */
static bool verify(double *us)
{
	__u8 want[CVM_USER_DATA_SIZE], got[CVM_USER_DATA_SIZE];
	__u8 scope[CVM_SCOPE_SIZE], proof[CVM_PROOF_MAX];

	cvm_merkle_r64(&tree, want);
	for (__u32 i = 0; i < LEAVES; i++) {
		size_t len = cvm_merkle_proof(&tree, i, &leaves[i], proof);
		double start = now_us();
		int ret = cvm_merkle_expected(leaves[i].user_data, proof, len, got,
					      NULL, scope);

		*us += now_us() - start;
		if (ret || memcmp(got, want, sizeof(got)))
			return false;
	}
	return true;
}

int main(void)
{
	double start, build_us = 0, verify_us = 0;
	json_t *result;

	for (__u32 i = 0; i < LEAVES; i++)
		memcpy(leaves[i].user_data, &i, sizeof(i));
	for (int i = 0; i < ROUNDS; i++) {
		start = now_us();
		build();
		build_us += now_us() - start;
		if (!verify(&verify_us)) {
			fprintf(stderr, "merkle: a proof does not verify\n");
			return 1;
		}
	}
	result = json_pack("{s:i, s:f, s:f}", "leaves", LEAVES,
			   "build_ms", build_us / ROUNDS / 1e3,
			   "verify_us", verify_us / ROUNDS / LEAVES);
	if (!result || json_dumpf(result, stdout, JSON_INDENT(1)))
		return 1;
	putchar('\n');
	json_decref(result);
	return 0;
}
