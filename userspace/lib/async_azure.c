// SPDX-License-Identifier: MIT
/*
 * Submitted requests with the cvm-guest driver on Azure, whose reports are completed by a quote
 * of the vTPM, and of TDX by the host's: a thread fetches them as soon as they are there, and
 * completes one after the other. So nobody who fetches waits for a host, and nothing that came in
 * time is late because it was fetched late; but a host that does not answer for one holds up
 * those behind it, until that one's deadline.
 */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "async.h"
#include "vtpm.h"

/**
 * struct ended - a completion
 * @next: the one after it
 * @mine: what its caller submitted, with its result
 * @data: its REPORT_DATA
 */
struct ended {
	struct ended *next;
	struct cvm_submitted mine;
	uint8_t data[CVM_REPORT_DATA_LEN];
};

/**
 * struct azure - the part of a struct cvm_async; all but @wake under its lock
 * @driver: carries the requests; only the thread asks it for records
 * @id: the thread
 * @wake: an eventfd: the thread is to look again
 * @first: ended, and not fetched yet
 * @last: where the next one goes
 * @count: of them
 * @failed: why the driver cannot be asked, which nobody has been told yet; or 0
 * @error: likewise
 * @closing: the thread is to end
 * @deadline: of what is being completed, in ms of the monotonic clock: over, when it is to end
 */
struct azure {
	struct cvm_async driver;
	pthread_t id;
	int wake;
	struct ended *first, **last;
	size_t count;
	int failed;
	struct cvm_error error;
	bool closing;
	_Atomic int64_t deadline;
};

static const struct cvm_async_ops *const carrier = &cvm_async_driver;

/* What nobody fetches stays with the driver, which takes no more then. */
static bool may_take(const struct azure *azure)
{
	return !azure->failed && azure->count < CVM_ASYNC_MAX;
}

/* One record, with the lock held but while it is completed. False: there was none */
static bool take_one(struct cvm_async *async)
{
	struct azure *azure = async->state;
	struct ended *one = calloc(1, sizeof(*one));
	struct cvm_answer answer;
	int64_t deadline;
	int rc = one ? cvm_async_record(&azure->driver, &one->mine, one->data, &answer, &deadline,
					&azure->error) :
		 cvm_set_error(&azure->error, -ENOMEM, "out of memory for a completion");

	if (rc <= 0) {
		azure->failed = rc;
		if (rc)
			eventfd_write(async->fd, 1);
		free(one);
		return false;
	}
	if (!one->mine.job.result) {
		azure->deadline = deadline;
		pthread_mutex_unlock(&async->lock);
		cvm_azure_answer(&async->ctx->source[0], &one->mine.job, &answer,
				 &azure->deadline);
		pthread_mutex_lock(&async->lock);
	}
	*azure->last = one;
	azure->last = &one->next;
	azure->count++;
	eventfd_write(async->fd, 1);
	return true;
}

static void wait_for_more(const struct azure *azure, bool take)
{
	struct pollfd ready[] = {
		{ .fd = azure->wake, .events = POLLIN },
		{ .fd = take ? azure->driver.fd : -1, .events = POLLIN },
	};
	eventfd_t count;

	poll(ready, ARRAY_SIZE(ready), -1);
	eventfd_read(azure->wake, &count);
}

static void *azure_main(void *arg)
{
	struct cvm_async *async = arg;
	struct azure *azure = async->state;

	pthread_mutex_lock(&async->lock);
	while (!azure->closing) {
		bool take = may_take(azure);

		if (take && take_one(async))
			continue;
		take = may_take(azure);
		pthread_mutex_unlock(&async->lock);
		wait_for_more(azure, take);
		pthread_mutex_lock(&async->lock);
	}
	pthread_mutex_unlock(&async->lock);
	return NULL;
}

static void free_azure(struct cvm_async *async)
{
	struct azure *azure = async->state;

	if (azure->wake >= 0)
		close(azure->wake);
	if (async->fd >= 0)
		close(async->fd);
	free(azure);
}

static int open_azure(struct cvm_async *async)
{
	struct azure *azure = calloc(1, sizeof(*azure));
	int rc;

	if (!azure)
		return -ENOMEM;
	azure->last = &azure->first;
	azure->driver = (struct cvm_async){ .ctx = async->ctx, .ops = carrier };
	async->state = azure;
	async->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	azure->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = async->fd < 0 || azure->wake < 0 ? -errno : carrier->open(&azure->driver);
	if (!rc) {
		rc = cvm_async_start(&azure->id, azure_main, async);
		if (rc)
			carrier->close(&azure->driver);
	}
	if (rc)
		free_azure(async);
	return rc;
}

static void close_azure(struct cvm_async *async)
{
	struct azure *azure = async->state;

	pthread_mutex_lock(&async->lock);
	azure->closing = true;
	/* whatever the thread waits for looks at it again and again */
	azure->deadline = 0;
	pthread_mutex_unlock(&async->lock);
	eventfd_write(azure->wake, 1);
	pthread_join(azure->id, NULL);
	carrier->close(&azure->driver);
	for (struct ended *one; (one = azure->first);) {
		azure->first = one->next;
		cvm_evidence_free(one->mine.job.evidence);
		free(one);
	}
	free_azure(async);
}

/* What could not be completed when it comes is not asked for. */
static void submit_azure(struct cvm_async *async, struct cvm_submitted *all, size_t count,
			 uint32_t timeout_ms)
{
	struct azure *azure = async->state;
	struct cvm_error why;
	int rc = cvm_vtpm_usable(async->ctx->source[0].vtpm, &why);

	for (size_t i = 0; rc && i < count; i++) {
		all[i].job.result = rc;
		all[i].job.error = why;
	}
	if (!rc)
		carrier->submit(&azure->driver, all, count, timeout_ms);
}

static int next_azure(struct cvm_async *async, struct cvm_submitted *done, struct cvm_error *error)
{
	struct azure *azure = async->state;
	struct ended *one = azure->first;
	eventfd_t count;
	int rc = azure->failed;

	if (one) {
		azure->first = one->next;
		if (!azure->first)
			azure->last = &azure->first;
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

static int cancel_azure(struct cvm_async *async, uint64_t cookie)
{
	struct azure *azure = async->state;

	return carrier->cancel(&azure->driver, cookie);
}

const struct cvm_async_ops cvm_async_azure = {
	.open = open_azure,
	.close = close_azure,
	.submit = submit_azure,
	.next = next_azure,
	.cancel = cancel_azure,
};
