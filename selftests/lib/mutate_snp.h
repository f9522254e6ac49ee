/* SPDX-License-Identifier: GPL-2.0 */
/* Kinds of SNP evidence, each verified by a policy of its own, to be spoilt. */
#ifndef MUTATE_SNP_H
#define MUTATE_SNP_H

#include "make_snp.h"
#include "mutate.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define SNP_KINDS		4

struct snp_kind {
	const char *name;
	void (*make)(struct snp_world *w);
	char *policy;
};

/* version 3, 2 and 5 by a VCEK, version 3 by a VLEK */
extern struct snp_kind snp_kinds[SNP_KINDS];

/* Keys, and the strictest policy of each kind, by which it is verified */
void snp_make_kinds(void);
void snp_free_kinds(void);

struct snp_world snp_world_of(const struct snp_kind *kind);
struct cvm_verifier *snp_verifier_of(const struct snp_kind *kind);

/* @w is refused by @by, as in mutate.h; NULL: verified */
static inline void snp_refuse(struct snp_world *w, const char *by, const char *kind,
			      const char *name)
{
	struct cvm_verdict *verdict = NULL;
	int ret = snp_verify(w, &verdict);

	expect_by(ret, verdict, by, "%s, %s", kind, name);
}

static inline void snp_verify_kinds(void)
{
	for (size_t i = 0; i < SNP_KINDS; i++) {
		struct snp_world w = snp_world_of(&snp_kinds[i]);

		snp_refuse(&w, NULL, snp_kinds[i].name, "genuine");
	}
}

/* The same by @v, of snp_verifier_of(), where only the report is another */
static inline void snp_refuse_by(struct cvm_verifier *v, struct snp_world *w, const char *by,
				 const char *kind, const char *name)
{
	const struct cvm_verify_opts opts = snp_opts(w);
	struct cvm_verdict *verdict = NULL;
	int ret;

	snp_sign(w);
	if (w->tamper)
		w->tamper(w);
	ret = cvm_verify(v, w->report, sizeof(w->report), &opts, &verdict, NULL);
	expect_by(ret, verdict, by, "%s, %s", kind, name);
}

#endif /* MUTATE_SNP_H */
