// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "mutate_tdx.h"

static const uint8_t data[64] = { [0 ... 63] = 0xd5 };

struct tdx_kind tdx_kinds[TDX_KINDS] = {
	{ "quote v4", 4, 2, NULL }, { "quote v5 of TDX 1.0", 5, 2, NULL },
	{ "quote v5 of TDX 1.5", 5, 3, NULL },
};

struct tdx_world tdx_world_of(const struct tdx_kind *kind)
{
	struct tdx_world w = tdx_genuine();

	w.version = kind->version;
	w.body_type = kind->body_type;
	w.report_data = (const char *)data;
	w.policy = kind->policy;
	return w;
}

static char *make_policy(const struct tdx_kind *kind)
{
	struct tdx_world w = tdx_world_of(kind);
	const struct cvm_verify_opts opts = tdx_opts(&w);
	struct cvm_verifier *v = tdx_verifier(&w);
	struct cvm_verdict *verdict = NULL;
	char *policy;

	tdx_make(&w);
	if (cvm_verify(v, w.quote, w.len, &opts, &verdict, NULL) ||
	    cvm_verdict_policy(verdict, &policy, NULL)) {
		printf("Bail out! no policy for %s\n", kind->name);
		exit(1);
	}
	cvm_verdict_free(verdict);
	cvm_verifier_free(v);
	tdx_done(&w);
	return policy;
}

void tdx_make_kinds(void)
{
	tdx_make_keys();
	for (size_t i = 0; i < TDX_KINDS; i++)
		tdx_kinds[i].policy = make_policy(&tdx_kinds[i]);
}

void tdx_free_kinds(void)
{
	for (size_t i = 0; i < TDX_KINDS; i++)
		free(tdx_kinds[i].policy);
	tdx_free_keys();
}
