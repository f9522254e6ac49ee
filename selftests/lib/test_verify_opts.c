// SPDX-License-Identifier: GPL-2.0
/* Options of cvm_verify() that contradict each other: an error, and no verdict. */
#include <errno.h>

#include "mutate_batch.h"

static const uint8_t bytes[64] = { 1 }, pcrs[25 * 32];
static struct batch batch;
static struct cvm_tpm_quote quote;

static void unknown_flag(struct cvm_verify_opts *o) { o->flags = 2; }
static void both(struct cvm_verify_opts *o) { o->report_data = bytes; }

static void no_proof(struct cvm_verify_opts *o)
{
	o->proof = NULL;
}

static void no_user_data(struct cvm_verify_opts *o) { o->user_data = NULL; }
static void proof_to_come(struct cvm_verify_opts *o) { o->flags = CVM_VERIFY_BATCH; }

static void direct(struct cvm_verify_opts *o)
{
	o->report_data = bytes;
	o->user_data = o->proof = NULL;
}

static void direct_to_come(struct cvm_verify_opts *o)
{
	direct(o);
	o->flags = CVM_VERIFY_BATCH;
}

static void scope_of_nothing(struct cvm_verify_opts *o)
{
	direct(o);
	o->scope = "any";
}

static void unknown_binding(struct cvm_verify_opts *o) { o->binding = 4; }
static void manifest_of_nothing(struct cvm_verify_opts *o) { o->manifest = bytes; }
static void no_manifest(struct cvm_verify_opts *o) { o->binding = CVM_BINDING_SVSM; }

static void long_manifest(struct cvm_verify_opts *o)
{
	o->binding = CVM_BINDING_SVSM;
	o->manifest = bytes;
	o->manifest_len = (1U << 20) + 1;
}

static void no_tpm_quote(struct cvm_verify_opts *o) { o->binding = CVM_BINDING_AZURE_TPM; }

static void with_quote(struct cvm_verify_opts *o)
{
	quote = (struct cvm_tpm_quote){
		.size = sizeof(quote), .message = bytes, .message_len = 64, .signature = bytes,
		.signature_len = 64, .pcrs = pcrs, .pcr_count = 24,
	};
	o->binding = CVM_BINDING_AZURE;
	o->tpm_quote = &quote;
}

static void no_message(struct cvm_verify_opts *o)
{
	with_quote(o);
	quote.message = NULL;
}

static void no_signature(struct cvm_verify_opts *o)
{
	with_quote(o);
	quote.signature = NULL;
}

static void no_pcrs(struct cvm_verify_opts *o)
{
	with_quote(o);
	quote.pcrs = NULL;
}

static void pcrs_of_zero(struct cvm_verify_opts *o)
{
	with_quote(o);
	quote.pcr_count = 0;
}

static void many_pcrs(struct cvm_verify_opts *o)
{
	with_quote(o);
	quote.pcr_count = 25;
}

static void long_nonce(struct cvm_verify_opts *o)
{
	with_quote(o);
	quote.nonce = pcrs;
	quote.nonce_len = 65;
}

static void nonce_of_nothing(struct cvm_verify_opts *o)
{
	with_quote(o);
	quote.nonce_len = 1;
}

static void unknown_quote_flag(struct cvm_verify_opts *o)
{
	with_quote(o);
	quote.flags = 2;
}

static void short_quote(struct cvm_verify_opts *o)
{
	with_quote(o);
	quote.size = 8;
}

static void short_opts(struct cvm_verify_opts *o) { o->size -= 8; }
static void no_size(struct cvm_verify_opts *o) { o->size = 0; }

static const struct {
	void (*spoil)(struct cvm_verify_opts *o);
	const char *error;
} rows[] = {
	{ unknown_flag, "a flag that is not known" },
	{ both, "either direct evidence is expected, or batch evidence" },
	{ no_proof, "batch evidence needs what was asked for, and the proof" },
	{ no_user_data, "batch evidence needs what was asked for, and the proof" },
	{ proof_to_come, "with proofs to come there is nothing to expect yet" },
	{ direct_to_come, "with proofs to come there is nothing to expect yet" },
	{ scope_of_nothing, "only a proof has a scope" },
	{ unknown_binding, "a binding that is not known" },
	{ manifest_of_nothing, "the binding of an SVSM, and no other, has a manifest" },
	{ no_manifest, "the binding of an SVSM, and no other, has a manifest" },
	{ long_manifest, "the binding of an SVSM, and no other, has a manifest" },
	{ no_tpm_quote, "the binding of a vTPM's quote needs that quote" },
	{ no_message, "a vTPM's quote has a message, a signature and 1 to 24 PCRs" },
	{ no_signature, "a vTPM's quote has a message, a signature and 1 to 24 PCRs" },
	{ no_pcrs, "a vTPM's quote has a message, a signature and 1 to 24 PCRs" },
	{ pcrs_of_zero, "a vTPM's quote has a message, a signature and 1 to 24 PCRs" },
	{ many_pcrs, "a vTPM's quote has a message, a signature and 1 to 24 PCRs" },
	{ long_nonce, "a vTPM's quote carries at most 64 bytes" },
	{ nonce_of_nothing, "a vTPM's quote carries at most 64 bytes" },
	{ unknown_quote_flag, "a vTPM's quote with a flag that is not known" },
	{ short_quote, "the options are too short" },
	{ short_opts, "the options are too short" },
	{ no_size, "the options are too short" },
};

static void test_contradictions(const struct subject *s)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct cvm_verify_opts opts = opts_of(&batch, 1);
		struct cvm_verdict *verdict = (void *)&opts;
		struct cvm_error error = { 0 };
		int ret;

		rows[i].spoil(&opts);
		ret = cvm_verify(s->v, s->evidence, s->len, &opts, &verdict, &error);
		if (!check(ret == -EINVAL && !verdict && !strcmp(error.text, rows[i].error),
			   "an error: %s", rows[i].error))
			printf("# %d: %s\n", ret, error.text);
	}
}

/* A program that was built with a newer header */
static void test_newer(const struct subject *s)
{
	struct {
		struct cvm_verify_opts opts;
		uint64_t more;
	} newer = { .opts = opts_of(&batch, 1) };
	struct cvm_verdict *verdict = NULL;
	struct cvm_error error;
	int ret;

	newer.opts.size = sizeof(newer);
	ret = cvm_verify(s->v, s->evidence, s->len, &newer.opts, &verdict, &error);
	expect_by(ret, verdict, NULL, "newer options, of which none is used");
	newer.more = 1;
	ret = cvm_verify(s->v, s->evidence, s->len, &newer.opts, &verdict, &error);
	check_is(ret, -E2BIG, "newer options, of which one is");
	check_says(error.text, "fields that this library does not know", "the error says so");
	check(!verdict, "and there is no verdict");
}

/* What belongs to no verdict at all */
static void test_no_verdict(void)
{
	static const struct cvm_verify_opts opts = { .size = sizeof(opts), .at = TEST_NOW };
	struct cvm_verdict *verdict;
	struct cvm_verifier *v;
	uint32_t boot;
	char *policy;

	if (cvm_verifier_new(&v))
		need(NULL);
	check_is(cvm_verify(v, "", 0, &opts, &verdict, NULL), -EBADMSG, "no evidence");
	check(verdict && !cvm_verdict_authentic(verdict) && !cvm_verdict_verified(verdict) &&
	      cvm_verdict_count(verdict) == 1 && !strcmp(cvm_verdict_check(verdict, 0)->name, "format"),
	      "its verdict: format, and nothing else");
	check(!cvm_verdict_check(verdict, 1), "no check beyond the last");
	check_is(cvm_verdict_policy(verdict, &policy, NULL), -EINVAL, "no policy of it");
	check_is(cvm_verdict_reset_count(verdict, &boot), -ENODATA, "no boot of it");
	cvm_verdict_free(verdict);
	cvm_verdict_free(NULL);
	cvm_verifier_free(NULL);
	cvm_verifier_free(v);
}

int main(void)
{
	struct subject s;

	snp_make_kinds();
	batch_make(&batch, 7, 0x40);
	s = snp_about(&snp_kinds[0], batch.r64, "{\"batch\": {\"scopes\": [\"privileged\"]}}");
	test_contradictions(&s);
	test_newer(&s);
	test_no_verdict();
	cvm_verifier_free(s.v);
	snp_free_kinds();
	return tap_end();
}
