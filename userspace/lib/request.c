// SPDX-License-Identifier: MIT
/* Requests: checked, given to the source that has such evidence, answered. */
#include <string.h>

#include "common/cleanup.h"
#include "vtpm.h"

/* The last fields that the first version had */
#define REPORT_OPTS_MIN	CVM_STRUCT_UP_TO(struct cvm_report_opts, timeout_ms)
#define REQUEST_MIN	CVM_STRUCT_UP_TO(struct cvm_request, reserved)

CVM_STRUCT_FROZEN(struct cvm_report_opts, REPORT_OPTS_MIN, 24);
CVM_STRUCT_FROZEN(struct cvm_request, REQUEST_MIN, 104);

#define MAX_VMPL	3

/* bounds the memory of one call */
#define MAX_COUNT	(1U << 16)

#define SNP_FLAGS	(CVM_REQUEST_CERTS | CVM_REQUEST_VMPL)
#define KNOWN_FLAGS	(SNP_FLAGS | CVM_REQUEST_QUOTE_ALONE)

/* Batch evidence alone begins like this; a direct report that did would forge it. */
static const char reserved_tag[] = "CVMGBAT";

int cvm_job_check(const struct cvm_job *job, struct cvm_error *error)
{
	bool snp = job->type == CVM_EVIDENCE_SNP_REPORT;

	if ((job->type < CVM_EVIDENCE_SNP_REPORT || job->type > CVM_EVIDENCE_TDX_QUOTE) &&
	    job->type != CVM_EVIDENCE_HCL_REPORT)
		return cvm_set_error(error, -EINVAL, "%u is no type of evidence", job->type);
	if (job->flags & ~KNOWN_FLAGS)
		return cvm_set_error(error, -EINVAL, "flags 0x%x are not known",
				     job->flags & ~KNOWN_FLAGS);
	if (job->flags & CVM_REQUEST_QUOTE_ALONE && job->type != CVM_EVIDENCE_HCL_REPORT)
		return cvm_set_error(error, -EOPNOTSUPP, "only a paravisor's guest has a quote of its vTPM that stands beside an older report");
	if (!snp && (job->flags & SNP_FLAGS || job->vmpl || job->signing_key))
		return cvm_set_error(error, -EINVAL, "only SNP reports have certificates, a VMPL and a choice of key");
	if (job->vmpl > MAX_VMPL)
		return cvm_set_error(error, -EINVAL, "VMPL %u does not exist; 0 to 3 do", job->vmpl);
	if (job->vmpl && !(job->flags & CVM_REQUEST_VMPL))
		return cvm_set_error(error, -EINVAL, "a VMPL is given without CVM_REQUEST_VMPL");
	if (job->signing_key > CVM_SIGNING_KEY_VLEK)
		return cvm_set_error(error, -EINVAL, "%u is no signing key", job->signing_key);
	if (!memcmp(job->report_data, reserved_tag, sizeof(reserved_tag) - 1))
		return cvm_set_error(error, -EINVAL, "%s must not begin with \"%s\": that marks batch evidence",
				     job->batch ? "user data" : "REPORT_DATA", reserved_tag);
	return 0;
}

/* The first that has such evidence; sooner one that has the choice of key as well. */
static const struct cvm_source *source_for(const struct cvm_ctx *ctx, const struct cvm_job *job)
{
	const struct cvm_source *found = NULL;

	for (size_t i = 0; i < ctx->count; i++) {
		const struct cvm_source *source = &ctx->source[i];

		if (!(source->status.types & CVM_TYPE_BIT(job->type)))
			continue;
		if (!job->signing_key || source->backend->signing_keys)
			return source;
		found = found ? found : source;
	}
	return found;
}

static int unsupported(const struct cvm_ctx *ctx, struct cvm_job *job)
{
	static const char *const names[] = {
		[CVM_EVIDENCE_SNP_REPORT] = "SNP reports",
		[CVM_EVIDENCE_TDREPORT] = "TDREPORTs",
		[CVM_EVIDENCE_TDX_QUOTE] = "TDX quotes",
		[CVM_EVIDENCE_HCL_REPORT] = "HCL reports",
	};
	const struct cvm_source *source = &ctx->source[0];
	int denied = job->batch ? source->batch_fd : source->fd;

	if (source->backend->batches && (denied == -EACCES || denied == -EPERM))
		return cvm_path_error(&job->error, denied,
				      job->batch ? "/dev/cvm/batch" : "/dev/cvm/report", "open");
	if (job->batch)
		return cvm_set_error(&job->error, -EOPNOTSUPP, "%s has no batch evidence; is its driver older than this library?",
				     source->status.source);
	return cvm_set_error(&job->error, -EOPNOTSUPP, "%s has no %s", source->status.source,
			     names[job->type]);
}

/* A driver that takes batches does so by a node of its own. */
const struct cvm_source *cvm_job_source(const struct cvm_ctx *ctx, struct cvm_job *job)
{
	const struct cvm_source *source = &ctx->source[0];

	if (!job->batch || !source->backend->batches)
		source = source_for(ctx, job);
	else if (source->batch_fd < 0)
		source = NULL;
	if (!source)
		job->result = unsupported(ctx, job);
	return source;
}

/* The driver may speak for a label, or for whoever opened its file: this process cannot. */
static bool is_own_scope(const struct cvm_source *source)
{
	struct cvm_status status = source->status;

	return !source->backend->batches ||
	       (!source->backend->refresh(source, &status, NULL) &&
		status.scope == cvm_gather_scope());
}

static void refuse_scope(struct cvm_job *jobs, size_t count)
{
	for (size_t i = 0; i < count; i++)
		jobs[i].result = cvm_set_error(&jobs[i].error, -EOPNOTSUPP, "a quote of the vTPM alone is for a batch that this process makes, whose proofs cannot have the scope of this open file: ask the driver for a report, or use a file of your own without a label");
}

static void ask_source(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		       uint32_t timeout_ms)
{
	/* a quote alone is made here: the driver makes batches of reports */
	if (jobs->batch && cvm_job_quote_alone(jobs) && !is_own_scope(source))
		refuse_scope(jobs, count);
	else if (jobs->batch && (!source->backend->batches || cvm_job_quote_alone(jobs)))
		cvm_gather(source, jobs, count, timeout_ms);
	else if (cvm_job_quote_alone(jobs))
		cvm_vtpm_quote_alone(source, jobs, count, timeout_ms);
	else
		source->backend->issue(source, jobs, count, timeout_ms);
}

/* One source takes them all at once; with two, each request goes to its own. */
void cvm_jobs_issue(const struct cvm_ctx *ctx, struct cvm_job *jobs, size_t count,
		    uint32_t timeout_ms)
{
	size_t first = 0;

	while (first < count) {
		const struct cvm_source *source = cvm_job_source(ctx, &jobs[first]);
		size_t end = first + 1;

		while (end < count && cvm_job_source(ctx, &jobs[end]) == source &&
		       cvm_job_quote_alone(&jobs[end]) == cvm_job_quote_alone(&jobs[first]))
			end++;
		if (source)
			ask_source(source, jobs + first, end - first, timeout_ms);
		first = end;
	}
}

uint32_t cvm_ctx_type(const struct cvm_ctx *ctx)
{
	uint32_t types = 0;

	for (size_t i = 0; i < ctx->count; i++)
		types |= ctx->source[i].status.types;
	/* who has the batch node alone has no types */
	if (types & CVM_TYPE_BIT(CVM_EVIDENCE_HCL_REPORT) || ctx->source[0].vtpm)
		return CVM_EVIDENCE_HCL_REPORT;
	return ctx->source[0].status.tee == CVM_TEE_TDX ? CVM_EVIDENCE_TDX_QUOTE :
							  CVM_EVIDENCE_SNP_REPORT;
}

/* @any: the machine decides on @type, and the caller has not thought of its certificates */
static int report(const struct cvm_ctx *ctx, uint32_t type, bool any,
		  const uint8_t *report_data, const struct cvm_report_opts *given,
		  struct cvm_evidence **evidence, struct cvm_error *error)
{
	struct cvm_report_opts opts = { .size = sizeof(opts) };
	struct cvm_job job = { .type = type, .report_data = report_data };
	int rc = 0;

	*evidence = NULL;
	if (given)
		rc = cvm_struct_in(&opts, sizeof(opts), REPORT_OPTS_MIN, given);
	if (rc)
		return cvm_set_error(error, rc, "options that this version of the library does not know");
	job.flags = opts.flags;
	job.vmpl = opts.vmpl;
	job.signing_key = opts.signing_key;
	if (any && type != CVM_EVIDENCE_SNP_REPORT)
		job.flags &= ~CVM_REQUEST_CERTS;
	rc = cvm_job_check(&job, error);
	if (rc)
		return rc;
	cvm_jobs_issue(ctx, &job, 1, opts.timeout_ms);
	if (job.result && error)
		*error = job.error;
	*evidence = job.evidence;
	return job.result;
}

int cvm_report(struct cvm_ctx *ctx, const uint8_t *report_data,
	       const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
	       struct cvm_error *error)
{
	return report(ctx, CVM_EVIDENCE_SNP_REPORT, false, report_data, opts, evidence, error);
}

int cvm_quote(struct cvm_ctx *ctx, const uint8_t *report_data,
	      const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
	      struct cvm_error *error)
{
	return report(ctx, CVM_EVIDENCE_TDX_QUOTE, false, report_data, opts, evidence, error);
}

int cvm_tdreport(struct cvm_ctx *ctx, const uint8_t *report_data,
		 const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
		 struct cvm_error *error)
{
	return report(ctx, CVM_EVIDENCE_TDREPORT, false, report_data, opts, evidence, error);
}

int cvm_attest(struct cvm_ctx *ctx, const uint8_t *report_data,
	       const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
	       struct cvm_error *error)
{
	return report(ctx, cvm_ctx_type(ctx), true, report_data, opts, evidence, error);
}

/* The caller's elements may be longer than ours. */
static struct cvm_request *element(struct cvm_request *requests, size_t index)
{
	return (struct cvm_request *)((char *)requests + index * requests->size);
}

static int job_from(struct cvm_job *job, struct cvm_request *request, size_t size,
		    struct cvm_error *error)
{
	struct cvm_request known;
	int rc = request->size == size ? 0 : -EINVAL;

	if (!rc)
		rc = cvm_struct_in(&known, sizeof(known), REQUEST_MIN, request);
	if (rc)
		return cvm_set_error(error, rc, "a request that this version of the library does not know");
	if (known.reserved)
		return cvm_set_error(error, -EINVAL, "a reserved field of a request is given");
	*job = (struct cvm_job) {
		.type = known.type,
		.flags = known.flags,
		.vmpl = known.vmpl,
		.signing_key = known.signing_key,
		.report_data = request->report_data,
	};
	return cvm_job_check(job, error);
}

static long hand_out(struct cvm_request *requests, const struct cvm_job *jobs, size_t count,
		     struct cvm_error *error)
{
	const struct cvm_job *failed = NULL;
	long done = 0;

	for (size_t i = 0; i < count; i++) {
		struct cvm_request *request = element(requests, i);

		request->result = jobs[i].result;
		request->evidence = jobs[i].evidence;
		if (!jobs[i].result)
			done++;
		else if (!failed)
			failed = &jobs[i];
	}
	if (failed && error)
		*error = failed->error;
	return done;
}

long cvm_issue(struct cvm_ctx *ctx, struct cvm_request *requests, size_t count,
	       uint32_t timeout_ms, struct cvm_error *error)
{
	__cleanup_free struct cvm_job *jobs = NULL;

	if (!count || count > MAX_COUNT)
		return cvm_set_error(error, -EINVAL, "%zu requests: 1 to %u are expected", count,
				     MAX_COUNT);
	jobs = calloc(count, sizeof(*jobs));
	if (!jobs)
		return cvm_set_error(error, -ENOMEM, "out of memory for %zu requests", count);
	for (size_t i = 0; i < count; i++) {
		int rc = job_from(&jobs[i], element(requests, i), requests->size, error);

		if (rc)
			return rc;
	}
	cvm_jobs_issue(ctx, jobs, count, timeout_ms);
	return hand_out(requests, jobs, count, error);
}
