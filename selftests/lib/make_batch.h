/* SPDX-License-Identifier: GPL-2.0 */
/* Batches as the driver makes them, with leaves of every scope. */
#ifndef MAKE_BATCH_H
#define MAKE_BATCH_H

#include "driver/merkle.h"

#define BATCH_MAX	9
#define BATCH_LABEL	"web"

/**
 * struct batch - a tree, and the proof of each of its leaves
 * @leaf: of the scopes unprivileged, privileged and BATCH_LABEL, in turn; each is
 *	about user data of its own
 * @r64: what a report of it carries
 * @tpm48: what a TPM's quote of it does
 */
struct batch {
	struct cvm_leaf leaf[BATCH_MAX];
	__u8 nodes[CVM_TREE_NODES(BATCH_MAX)][CVM_HASH_SIZE];
	struct cvm_merkle tree;
	__u8 proof[BATCH_MAX][CVM_PROOF_MAX];
	size_t proof_len[BATCH_MAX];
	__u8 r64[CVM_USER_DATA_SIZE], tpm48[CVM_TPM48_SIZE];
};

/* @size leaves, which those of another @seed have nothing in common with */
void batch_make(struct batch *b, __u32 size, __u8 seed);

#endif /* MAKE_BATCH_H */
