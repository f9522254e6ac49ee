// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>

#include "mutate_azure.h"

const uint8_t azure_nonce[64] = { [0 ... 63] = 0xd5 };
char *azure_policies[2];
struct batch azure_batch;

json_t *json_of(const char *text)
{
	return need(json_loads(text, JSON_DECODE_ANY, NULL));
}

char *azure_rebound(const char *policy, const char *binding)
{
	json_t *root = json_of(policy);
	char *text;

	if (binding)
		json_put(root, "binding", json_string(binding));
	else
		json_object_del(root, "binding");
	json_put(root, "batch", json_of("{\"scopes\": [\"privileged\"]}"));
	text = need(json_dumps(root, 0));
	json_decref(root);
	return text;
}

static char *make_policy(bool is_td)
{
	struct azure_world w = azure_genuine(is_td);
	struct cvm_verdict *verdict = NULL;
	struct cvm_tpm_quote quote;
	struct cvm_verify_opts opts;
	char *policy, *accepts_batches;
	struct cvm_verifier *v;

	azure_make(&w);
	v = azure_verifier(&w);
	opts = azure_opts(&w, &quote);
	if (cvm_verify(v, w.hcl, w.len, &opts, &verdict, NULL) ||
	    cvm_verdict_policy(verdict, &policy, NULL))
		need(NULL);
	accepts_batches = azure_rebound(policy, "azure");
	free(policy);
	cvm_verdict_free(verdict);
	cvm_verifier_free(v);
	azure_done(&w);
	return accepts_batches;
}

void azure_make_policies(void)
{
	snp_make_keys();
	tdx_make_keys();
	azure_make_keys();
	batch_make(&azure_batch, 6, 0x40);
	azure_policies[0] = make_policy(false);
	azure_policies[1] = make_policy(true);
}

void azure_free_policies(void)
{
	free(azure_policies[0]);
	free(azure_policies[1]);
	snp_free_keys();
	tdx_free_keys();
	azure_free_keys();
}
