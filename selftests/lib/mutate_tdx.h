/* SPDX-License-Identifier: GPL-2.0 */
/* Kinds of quotes, each verified by a policy of its own, to be spoilt. */
#ifndef MUTATE_TDX_H
#define MUTATE_TDX_H

#include "make_collateral.h"
#include "make_tdx.h"
#include "mutate.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define TDX_KINDS		3

struct tdx_kind {
	const char *name;
	uint16_t version, body_type;
	char *policy;
};

/* version 4, version 5 with a body of TDX 1.0, and of TDX 1.5 */
extern struct tdx_kind tdx_kinds[TDX_KINDS];

/* Keys, and the strictest policy of each kind, by which it is verified */
void tdx_make_kinds(void);
void tdx_free_kinds(void);

/* For tdx_done() */
struct tdx_world tdx_world_of(const struct tdx_kind *kind);

/* Takes @w, made: refused by @by, as in mutate.h; NULL: verified */
static inline void tdx_refuse_made(struct tdx_world *w, const char *by, const char *kind,
				   const char *name)
{
	const struct cvm_verify_opts opts = tdx_opts(w);
	struct cvm_verifier *v = tdx_verifier(w);
	struct cvm_verdict *verdict = NULL;
	int ret = cvm_verify(v, w->quote, w->len, &opts, &verdict, NULL);

	expect_by(ret, verdict, by, "%s, %s", kind, name);
	cvm_verifier_free(v);
	tdx_done(w);
}

/* The same of @w as it is described */
static inline void tdx_refuse(struct tdx_world *w, const char *by, const char *kind,
			      const char *name)
{
	tdx_make(w);
	tdx_refuse_made(w, by, kind, name);
}

#endif /* MUTATE_TDX_H */
