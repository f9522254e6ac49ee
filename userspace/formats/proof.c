// SPDX-License-Identifier: MIT
#include "proof.h"

#define ALG_V1	1	/* SHA-384, RFC 9162's tree, salted leaves */

/* Levels at which leaf @index of @size has a sibling; a lone node has none. */
static uint8_t path_len(uint32_t index, uint32_t size)
{
	uint8_t len = 0;

	for (; size > 1; index /= 2, size = (size + 1) / 2)
		len += !(index == size - 1 && index % 2 == 0);
	return len;
}

static int parse_header(const uint8_t *p, struct cvm_proof *proof,
			struct cvm_format_error *err)
{
	if (memcmp(p, CVM_PROOF_MAGIC, 8))
		return cvm_format_bad(err, 0, "the tag", "\"CVMGBAT1\"", p[0]);
	proof->alg = p[8];
	if (proof->alg != ALG_V1) {
		cvm_format_bad(err, 8, "alg", "1", proof->alg);
		return -EPROTONOSUPPORT;
	}
	proof->flags = p[9];
	if (proof->flags & ~CVM_PROOF_DUMMIES)
		return cvm_format_bad(err, 9, "flags", "0 or 1", proof->flags);
	if (cvm_le16(p + 10))
		return cvm_format_bad(err, 10, "the reserved bytes", "0", cvm_le16(p + 10));
	proof->tree_size = cvm_le32(p + 12);
	if (!proof->tree_size || proof->tree_size > CVM_PROOF_LEAVES)
		return cvm_format_bad(err, 12, "tree_size", "1 to 65536", proof->tree_size);
	return 0;
}

static int parse_scope(const uint8_t *p, struct cvm_proof *proof, struct cvm_format_error *err)
{
	memcpy(proof->scope, p + 22, sizeof(proof->scope));
	if (p[22] > CVM_PROOF_LABEL)
		return cvm_format_bad(err, 22, "scope", "0, 1 or 2", p[22]);
	if (p[22] != CVM_PROOF_LABEL && !cvm_is_zero(p + 23, 13))
		return cvm_format_bad(err, 23, "the scope's value",
				      "zero where there is no label", p[23]);
	return 0;
}

/* One form for each leaf of each tree, and nothing behind it */
static int parse_path(const uint8_t *p, size_t len, struct cvm_proof *proof,
		      struct cvm_format_error *err)
{
	size_t size;

	proof->leaf_index = cvm_le32(p + 16);
	if (proof->leaf_index >= proof->tree_size)
		return cvm_format_bad(err, 16, "leaf_index", "less than tree_size",
				      proof->leaf_index);
	proof->path_len = p[20];
	if (proof->path_len != path_len(proof->leaf_index, proof->tree_size))
		return cvm_format_bad(err, 20, "path_len",
				      "what leaf_index and tree_size imply", proof->path_len);
	if (p[21])
		return cvm_format_bad(err, 21, "the byte after path_len", "0", p[21]);
	size = CVM_PROOF_HEAD + (size_t)proof->path_len * CVM_PROOF_NODE;
	if (len < size)
		return cvm_format_short(err, len, "the path", "path_len hashes");
	if (len > size)
		return cvm_format_bad(err, size, "the byte after the path",
				      "the end of the proof", p[size]);
	proof->path = (struct cvm_span){ p + CVM_PROOF_HEAD, size - CVM_PROOF_HEAD };
	return 0;
}

int cvm_proof_parse(const void *data, size_t len, struct cvm_proof *proof,
		    struct cvm_format_error *err)
{
	const uint8_t *p = data;
	int ret;

	memset(proof, 0, sizeof(*proof));
	if (len < CVM_PROOF_HEAD)
		return cvm_format_short(err, len, "the proof", "68 bytes and a path");
	ret = parse_header(p, proof, err);
	if (!ret)
		ret = parse_path(p, len, proof, err);
	if (!ret)
		ret = parse_scope(p, proof, err);
	if (!ret)
		memcpy(proof->salt, p + 36, sizeof(proof->salt));
	return ret;
}

const char *cvm_proof_scope_name(uint8_t kind)
{
	static const char *const names[] = { "unprivileged", "privileged", "label" };

	return kind < ARRAY_SIZE(names) ? names[kind] : "unknown";
}
