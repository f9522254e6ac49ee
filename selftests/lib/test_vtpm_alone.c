// SPDX-License-Identifier: GPL-2.0
/*
 * Quotes of a vTPM between two of its paravisor's reports: they take no window, hold for who
 * knows which boot it is, and for nobody else.
 */
#include <errno.h>

#include "formats/hcl.h"
#include "verify/hcl_claims.h"
#include "verify/internal.h"
#include "vtpm_simulated.h"

/* of this boot, as the vTPM says it of a report that a relying party has verified */
static uint32_t reset_count(struct cvm_ctx *ctx)
{
	struct cvm_tpm_quote quote = { .size = sizeof(quote) };
	struct cvm_evidence *evidence;
	struct cvm_verdict *verdict = cvm_verdict_new();
	const uint8_t data[64] = { 0x14 };
	struct cvm_hcl_claims claims = { 0 };
	struct cvm_hcl_report report;
	struct cvm_format_error err;
	uint32_t count = 0;
	const void *hcl;
	size_t len;

	check_is(cvm_attest(ctx, data, NULL, &evidence, NULL), 0, "a report of this boot");
	hcl = cvm_evidence_data(evidence, &len);
	if (!cvm_evidence_tpm_quote(evidence, &quote) && !cvm_hcl_parse(hcl, len, &report, &err) &&
	    !cvm_hcl_claims_parse(report.claims, &claims, NULL)) {
		cvm_tpm_check(verdict, claims.ak, &quote, data, 1, true);
		count = verdict->facts.reset_count;
	}
	EVP_PKEY_free(claims.ak);
	cvm_verdict_free(verdict);
	cvm_evidence_free(evidence);
	return count;
}

/* all that the binding asks for, besides the chain */
static bool holds_alone(const struct cvm_evidence *evidence, struct cvm_verify_opts *opts,
			uint32_t count)
{
	static const char *const needed[] = { "claims", "tpm_quote", "tpm_nonce", "tpm_pcrs",
					      "tpm_boot", NULL };
	struct cvm_tpm_quote known = { .flags = CVM_TPM_QUOTE_RESET_COUNT, .reset_count = count };

	opts->binding = CVM_BINDING_AZURE_TPM;
	return passes(evidence, opts, &known, needed);
}

#define QUOTES	10

static void test_alone(void)
{
	const struct cvm_report_opts direct = { .size = sizeof(direct),
						.flags = CVM_REQUEST_QUOTE_ALONE };
	const struct cvm_batch_opts batch = { .size = sizeof(batch),
					      .flags = CVM_REQUEST_QUOTE_ALONE };
	uint64_t reports, quotes;
	struct cvm_batch_request requests[QUOTES] = { 0 };
	struct cvm_verify_opts opts = { 0 };
	struct cvm_evidence *evidence;
	struct cvm_error error = { 0 };
	uint8_t data[64] = { 0x15 };
	long good = 0, wrong = 0;
	struct cvm_ctx *ctx;
	uint32_t count;

	check_is(open_ctx(&ctx, &error), 0, "open");
	count = reset_count(ctx);
	reports = fw_status(fwd.fd, "hcl_reports");
	quotes = fw_status(fwd.fd, "tpm_quotes");
	for (uint8_t i = 0; i < QUOTES; i++) {
		data[1] = i;
		opts = (struct cvm_verify_opts){ .report_data = data };
		if (cvm_attest(ctx, data, &direct, &evidence, &error))
			break;
		good += holds_alone(evidence, &opts, count);
		wrong += holds_alone(evidence, &opts, count + 1) || holds(evidence, &opts);
		cvm_evidence_free(evidence);
	}
	check_is(good, QUOTES, "quotes alone, by who knows the boot");
	check_is(wrong, 0, "and by nobody else");
	for (uint8_t i = 0; i < QUOTES; i++) {
		requests[i].size = sizeof(requests[i]);
		memset(requests[i].user_data, i + 1, sizeof(requests[i].user_data));
	}
	check_is(cvm_batch(ctx, requests, QUOTES, &batch, &error), QUOTES, "a batch of one quote alone");
	good = 0;
	for (size_t i = 0; i < QUOTES; i++) {
		opts = (struct cvm_verify_opts){ .scope = "any", .user_data = requests[i].user_data };
		opts.proof = cvm_evidence_proof(requests[i].evidence, &opts.proof_len);
		good += holds_alone(requests[i].evidence, &opts, count);
		cvm_evidence_free(requests[i].evidence);
	}
	check_is(good, QUOTES, "each proof leads to it");
	check(fw_status(fwd.fd, "hcl_reports") == reports &&
	      fw_status(fwd.fd, "tpm_quotes") == quotes + QUOTES + 1, "no report, and one quote for a batch");
	check_is(cvm_attest(ctx, (const uint8_t[64]){ "CVMGBAT" }, &direct, &evidence, &error), -EINVAL,
		 "the reserved tag");
	cvm_close(ctx);
}

/* Of many in one call those are not begun for which there is no time left. */
static void test_deadline(void)
{
	static struct cvm_request requests[200];
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;
	long done;

	for (size_t i = 0; i < 200; i++)
		requests[i] = (struct cvm_request){
			.size = sizeof(requests[i]), .type = CVM_EVIDENCE_HCL_REPORT,
			.flags = CVM_REQUEST_QUOTE_ALONE, .report_data = { 0x17, (uint8_t)i },
		};
	check_is(open_ctx(&ctx, &error), 0, "open");
	done = cvm_issue(ctx, requests, 200, 1, &error);
	check(done >= 1 && done < 200 && !requests[0].result, "the first has its time");
	check_is(requests[199].result, -ETIMEDOUT, "and the last has none left");
	for (size_t i = 0; i < 200; i++)
		cvm_evidence_free(requests[i].evidence);
	cvm_close(ctx);
}

/* A paravisor that is too old to report what it is asked for, and can have quoted that */
static void test_old(void)
{
	const struct cvm_report_opts direct = { .size = sizeof(direct),
						.flags = CVM_REQUEST_QUOTE_ALONE };
	static const char *const needed[] = { "claims", "tpm_quote", "tpm_nonce", "tpm_pcrs", NULL };
	uint8_t data[64] = { 0x16 };
	struct cvm_verify_opts opts = { .report_data = data, .binding = CVM_BINDING_AZURE_TPM };
	struct cvm_tpm_quote nothing = { 0 };
	struct cvm_evidence *evidence;
	struct cvm_error error = { 0 };
	struct cvm_ctx *ctx;

	check_is(open_ctx(&ctx, &error), 0, "an old paravisor");
	check_is(cvm_attest(ctx, data, &direct, &evidence, &error), 0, "a quote alone");
	check(evidence && passes(evidence, &opts, &nothing, needed), "is complete");
	cvm_evidence_free(evidence);
	check_is(cvm_attest(ctx, data, NULL, &evidence, &error), -EOPNOTSUPP, "but there is no report");
	check_says(error.text, "too old to report", "and the message says why");
	cvm_close(ctx);
}

int main(void)
{
	setup();
	start("nv_size=2600");
	test_alone();
	test_deadline();
	stop();
	start("no_user_data=1");
	test_old();
	stop();
	return tap_end();
}
