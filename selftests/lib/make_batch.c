// SPDX-License-Identifier: GPL-2.0
#include <string.h>

#include "make_batch.h"

static void make_leaf(struct cvm_leaf *leaf, __u32 index, __u8 seed)
{
	memset(leaf->salt, (int)(seed ^ index), sizeof(leaf->salt));
	memset(leaf->user_data, (int)(seed + index), sizeof(leaf->user_data));
	if (index % 3 == 2)
		cvm_scope_label(leaf->scope, BATCH_LABEL, strlen(BATCH_LABEL));
	else
		cvm_scope_plain(leaf->scope, (__u8)(index % 3));
}

void batch_make(struct batch *b, __u32 size, __u8 seed)
{
	memset(b, 0, sizeof(*b));
	b->tree.nodes = b->nodes;
	b->tree.size = size;
	for (__u32 i = 0; i < size; i++) {
		make_leaf(&b->leaf[i], i, seed);
		cvm_merkle_leaf(b->nodes[i], &b->leaf[i]);
	}
	cvm_merkle_build(&b->tree);
	for (__u32 i = 0; i < size; i++)
		b->proof_len[i] = cvm_merkle_proof(&b->tree, i, &b->leaf[i], b->proof[i]);
	cvm_merkle_r64(&b->tree, b->r64);
	cvm_merkle_tpm48(&b->tree, b->tpm48);
}
