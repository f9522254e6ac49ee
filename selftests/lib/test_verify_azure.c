// SPDX-License-Identifier: GPL-2.0
/* Many proofs of an Azure guest's evidence, verified once: both that it is bound by count. */
#include <errno.h>

#include "mutate_azure.h"

static int proof_of(const struct cvm_verdict *verdict, size_t leaf)
{
	return cvm_verdict_proof(verdict, azure_batch.leaf[leaf].user_data,
				 azure_batch.proof[leaf], azure_batch.proof_len[leaf], NULL, NULL);
}

/* @hcl, @tpm: whether the claims, and the vTPM's quote, are of the batch */
static struct azure_world made(bool is_td, bool hcl, bool tpm, const char *policy)
{
	struct azure_world w = azure_genuine(is_td);

	if (hcl)
		azure_set_user_data(&w, azure_batch.r64);
	if (tpm) {
		w.attest.extraData.size = CVM_TPM48_SIZE;
		memcpy(w.attest.extraData.buffer, azure_batch.tpm48, CVM_TPM48_SIZE);
	}
	w.snp.policy = w.tdx.policy = (char *)policy;
	azure_make(&w);
	return w;
}

/* Proofs of one kind of evidence: @wanted of those of root, the only scope accepted */
static void test(struct azure_world w, uint32_t binding, const char *by, int wanted,
		 const char *name)
{
	struct cvm_verifier *v = azure_verifier(&w);
	struct cvm_verdict *verdict = NULL;
	struct cvm_tpm_quote quote;
	struct cvm_verify_opts opts = azure_opts(&w, &quote);
	const char *guest = w.is_td ? "TDX" : "SNP";

	opts.binding = binding;
	opts.flags = CVM_VERIFY_BATCH;
	check(!cvm_verify(v, w.hcl, w.len, &opts, &verdict, NULL) &&
	      cvm_verdict_verified(verdict) == !by, "%s guest, %s: %sverified", guest, name,
	      by ? "not " : "");
	check(proof_of(verdict, 1) == wanted && proof_of(verdict, 4) == wanted,
	      "%s guest, %s: proofs of root: %d", guest, name, wanted);
	check(proof_of(verdict, 0) == -EPERM && proof_of(verdict, 2) == -EPERM,
	      "%s guest, %s: proofs for others, which no policy accepts", guest, name);
	expect_by(0, verdict, by, "%s guest, %s", guest, name);
	cvm_verifier_free(v);
	azure_done(&w);
}

int main(void)
{
	azure_make_policies();
	for (int td = 0; td < 2; td++) {
		const char *policy = azure_policies[td];
		char *by_tpm = azure_rebound(policy, "azure-tpm");

		test(made(td, true, true, policy), CVM_BINDING_AZURE, NULL, 0, "of a batch");
		test(made(td, false, true, policy), CVM_BINDING_AZURE, "=report_data", -EKEYREJECTED,
		     "of a batch by the vTPM alone");
		test(made(td, true, false, policy), CVM_BINDING_AZURE, "=tpm_nonce", -EKEYREJECTED,
		     "of a batch by the report alone");
		test(made(td, false, true, by_tpm), CVM_BINDING_AZURE_TPM, NULL, 0,
		     "by the vTPM, of a batch");
		test(made(td, true, false, by_tpm), CVM_BINDING_AZURE_TPM, "=tpm_nonce",
		     -EKEYREJECTED, "by the vTPM, of a batch by the report alone");
		free(by_tpm);
	}
	azure_free_policies();
	return tap_end();
}
