// SPDX-License-Identifier: MIT
/* Batch requests of callers that wait, and the label of an open file. */
#include <string.h>
#include <sys/ioctl.h>

#include "common/cleanup.h"
#include "driver.h"
#include "driver/merkle.h"
#include "lib.h"

/* The last fields that the first version had */
#define BATCH_OPTS_MIN		CVM_STRUCT_UP_TO(struct cvm_batch_opts, timeout_ms)
#define BATCH_REQUEST_MIN	CVM_STRUCT_UP_TO(struct cvm_batch_request, reserved)

CVM_STRUCT_FROZEN(struct cvm_batch_opts, BATCH_OPTS_MIN, 16);
CVM_STRUCT_FROZEN(struct cvm_batch_request, BATCH_REQUEST_MIN, 88);

_Static_assert(CVM_USER_DATA_LEN == CVM_USER_DATA_SIZE &&
	       CVM_USER_DATA_LEN == CVM_REPORT_DATA_LEN, "one takes the other's place");

int cvm_batch_job(const struct cvm_ctx *ctx, struct cvm_job *job, const uint8_t *user_data,
		  uint32_t flags, struct cvm_error *error)
{
	*job = (struct cvm_job) {
		.type = cvm_ctx_type(ctx),
		.batch = true,
		.flags = flags,
		.report_data = user_data,
	};
	/* the machine decides on the type, and the caller has not thought of its certificates */
	if (job->type != CVM_EVIDENCE_SNP_REPORT)
		job->flags &= ~CVM_REQUEST_CERTS;
	if (flags & ~(CVM_REQUEST_CERTS | CVM_REQUEST_QUOTE_ALONE))
		return cvm_set_error(error, -EINVAL, "batch evidence has no choice of VMPL, nor flags 0x%x",
				     flags & ~(CVM_REQUEST_CERTS | CVM_REQUEST_QUOTE_ALONE));
	return cvm_job_check(job, error);
}

static int take_opts(struct cvm_batch_opts *opts, const struct cvm_batch_opts *given,
		     struct cvm_error *error)
{
	int rc = 0;

	*opts = (struct cvm_batch_opts) { .size = sizeof(*opts) };
	if (given)
		rc = cvm_struct_in(opts, sizeof(*opts), BATCH_OPTS_MIN, given);
	return rc ? cvm_set_error(error, rc, "options that this version of the library does not know") : 0;
}

int cvm_batch_one(struct cvm_ctx *ctx, const uint8_t *user_data,
		  const struct cvm_batch_opts *given, struct cvm_evidence **evidence,
		  struct cvm_error *error)
{
	struct cvm_batch_opts opts;
	struct cvm_job job;
	int rc = take_opts(&opts, given, error);

	*evidence = NULL;
	if (!rc)
		rc = cvm_batch_job(ctx, &job, user_data, opts.flags, error);
	if (rc)
		return rc;
	cvm_jobs_issue(ctx, &job, 1, opts.timeout_ms);
	if (job.result && error)
		*error = job.error;
	*evidence = job.evidence;
	return job.result;
}

/* The caller's elements may be longer than ours. */
static struct cvm_batch_request *element(struct cvm_batch_request *requests, size_t index)
{
	return (struct cvm_batch_request *)((char *)requests + index * requests->size);
}

static int job_from(const struct cvm_ctx *ctx, struct cvm_job *job,
		    const struct cvm_batch_request *request, size_t size, uint32_t flags,
		    struct cvm_error *error)
{
	struct cvm_batch_request known;
	int rc = request->size == size ? 0 : -EINVAL;

	if (!rc)
		rc = cvm_struct_in(&known, sizeof(known), BATCH_REQUEST_MIN, request);
	if (rc)
		return cvm_set_error(error, rc, "a request that this version of the library does not know");
	if (known.reserved)
		return cvm_set_error(error, -EINVAL, "a reserved field of a request is given");
	return cvm_batch_job(ctx, job, request->user_data, flags, error);
}

static long hand_out(struct cvm_batch_request *requests, const struct cvm_job *jobs,
		     size_t count, struct cvm_error *error)
{
	const struct cvm_job *failed = NULL;
	long done = 0;

	for (size_t i = 0; i < count; i++) {
		struct cvm_batch_request *request = element(requests, i);

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

long cvm_batch(struct cvm_ctx *ctx, struct cvm_batch_request *requests, size_t count,
	       const struct cvm_batch_opts *given, struct cvm_error *error)
{
	__cleanup_free struct cvm_job *jobs = NULL;
	struct cvm_batch_opts opts;
	int rc = take_opts(&opts, given, error);

	if (rc)
		return rc;
	if (!count || count > CVM_MAX_TREE)
		return cvm_set_error(error, -EINVAL, "%zu requests: 1 to %u are expected", count,
				     CVM_MAX_TREE);
	jobs = calloc(count, sizeof(*jobs));
	if (!jobs)
		return cvm_set_error(error, -ENOMEM, "out of memory for %zu requests", count);
	for (size_t i = 0; i < count; i++) {
		rc = job_from(ctx, &jobs[i], element(requests, i), requests->size, opts.flags,
			      error);
		if (rc)
			return rc;
	}
	cvm_jobs_issue(ctx, jobs, count, opts.timeout_ms);
	return hand_out(requests, jobs, count, error);
}

int cvm_batch_fd(const struct cvm_ctx *ctx)
{
	return ctx->source[0].batch_fd >= 0 ? ctx->source[0].batch_fd : -EOPNOTSUPP;
}

static int label_error(const struct cvm_source *source, int rc, struct cvm_error *error)
{
	const char *path = source->status.source;

	switch (rc) {
	case -EPERM:
		return cvm_set_error(error, rc, "%s: no label: it takes CAP_SYS_ADMIN, of this process and of who opened the file",
				     path);
	case -EBUSY:
		return cvm_set_error(error, rc, "%s: no label: this file has one already, or was used before; open it anew",
				     path);
	default:
		return cvm_path_error(error, rc, path, "set a label on");
	}
}

int cvm_set_label(struct cvm_ctx *ctx, const void *label, size_t len, struct cvm_error *error)
{
	const struct cvm_source *source = &ctx->source[0];
	struct cvm_set_scope scope = { .size = sizeof(scope), .label_len = (uint32_t)len };

	if (!len || len > CVM_MAX_LABEL)
		return cvm_set_error(error, -EINVAL, "a label of %zu bytes: 1 to %u are expected", len,
				     CVM_MAX_LABEL);
	if (source->batch_fd < 0)
		return cvm_set_error(error, -EOPNOTSUPP, "%s: only the cvm-guest driver's batch node has labels",
				     source->status.source);
	memcpy(scope.label, label, len);
	if (ioctl(source->batch_fd, CVM_SET_SCOPE, &scope))
		return label_error(source, -errno, error);
	return 0;
}
