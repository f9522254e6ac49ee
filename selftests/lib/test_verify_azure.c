// SPDX-License-Identifier: GPL-2.0
/*
 * Many proofs of an Azure guest's evidence, verified once: both that it is bound by
 * count. Which boot it is of; what there is a policy of. And files of what its vTPM quoted.
 */
#include <errno.h>

#include "mutate_azure.h"
#include "userspace/verify/tpm_file.h"

static int proof_of(const struct cvm_verdict *verdict, size_t leaf)
{
	return cvm_verdict_proof(verdict, azure_batch.leaf[leaf].user_data,
				 azure_batch.proof[leaf], azure_batch.proof_len[leaf], NULL, NULL);
}

static void quote_of_batch(struct azure_world *w)
{
	w->attest.extraData.size = CVM_TPM48_SIZE;
	memcpy(w->attest.extraData.buffer, azure_batch.tpm48, CVM_TPM48_SIZE);
}

/* @hcl, @tpm: whether the claims, and the vTPM's quote, are of the batch */
static struct azure_world made(bool is_td, bool hcl, bool tpm, const char *policy)
{
	struct azure_world w = azure_genuine(is_td);

	if (hcl)
		azure_set_user_data(&w, azure_batch.r64);
	if (tpm)
		quote_of_batch(&w);
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

	quote.reset_count = 7;
	quote.flags = CVM_TPM_QUOTE_RESET_COUNT;
	opts.binding = binding;
	opts.flags = CVM_VERIFY_BATCH;
	check(!cvm_verify(v, w.hcl, w.len, &opts, &verdict, NULL) &&
	      cvm_verdict_verified(verdict) == !by, "%s guest, %s: %sverified", guest, name,
	      by ? "not " : "");
	check(proof_of(verdict, 1) == wanted && proof_of(verdict, 4) == wanted,
	      "%s guest, %s: proofs of root: %d", guest, name, wanted);
	check(proof_of(verdict, 0) == (by ? -EACCES : -EPERM) &&
	      proof_of(verdict, 2) == (by ? -EACCES : -EPERM),
	      "%s guest, %s: proofs for others, which no policy accepts", guest, name);
	expect_by(0, verdict, by, "%s guest, %s", guest, name);
	cvm_verifier_free(v);
	azure_done(&w);
}

/* ---- which boot, and what there is no policy of */

static struct cvm_verdict *verify(const struct azure_world *w, const struct cvm_verifier *v,
				  const struct cvm_verify_opts *opts)
{
	struct cvm_verdict *verdict = NULL;

	if (cvm_verify(v, w->hcl, w->len, opts, &verdict, NULL))
		need(NULL);
	return verdict;
}

static void test_policy_of(const struct azure_world *w, const struct cvm_verifier *v,
			   const struct cvm_verify_opts *opts, bool holds, const char *name)
{
	struct cvm_verdict *verdict = verify(w, v, opts);
	struct cvm_error error;
	char *policy;
	int ret = cvm_verdict_policy(verdict, &policy, &error);

	check(holds ? !ret && policy : ret == -EINVAL && !policy, "%s: %s", name,
	      holds ? "a policy" : error.text);
	free(policy);
	cvm_verdict_free(verdict);
}

static void make_of_batch(struct azure_world *w)
{
	azure_set_user_data(w, azure_batch.r64);
	quote_of_batch(w);
}

static void bare(struct azure_world *w) { w->no_tpm_quote = true; }
static void other_bit(struct azure_world *w) { w->signature[9] ^= 1; }
static void forged(struct azure_world *w) { w->tamper = other_bit; }

static void nothing_expected(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = NULL;
}

static void another_expected(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	static const uint8_t another[CVM_REPORT_DATA_LEN] = { 1 };

	o->report_data = another;
}

static void tpm_nonce_alone(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = NULL;
	q->nonce = azure_nonce;
	q->nonce_len = sizeof(azure_nonce);
}

static void another_tpm_nonce(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	q->nonce = azure_nonce;
	q->nonce_len = 32;
}

static void one_proof(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = NULL;
	o->user_data = azure_batch.leaf[1].user_data;
	o->proof = azure_batch.proof[1];
	o->proof_len = azure_batch.proof_len[1];
}

static void any_proof(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = NULL;
	o->flags = CVM_VERIFY_BATCH;
}

static void of_boot_7(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	q->reset_count = 7;
	q->flags = CVM_TPM_QUOTE_RESET_COUNT;
}

static void by_tpm_any_boot(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->binding = CVM_BINDING_AZURE_TPM;
}

static void by_tpm(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	by_tpm_any_boot(o, q);
	of_boot_7(o, q);
}

static const struct {
	const char *name;
	bool of_batch;
	void (*make)(struct azure_world *w);
	ask_fn *ask;
	bool told;
} boots[] = {
	{ "as asked for", false, NULL, NULL, true },
	{ "of a batch, with a proof", true, NULL, one_proof, true },
	{ "of the boot that is expected", false, NULL, of_boot_7, true },
	{ "nothing asked for", false, NULL, nothing_expected, false },
	{ "something else asked for", false, NULL, another_expected, false },
	{ "only the vTPM asked", false, NULL, tpm_nonce_alone, false },
	{ "the vTPM asked for something else", false, NULL, another_tpm_nonce, false },
	{ "of a batch, for any number of proofs", true, NULL, any_proof, false },
	{ "no quote of the vTPM", false, bare, NULL, false },
	{ "a forged quote of the vTPM", false, forged, NULL, false },
	{ "by the vTPM alone", false, NULL, by_tpm, false },
	{ "by the vTPM alone, of which boot not given", false, NULL, by_tpm_any_boot, false },
};

/* A count is of the boot that was verified, or it is none. */
static void test_boots(bool is_td)
{
	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		struct azure_world w = azure_genuine(is_td);
		struct cvm_tpm_quote quote;
		struct cvm_verify_opts opts;
		struct cvm_verdict *verdict;
		struct cvm_verifier *v;
		uint32_t count = 0;
		int ret;

		if (boots[i].of_batch)
			make_of_batch(&w);
		if (boots[i].make)
			boots[i].make(&w);
		azure_make(&w);
		v = azure_verifier(&w);
		opts = azure_opts(&w, &quote);
		opts.report_data = azure_nonce;
		if (boots[i].ask)
			boots[i].ask(&opts, &quote);
		verdict = verify(&w, v, &opts);
		ret = cvm_verdict_reset_count(verdict, &count);
		check(boots[i].told ? !ret && count == 7 : ret == -ENODATA && !count,
		      "%s guest, %s: %s", is_td ? "TDX" : "SNP", boots[i].name,
		      boots[i].told ? "which boot" : "no boot");
		cvm_verdict_free(verdict);
		cvm_verifier_free(v);
		azure_done(&w);
	}
}

static void test_policies(void)
{
	struct azure_world w = azure_genuine(false);
	struct cvm_tpm_quote quote;
	struct cvm_verify_opts opts;
	struct cvm_verifier *v;

	azure_make(&w);
	v = azure_verifier(&w);
	opts = azure_opts(&w, &quote);
	test_policy_of(&w, v, &opts, true, "a quote of the vTPM");
	opts.tpm_quote = NULL;
	test_policy_of(&w, v, &opts, false, "none");
	opts.tpm_quote = &quote;
	w.signature[9] ^= 1;
	test_policy_of(&w, v, &opts, false, "a forged one");
	cvm_verifier_free(v);
	azure_done(&w);
}

/* ---- files */

#define PCR	"\"0000000000000000000000000000000000000000000000000000000000000000\""
#define QUOTE	"\"message\": \"ff\", \"signature\": \"0A0b\""

static const struct {
	const char *text, *error;
} malformed[] = {
	{ "", "no JSON" }, { "[]", "expected an object" }, { "{", "line 1, column 1: no JSON" },
	{ "{}", "message: expected to be there" },
	{ "{\"message\": 7}", "message: expected hexadecimal digits of at most 4096 bytes" },
	{ "{\"message\": \"f\"}", "message: expected hexadecimal digits" },
	{ "{\"message\": \"xx\"}", "message: expected hexadecimal digits" },
	{ "{\"message\": \"ff\"}", "signature: expected to be there" },
	{ "{\"message\": \"ff\", \"signature\": [1]}", "signature: expected hexadecimal digits" },
	{ "{" QUOTE "}", "pcrs: expected to be there" },
	{ "{" QUOTE ", \"pcrs\": {}}", "pcrs: expected an array of at most 24 elements" },
	{ "{" QUOTE ", \"pcrs\": []}", "pcrs: expected a value of each PCR from PCR 0 on" },
	{ "{" QUOTE ", \"pcrs\": [\"00\"]}", "pcrs[0]: expected 64 hexadecimal digits" },
	{ "{" QUOTE ", \"pcrs\": [" PCR ", 7]}", "pcrs[1]: expected 64 hexadecimal digits" },
	{ "{" QUOTE ", \"message\": \"00\"}", "duplicate" },
};

/* One more than there may be */
static void test_long(void)
{
	char *text = need(malloc(2 * CVM_TPM_MESSAGE_MAX + 64));
	struct cvm_tpm_file file;
	struct cvm_error error;
	int len = sprintf(text, "{\"message\": \"%0*d\"}", 2 * CVM_TPM_MESSAGE_MAX + 2, 0);

	check(cvm_tpm_file_parse(&file, text, (size_t)len, &error) == -EBADMSG &&
	      strstr(error.text, "message: expected hexadecimal digits of at most 4096 bytes"),
	      "a message of 4,097 bytes: refused");
	len = sprintf(text, "{\"message\": \"%0*d\"}", 2 * CVM_TPM_MESSAGE_MAX, 0);
	check(cvm_tpm_file_parse(&file, text, (size_t)len, &error) == -EBADMSG &&
	      strstr(error.text, "signature: expected to be there"), "of 4,096 bytes: taken");
	free(text);
}

static void test_files(void)
{
	static const char good[] = "{" QUOTE ", \"pcrs\": [" PCR ", " PCR "], "
				   "\"reset_count\": 4294967295, \"future\": []}";
	struct cvm_tpm_file file;
	const uint8_t *signature;
	struct cvm_error error;

	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++)
		if (!check(cvm_tpm_file_parse(&file, malformed[i].text, strlen(malformed[i].text),
					      &error) == -EBADMSG &&
			   strstr(error.text, malformed[i].error), "refused: %s", malformed[i].error))
			printf("# %s\n", error.text);
	test_long();
	check(!cvm_tpm_file_parse(&file, good, strlen(good), &error), "a file");
	signature = file.quote.signature;
	check(file.quote.message_len == 1 && *(const uint8_t *)file.quote.message == 0xff &&
	      file.quote.signature_len == 2 && signature[0] == 10 && signature[1] == 11 &&
	      file.quote.pcr_count == 2,
	      "what it says is what is verified");
	check(!file.quote.reset_count && !file.quote.flags,
	      "what it says of its own boot is passed over");
}

int main(void)
{
	test_files();
	azure_make_policies();
	for (int td = 0; td < 2; td++) {
		const char *policy = azure_policies[td];
		char *by_tpm = azure_rebound(policy, "azure-tpm");

		test(made(td, true, true, policy), CVM_BINDING_AZURE, NULL, 0, "of a batch");
		test(made(td, false, true, policy), CVM_BINDING_AZURE, "=report_data", -EACCES,
		     "of a batch by the vTPM alone");
		test(made(td, true, false, policy), CVM_BINDING_AZURE, "=tpm_nonce", -EACCES,
		     "of a batch by the report alone");
		test(made(td, false, true, by_tpm), CVM_BINDING_AZURE_TPM, NULL, 0,
		     "by the vTPM, of a batch");
		test(made(td, true, false, by_tpm), CVM_BINDING_AZURE_TPM, "=tpm_nonce",
		     -EACCES, "by the vTPM, of a batch by the report alone");
		free(by_tpm);
		test_boots(td);
	}
	test_policies();
	azure_free_policies();
	return tap_end();
}
