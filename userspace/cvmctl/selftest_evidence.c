// SPDX-License-Identifier: MIT
/* Direct evidence, one and many: does it carry what was asked for? */
#include <errno.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "formats/hcl.h"
#include "formats/quote.h"
#include "formats/snp_report.h"
#include "formats/tdreport.h"
#include "selftest.h"
#include "verify/evidence_file.h"
#include "verify/hcl_claims.h"

#define LEAST_VMPL	3

enum outcome selftest_say(struct selftest *t, enum outcome outcome, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vsnprintf(t->reason, sizeof(t->reason), format, values);
	va_end(values);
	return outcome;
}

bool selftest_is_azure(const struct selftest *t)
{
	return t->status.types & 1U << CVM_EVIDENCE_HCL_REPORT;
}

size_t selftest_count(const struct selftest *t)
{
	return selftest_is_azure(t) ? 2 : MANY;
}

uint32_t selftest_type(const struct selftest *t)
{
	if (selftest_is_azure(t))
		return CVM_EVIDENCE_HCL_REPORT;
	return t->status.tee == CVM_TEE_TDX ? CVM_EVIDENCE_TDX_QUOTE : CVM_EVIDENCE_SNP_REPORT;
}

/* user-data, which the library has compared too, in claims that the hardware signed */
static int read_user_data(const void *bytes, size_t len, uint8_t user_data[CVM_REPORT_DATA_LEN])
{
	struct cvm_hcl_claims claims;
	struct cvm_format_error err;
	struct cvm_hcl_report hcl;

	if (cvm_hcl_parse(bytes, len, &hcl, &err) ||
	    cvm_hcl_claims_parse(hcl.claims, &claims, NULL))
		return -EBADMSG;
	EVP_PKEY_free(claims.ak);
	memcpy(user_data, claims.user_data, CVM_REPORT_DATA_LEN);
	return claims.has_user_data ? 0 : -EBADMSG;
}

bool selftest_carries(const struct cvm_evidence *evidence, const uint8_t *wanted)
{
	union {
		struct cvm_snp_report snp;
		struct cvm_quote quote;
		struct cvm_tdreport tdreport;
		uint8_t user_data[CVM_REPORT_DATA_LEN];
	} u;
	struct cvm_format_error err;
	const uint8_t *carried;
	size_t len;
	const void *bytes = cvm_evidence_data(evidence, &len);
	int rc;

	switch (cvm_evidence_type(evidence)) {
	case CVM_EVIDENCE_SNP_REPORT:
		rc = cvm_snp_report_parse(bytes, len, &u.snp, &err);
		carried = u.snp.report_data;
		break;
	case CVM_EVIDENCE_TDX_QUOTE:
		rc = cvm_quote_parse(bytes, len, &u.quote, &err);
		carried = u.quote.body.reportdata;
		break;
	case CVM_EVIDENCE_HCL_REPORT:
		rc = read_user_data(bytes, len, u.user_data);
		carried = u.user_data;
		break;
	default:
		rc = cvm_tdreport_parse(bytes, len, &u.tdreport, &err);
		carried = u.tdreport.reportdata;
	}
	return !rc && !memcmp(carried, wanted, CVM_REPORT_DATA_LEN);
}

int selftest_ask(struct cvm_ctx *ctx, uint32_t type, const uint8_t *data,
		 const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
		 struct cvm_error *error)
{
	if (type == CVM_EVIDENCE_TDX_QUOTE)
		return cvm_quote(ctx, data, opts, evidence, error);
	if (type == CVM_EVIDENCE_TDREPORT)
		return cvm_tdreport(ctx, data, opts, evidence, error);
	if (type == CVM_EVIDENCE_HCL_REPORT)
		return cvm_attest(ctx, data, opts, evidence, error);
	return cvm_report(ctx, data, opts, evidence, error);
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

	if (!(t->status.types & (1U << type)))
		return selftest_say(t, SKIPPED, "%s gives no %s", t->status.backend,
				    cvm_evidence_type_name(type));
	RAND_bytes(data, sizeof(data));
	clock_gettime(CLOCK_MONOTONIC, &start);
	if (selftest_ask(t->ctx, type, data, NULL, &evidence, &error))
		return selftest_say(t, FAILED, "%s", error.text);
	if (!selftest_carries(evidence, data))
		return selftest_say(t, FAILED, "a %s that does not carry what was asked for",
				    cvm_evidence_type_name(type));
	return selftest_say(t, PASSED, "a %s in %.1f ms", cvm_evidence_type_name(type),
			    ms_since(&start));
}

enum outcome selftest_evidence(struct selftest *t)
{
	return one(t, selftest_type(t));
}

enum outcome selftest_tdreport(struct selftest *t)
{
	return one(t, CVM_EVIDENCE_TDREPORT);
}

/* the least privileged one, which every guest may ask for */
enum outcome selftest_vmpl(struct selftest *t)
{
	struct cvm_report_opts opts = { .size = sizeof(opts), .flags = CVM_REQUEST_VMPL,
					.vmpl = LEAST_VMPL };
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	uint8_t data[CVM_REPORT_DATA_LEN];
	struct cvm_format_error err;
	struct cvm_snp_report report;
	struct cvm_error error;
	const void *bytes;
	size_t len;
	int rc;

	if (t->status.tee != CVM_TEE_SNP)
		return selftest_say(t, SKIPPED, "a TD has no VMPLs");
	if (selftest_is_azure(t))
		return selftest_say(t, SKIPPED, "the paravisor asks, at its own VMPL");
	RAND_bytes(data, sizeof(data));
	rc = cvm_report(t->ctx, data, &opts, &evidence, &error);
	if (rc == -EOPNOTSUPP)
		return selftest_say(t, SKIPPED, "%s", error.text);
	if (rc)
		return selftest_say(t, FAILED, "%s", error.text);
	bytes = cvm_evidence_data(evidence, &len);
	if (cvm_snp_report_parse(bytes, len, &report, &err) || report.vmpl != LEAST_VMPL)
		return selftest_say(t, FAILED, "a report for VMPL %d says another", LEAST_VMPL);
	return selftest_say(t, PASSED, "a report for VMPL %d", LEAST_VMPL);
}

enum outcome selftest_many(struct selftest *t)
{
	struct cvm_request requests[MANY] = { 0 };
	const int many = (int)selftest_count(t);
	struct cvm_error error;
	int right = 0;
	long done;

	for (int i = 0; i < many; i++) {
		requests[i].size = sizeof(requests[i]);
		requests[i].type = selftest_type(t);
		RAND_bytes(requests[i].report_data, sizeof(requests[i].report_data));
	}
	done = cvm_issue(t->ctx, requests, (size_t)many, 0, &error);
	for (int i = 0; i < many; i++) {
		if (requests[i].evidence)
			right += selftest_carries(requests[i].evidence, requests[i].report_data);
		cvm_evidence_free(requests[i].evidence);
	}
	if (done != many)
		return selftest_say(t, FAILED, "%ld of %d: %s", done, many, error.text);
	if (right != many)
		return selftest_say(t, FAILED, "%d of %d carry what was asked for", right, many);
	return selftest_say(t, PASSED, "%d in one call, each about its own request", many);
}

/* a caller whose time is up must not cost the next one its evidence */
enum outcome selftest_deadline(struct selftest *t)
{
	struct cvm_report_opts opts = { .size = sizeof(opts), .timeout_ms = 1 };
	__cleanup_evidence struct cvm_evidence *early = NULL, *next = NULL;
	uint8_t data[CVM_REPORT_DATA_LEN];
	struct cvm_error error;
	int rc;

	RAND_bytes(data, sizeof(data));
	rc = selftest_ask(t->ctx, selftest_type(t), data, &opts, &early, &error);
	if (rc == -EOPNOTSUPP || rc == -EINVAL)
		return selftest_say(t, SKIPPED, "%s knows no deadlines", t->status.backend);
	if (rc && rc != -ETIMEDOUT)
		return selftest_say(t, FAILED, "%s", error.text);
	if (selftest_ask(t->ctx, selftest_type(t), data, NULL, &next, &error))
		return selftest_say(t, FAILED, "after a deadline: %s", error.text);
	if (!selftest_carries(next, data))
		return selftest_say(t, FAILED, "after a deadline: not what was asked for");
	return selftest_say(t, PASSED, rc ? "given up after 1 ms, and the next request is answered" :
			    "answered within 1 ms, and so is the next request");
}

/* direct evidence must never pass for a batch's */
enum outcome selftest_reserved(struct selftest *t)
{
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	uint8_t data[CVM_REPORT_DATA_LEN] = "CVMGBAT";
	struct cvm_error error;
	int rc = selftest_ask(t->ctx, selftest_type(t), data, NULL, &evidence, &error);

	if (rc == -EINVAL)
		return selftest_say(t, PASSED, "refused");
	return selftest_say(t, FAILED, rc ? "refused, but not for that: %s" : "given", error.text);
}
