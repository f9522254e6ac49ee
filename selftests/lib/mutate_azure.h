/* SPDX-License-Identifier: GPL-2.0 */
/* Evidence of Azure guests, verified by a policy of its own, to be spoilt. */
#ifndef MUTATE_AZURE_H
#define MUTATE_AZURE_H

#include "make_azure.h"
#include "make_batch.h"
#include "make_collateral.h"
#include "mutate.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

extern char *azure_policies[2];		/* of an SNP guest, of a TD; they accept batches of root */
extern const uint8_t azure_nonce[64];	/* of azure_genuine() */
extern struct batch azure_batch;

/* Keys, a batch, and the policies */
void azure_make_policies(void);
void azure_free_policies(void);

/* @policy with another binding; NULL: with none; for free() */
char *azure_rebound(const char *policy, const char *binding);

/* Ends the program if it is not JSON */
json_t *json_of(const char *text);

/* What is asked for: azure_nonce, unless the case says otherwise */
typedef void ask_fn(struct cvm_verify_opts *opts, struct cvm_tpm_quote *quote);

/* Takes @w: refused by @by, as in mutate.h; NULL: verified */
static inline void refuse(struct azure_world *w, ask_fn *ask, const char *by, const char *name)
{
	struct cvm_verdict *verdict = NULL;
	struct cvm_tpm_quote quote;
	struct cvm_verify_opts opts;
	struct cvm_verifier *v;
	int ret;

	w->snp.policy = w->tdx.policy = azure_policies[w->is_td];
	azure_make(w);
	v = azure_verifier(w);
	opts = azure_opts(w, &quote);
	opts.report_data = azure_nonce;
	if (ask)
		ask(&opts, &quote);
	ret = cvm_verify(v, w->hcl, w->len, &opts, &verdict, NULL);
	expect_by(ret, verdict, by, "%s guest, %s", w->is_td ? "TDX" : "SNP", name);
	cvm_verifier_free(v);
	azure_done(w);
}

#endif /* MUTATE_AZURE_H */
