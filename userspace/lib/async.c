// SPDX-License-Identifier: MIT
/* Requests that nobody waits for: checked, and given to who carries them. */
#include <string.h>
#include <unistd.h>

#include "async.h"
#include "common/cleanup.h"
#include "driver/merkle.h"

/* The last fields that the first version had */
#define REQUEST_MIN	CVM_STRUCT_UP_TO(struct cvm_async_request, reserved)
#define COMPLETION_MIN	CVM_STRUCT_UP_TO(struct cvm_completion, reserved)

CVM_STRUCT_FROZEN(struct cvm_async_request, REQUEST_MIN, 104);
CVM_STRUCT_FROZEN(struct cvm_completion, COMPLETION_MIN, 32);

int cvm_async_open(struct cvm_async **out, struct cvm_ctx *ctx, struct cvm_error *error)
{
	const struct cvm_source *source = &ctx->source[0];
	const struct cvm_async_ops *driver = source->vtpm ? &cvm_async_azure : &cvm_async_driver;
	struct cvm_async *async;
	int rc;

	*out = NULL;
	if (atomic_flag_test_and_set(&ctx->async))
		return cvm_set_error(error, -EBUSY, "this context has submitted requests already; open another one");
	async = calloc(1, sizeof(*async));
	rc = async ? 0 : -ENOMEM;
	if (!rc) {
		async->ctx = ctx;
		async->owner = getpid();
		async->ops = source->backend->batches ? driver : &cvm_async_thread;
		pthread_mutex_init(&async->lock, NULL);
		rc = async->ops->open(async);
	}
	if (rc) {
		free(async);
		atomic_flag_clear(&ctx->async);
		return cvm_set_error(error, rc, "%s: cannot submit requests: %s",
				     source->status.source, strerror(-rc));
	}
	*out = async;
	return 0;
}

void cvm_async_close(struct cvm_async *async)
{
	/* a child has neither the thread nor the requests; they are its parent's */
	if (!async || async->owner != getpid())
		return;
	async->ops->close(async);
	pthread_mutex_destroy(&async->lock);
	atomic_flag_clear(&async->ctx->async);
	free(async);
}

int cvm_async_fd(const struct cvm_async *async)
{
	return async->fd;
}

/* The caller's elements may be longer than ours. */
static struct cvm_async_request *element(struct cvm_async_request *requests, size_t index)
{
	return (struct cvm_async_request *)((char *)requests + index * requests->size);
}

static int take(const struct cvm_async *async, struct cvm_submitted *one,
		struct cvm_async_request *request, size_t size, struct cvm_error *error)
{
	struct cvm_async_request known;
	int rc = request->size == size ? 0 : -EINVAL;

	if (!rc)
		rc = cvm_struct_in(&known, sizeof(known), REQUEST_MIN, request);
	if (rc)
		return cvm_set_error(error, rc, "a request that this version of the library does not know");
	if (known.reserved)
		return cvm_set_error(error, -EINVAL, "a reserved field of a request is given");
	if (known.flags & CVM_REQUEST_QUOTE_ALONE)
		return cvm_set_error(error, -EOPNOTSUPP, "a quote of the vTPM alone is waited for: it takes milliseconds");
	one->cookie = known.cookie;
	if (known.type == CVM_ASYNC_BATCH) {
		if (known.vmpl || known.signing_key)
			return cvm_set_error(error, -EINVAL, "batch evidence has no choice of VMPL or key");
		return cvm_batch_job(async->ctx, &one->job, request->report_data, known.flags,
				     error);
	}
	one->job = (struct cvm_job) {
		.type = known.type,
		.flags = known.flags,
		.vmpl = known.vmpl,
		.signing_key = known.signing_key,
		.report_data = request->report_data,
	};
	return cvm_job_check(&one->job, error);
}

/* Those that somebody can answer, in runs, to who carries them. */
static void submit(struct cvm_async *async, struct cvm_submitted *all, size_t count,
		   uint32_t timeout_ms)
{
	size_t first = 0;

	while (first < count) {
		bool batch = all[first].job.batch;
		size_t end = first;

		while (end < count && all[end].job.batch == batch &&
		       cvm_job_source(async->ctx, &all[end].job))
			end++;
		if (end > first)
			async->ops->submit(async, all + first, end - first, timeout_ms);
		else
			end++;
		first = end;
	}
}

static long hand_out(struct cvm_async_request *requests, const struct cvm_submitted *all,
		     size_t count, struct cvm_error *error)
{
	const struct cvm_job *failed = NULL;
	long accepted = 0;

	for (size_t i = 0; i < count; i++) {
		element(requests, i)->result = all[i].job.result;
		if (!all[i].job.result)
			accepted++;
		else if (!failed)
			failed = &all[i].job;
	}
	if (failed && error)
		*error = failed->error;
	return accepted;
}

long cvm_async_submit(struct cvm_async *async, struct cvm_async_request *requests, size_t count,
		      uint32_t timeout_ms, struct cvm_error *error)
{
	__cleanup_free struct cvm_submitted *all = NULL;

	if (!count || count > CVM_MAX_TREE)
		return cvm_set_error(error, -EINVAL, "%zu requests: 1 to %u are expected", count,
				     CVM_MAX_TREE);
	all = calloc(count, sizeof(*all));
	if (!all)
		return cvm_set_error(error, -ENOMEM, "out of memory for %zu requests", count);
	for (size_t i = 0; i < count; i++) {
		int rc = take(async, &all[i], element(requests, i), requests->size, error);

		if (rc)
			return rc;
	}
	pthread_mutex_lock(&async->lock);
	submit(async, all, count, timeout_ms);
	pthread_mutex_unlock(&async->lock);
	return hand_out(requests, all, count, error);
}

int cvm_async_next(struct cvm_async *async, struct cvm_completion *completion,
		   struct cvm_error *error)
{
	struct cvm_submitted done = { 0 };
	int rc;

	if (completion->size < COMPLETION_MIN)
		return cvm_set_error(error, -EINVAL, "cvm_async_next: the struct is shorter than that of version 0.1");
	pthread_mutex_lock(&async->lock);
	rc = async->ops->next(async, &done, error);
	pthread_mutex_unlock(&async->lock);
	if (rc <= 0)
		return rc;
	completion->cookie = done.cookie;
	completion->result = done.job.result;
	completion->reserved = 0;
	completion->evidence = done.job.evidence;
	if (done.job.result && error)
		*error = done.job.error;
	return rc;
}

int cvm_async_cancel(struct cvm_async *async, uint64_t cookie)
{
	int rc;

	pthread_mutex_lock(&async->lock);
	rc = async->ops->cancel(async, cookie);
	pthread_mutex_unlock(&async->lock);
	return rc;
}
