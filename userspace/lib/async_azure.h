/* SPDX-License-Identifier: MIT */
/*
 * Submitted requests with the cvm-guest driver on Azure, whose reports are completed by a quote
 * of the vTPM, and of TDX by the host's. One thread reads what the driver gives as soon as it is
 * there, and ends what needs nothing more; another one completes the rest, one after the other.
 * So nobody who fetches waits for a host, and nothing that came in time is late because it was
 * fetched late; but a host that does not answer for one holds up the others that need it, until
 * that one's deadline.
 */
#ifndef CVM_LIB_ASYNC_AZURE_H
#define CVM_LIB_ASYNC_AZURE_H

#include "async.h"

/**
 * struct cvm_azure_request - one that the driver has answered
 * @next: in a list
 * @mine: what its caller submitted
 * @deadline: ms of the monotonic clock
 * @answer: what the driver gave, in @bytes
 * @bytes: allocated, its REPORT_DATA first; NULL: it has ended
 */
struct cvm_azure_request {
	struct cvm_azure_request *next;
	struct cvm_submitted mine;
	int64_t deadline;
	struct cvm_answer answer;
	uint8_t *bytes;
};

struct cvm_azure_list {
	struct cvm_azure_request *first, **last;
};

/* the threads */
enum { CVM_AZURE_READER, CVM_AZURE_COMPLETER, CVM_AZURE_THREADS };

/**
 * struct cvm_azure_async - the part of a struct cvm_async; all but @wake under its lock
 * @driver: carries the requests
 * @id: of @threads threads
 * @at: what each has in hand without the lock, as a copy; NULL: nothing, or it was cancelled
 * @wake: an eventfd: the reader is to look again
 * @more: there is something to complete, or the end
 * @fresh: read, and not looked at yet
 * @todo: to be completed
 * @done: ended, and not fetched yet
 * @count: of all those
 * @spare: for the next one
 * @failed: why the driver cannot be asked, which nobody has been told yet; or 0
 * @error: likewise
 * @closing: the threads are to end
 * @deadline: of what is being completed, in ms of the monotonic clock: over, when it is to end
 */
struct cvm_azure_async {
	struct cvm_async driver;
	pthread_t id[CVM_AZURE_THREADS];
	unsigned int threads;
	struct cvm_azure_request *at[CVM_AZURE_THREADS];
	int wake;
	pthread_cond_t more;
	struct cvm_azure_list fresh, todo, done;
	size_t count;
	struct cvm_azure_request *spare;
	int failed;
	struct cvm_error error;
	bool closing;
	_Atomic int64_t deadline;
};

static inline void cvm_azure_list_init(struct cvm_azure_list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static inline void cvm_azure_list_add(struct cvm_azure_list *list, struct cvm_azure_request *one)
{
	one->next = NULL;
	*list->last = one;
	list->last = &one->next;
}

static inline struct cvm_azure_request *cvm_azure_list_take(struct cvm_azure_list *list)
{
	struct cvm_azure_request *one = list->first;

	if (!one)
		return NULL;
	list->first = one->next;
	if (!list->first)
		list->last = &list->first;
	return one;
}

/* ---- async_azure_work.c: all with the lock held, but the first and the last */

/* 0 or a negative errno, with some of the threads then */
int cvm_azure_start(struct cvm_async *async);

/* What the driver has: what has failed ends, the rest is fresh. */
void cvm_azure_read_all(struct cvm_async *async);

/* It has ended with @result, or as its job says. */
void cvm_azure_finish(struct cvm_async *async, struct cvm_azure_request *one);
void cvm_azure_finish_with(struct cvm_async *async, struct cvm_azure_request *one, int result);

/* What belongs to it, but for itself */
void cvm_azure_drop(struct cvm_azure_request *one);

#endif /* CVM_LIB_ASYNC_AZURE_H */
