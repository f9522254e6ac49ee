// SPDX-License-Identifier: GPL-2.0
/*
 * Evidence of Azure guests that a policy verifies, spoilt: the vTPM's quote; and what
 * was asked for, directly, of a batch, and of the vTPM alone.
 */
#include <openssl/sha.h>

#include "mutate_azure.h"

/* ---- the vTPM's quote */

static void no_user_data(struct azure_world *w) { json_object_del(w->claims, "user-data"); }
static void no_tpm_quote(struct azure_world *w) { w->no_tpm_quote = true; }
static void other_signer(struct azure_world *w) { w->quote_signer = azure_keys.other; }
static void ec_signer(struct azure_world *w) { w->quote_signer = azure_keys.ec; }
static void signature_bit(struct azure_world *w) { w->signature[100] ^= 1; }
static void signature_cut(struct azure_world *w) { w->signature_len--; }
static void signature_none(struct azure_world *w) { w->signature_len = 0; }
static void message_bit(struct azure_world *w) { w->message[w->message_len - 1] ^= 1; }
static void message_cut(struct azure_world *w) { w->message_len--; }
static void message_more(struct azure_world *w) { w->message_len++; }
static void message_none(struct azure_world *w) { w->message_len = 0; }
static void tampered_signature(struct azure_world *w) { w->tamper = signature_bit; }
static void short_signature(struct azure_world *w) { w->tamper = signature_cut; }
static void no_signature(struct azure_world *w) { w->tamper = signature_none; }
static void tampered_message(struct azure_world *w) { w->tamper = message_bit; }
static void short_message(struct azure_world *w) { w->tamper = message_cut; }
static void long_message(struct azure_world *w) { w->tamper = message_more; }
static void signed_short(struct azure_world *w) { w->misform = message_cut; }
static void signed_long(struct azure_world *w) { w->misform = message_more; }
static void no_message(struct azure_world *w) { w->tamper = message_none; }
static void magic(struct azure_world *w) { w->attest.magic ^= 1; }
static void certifies(struct azure_world *w) { w->attest.type = TPM2_ST_ATTEST_CERTIFY; }
static void of_creation(struct azure_world *w) { w->attest.type = TPM2_ST_ATTEST_CREATION; }
static void extra_bit(struct azure_world *w) { w->attest.extraData.buffer[47] ^= 1; }
static void extra_cut(struct azure_world *w) { w->attest.extraData.size = 47; }
static void extra_none(struct azure_world *w) { w->attest.extraData.size = 0; }
static void pcr_after(struct azure_world *w) { w->pcrs[32 * 9] ^= 1; }
static void other_pcrs_given(struct azure_world *w) { w->tamper = pcr_after; }
static void few_pcrs_given(struct azure_world *w) { w->pcr_count = 15; }
static void another_pcr(struct azure_world *w) { w->pcrs[32 * 9] ^= 1; }
static void another_last_pcr(struct azure_world *w) { w->pcrs[32 * 15 + 31] ^= 1; }
static void unselected_pcr(struct azure_world *w) { w->pcrs[32 * 16] ^= 1; }
static void few_given(struct azure_world *w) { w->pcr_count = 16; }

static TPML_PCR_SELECTION *selection(struct azure_world *w)
{
	return &w->attest.attested.quote.pcrSelect;
}

static TPMS_PCR_SELECTION *bank(struct azure_world *w)
{
	return &selection(w)->pcrSelections[0];
}

static void fewer_pcrs(struct azure_world *w) { bank(w)->pcrSelect[1] = 0x7f; }
static void more_pcrs(struct azure_world *w) { bank(w)->pcrSelect[2] = 1; }
static void sha1_bank(struct azure_world *w) { bank(w)->hash = TPM2_ALG_SHA1; }
static void no_pcrs(struct azure_world *w) { memset(bank(w)->pcrSelect, 0, 3); }
static void no_bank(struct azure_world *w) { selection(w)->count = 0; }

static void two_banks(struct azure_world *w)
{
	selection(w)->count = 2;
	selection(w)->pcrSelections[1] = selection(w)->pcrSelections[0];
}

static void pcr_24(struct azure_world *w)
{
	bank(w)->sizeofSelect = 4;
	bank(w)->pcrSelect[3] = 1;
}

static void short_digest(struct azure_world *w) { w->attest.attested.quote.pcrDigest.size = 20; }

static void another_digest(struct azure_world *w)
{
	w->attest.attested.quote.pcrDigest.size = 32;
	w->attest.attested.quote.pcrDigest.buffer[0] = 1;
}

static void later(struct azure_world *w)
{
	w->attest.clockInfo.clock = 77777;
	w->attest.clockInfo.restartCount = 3;
	w->attest.firmwareVersion = 99;
}

static void another_boot(struct azure_world *w) { w->attest.clockInfo.resetCount = 8; }
static void boot_0(struct azure_world *w) { w->attest.clockInfo.resetCount = 0; }

static const struct {
	const char *name;
	void (*spoil)(struct azure_world *w);
	const char *by;
} spoilt[] = {
	{ "no quote of the vTPM", no_tpm_quote, "=?tpm_quote" },
	{ "signed by another vTPM", other_signer, "=tpm_quote" },
	{ "signed with ECDSA", ec_signer, "=tpm_quote" },
	{ "another bit in the signature", tampered_signature, "=tpm_quote" },
	{ "signature cut short", short_signature, "=tpm_quote" },
	{ "no signature", no_signature, "=tpm_quote" },
	{ "another bit in the message", tampered_message, "=tpm_quote" },
	{ "message cut short", short_message, "=tpm_quote" },
	{ "message with a byte more", long_message, "=tpm_quote" },
	{ "message signed short of a byte", signed_short, "=tpm_quote" },
	{ "message signed with a byte more", signed_long, "=tpm_quote" },
	{ "no message", no_message, "=tpm_quote" },
	{ "message that no TPM made", magic, "=tpm_quote" },
	{ "message that certifies a key", certifies, "=tpm_quote" },
	{ "message of a creation", of_creation, "=tpm_quote" },
	{ "extraData with another end", extra_bit, "=tpm_nonce" },
	{ "extraData cut short", extra_cut, "=tpm_nonce" },
	{ "no extraData", extra_none, "=tpm_nonce" },
	{ "PCRs that the quote is not of", other_pcrs_given, "=tpm_pcrs" },
	{ "PCRs that are not given", few_pcrs_given, "=tpm_pcrs" },
	{ "PCRs that nobody quotes are not given", few_given, NULL },
	{ "another digest", another_digest, "=tpm_pcrs" },
	{ "a digest of 20 bytes", short_digest, "=tpm_pcrs" },
	{ "a bank of SHA-1", sha1_bank, "=tpm_pcrs" },
	{ "no bank", no_bank, "=tpm_pcrs" },
	{ "two banks", two_banks, "=tpm_pcrs" },
	{ "a PCR that there is not", pcr_24, "=tpm_pcrs" },
	{ "no PCRs", no_pcrs, "=azure.pcrs" },
	{ "a PCR fewer", fewer_pcrs, "=azure.pcrs" },
	{ "a PCR more", more_pcrs, NULL },
	{ "another PCR 9", another_pcr, "=azure.pcrs" },
	{ "another PCR 15, by its last byte", another_last_pcr, "=azure.pcrs" },
	{ "another PCR 16, which is not quoted", unselected_pcr, NULL },
	{ "later, by newer firmware", later, NULL },
	{ "another boot, in full", another_boot, NULL },
};

static void test_spoilt(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++)
		for (int td = 0; td < 2; td++) {
			struct azure_world w = azure_genuine(td);

			spoilt[i].spoil(&w);
			refuse(&w, NULL, spoilt[i].by, spoilt[i].name);
		}
}

/* ---- what is asked for */

static void genuine(struct azure_world *w) { }

static const uint8_t zeros_at_end[64] = { 0xd5, 0xd5, 0xd5 };

static void of_three_bytes(struct azure_world *w)
{
	azure_set_user_data(w, zeros_at_end);
	w->attest.extraData.size = 3;
	memset(w->attest.extraData.buffer, 0xd5, 3);
}

/* the most that Azure's vTPM takes, and one more than that */
static const uint8_t takes_all[64] = { [0 ... 49] = 0xd5 };
static const uint8_t takes_no_more[64] = { [0 ... 50] = 0xd5 };

static void of_fifty_bytes(struct azure_world *w)
{
	azure_set_user_data(w, takes_all);
	w->attest.extraData.size = 50;
	memset(w->attest.extraData.buffer, 0xd5, 50);
}

static void fifty_hashed(struct azure_world *w)
{
	of_fifty_bytes(w);
	w->attest.extraData.size = 48;
	SHA384(takes_all, 64, w->attest.extraData.buffer);
}

static void of_more(struct azure_world *w)
{
	azure_set_user_data(w, takes_no_more);
	SHA384(takes_no_more, 64, w->attest.extraData.buffer);
}

static void more_in_clear(struct azure_world *w)
{
	of_more(w);
	w->attest.extraData.size = 51;
	memset(w->attest.extraData.buffer, 0xd5, 51);
}

static void of_own_nonce(struct azure_world *w)
{
	w->attest.extraData.size = 64;
	memset(w->attest.extraData.buffer, 0xd5, 64);
}

static void of_batch(struct azure_world *w)
{
	azure_set_user_data(w, azure_batch.r64);
	w->attest.extraData.size = CVM_TPM48_SIZE;
	memcpy(w->attest.extraData.buffer, azure_batch.tpm48, CVM_TPM48_SIZE);
}

/* the guest's system was another when the batch was asked for */
static void batch_by_hcl_alone(struct azure_world *w)
{
	azure_set_user_data(w, azure_batch.r64);
}

static void batch_by_tpm_alone(struct azure_world *w)
{
	of_batch(w);
	azure_set_user_data(w, azure_nonce);
}

static void other_nonce(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = zeros_at_end;
}

static void fifty_bytes(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = takes_all;
}

static void more_bytes(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = takes_no_more;
}

static void nothing_expected(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = NULL;
}

static void own_nonce(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	q->nonce = azure_nonce;
	q->nonce_len = 64;
}

static void own_other_nonce(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	q->nonce = azure_nonce;
	q->nonce_len = 32;
}

static void own_empty_nonce(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	q->nonce = azure_nonce;
}

static void proof(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = NULL;
	o->user_data = azure_batch.leaf[1].user_data;
	o->proof = azure_batch.proof[1];
	o->proof_len = azure_batch.proof_len[1];
}

static void proof_of_another(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	proof(o, q);
	o->user_data = azure_batch.leaf[4].user_data;
}

/* a proof decides what the vTPM signs, not who asks */
static void proof_and_nonce(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	proof(o, q);
	own_nonce(o, q);
}

static void of_boot_6(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	q->reset_count = 6;
	q->flags = CVM_TPM_QUOTE_RESET_COUNT;
}

static void of_boot_7(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	q->reset_count = 7;
	q->flags = CVM_TPM_QUOTE_RESET_COUNT;
}

static void of_boot_0(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	q->flags = CVM_TPM_QUOTE_RESET_COUNT;
}

static void r64(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->report_data = azure_batch.r64;
	q->nonce = azure_batch.tpm48;
	q->nonce_len = CVM_TPM48_SIZE;
}

static const struct {
	const char *name;
	void (*make)(struct azure_world *w);
	ask_fn *ask;
	const char *by;
} asked[] = {
	{ "as asked for", genuine, NULL, NULL },
	{ "something else asked for", genuine, other_nonce, "=report_data,tpm_nonce" },
	{ "nothing asked for", genuine, nothing_expected, "=?report_data,?tpm_nonce" },
	{ "the vTPM's nonce given", of_own_nonce, own_nonce, NULL },
	{ "another nonce given for the vTPM", genuine, own_other_nonce, "=tpm_nonce" },
	{ "an empty nonce given for the vTPM", genuine, own_empty_nonce, "=tpm_nonce" },
	{ "what the vTPM signed ends where zeros begin", of_three_bytes, other_nonce, NULL },
	{ "as much as the vTPM takes", of_fifty_bytes, fifty_bytes, NULL },
	{ "as much, hashed", fifty_hashed, fifty_bytes, "=tpm_nonce" },
	{ "more than the vTPM takes, hashed", of_more, more_bytes, NULL },
	{ "more, as it is", more_in_clear, more_bytes, "=tpm_nonce" },
	{ "of a batch", of_batch, proof, NULL },
	{ "of a batch, a nonce is no matter", of_batch, proof_and_nonce, NULL },
	{ "of a batch, for another", of_batch, proof_of_another, "=report_data,tpm_nonce" },
	{ "of a batch, nothing asked for", of_batch, nothing_expected,
	  "=?report_data,?tpm_nonce" },
	{ "of a batch, taken for direct", of_batch, r64, "=report_data,tpm_nonce" },
	{ "direct, taken for a batch's", genuine, proof, "=report_data,tpm_nonce" },
	{ "of a batch by the report alone", batch_by_hcl_alone, proof, "=tpm_nonce" },
	{ "of a batch by the vTPM alone", batch_by_tpm_alone, proof, "=report_data" },
	{ "of the boot that is expected", genuine, of_boot_7, NULL },
	{ "of another boot than expected", genuine, of_boot_6, "=tpm_boot" },
	{ "of boot 0, which is expected", boot_0, of_boot_0, NULL },
};

static void test_asked(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(asked); i++)
		for (int td = 0; td < 2; td++) {
			struct azure_world w = azure_genuine(td);

			asked[i].make(&w);
			refuse(&w, asked[i].ask, asked[i].by, asked[i].name);
		}
}

/* ---- by another binding */

static void as_report(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->binding = CVM_BINDING_REPORT;
}

static void test_no_binding(void)
{
	for (int td = 0; td < 2; td++) {
		struct azure_world w = azure_genuine(td);
		char *kept = azure_policies[td];

		azure_policies[td] = azure_rebound(kept, NULL);
		refuse(&w, as_report, "binding", "where a report was expected");
		free(azure_policies[td]);
		azure_policies[td] = kept;
	}
}

static void by_tpm_any_boot(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->binding = CVM_BINDING_AZURE_TPM;
	q->reset_count = 7;	/* which is not given without its flag */
}

static void by_tpm(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	by_tpm_any_boot(o, q);
	of_boot_7(o, q);
}

static void by_tpm_boot_0(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	by_tpm(o, q);
	q->reset_count = 0;
}

static void by_tpm_another_boot(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	by_tpm(o, q);
	of_boot_6(o, q);
}

static void by_tpm_other_nonce(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	by_tpm(o, q);
	other_nonce(o, q);
}

static void by_tpm48(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	by_tpm(o, q);
	q->nonce = azure_batch.tpm48;
	q->nonce_len = CVM_TPM48_SIZE;
}

static void by_tpm_proof(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	by_tpm(o, q);
	proof(o, q);
}

static const struct {
	const char *name;
	void (*make)(struct azure_world *w);
	ask_fn *ask;
	const char *by;
} by_tpm_alone[] = {
	{ "by the vTPM", genuine, by_tpm, NULL },
	{ "by the vTPM, claims without user-data", no_user_data, by_tpm, NULL },
	{ "by the vTPM, of a batch", batch_by_tpm_alone, by_tpm_proof, NULL },
	{ "by the vTPM, of a batch, taken for direct", of_batch, by_tpm48, "=tpm_nonce" },
	{ "by the vTPM, direct for a batch", genuine, by_tpm_proof, "=tpm_nonce" },
	{ "by the vTPM, of a batch by the report alone", batch_by_hcl_alone, by_tpm_proof,
	  "=tpm_nonce" },
	{ "by the vTPM, another nonce", genuine, by_tpm_other_nonce, "=tpm_nonce" },
	{ "by the vTPM, another boot than said", genuine, by_tpm_another_boot, "=tpm_boot" },
	{ "by the vTPM, another boot", another_boot, by_tpm, "=tpm_boot" },
	{ "by the vTPM, boot 0 expected", genuine, by_tpm_boot_0, "=tpm_boot" },
	{ "by the vTPM, of which boot not given", genuine, by_tpm_any_boot, "=?tpm_boot" },
	{ "by the vTPM, another key", other_signer, by_tpm, "=tpm_quote" },
	{ "by the vTPM, another PCR", another_pcr, by_tpm, "=azure.pcrs" },
};

static void test_by_tpm(void)
{
	for (int td = 0; td < 2; td++) {
		char *kept = azure_policies[td];

		azure_policies[td] = azure_rebound(kept, "azure-tpm");
		for (size_t i = 0; i < ARRAY_SIZE(by_tpm_alone); i++) {
			struct azure_world w = azure_genuine(td);

			by_tpm_alone[i].make(&w);
			refuse(&w, by_tpm_alone[i].ask, by_tpm_alone[i].by, by_tpm_alone[i].name);
		}
		free(azure_policies[td]);
		azure_policies[td] = kept;
	}
}

/* A rule that asks for nothing is not one that is met. */
static void test_no_pcr_named(void)
{
	for (int td = 0; td < 2; td++) {
		struct azure_world w = azure_genuine(td);
		char *kept = azure_policies[td];
		json_t *policy = need(json_loads(kept, 0, NULL));

		json_object_set_new(json_object_get(policy, "azure"), "pcrs", json_object());
		azure_policies[td] = need(json_dumps(policy, 0));
		refuse(&w, NULL, "=azure.pcrs", "a policy that names no PCR");
		free(azure_policies[td]);
		azure_policies[td] = kept;
		json_decref(policy);
	}
}

/* evidence that is no HCL report, by the policy of one */
static void test_no_hcl(void)
{
	struct azure_world w = azure_genuine(false);
	struct cvm_verdict *verdict = NULL;
	struct cvm_tpm_quote quote;
	struct cvm_verify_opts opts;
	struct cvm_verifier *v;
	int ret;

	w.snp.policy = azure_policies[0];
	azure_make(&w);
	v = azure_verifier(&w);
	opts = azure_opts(&w, &quote);
	ret = cvm_verify(v, w.snp.report, sizeof(w.snp.report), &opts, &verdict, NULL);
	expect_by(ret, verdict, "binding", "SNP guest, a report without its HCL report");
	cvm_verifier_free(v);
	azure_done(&w);
}

int main(void)
{
	azure_make_policies();
	test_spoilt();
	test_asked();
	test_no_binding();
	test_by_tpm();
	test_no_pcr_named();
	test_no_hcl();
	azure_free_policies();
	return tap_end();
}
