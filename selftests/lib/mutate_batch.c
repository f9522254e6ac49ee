// SPDX-License-Identifier: GPL-2.0
#include <stdlib.h>
#include <string.h>

#include "mutate_batch.h"

/* @policy with more members, as JSON; for free() */
static char *policy_with(const char *policy, const char *members)
{
	json_t *json = need(json_loads(policy, 0, NULL));
	json_t *more = need(json_loads(members, 0, NULL));
	char *text;

	json_object_update(json, more);
	text = need(json_dumps(json, 0));
	json_decref(json);
	json_decref(more);
	return text;
}

void set_policy(struct cvm_verifier *v, const char *policy, const char *members)
{
	char *text = policy_with(policy, members);

	if (cvm_verifier_set_policy(v, text, strlen(text), NULL))
		need(NULL);
	free(text);
}

static struct subject finish_snp(struct subject *s, struct snp_world *w, const uint8_t data[64],
				 const struct snp_kind *kind, const char *members)
{
	s->v = snp_verifier(w);
	memcpy(w->report + 0x50, data, 64);
	snp_sign(w);
	memcpy(s->evidence, w->report, s->len);
	set_policy(s->v, kind->policy, members);
	return *s;
}

struct subject snp_about(const struct snp_kind *kind, const uint8_t data[64],
			 const char *members)
{
	struct subject s = { .name = kind->name, .len = CVM_SNP_REPORT_SIZE };
	struct snp_world w = snp_world_of(kind);

	return finish_snp(&s, &w, data, kind, members);
}

struct subject snp_about_at(uint8_t vmpl, const struct snp_kind *kind, const uint8_t data[64],
			    const char *members)
{
	struct subject s = { .name = kind->name, .len = CVM_SNP_REPORT_SIZE };
	struct snp_world w = snp_world_of(kind);

	w.report[0x30] = vmpl;
	return finish_snp(&s, &w, data, kind, members);
}

struct subject tdx_about(const struct tdx_kind *kind, const uint8_t data[64],
			 const char *members)
{
	struct subject s = { .name = kind->name };
	struct tdx_world w = tdx_world_of(kind);

	memcpy(w.body + TDX_REPORTDATA, data, 64);
	tdx_make(&w);
	s.v = tdx_verifier(&w);
	s.len = w.len;
	memcpy(s.evidence, w.quote, w.len);
	set_policy(s.v, kind->policy, members);
	tdx_done(&w);
	return s;
}

struct cvm_verify_opts opts_of(const struct batch *b, size_t leaf)
{
	return (struct cvm_verify_opts){
		.size = sizeof(struct cvm_verify_opts), .at = TEST_NOW,
		.user_data = b->leaf[leaf].user_data,
		.proof = b->proof[leaf], .proof_len = b->proof_len[leaf],
	};
}
