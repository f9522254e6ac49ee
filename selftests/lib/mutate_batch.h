/* SPDX-License-Identifier: GPL-2.0 */
/* Evidence about any 64 bytes, and a verifier of it with a policy that has more. */
#ifndef MUTATE_BATCH_H
#define MUTATE_BATCH_H

#include "make_batch.h"
#include "mutate_snp.h"
#include "mutate_tdx.h"

struct subject {
	const char *name;
	struct cvm_verifier *v;
	uint8_t evidence[TDX_MAX_QUOTE];
	size_t len;
};

/* @members: JSON, which the policy has besides; for cvm_verifier_free() */
struct subject snp_about(const struct snp_kind *kind, const uint8_t data[64], const char *members);
/* asked for at that VMPL */
struct subject snp_about_at(uint8_t vmpl, const struct snp_kind *kind, const uint8_t data[64],
			    const char *members);
struct subject tdx_about(const struct tdx_kind *kind, const uint8_t data[64], const char *members);

/* The policy that @s was made by, with these @members */
void set_policy(struct cvm_verifier *v, const char *policy, const char *members);

struct cvm_verify_opts opts_of(const struct batch *b, size_t leaf);

/* @s is refused by @by, as in mutate.h; NULL: verified */
static inline void refuse(const struct subject *s, const struct cvm_verify_opts *opts,
			  const char *by, const char *name)
{
	struct cvm_verdict *verdict = NULL;
	int ret = cvm_verify(s->v, s->evidence, s->len, opts, &verdict, NULL);

	expect_by(ret, verdict, by, "%s, %s", s->name, name);
}

#endif /* MUTATE_BATCH_H */
