// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "mutate_snp.h"

static const uint8_t data[64] = { [0 ... 63] = 0xd5 };

struct snp_kind snp_kinds[SNP_KINDS] = {
	{ "v3 VCEK", NULL, NULL }, { "v2 VCEK", snp_make_milan, NULL },
	{ "v5 VCEK", snp_make_turin, NULL }, { "v3 VLEK", snp_make_vlek, NULL },
};

struct snp_world snp_world_of(const struct snp_kind *kind)
{
	struct snp_world w = snp_genuine();

	if (kind->make)
		kind->make(&w);
	w.report_data = (const char *)data;
	w.policy = kind->policy;
	return w;
}

struct cvm_verifier *snp_verifier_of(const struct snp_kind *kind)
{
	struct snp_world w = snp_world_of(kind);

	return snp_verifier(&w);
}

void snp_make_kinds(void)
{
	snp_make_keys();
	for (size_t i = 0; i < SNP_KINDS; i++) {
		struct snp_world w = snp_world_of(&snp_kinds[i]);
		struct cvm_verdict *verdict = NULL;
		struct cvm_error error;

		if (snp_verify(&w, &verdict) ||
		    cvm_verdict_policy(verdict, &snp_kinds[i].policy, &error)) {
			printf("Bail out! no policy for %s\n", snp_kinds[i].name);
			exit(1);
		}
		cvm_verdict_free(verdict);
	}
}

void snp_free_kinds(void)
{
	for (size_t i = 0; i < SNP_KINDS; i++)
		free(snp_kinds[i].policy);
	snp_free_keys();
}
