/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
/*
 * Batch v1: the tree, its seal and its proofs. Pure: bytes in, bytes out; the
 * driver and the library compile the same file. Every name and number is that
 * of the specification "Batch v1", section 1.
 */
#ifndef CVM_MERKLE_H
#define CVM_MERKLE_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stdbool.h>
#include <stddef.h>
#endif

#define CVM_HASH_SIZE		48	/* SHA-384 */
#define CVM_SALT_SIZE		32
#define CVM_SCOPE_SIZE		14	/* kind, and 13 bytes of value */
#define CVM_USER_DATA_SIZE	64
#define CVM_HEADER_SIZE		16
#define CVM_TPM48_SIZE		48
#define CVM_MAX_DEPTH		16
#define CVM_MAX_TREE		(1U << CVM_MAX_DEPTH)
/* proof: header, leaf index, path length, 0, scope, salt, path */
#define CVM_PROOF_FIXED		68
#define CVM_PROOF_SIZE(depth)	(CVM_PROOF_FIXED + CVM_HASH_SIZE * (depth))
#define CVM_PROOF_MAX		CVM_PROOF_SIZE(CVM_MAX_DEPTH)

#define CVM_HEADER_DUMMIES	1U	/* header flags, bit 0 */

/* nodes of a tree of @n leaves, all levels, in cvm_merkle_build()'s layout */
#define CVM_TREE_NODES(n)	(2 * (n) + CVM_MAX_DEPTH)

/**
 * struct cvm_leaf - what a leaf is made of
 * @salt: random, its owner's alone
 * @scope: cvm_scope_plain() or cvm_scope_label()
 * @user_data: the requester's
 */
struct cvm_leaf {
	__u8 salt[CVM_SALT_SIZE];
	__u8 scope[CVM_SCOPE_SIZE];
	__u8 user_data[CVM_USER_DATA_SIZE];
};

/* scope of kind 0 or 1 */
void cvm_scope_plain(__u8 scope[CVM_SCOPE_SIZE], __u8 kind);
/* scope of kind 2; 0, or -EINVAL for a length that is not 1 to 255 */
int cvm_scope_label(__u8 scope[CVM_SCOPE_SIZE], const void *label, size_t len);

/* may it be asked for, or does it begin with the reserved tag? */
bool cvm_user_data_reserved(const __u8 user_data[CVM_USER_DATA_SIZE]);

void cvm_merkle_leaf(__u8 hash[CVM_HASH_SIZE], const struct cvm_leaf *leaf);

/**
 * struct cvm_merkle - a tree
 * @nodes: CVM_TREE_NODES(@size) hashes of the caller's; the leaves come first
 * @size: leaves, 1 to CVM_MAX_TREE
 * @flags: of the header
 * @header: made by cvm_merkle_build()
 * @root: likewise, one of @nodes
 */
struct cvm_merkle {
	__u8 (*nodes)[CVM_HASH_SIZE];
	__u32 size;
	__u8 flags;
	__u8 header[CVM_HEADER_SIZE];
	const __u8 *root;
};

/* fills in all nodes above the leaves; @size, @flags and leaves are set */
void cvm_merkle_build(struct cvm_merkle *tree);
/* what the hardware report commits to, and what a TPM quote does */
void cvm_merkle_r64(const struct cvm_merkle *tree, __u8 r64[CVM_USER_DATA_SIZE]);
void cvm_merkle_tpm48(const struct cvm_merkle *tree, __u8 tpm48[CVM_TPM48_SIZE]);

/* hashes in the path of leaf @index of @size */
unsigned int cvm_merkle_path_len(__u32 index, __u32 size);
/* writes the proof of leaf @index; its length, which path_len() gives before */
size_t cvm_merkle_proof(const struct cvm_merkle *tree, __u32 index,
			const struct cvm_leaf *leaf, __u8 *proof);

/**
 * cvm_merkle_expected - what evidence must commit to, if the proof is right
 * @user_data: what the relying party asked for
 * @proof: @len bytes, hostile
 * @len: bytes
 * @r64: out: REPORT_DATA, zero on failure
 * @tpm48: out: or NULL
 * @scope: out: for whom the proof speaks
 *
 * Batch v1, section 2. Returns 0 or -EBADMSG, or -EINVAL for a reserved
 * @user_data.
 */
int cvm_merkle_expected(const __u8 user_data[CVM_USER_DATA_SIZE],
			const __u8 *proof, size_t len,
			__u8 r64[CVM_USER_DATA_SIZE],
			__u8 tpm48[CVM_TPM48_SIZE],
			__u8 scope[CVM_SCOPE_SIZE]);

#endif /* CVM_MERKLE_H */
