// SPDX-License-Identifier: MIT
/* What the threads do that have Azure's submitted requests in hand: see async_azure.h. */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "async_azure.h"
#include "vtpm.h"

void cvm_azure_drop(struct cvm_azure_request *one)
{
	cvm_evidence_free(one->mine.job.evidence);
	free(one->bytes);
}

/* ---- the ends of requests */

void cvm_azure_finish(struct cvm_async *async, struct cvm_azure_request *one)
{
	struct cvm_azure_async *azure = async->state;

	free(one->bytes);
	one->bytes = NULL;
	one->mine.job.report_data = NULL;
	cvm_azure_list_add(&azure->done, one);
	eventfd_write(async->fd, 1);
}

void cvm_azure_finish_with(struct cvm_async *async, struct cvm_azure_request *one, int result)
{
	one->mine.job.result = cvm_source_error(&one->mine.job.error, result,
						&async->ctx->source[0], 0);
	cvm_azure_finish(async, one);
}

/*
 * What a thread does without the lock it does with a copy: who cancels the request meanwhile
 * ends it, and then nobody wants what has become of the copy.
 */
static struct cvm_azure_request begin(struct cvm_azure_async *azure, unsigned int thread,
				      struct cvm_azure_request *one)
{
	struct cvm_azure_request copy = *one;

	one->bytes = NULL;
	azure->at[thread] = one;
	return copy;
}

/* NULL: it was cancelled */
static struct cvm_azure_request *end(struct cvm_azure_async *azure, unsigned int thread,
				     struct cvm_azure_request *copy)
{
	struct cvm_azure_request *one = azure->at[thread];

	azure->at[thread] = NULL;
	if (one)
		*one = *copy;
	else
		cvm_azure_drop(copy);
	return one;
}

/* ---- the reader */

/* Behind so many that have not ended, or that nobody fetches, they stay with the driver. */
static bool may_take(const struct cvm_azure_async *azure)
{
	return !azure->failed && azure->count < CVM_ASYNC_MAX;
}

static void *put(uint8_t **at, const void *data, size_t len)
{
	void *to = *at;

	if (len)
		memcpy(to, data, len);
	*at += len;
	return to;
}

/* The driver's records are overwritten by the next ones. False: no memory */
static bool keep(struct cvm_azure_request *one, const uint8_t *data,
		 const struct cvm_answer *answer)
{
	uint8_t *at = malloc(CVM_REPORT_DATA_LEN + answer->len + answer->certs_len +
			     answer->proof_len);

	one->bytes = at;
	if (!at)
		return false;
	one->answer = *answer;
	one->mine.job.report_data = put(&at, data, CVM_REPORT_DATA_LEN);
	one->answer.data = put(&at, answer->data, answer->len);
	one->answer.certs = put(&at, answer->certs, answer->certs_len);
	one->answer.proof = put(&at, answer->proof, answer->proof_len);
	return true;
}

/* One record: what has failed has ended. False: there was none */
static bool read_one(struct cvm_async *async)
{
	struct cvm_azure_async *azure = async->state;
	uint8_t data[CVM_REPORT_DATA_LEN];
	struct cvm_azure_request *one;
	struct cvm_answer answer;
	int rc;

	if (!azure->spare)
		azure->spare = calloc(1, sizeof(*azure->spare));
	one = azure->spare;
	rc = one ? cvm_async_record(&azure->driver, &one->mine, data, &answer, &one->deadline,
				    &azure->error) :
		   cvm_set_error(&azure->error, -ENOMEM, "out of memory for a completion");
	if (rc <= 0) {
		azure->failed = rc;
		if (rc)
			eventfd_write(async->fd, 1);
		return false;
	}
	azure->spare = NULL;
	azure->count++;
	if (one->mine.job.result)
		cvm_azure_finish(async, one);
	else if (!keep(one, data, &answer))
		cvm_azure_finish_with(async, one, -ENOMEM);
	else
		cvm_azure_list_add(&azure->fresh, one);
	return true;
}

void cvm_azure_read_all(struct cvm_async *async)
{
	while (may_take(async->state) && read_one(async))
		;
}

static bool is_same_batch(const struct cvm_azure_request *one,
			  const struct cvm_azure_request *other)
{
	return one->mine.job.batch && other->mine.job.batch &&
	       one->answer.len == other->answer.len &&
	       !memcmp(one->answer.data, other->answer.data, one->answer.len);
}

/* NULL: it has ended. Called with the lock held, but not where files are read */
static struct cvm_azure_request *look_at(struct cvm_async *async, struct cvm_azure_request *one)
{
	struct cvm_azure_async *azure = async->state;
	struct cvm_azure_request copy = begin(azure, CVM_AZURE_READER, one);
	bool found;

	pthread_mutex_unlock(&async->lock);
	found = cvm_azure_found(&async->ctx->source[0], &copy.mine.job, &copy.answer);
	pthread_mutex_lock(&async->lock);
	one = end(azure, CVM_AZURE_READER, &copy);
	if (!one || !found)
		return one;
	cvm_azure_finish(async, one);
	return NULL;
}

/* Of a batch that is next nobody need look whether it is complete. */
static void sort_out(struct cvm_async *async, struct cvm_azure_request *one)
{
	struct cvm_azure_async *azure = async->state;

	if (!azure->todo.first || !is_same_batch(azure->todo.first, one))
		one = look_at(async, one);
	if (!one)
		return;
	cvm_azure_list_add(&azure->todo, one);
	pthread_cond_signal(&azure->more);
}

static void wait_for_more(const struct cvm_azure_async *azure, bool take)
{
	struct pollfd ready[] = {
		{ .fd = azure->wake, .events = POLLIN },
		{ .fd = take ? azure->driver.fd : -1, .events = POLLIN },
	};
	eventfd_t count;

	poll(ready, ARRAY_SIZE(ready), -1);
	eventfd_read(azure->wake, &count);
}

static void *reader_main(void *arg)
{
	struct cvm_async *async = arg;
	struct cvm_azure_async *azure = async->state;

	pthread_mutex_lock(&async->lock);
	while (!azure->closing) {
		struct cvm_azure_request *one;
		bool take;

		cvm_azure_read_all(async);
		one = cvm_azure_list_take(&azure->fresh);
		if (one) {
			sort_out(async, one);
			continue;
		}
		take = may_take(azure);
		pthread_mutex_unlock(&async->lock);
		wait_for_more(azure, take);
		pthread_mutex_lock(&async->lock);
	}
	pthread_mutex_unlock(&async->lock);
	return NULL;
}

/* ---- the completer */

/* One that finds what was made for @like is not to wait for what is made for others. */
static void bring_forward(struct cvm_azure_list *todo, const struct cvm_azure_request *like)
{
	struct cvm_azure_request **link = &todo->first, *one;

	while ((one = *link) && !is_same_batch(one, like))
		link = &one->next;
	if (!one || one == todo->first)
		return;
	*link = one->next;
	if (!*link)
		todo->last = link;
	one->next = todo->first;
	todo->first = one;
}

static void complete(struct cvm_async *async, struct cvm_azure_request *one)
{
	struct cvm_azure_async *azure = async->state;
	struct cvm_azure_request copy = begin(azure, CVM_AZURE_COMPLETER, one);

	azure->deadline = one->deadline;
	pthread_mutex_unlock(&async->lock);
	cvm_azure_answer(&async->ctx->source[0], &copy.mine.job, &copy.answer, &azure->deadline);
	pthread_mutex_lock(&async->lock);
	one = end(azure, CVM_AZURE_COMPLETER, &copy);
	if (!one)
		return;
	if (!one->mine.job.result)
		bring_forward(&azure->todo, one);
	cvm_azure_finish(async, one);
}

static void *completer_main(void *arg)
{
	struct cvm_async *async = arg;
	struct cvm_azure_async *azure = async->state;

	pthread_mutex_lock(&async->lock);
	while (!azure->closing) {
		struct cvm_azure_request *one = cvm_azure_list_take(&azure->todo);

		if (one)
			complete(async, one);
		else
			pthread_cond_wait(&azure->more, &async->lock);
	}
	pthread_mutex_unlock(&async->lock);
	return NULL;
}

int cvm_azure_start(struct cvm_async *async)
{
	static void *(*const mains[])(void *) = {
		[CVM_AZURE_READER] = reader_main, [CVM_AZURE_COMPLETER] = completer_main };
	struct cvm_azure_async *azure = async->state;
	int rc = 0;

	while (!rc && azure->threads < CVM_AZURE_THREADS) {
		rc = cvm_async_start(&azure->id[azure->threads], mains[azure->threads], async);
		azure->threads += !rc;
	}
	return rc;
}
