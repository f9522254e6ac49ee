/* SPDX-License-Identifier: GPL-2.0 */
/* Certificates that come with SNP evidence, to a verifier that has none */
#ifndef GIVEN_CERTS_H
#define GIVEN_CERTS_H

#include "mutate_snp.h"

struct bytes {
	char *data;
	size_t len;
};

/* ARK, ASK and VCEK of @w in PEM */
static inline struct bytes snp_chain(struct snp_world *w)
{
	X509 *certs[3];
	struct bytes out;

	w->leaf.arg = &w->amd;
	certs[0] = make_cert(&w->ark);
	certs[1] = make_cert(&w->ask);
	certs[2] = make_cert(&w->leaf);
	out.data = certs_pem(certs, 3, &out.len);
	for (int i = 0; i < 3; i++)
		X509_free(certs[i]);
	return out;
}

/* Trusts the ARK and has its list, and nothing else */
static inline struct cvm_verifier *snp_bare(struct snp_world *w)
{
	w->no_ark = w->no_ask = w->no_leaf = true;
	snp_sign(w);
	return snp_verifier(w);
}

static inline void snp_with(struct cvm_verifier *v, struct snp_world *w,
			    const struct bytes *certs, const char *by, const char *name)
{
	struct cvm_verify_opts opts = snp_opts(w);
	struct cvm_verdict *verdict = NULL;
	int ret;

	opts.certs = certs->data;
	opts.certs_len = certs->len;
	ret = cvm_verify(v, w->report, sizeof(w->report), &opts, &verdict, NULL);
	expect_by(ret, verdict, by, "SNP, %s", name);
}

/* Takes @verdict: not authentic, because the check @name failed for @reason */
static inline void expect_because(int ret, struct cvm_verdict *verdict, const char *name,
				  const char *reason)
{
	const char *found = "not there";

	for (size_t i = 0; verdict && i < cvm_verdict_count(verdict); i++)
		if (!strcmp(cvm_verdict_check(verdict, i)->name, name) &&
		    cvm_verdict_check(verdict, i)->state == CVM_CHECK_FAILED)
			found = cvm_verdict_check(verdict, i)->reason;
	if (!check(!ret && verdict && !cvm_verdict_authentic(verdict) && strstr(found, reason),
		   "refused by %s: %s", name, reason))
		printf("# %d: %s\n", ret, found);
	cvm_verdict_free(verdict);
}

#endif /* GIVEN_CERTS_H */
