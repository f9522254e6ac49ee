// SPDX-License-Identifier: MIT
/*
 * cvmctl selftest: one of everything on the machine as it is, verified as far as
 * can be without a network. The VM tests have a simulated platform; this is for
 * real ones, and its output is what a report of a failure needs.
 */
#include <errno.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/util.h"
#include "evidence.h"
#include "formats/quote.h"
#include "formats/snp_report.h"
#include "formats/tdreport.h"

#define MANY		8
#define REASON_SIZE	640

enum { BACKEND, TRUST_ROOT, JSON };

static const struct option_spec options[] = {
	[BACKEND]	= { "backend", "NAME", HELP_BACKEND },
	[TRUST_ROOT]	= { "trust-root", "FILE",
			    "trust the root certificate in FILE (PEM or DER) instead of\n"
			    "AMD's and Intel's" },
	[JSON]		= { "json", NULL, "one JSON object" },
	{ 0 }
};

enum outcome { PASSED, FAILED, SKIPPED };

/**
 * struct selftest - the machine under test
 * @ctx: where evidence comes from
 * @status: of it
 * @trust_root: path or NULL
 * @results: array of objects, the result
 * @failed: how many
 * @reason: what the step that runs has to say
 */
struct selftest {
	struct cvm_ctx *ctx;
	struct cvm_status status;
	const char *trust_root;
	json_t *results;
	unsigned int failed;
	char reason[REASON_SIZE];
};

__attribute__((format(printf, 3, 4)))
static enum outcome say(struct selftest *t, enum outcome outcome, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(t->reason, sizeof(t->reason), format, values);
	va_end(values);
	return outcome;
}

static uint32_t main_type(const struct selftest *t)
{
	return t->status.tee == CVM_TEE_TDX ? CVM_EVIDENCE_TDX_QUOTE : CVM_EVIDENCE_SNP_REPORT;
}

static bool has_type(const struct selftest *t, uint32_t type)
{
	return t->status.types & (1U << type);
}

/* what the hardware signed as REPORT_DATA, by the parsers; false: malformed */
static bool carried(const struct cvm_evidence *evidence, uint8_t data[CVM_REPORT_DATA_LEN])
{
	union {
		struct cvm_snp_report snp;
		struct cvm_quote quote;
		struct cvm_tdreport tdreport;
	} u;
	struct cvm_format_error err;
	const uint8_t *from;
	size_t len;
	const void *bytes = cvm_evidence_data(evidence, &len);
	int rc;

	switch (cvm_evidence_type(evidence)) {
	case CVM_EVIDENCE_SNP_REPORT:
		rc = cvm_snp_report_parse(bytes, len, &u.snp, &err);
		from = u.snp.report_data;
		break;
	case CVM_EVIDENCE_TDX_QUOTE:
		rc = cvm_quote_parse(bytes, len, &u.quote, &err);
		from = u.quote.body.reportdata;
		break;
	default:
		rc = cvm_tdreport_parse(bytes, len, &u.tdreport, &err);
		from = u.tdreport.reportdata;
	}
	if (!rc)
		memcpy(data, from, CVM_REPORT_DATA_LEN);
	return !rc;
}

static bool carries(const struct cvm_evidence *evidence, const uint8_t *wanted)
{
	uint8_t data[CVM_REPORT_DATA_LEN];

	return carried(evidence, data) && !memcmp(data, wanted, sizeof(data));
}

static int ask(struct selftest *t, uint32_t type, const uint8_t *data, uint32_t flags,
	       struct cvm_evidence **evidence, struct cvm_error *error)
{
	struct cvm_report_opts opts = { .size = sizeof(opts), .flags = flags };

	if (type == CVM_EVIDENCE_TDX_QUOTE)
		return cvm_quote(t->ctx, data, &opts, evidence, error);
	if (type == CVM_EVIDENCE_TDREPORT)
		return cvm_tdreport(t->ctx, data, &opts, evidence, error);
	return cvm_report(t->ctx, data, &opts, evidence, error);
}

static double ms_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) * 1e3 +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e6;
}

static enum outcome one(struct selftest *t, uint32_t type)
{
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	uint8_t data[CVM_REPORT_DATA_LEN];
	struct timespec start;
	struct cvm_error error;

	if (!has_type(t, type))
		return say(t, SKIPPED, "%s gives no %s", t->status.backend, type_name(type));
	RAND_bytes(data, sizeof(data));
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (ask(t, type, data, 0, &evidence, &error))
		return say(t, FAILED, "%s", error.text);
	if (!carries(evidence, data))
		return say(t, FAILED, "a %s that does not carry what was asked for",
			   type_name(type));
	return say(t, PASSED, "a %s in %.1f ms", type_name(type), ms_since(&start));
}

static enum outcome step_evidence(struct selftest *t)
{
	return one(t, main_type(t));
}

static enum outcome step_tdreport(struct selftest *t)
{
	return one(t, CVM_EVIDENCE_TDREPORT);
}

static enum outcome step_many(struct selftest *t)
{
	struct cvm_request requests[MANY] = { 0 };
	struct cvm_error error;
	unsigned int right = 0;
	long done;

	for (size_t i = 0; i < MANY; i++) {
		requests[i].size = sizeof(requests[i]);
		requests[i].type = main_type(t);
		RAND_bytes(requests[i].report_data, sizeof(requests[i].report_data));
	}
	done = cvm_issue(t->ctx, requests, MANY, 0, &error);
	for (size_t i = 0; i < MANY; i++) {
		if (requests[i].evidence)
			right += carries(requests[i].evidence, requests[i].report_data);
		cvm_evidence_free(requests[i].evidence);
	}
	if (done != MANY)
		return say(t, FAILED, "%ld of %d: %s", done, MANY, error.text);
	if (right != MANY)
		return say(t, FAILED, "%u of %d carry what was asked for", right, MANY);
	return say(t, PASSED, "%d in one call, each about its own request", MANY);
}

/* does the evidence commit to what was asked for, whoever it speaks for? */
static bool proven(const struct cvm_batch_request *request)
{
	uint8_t expected[CVM_REPORT_DATA_LEN];
	size_t len;
	const void *proof = cvm_evidence_proof(request->evidence, &len);

	return !cvm_batch_expected(request->user_data, proof, len, "any", expected, NULL) &&
	       carries(request->evidence, expected);
}

static enum outcome step_batch(struct selftest *t)
{
	struct cvm_batch_request requests[MANY] = { 0 };
	struct cvm_error error;
	unsigned int right = 0;
	long done;

	for (size_t i = 0; i < MANY; i++) {
		requests[i].size = sizeof(requests[i]);
		RAND_bytes(requests[i].user_data, sizeof(requests[i].user_data));
	}
	done = cvm_batch(t->ctx, requests, MANY, NULL, &error);
	for (size_t i = 0; i < MANY; i++) {
		if (requests[i].evidence)
			right += proven(&requests[i]);
		cvm_evidence_free(requests[i].evidence);
	}
	if (done == -EOPNOTSUPP || done == -EACCES || done == -EPERM)
		return say(t, SKIPPED, "%s", error.text);
	if (done != MANY)
		return say(t, FAILED, "%ld of %d: %s", done, MANY, error.text);
	if (right != MANY)
		return say(t, FAILED, "%u of %d proofs hold", right, MANY);
	return say(t, PASSED, "%d proofs hold", MANY);
}

/* direct evidence must never pass for a batch's */
static enum outcome step_reserved(struct selftest *t)
{
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	uint8_t data[CVM_REPORT_DATA_LEN] = "CVMGBAT";
	struct cvm_error error;
	int rc = ask(t, main_type(t), data, 0, &evidence, &error);

	if (rc == -EINVAL)
		return say(t, PASSED, "refused");
	return say(t, FAILED, rc ? "refused, but not for that: %s" : "given", error.text);
}

static int add_certs(struct selftest *t, struct cvm_verifier *verifier,
		     const struct cvm_evidence *evidence, struct cvm_error *error)
{
	size_t len;
	const void *certs = cvm_evidence_certs(evidence, &len);
	__cleanup_free void *root = NULL;
	int rc = 0;

	if (certs)
		rc = cvm_verifier_add_certs(verifier, certs, len, error);
	if (rc || !t->trust_root)
		return rc;
	rc = cvm_read_file(t->trust_root, MAX_INPUT_FILE, &root, &len);
	if (rc) {
		snprintf(error->text, sizeof(error->text), "%s: %s", t->trust_root, strerror(-rc));
		return rc;
	}
	return cvm_verifier_add_trust_root(verifier, root, len, error);
}

static enum outcome judge(struct selftest *t, const struct cvm_verdict *verdict)
{
	if (cvm_verdict_authentic(verdict))
		return say(t, PASSED, "%s: signature, certificates and REPORT_DATA hold",
			   t->trust_root ? "by the root that was given" : "by the vendor's root");
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		if (c->state == CVM_CHECK_FAILED)
			return say(t, FAILED, "%s: %s", c->name, c->reason);
	}
	return say(t, FAILED, "not authentic");
}

static enum outcome verify(struct selftest *t, struct cvm_verifier *verifier,
			   const struct cvm_evidence *evidence, const uint8_t *data)
{
	const struct cvm_verify_opts opts = {
		.size = sizeof(opts), .at = time(NULL), .report_data = data,
	};
	struct cvm_verdict *verdict = NULL;
	struct cvm_error error;
	enum outcome outcome;
	const void *bytes;
	size_t len;

	if (add_certs(t, verifier, evidence, &error))
		return say(t, FAILED, "certificates: %s", error.text);
	bytes = cvm_evidence_data(evidence, &len);
	if (cvm_verify(verifier, bytes, len, &opts, &verdict, &error) && !verdict)
		outcome = say(t, FAILED, "%s", error.text);
	else
		outcome = judge(t, verdict);
	cvm_verdict_free(verdict);
	return outcome;
}

static enum outcome step_verify(struct selftest *t)
{
	bool snp = t->status.tee == CVM_TEE_SNP;
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	uint8_t data[CVM_REPORT_DATA_LEN];
	struct cvm_verifier *verifier;
	struct cvm_error error;
	enum outcome outcome;
	size_t len;

	RAND_bytes(data, sizeof(data));
	if (ask(t, main_type(t), data, snp ? CVM_REQUEST_CERTS : 0, &evidence, &error))
		return say(t, FAILED, "%s", error.text);
	if (snp && !cvm_evidence_certs(evidence, &len))
		return say(t, SKIPPED, "the host gives no certificates: fetch them from AMD, and use cvmctl verify");
	if (cvm_verifier_new(&verifier))
		return say(t, FAILED, "out of memory");
	outcome = verify(t, verifier, evidence, data);
	cvm_verifier_free(verifier);
	return outcome;
}

static const struct {
	const char *name;
	enum outcome (*run)(struct selftest *t);
} steps[] = {
	{ "evidence", step_evidence },
	{ "tdreport", step_tdreport },
	{ "many", step_many },
	{ "batch", step_batch },
	{ "reserved", step_reserved },
	{ "verify", step_verify },
};

static void run_steps(struct selftest *t, bool json)
{
	static const char *const names[] = { "passed", "failed", "skipped" };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		enum outcome outcome = steps[i].run(t);

		t->failed += outcome == FAILED;
		if (!json)
			printf("%-8s %-9s %s\n", names[outcome], steps[i].name, t->reason);
		json_array_append_new(t->results, json_pack("{ss ss ss}", "step", steps[i].name,
							    "result", names[outcome],
							    "reason", t->reason));
	}
}

static int report(struct selftest *t, bool json)
{
	int rc;

	if (json)
		rc = output_json(NULL, json_pack("{ss ss ss si sO}", "version", CVM_VERSION,
						 "platform", tee_name(t->status.tee),
						 "backend", t->status.backend,
						 "failed", (int)t->failed,
						 "results", t->results));
	else
		rc = flush_output();
	if (rc || !t->failed)
		return rc;
	return fail(EXIT_FAILED, "%u of %zu steps failed; a report of it needs the output of 'cvmctl selftest --json', 'cvmctl doctor --json' and 'dmesg'",
		    t->failed, ARRAY_SIZE(steps));
}

static int run(const struct arguments *args)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	struct selftest t = { .trust_root = args->option[TRUST_ROOT] };
	struct cvm_error error;
	int rc = open_source(args->option[BACKEND], &ctx);

	if (rc)
		return rc;
	t.ctx = ctx;
	t.status.size = sizeof(t.status);
	rc = cvm_status(ctx, &t.status, &error);
	if (rc)
		return fail_library(rc, &error);
	t.results = json_array();
	run_steps(&t, args->option[JSON]);
	rc = report(&t, args->option[JSON]);
	json_decref(t.results);
	return rc;
}

const struct command cmd_selftest = {
	.name = "selftest",
	.summary = "on this machine: one of everything, verified; what to send when it fails",
	.options = options,
	.run = run,
};
