// SPDX-License-Identifier: GPL-2.0
/*
 * Batch evidence: a report or quote that a policy verifies by any of its proofs, and
 * by nothing else. "Batch v1", section 2: proofs spoilt, of others, for others; and
 * direct evidence in its place, or the reverse.
 */
#include "mutate_batch.h"

#define LABEL	"label:" BATCH_LABEL
#define ALL	"{\"batch\": {\"scopes\": [\"privileged\", \"unprivileged\", \"" LABEL "\"]}}"
#define SIZE	7	/* leaves; the last one's path is shorter */

static struct batch batch, other;

/* ---- every kind of evidence, and of scope */

static void test_subject(struct subject s)
{
	static const char *const names[] = {
		"leaf of nobody in particular", "leaf of root", "leaf of a label",
	};
	struct cvm_verify_opts opts;

	for (size_t i = 0; i < SIZE; i++) {
		opts = opts_of(&batch, i);
		refuse(&s, &opts, NULL, names[i % 3]);
	}
	opts = opts_of(&batch, 1);
	opts.proof = batch.proof[2];
	refuse(&s, &opts, "=report_data", "the proof of another leaf");
	opts = opts_of(&other, 1);
	refuse(&s, &opts, "=report_data", "a proof of another batch");
	opts = opts_of(&batch, 1);
	opts.user_data = opts.proof = NULL;
	refuse(&s, &opts, "=?report_data", "nothing to expect");
	opts.report_data = batch.r64;
	refuse(&s, &opts, "=report_data", "taken for direct evidence");
	cvm_verifier_free(s.v);
}

static void test_kinds(void)
{
	for (size_t i = 0; i < SNP_KINDS; i++)
		test_subject(snp_about(&snp_kinds[i], batch.r64, ALL));
	for (size_t i = 0; i < TDX_KINDS; i++)
		test_subject(tdx_about(&tdx_kinds[i], batch.r64, ALL));
}

/* ---- for whom proofs speak */

static const struct {
	const char *policy, *asked;
	size_t leaf;
	const char *by;
} scopes[] = {
	{ "{}", NULL, 1, "=batch.scopes" },
	{ "{}", "any", 1, "=batch.scopes" },
	{ "{\"batch\": {}}", NULL, 1, "=batch.scopes" },
	{ "{\"batch\": {\"scopes\": []}}", NULL, 1, "=batch.scopes" },
	{ "{\"batch\": {\"scopes\": [\"privileged\"]}}", NULL, 0, "=batch.scopes" },
	{ "{\"batch\": {\"scopes\": [\"privileged\"]}}", NULL, 1, NULL },
	{ "{\"batch\": {\"scopes\": [\"privileged\"]}}", NULL, 2, "=batch.scopes" },
	{ "{\"batch\": {\"scopes\": [\"privileged\"]}}", "any", 0, "=batch.scopes" },
	{ "{\"batch\": {\"scopes\": [\"privileged\"]}}", LABEL, 2, "=batch.scopes" },
	{ "{\"batch\": {\"scopes\": [\"unprivileged\"]}}", NULL, 0, NULL },
	{ "{\"batch\": {\"scopes\": [\"unprivileged\"]}}", NULL, 1, "=batch.scopes" },
	{ "{\"batch\": {\"scopes\": [\"" LABEL "\"]}}", NULL, 2, NULL },
	{ "{\"batch\": {\"scopes\": [\"" LABEL "\"]}}", NULL, 1, "=batch.scopes" },
	{ "{\"batch\": {\"scopes\": [\"label:wed\"]}}", NULL, 2, "=batch.scopes" },
	{ "{\"batch\": {\"scopes\": [\"label:we\", \"" LABEL "\"]}}", NULL, 2, NULL },
	{ "{\"batch\": {\"scopes\": \"any\"}}", NULL, 0, NULL },
	{ "{\"batch\": {\"scopes\": \"any\"}}", "privileged", 0, "=proof" },
	{ "{\"batch\": {\"scopes\": \"any\"}}", "unprivileged", 1, "=proof" },
	{ "{\"batch\": {\"scopes\": \"any\"}}", "label:wed", 2, "=proof" },
	{ "{\"batch\": {\"scopes\": \"any\"}}", "nobody", 1, "=proof" },
	{ "{\"batch\": {\"scopes\": \"any\"}}", "label:", 2, "=proof" },
	{ "{\"batch\": {\"scopes\": \"any\"}}", "any", 2, NULL },
};

static void test_scopes(void)
{
	struct subject s = snp_about(&snp_kinds[0], batch.r64, "{}");
	char name[256];

	for (size_t i = 0; i < ARRAY_SIZE(scopes); i++) {
		struct cvm_verify_opts opts = opts_of(&batch, scopes[i].leaf);

		opts.scope = scopes[i].asked;
		set_policy(s.v, snp_kinds[0].policy, scopes[i].policy);
		snprintf(name, sizeof(name), "leaf %zu asked for as %s, policy %s", scopes[i].leaf,
			 scopes[i].asked ? scopes[i].asked : "the policy says", scopes[i].policy);
		refuse(&s, &opts, scopes[i].by, name);
	}
	cvm_verifier_free(s.v);
}

/* ---- every bit of a proof */

/* leaf 5 of 7: the place of a hash of its path decides nothing else */
#define LEAF	5

static const struct {
	const char *name;
	size_t from, until;
	uint8_t bits;
	const char *by;
} parts[] = {
	{ "tag", 0, 8, 0xff, "=proof" },
	{ "alg", 8, 9, 0xff, "=proof" },
	{ "flag of dummies", 9, 10, 0x01, "=report_data" },
	{ "other flags", 9, 10, 0xfe, "=proof" },
	{ "reserved bytes", 10, 12, 0xff, "=proof" },
	/* 7 leaves: 6 and 5, at whose end the leaf would be, or not */
	{ "tree_size, lowest bit", 12, 13, 0x01, "=proof" },
	{ "tree_size, second bit", 12, 13, 0x02, "=proof" },
	{ "tree_size, third bit", 12, 13, 0x04, "=proof" },
	{ "tree_size, which implies a longer path", 12, 13, 0xf8, "=proof" },
	{ "tree_size, higher bytes", 13, 16, 0xff, "=proof" },
	{ "leaf_index, to a neighbour", 16, 17, 0x01, "=report_data" },
	{ "leaf_index, outside the tree", 16, 17, 0xfa, "=proof" },
	{ "leaf_index, to the other half", 16, 17, 0x04, "=report_data" },
	{ "leaf_index, higher bytes", 17, 20, 0xff, "=proof" },
	{ "path_len", 20, 21, 0xff, "=proof" },
	{ "byte after path_len", 21, 22, 0xff, "=proof" },
	/* no other kind has a value */
	{ "scope's kind", 22, 23, 0xff, "=proof" },
	{ "scope's value", 23, 36, 0xff, "=report_data" },
	{ "salt", 36, 68, 0xff, "=report_data" },
	{ "path", 68, 68 + 3 * 48, 0xff, "=report_data" },
};

static bool refused_exactly(const struct subject *s, const struct cvm_verify_opts *opts,
			    const char *names)
{
	char found[NAMES_SIZE] = "no verdict";
	struct cvm_verdict *verdict = NULL;

	if (!cvm_verify(s->v, s->evidence, s->len, opts, &verdict, NULL))
		verdict_names(verdict, found);
	cvm_verdict_free(verdict);
	if (strcmp(found, names))
		printf("# %s\n", found);
	return !strcmp(found, names);
}

static void test_part(const struct subject *s, size_t part)
{
	uint8_t proof[CVM_PROOF_MAX];
	struct cvm_verify_opts opts = opts_of(&batch, LEAF);
	size_t count = 0, wrong = 0;

	memcpy(proof, batch.proof[LEAF], sizeof(proof));
	opts.proof = proof;
	for (size_t at = parts[part].from; at < parts[part].until; at++)
		for (int bit = 0; bit < 8; bit++) {
			if (!(parts[part].bits & 1 << bit))
				continue;
			proof[at] ^= (uint8_t)(1 << bit);
			wrong += !refused_exactly(s, &opts, parts[part].by + 1);
			proof[at] ^= (uint8_t)(1 << bit);
			count++;
		}
	check(!wrong && count, "%s, each of %zu bits of a proof's %s: refused by %s", s->name,
	      count, parts[part].name, parts[part].by);
}

static void test_lengths(const struct subject *s)
{
	uint8_t proof[CVM_PROOF_MAX + 48] = { 0 };
	struct cvm_verify_opts opts = opts_of(&batch, LEAF);
	size_t whole = opts.proof_len, wrong = 0;

	memcpy(proof, batch.proof[LEAF], whole);
	opts.proof = proof;
	for (opts.proof_len = 0; opts.proof_len < sizeof(proof); opts.proof_len++)
		if (opts.proof_len != whole)
			wrong += !refused_exactly(s, &opts, "proof");
	check(!wrong, "%s, a proof of each other length: refused by =proof", s->name);
}

/* what the driver wrote: neither a caller nor the host makes root of nobody */
static void test_kind(const struct subject *s)
{
	for (__u8 leaf = 0; leaf < 2; leaf++) {
		struct cvm_verify_opts opts = opts_of(&batch, leaf);
		uint8_t proof[CVM_PROOF_MAX];

		memcpy(proof, batch.proof[leaf], sizeof(proof));
		proof[22] ^= 1;
		opts.proof = proof;
		refuse(s, &opts, "=report_data", leaf ? "root's proof made nobody's" :
		       "nobody's proof made root's");
	}
}

static void test_bits(struct subject s)
{
	test_kind(&s);
	for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
		test_part(&s, i);
	test_lengths(&s);
	cvm_verifier_free(s.v);
}

/* ---- one mode in the place of the other */

static void test_modes(void)
{
	static const uint8_t direct[64] = { [0 ... 63] = 0xd5 };
	static const uint8_t reserved[64] = "CVMGBATx";
	const char *any = "{\"batch\": {\"scopes\": \"any\"}}";
	struct subject s = snp_about(&snp_kinds[0], direct, any);
	struct cvm_verify_opts opts = opts_of(&batch, 1);

	refuse(&s, &opts, "=report_data", "direct evidence where a proof is expected");
	opts = (struct cvm_verify_opts){ .size = sizeof(opts), .at = TEST_NOW,
					 .flags = CVM_VERIFY_BATCH };
	refuse(&s, &opts, "=report_data", "direct evidence where proofs are to come");
	opts.flags = 0;
	opts.report_data = direct;
	refuse(&s, &opts, NULL, "direct evidence");
	cvm_verifier_free(s.v);

	s = snp_about(&snp_kinds[0], reserved, any);
	opts.report_data = reserved;
	refuse(&s, &opts, "=report_data", "direct evidence that begins as a batch's does");
	cvm_verifier_free(s.v);

	s = snp_about(&snp_kinds[0], batch.r64, any);
	opts = opts_of(&batch, 1);
	opts.user_data = reserved;
	refuse(&s, &opts, "=proof", "user data that begins as a batch's R64 does");
	cvm_verifier_free(s.v);
}

int main(void)
{
	snp_make_kinds();
	tdx_make_kinds();
	batch_make(&batch, SIZE, 0x40);
	batch_make(&other, SIZE, 0x90);
	test_kinds();
	test_scopes();
	test_bits(snp_about(&snp_kinds[2], batch.r64, "{\"batch\": {\"scopes\": \"any\"}}"));
	test_bits(tdx_about(&tdx_kinds[0], batch.r64, "{\"batch\": {\"scopes\": \"any\"}}"));
	test_modes();
	snp_free_kinds();
	tdx_free_kinds();
	return tap_end();
}
