// SPDX-License-Identifier: MIT
/* Submitted requests on Azure, as their callers see them: see async_azure.h. */
#include <sys/eventfd.h>

#include "async_azure.h"
#include "vtpm.h"

static const struct cvm_async_ops *const carrier = &cvm_async_driver;

/* ---- open and close */

static void free_list(struct cvm_azure_list *list)
{
	for (struct cvm_azure_request *one; (one = cvm_azure_list_take(list));) {
		cvm_azure_drop(one);
		free(one);
	}
}

static void free_azure(struct cvm_async *async)
{
	struct cvm_azure_async *azure = async->state;

	if (azure->wake >= 0)
		close(azure->wake);
	if (async->fd >= 0)
		close(async->fd);
	free_list(&azure->fresh);
	free_list(&azure->todo);
	free_list(&azure->done);
	free(azure->spare);
	pthread_cond_destroy(&azure->more);
	free(azure);
}

static void close_azure(struct cvm_async *async)
{
	struct cvm_azure_async *azure = async->state;

	pthread_mutex_lock(&async->lock);
	azure->closing = true;
	/* whatever a thread waits for looks at it again and again */
	azure->deadline = 0;
	pthread_cond_signal(&azure->more);
	pthread_mutex_unlock(&async->lock);
	eventfd_write(azure->wake, 1);
	while (azure->threads)
		pthread_join(azure->id[--azure->threads], NULL);
	carrier->close(&azure->driver);
	free_azure(async);
}

static int open_azure(struct cvm_async *async)
{
	struct cvm_azure_async *azure = calloc(1, sizeof(*azure));
	int rc;

	if (!azure)
		return -ENOMEM;
	cvm_azure_list_init(&azure->fresh);
	cvm_azure_list_init(&azure->todo);
	cvm_azure_list_init(&azure->done);
	pthread_cond_init(&azure->more, NULL);
	azure->driver = (struct cvm_async){ .ctx = async->ctx, .ops = carrier };
	async->state = azure;
	async->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	azure->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = async->fd < 0 || azure->wake < 0 ? -errno : carrier->open(&azure->driver);
	if (rc) {
		free_azure(async);
		return rc;
	}
	rc = cvm_azure_start(async);
	if (rc)
		close_azure(async);
	return rc;
}

/* ---- what callers do, with the lock held */

/* What could not be completed when it comes is not asked for. */
static void submit_azure(struct cvm_async *async, struct cvm_submitted *all, size_t count,
			 uint32_t timeout_ms)
{
	struct cvm_azure_async *azure = async->state;
	struct cvm_error why;
	int rc = cvm_vtpm_usable(async->ctx->source[0].vtpm, &why);

	for (size_t i = 0; rc && i < count; i++) {
		all[i].job.result = rc;
		all[i].job.error = why;
	}
	if (!rc)
		carrier->submit(&azure->driver, all, count, timeout_ms);
}

static int next_azure(struct cvm_async *async, struct cvm_submitted *done,
		      struct cvm_error *error)
{
	struct cvm_azure_async *azure = async->state;
	struct cvm_azure_request *one = cvm_azure_list_take(&azure->done);
	eventfd_t count;
	int rc = azure->failed;

	if (one) {
		azure->count--;
		*done = one->mine;
		free(one);
		/* it may have waited for room */
		if (azure->count == CVM_ASYNC_MAX - 1)
			eventfd_write(azure->wake, 1);
		return 1;
	}
	/* not readable again before the next one ends */
	eventfd_read(async->fd, &count);
	if (!rc)
		return 0;
	if (error)
		*error = azure->error;
	azure->failed = 0;
	eventfd_write(azure->wake, 1);
	return rc;
}

/* One that a thread has in hand: the completer need not go on with it. */
static int cancel_at(struct cvm_async *async, unsigned int thread, uint64_t cookie)
{
	struct cvm_azure_async *azure = async->state;
	struct cvm_azure_request *one = azure->at[thread];

	if (!one || one->mine.cookie != cookie)
		return 0;
	azure->at[thread] = NULL;
	if (thread == CVM_AZURE_COMPLETER)
		azure->deadline = 0;
	cvm_azure_finish_with(async, one, -ECANCELED);
	return 1;
}

static int cancel_list(struct cvm_async *async, struct cvm_azure_list *list, uint64_t cookie)
{
	struct cvm_azure_list old = *list;
	int cancelled = 0;

	cvm_azure_list_init(list);
	for (struct cvm_azure_request *one; (one = cvm_azure_list_take(&old));) {
		if (one->mine.cookie != cookie) {
			cvm_azure_list_add(list, one);
			continue;
		}
		cvm_azure_finish_with(async, one, -ECANCELED);
		cancelled++;
	}
	return cancelled;
}

/* What the driver has answered has no answer before it is complete. */
static int cancel_azure(struct cvm_async *async, uint64_t cookie)
{
	struct cvm_azure_async *azure = async->state;
	int rc = carrier->cancel(&azure->driver, cookie), cancelled = 0;

	cvm_azure_read_all(async);
	/* the others' that came along: the reader sees no more of them at the driver */
	eventfd_write(azure->wake, 1);
	cancelled += cancel_list(async, &azure->fresh, cookie);
	cancelled += cancel_list(async, &azure->todo, cookie);
	for (unsigned int i = 0; i < CVM_AZURE_THREADS; i++)
		cancelled += cancel_at(async, i, cookie);
	return rc < 0 ? rc : rc + cancelled;
}

const struct cvm_async_ops cvm_async_azure = {
	.open = open_azure,
	.close = close_azure,
	.submit = submit_azure,
	.next = next_azure,
	.cancel = cancel_azure,
};
