// SPDX-License-Identifier: GPL-2.0-only OR MIT
/*
 * Batch v1: specification "Batch v1", sections 1 and 2. The shape of the tree
 * is that of RFC 9162, section 2.1.1; the walk that of section 2.1.3.2.
 */
#ifdef __KERNEL__
#include <linux/errno.h>
#include <linux/string.h>
#else
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#endif

#include "merkle.h"
#include "sha384.h"

#define MAGIC		"CVMGBAT1"
#define MAGIC_SIZE	8
#define TAG_SIZE	7	/* no user_data begins with so much of it */
#define ALG_V1		1
#define SEAL_DATA	(1 + CVM_HEADER_SIZE + CVM_HASH_SIZE)

/* the first byte of all that is hashed: no kind passes for another */
enum { OF_LEAF, OF_NODE, OF_SEAL, OF_TPM };

enum { SCOPE_LABEL = 2, SCOPE_VALUE_SIZE = CVM_SCOPE_SIZE - 1, LABEL_MAX = 255 };

/* offsets in a proof */
enum {
	PROOF_INDEX = CVM_HEADER_SIZE,
	PROOF_PATH_LEN = PROOF_INDEX + 4,
	PROOF_ZERO = PROOF_PATH_LEN + 1,
	PROOF_SCOPE = PROOF_ZERO + 1,
	PROOF_SALT = PROOF_SCOPE + CVM_SCOPE_SIZE,
	PROOF_PATH = PROOF_SALT + CVM_SALT_SIZE,
};

_Static_assert((int)PROOF_PATH == CVM_PROOF_FIXED, "a proof's fixed part");

static void put_le32(__u8 *to, __u32 value)
{
	int i;

	for (i = 0; i < 4; i++)
		to[i] = (__u8)(value >> (8 * i));
}

static __u32 get_le32(const __u8 *from)
{
	return from[0] | (__u32)from[1] << 8 | (__u32)from[2] << 16 |
	       (__u32)from[3] << 24;
}

void cvm_scope_plain(__u8 scope[CVM_SCOPE_SIZE], __u8 kind)
{
	memset(scope, 0, CVM_SCOPE_SIZE);
	scope[0] = kind;
}

int cvm_scope_label(__u8 scope[CVM_SCOPE_SIZE], const void *label, size_t len)
{
	static const char prefix[] = MAGIC " scope";	/* with its zero */
	__u8 data[sizeof(prefix) + LABEL_MAX];
	__u8 hash[CVM_HASH_SIZE];

	if (!len || len > LABEL_MAX)
		return -EINVAL;
	memcpy(data, prefix, sizeof(prefix));
	memcpy(data + sizeof(prefix), label, len);
	cvm_sha384(data, sizeof(prefix) + len, hash);
	scope[0] = SCOPE_LABEL;
	memcpy(scope + 1, hash, SCOPE_VALUE_SIZE);
	return 0;
}

static bool scope_valid(const __u8 scope[CVM_SCOPE_SIZE])
{
	static const __u8 zero[SCOPE_VALUE_SIZE];

	return scope[0] == SCOPE_LABEL ||
	       (scope[0] < SCOPE_LABEL && !memcmp(scope + 1, zero, sizeof(zero)));
}

bool cvm_user_data_reserved(const __u8 user_data[CVM_USER_DATA_SIZE])
{
	return !memcmp(user_data, MAGIC, TAG_SIZE);
}

void cvm_merkle_leaf(__u8 hash[CVM_HASH_SIZE], const struct cvm_leaf *leaf)
{
	__u8 data[1 + sizeof(*leaf)];

	data[0] = OF_LEAF;
	memcpy(data + 1, leaf, sizeof(*leaf));
	cvm_sha384(data, sizeof(data), hash);
}

_Static_assert(sizeof(struct cvm_leaf) == 110, "one block of SHA-384 with OF_LEAF");

static void hash_node(__u8 hash[CVM_HASH_SIZE], const __u8 *left,
		      const __u8 *right)
{
	__u8 data[1 + 2 * CVM_HASH_SIZE];

	data[0] = OF_NODE;
	memcpy(data + 1, left, CVM_HASH_SIZE);
	memcpy(data + 1 + CVM_HASH_SIZE, right, CVM_HASH_SIZE);
	cvm_sha384(data, sizeof(data), hash);
}

static void make_header(__u8 header[CVM_HEADER_SIZE], __u8 flags, __u32 size)
{
	memset(header, 0, CVM_HEADER_SIZE);
	memcpy(header, MAGIC, MAGIC_SIZE);
	header[8] = ALG_V1;
	header[9] = flags;
	put_le32(header + 12, size);
}

/* H(@kind || header || root) */
static void hash_root(__u8 hash[CVM_HASH_SIZE], __u8 kind, const __u8 *header,
		      const __u8 *root)
{
	__u8 data[SEAL_DATA];

	data[0] = kind;
	memcpy(data + 1, header, CVM_HEADER_SIZE);
	memcpy(data + 1 + CVM_HEADER_SIZE, root, CVM_HASH_SIZE);
	cvm_sha384(data, sizeof(data), hash);
}

static void make_r64(__u8 r64[CVM_USER_DATA_SIZE], const __u8 *header,
		     const __u8 *root)
{
	memcpy(r64, header, CVM_HEADER_SIZE);
	hash_root(r64 + CVM_HEADER_SIZE, OF_SEAL, header, root);
}

static void make_tpm48(__u8 tpm48[CVM_TPM48_SIZE], const __u8 *header,
		       const __u8 *root)
{
	__u8 hash[CVM_HASH_SIZE];

	hash_root(hash, OF_TPM, header, root);
	memcpy(tpm48, MAGIC, MAGIC_SIZE);
	memcpy(tpm48 + MAGIC_SIZE, hash, CVM_TPM48_SIZE - MAGIC_SIZE);
}

/* one level from the one below; a lone last node moves up as it is */
static void build_level(__u8 (*above)[CVM_HASH_SIZE],
			__u8 (*below)[CVM_HASH_SIZE], __u32 size)
{
	__u32 i;

	for (i = 0; i < size / 2; i++)
		hash_node(above[i], below[2 * i], below[2 * i + 1]);
	if (size & 1)
		memcpy(above[i], below[size - 1], CVM_HASH_SIZE);
}

void cvm_merkle_build(struct cvm_merkle *tree)
{
	__u8 (*level)[CVM_HASH_SIZE] = tree->nodes;
	__u32 size;

	for (size = tree->size; size > 1; size = (size + 1) / 2) {
		build_level(level + size, level, size);
		level += size;
	}
	tree->root = *level;
	make_header(tree->header, tree->flags, tree->size);
}

void cvm_merkle_r64(const struct cvm_merkle *tree, __u8 r64[CVM_USER_DATA_SIZE])
{
	make_r64(r64, tree->header, tree->root);
}

void cvm_merkle_tpm48(const struct cvm_merkle *tree, __u8 tpm48[CVM_TPM48_SIZE])
{
	make_tpm48(tpm48, tree->header, tree->root);
}

/* node @index of @size has nobody beside it, and moves up as it is */
static bool lone(__u32 index, __u32 size)
{
	return index == size - 1 && !(index & 1);
}

unsigned int cvm_merkle_path_len(__u32 index, __u32 size)
{
	unsigned int len = 0;

	for (; size > 1; size = (size + 1) / 2, index /= 2)
		len += !lone(index, size);
	return len;
}

/* the siblings of leaf @index, from the leaves up; returns their number */
static __u8 copy_path(const struct cvm_merkle *tree, __u32 index, __u8 *to)
{
	__u8 (*level)[CVM_HASH_SIZE] = tree->nodes;
	__u32 size = tree->size;
	__u8 len = 0;

	for (; size > 1; level += size, size = (size + 1) / 2, index /= 2) {
		if (lone(index, size))
			continue;
		memcpy(to, level[index ^ 1], CVM_HASH_SIZE);
		to += CVM_HASH_SIZE;
		len++;
	}
	return len;
}

size_t cvm_merkle_proof(const struct cvm_merkle *tree, __u32 index,
			const struct cvm_leaf *leaf, __u8 *proof)
{
	memcpy(proof, tree->header, CVM_HEADER_SIZE);
	put_le32(proof + PROOF_INDEX, index);
	proof[PROOF_ZERO] = 0;
	memcpy(proof + PROOF_SCOPE, leaf->scope, CVM_SCOPE_SIZE);
	memcpy(proof + PROOF_SALT, leaf->salt, CVM_SALT_SIZE);
	proof[PROOF_PATH_LEN] = copy_path(tree, index, proof + PROOF_PATH);
	return CVM_PROOF_SIZE(proof[PROOF_PATH_LEN]);
}

static bool header_valid(const __u8 *header)
{
	__u32 size = get_le32(header + 12);

	return !memcmp(header, MAGIC, MAGIC_SIZE) && header[8] == ALG_V1 &&
	       !(header[9] & ~CVM_HEADER_DUMMIES) && !header[10] &&
	       !header[11] && size >= 1 && size <= CVM_MAX_TREE;
}

/* one form for each (index, size), and nothing behind it */
static bool proof_valid(const __u8 *proof, size_t len)
{
	__u32 index, size;

	if (len < CVM_PROOF_FIXED || !header_valid(proof))
		return false;
	size = get_le32(proof + 12);
	index = get_le32(proof + PROOF_INDEX);
	return index < size && !proof[PROOF_ZERO] &&
	       proof[PROOF_PATH_LEN] == cvm_merkle_path_len(index, size) &&
	       len == CVM_PROOF_SIZE((size_t)proof[PROOF_PATH_LEN]) &&
	       scope_valid(proof + PROOF_SCOPE);
}

/* from the leaf's hash to the root's, in place */
static void walk(__u8 hash[CVM_HASH_SIZE], const __u8 *proof)
{
	__u32 size = get_le32(proof + 12);
	__u32 index = get_le32(proof + PROOF_INDEX);
	const __u8 *path = proof + PROOF_PATH;

	for (; size > 1; size = (size + 1) / 2, index /= 2) {
		if (lone(index, size))
			continue;
		if (index & 1)
			hash_node(hash, path, hash);
		else
			hash_node(hash, hash, path);
		path += CVM_HASH_SIZE;
	}
}

int cvm_merkle_expected(const __u8 user_data[CVM_USER_DATA_SIZE],
			const __u8 *proof, size_t len,
			__u8 r64[CVM_USER_DATA_SIZE],
			__u8 tpm48[CVM_TPM48_SIZE],
			__u8 scope[CVM_SCOPE_SIZE])
{
	__u8 hash[CVM_HASH_SIZE];
	struct cvm_leaf leaf;

	memset(r64, 0, CVM_USER_DATA_SIZE);
	memset(scope, 0, CVM_SCOPE_SIZE);
	if (tpm48)
		memset(tpm48, 0, CVM_TPM48_SIZE);
	if (cvm_user_data_reserved(user_data))
		return -EINVAL;
	if (!proof_valid(proof, len))
		return -EBADMSG;

	memcpy(leaf.salt, proof + PROOF_SALT, sizeof(leaf.salt));
	memcpy(leaf.scope, proof + PROOF_SCOPE, sizeof(leaf.scope));
	memcpy(leaf.user_data, user_data, sizeof(leaf.user_data));
	cvm_merkle_leaf(hash, &leaf);
	walk(hash, proof);

	make_r64(r64, proof, hash);
	if (tpm48)
		make_tpm48(tpm48, proof, hash);
	memcpy(scope, leaf.scope, CVM_SCOPE_SIZE);
	return 0;
}
