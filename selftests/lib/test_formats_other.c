// SPDX-License-Identifier: GPL-2.0
/* The HCL report of Azure's paravisor, and the proof of batch evidence. */
#include "driver/merkle.h"
#include "parse.h"

static int parse_hcl(const void *data, size_t len, union parsed *out,
		     struct cvm_format_error *err)
{
	return cvm_hcl_parse(data, len, &out->hcl, err);
}

static int parse_proof(const void *data, size_t len, union parsed *out,
		       struct cvm_format_error *err)
{
	return cvm_proof_parse(data, len, &out->proof, err);
}

#define HCL_CLAIMS	100
#define HCL_SIZE	(CVM_HCL_CLAIMS + HCL_CLAIMS)

static void make_hcl(uint8_t *p, uint32_t version, uint32_t type)
{
	fill(p, HCL_SIZE);
	memcpy(p, "HCLA", 4);
	put32(p + 4, version);
	put32(p + 0x4c0, 20 + HCL_CLAIMS);
	put32(p + 0x4c8, type);
	put32(p + 0x4d0, HCL_CLAIMS);
}

static void test_hcl_fields(void)
{
	static const struct { uint32_t type; size_t size; const char *name; } types[] = {
		{ 0, 0, "invalid" }, { 1, 0, "vbs" }, { 2, 1184, "snp" }, { 3, 0, "tvm" },
		{ 4, 1024, "tdx" }, { 5, 0, "cca" }, { 6, 0, "unknown" }, { ~0U, 0, "unknown" },
	};
	struct cvm_format_error err;
	struct cvm_hcl_report r;
	uint8_t p[HCL_SIZE];

	for (uint32_t i = 0; i < ARRAY_SIZE(types); i++) {
		make_hcl(p, 1 + i % 2, types[i].type);
		check(!cvm_hcl_parse(p, sizeof(p), &r, &err) && r.version == 1 + i % 2 &&
		   r.report_size == cvm_le32(p + 8) && r.request_type == cvm_le32(p + 12) &&
		   r.status == cvm_le32(p + 16) && r.data_version == cvm_le32(p + 0x4c4) &&
		   r.data_size == 20 + HCL_CLAIMS && r.hash_type == cvm_le32(p + 0x4cc) &&
		   r.report_type == types[i].type && r.claims.data == p + 0x4d4 &&
		   r.claims.len == HCL_CLAIMS && r.hw_report.data == p + 0x20 &&
		   r.hw_report.len == types[i].size &&
		   !strcmp(cvm_hcl_type_name(r.report_type), types[i].name),
		   "HCL report of type %u: %s", types[i].type, types[i].name);
	}
}

static void test_hcl_refusals(void)
{
	struct cvm_format_error err;
	struct cvm_hcl_report r;
	uint8_t p[HCL_SIZE];

	make_hcl(p, 2, 2);
	test_truncation("HCL report", parse_hcl, p, sizeof(p));
	test_mutations("HCL report", parse_hcl, p, sizeof(p));
	put32(p + 4, 3);
	check(cvm_hcl_parse(p, sizeof(p), &r, &err) == -EPROTONOSUPPORT && err.offset == 4 &&
	   r.version == 3, "HCL report v3: not known");
	make_hcl(p, 2, 2);
	put32(p + 0x4d0, HCL_CLAIMS + 1);
	check(cvm_hcl_parse(p, sizeof(p), &r, &err) == -EBADMSG && err.offset == 0x4d0,
	   "HCL report: claims beyond its end");
	put32(p + 0x4d0, 0xffffffff);
	check(cvm_hcl_parse(p, sizeof(p), &r, &err) == -EBADMSG && err.offset == 0x4d0,
	   "HCL report: claims of 4 GiB");
	make_hcl(p, 2, 2);
	put32(p + 0x4c0, 20 + HCL_CLAIMS - 1);
	check(cvm_hcl_parse(p, sizeof(p), &r, &err) == -EBADMSG && err.offset == 0x4c0,
	   "HCL report: runtime data shorter than the claims");
	put32(p + 0x4c0, 19);
	check(cvm_hcl_parse(p, sizeof(p), &r, &err) == -EBADMSG && err.offset == 0x4c0,
	   "HCL report: runtime data shorter than its head");
	make_hcl(p, 2, 2);
	p[0] = 'h';
	check(cvm_hcl_parse(p, sizeof(p), &r, &err) == -EBADMSG && err.offset == 0,
	   "HCL report: another signature");
}

/* The proof of one leaf of a tree of @size, made by the driver's own code */
static size_t make_proof(uint8_t *p, uint32_t size, uint32_t index)
{
	static uint8_t nodes[CVM_TREE_NODES(1000)][CVM_HASH_SIZE];
	struct cvm_merkle tree = { .nodes = nodes, .size = size };
	struct cvm_leaf leaf;

	fill((uint8_t *)&leaf, sizeof(leaf));
	cvm_scope_label(leaf.scope, "web", 3);
	for (uint32_t i = 0; i < size; i++) {
		leaf.user_data[0] = (uint8_t)i;
		cvm_merkle_leaf(nodes[i], &leaf);
	}
	leaf.user_data[0] = (uint8_t)index;
	cvm_merkle_build(&tree);
	return cvm_merkle_proof(&tree, index, &leaf, p);
}

static void test_proof_fields(void)
{
	uint8_t p[CVM_PROOF_MAX], salt[32];
	struct cvm_format_error err;
	struct cvm_proof proof;
	size_t wrong = 0, len;

	fill(salt, sizeof(salt));
	for (uint32_t size = 1; size <= 1000; size += size < 70 ? 1 : 97)
		for (uint32_t index = 0; index < size; index += size < 70 ? 1 : 13) {
			len = make_proof(p, size, index);
			wrong += cvm_proof_parse(p, len, &proof, &err) || proof.alg != 1 ||
				 proof.flags || proof.tree_size != size ||
				 proof.leaf_index != index ||
				 proof.path.len != 48U * proof.path_len ||
				 proof.path.data != p + 68 || memcmp(proof.salt, salt, 32) ||
				 proof.scope[0] != 2 || memcmp(proof.scope, p + 22, 14);
		}
	check(wrong == 0, "proofs of trees of 1 to 1,000 leaves: every field");
	check(!strcmp(cvm_proof_scope_name(0), "unprivileged") &&
	   !strcmp(cvm_proof_scope_name(1), "privileged") &&
	   !strcmp(cvm_proof_scope_name(2), "label") &&
	   !strcmp(cvm_proof_scope_name(3), "unknown"), "names of scopes");
	len = make_proof(p, 700, 333);
	test_truncation("proof", parse_proof, p, len);
	test_mutations("proof", parse_proof, p, len);
}

/* What the parser takes is what the walk takes, and the other way round */
static void test_proof_agrees(void)
{
	uint8_t p[CVM_PROOF_MAX], copy[CVM_PROOF_MAX], user_data[64] = { 1 }, r64[64], scope[14];
	size_t len = make_proof(p, 11, 9), differ = 0, taken = 0;
	struct cvm_format_error err;
	struct cvm_proof proof;

	for (size_t at = 0; at < 36; at++)
		for (int value = 0; value < 256; value++) {
			bool parsed, walked;

			memcpy(copy, p, len);
			copy[at] = (uint8_t)value;
			parsed = !cvm_proof_parse(copy, len, &proof, &err);
			walked = !cvm_merkle_expected(user_data, copy, len, r64, NULL, scope);
			differ += parsed != walked;
			taken += parsed;
		}
	check(differ == 0 && taken > 36, "each value of each byte before the salt: as the walk has it");
}

static void test_proof_refusals(void)
{
	static const struct {
		size_t at;
		uint8_t value;
		size_t offset;
		int ret;
		const char *what;
	} cases[] = {
		{ 0, 'X', 0, -EBADMSG, "another tag" },
		{ 8, 2, 8, -EPROTONOSUPPORT, "another algorithm" },
		{ 9, 2, 9, -EBADMSG, "an unknown flag" },
		{ 11, 1, 10, -EBADMSG, "reserved bytes" },
		{ 12, 0, 12, -EBADMSG, "a tree without leaves" },
		{ 15, 1, 12, -EBADMSG, "a tree of 16 million leaves" },
		{ 16, 11, 16, -EBADMSG, "a leaf beyond the tree" },
		{ 20, 4, 20, -EBADMSG, "a path too long for the leaf" },
		{ 21, 1, 21, -EBADMSG, "a byte that is zero" },
		{ 22, 3, 22, -EBADMSG, "an unknown scope" },
		{ 22, 1, 23, -EBADMSG, "a privileged scope with a label's hash" },
	};
	struct cvm_format_error err;
	struct cvm_proof proof;
	uint8_t p[CVM_PROOF_MAX + 1];
	size_t len;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		len = make_proof(p, 11, 10);
		p[cases[i].at] = cases[i].value;
		check(cvm_proof_parse(p, len, &proof, &err) == cases[i].ret &&
		   err.offset == cases[i].offset, "proof: %s", cases[i].what);
	}
	len = make_proof(p, 11, 10);
	check(cvm_proof_parse(p, len + 1, &proof, &err) == -EBADMSG && err.offset == len,
	   "proof: a byte too many");
}

int main(void)
{
	test_hcl_fields();
	test_hcl_refusals();
	test_proof_fields();
	test_proof_agrees();
	test_proof_refusals();
	return tap_end();
}
