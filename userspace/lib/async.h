/* SPDX-License-Identifier: MIT */
/* Requests that nobody waits for: what their two implementations share. */
#ifndef CVM_LIB_ASYNC_H
#define CVM_LIB_ASYNC_H

#include <pthread.h>

#include "lib.h"

struct cvm_async;

/* a request under way: what its caller calls it, and what is asked */
struct cvm_submitted {
	uint64_t cookie;
	struct cvm_job job;
};

/**
 * struct cvm_async_ops - who carries submitted requests
 * @open: set async->state and async->fd; 0 or a negative errno
 * @close: release both
 * @submit: job->result of each becomes 0 or why it was not accepted. The jobs
 *	have been checked; they and their REPORT_DATA must be copied
 * @next: as cvm_async_next(), into @done, whose cookie and job's result,
 *	evidence and error are set; what it was about is not kept
 * @cancel: as cvm_async_cancel()
 *
 * All but open and close are called with async->lock held.
 */
struct cvm_async_ops {
	int (*open)(struct cvm_async *async);
	void (*close)(struct cvm_async *async);
	void (*submit)(struct cvm_async *async, struct cvm_submitted *all, size_t count,
		       uint32_t timeout_ms);
	int (*next)(struct cvm_async *async, struct cvm_submitted *done, struct cvm_error *error);
	int (*cancel)(struct cvm_async *async, uint64_t cookie);
};

struct cvm_async {
	struct cvm_ctx *ctx;
	const struct cvm_async_ops *ops;
	pthread_mutex_t lock;
	void *state;
	int fd;
	pid_t owner;
};

extern const struct cvm_async_ops cvm_async_driver, cvm_async_azure, cvm_async_thread;

/* as many as may be under way or not fetched yet, where no driver says so */
#define CVM_ASYNC_MAX	1024U

/**
 * cvm_async_record() - async_driver.c: the end of a request, as the driver says it
 * @async: of cvm_async_driver, for which nobody else asks or submits meanwhile
 * @done: out: its cookie and job, whose REPORT_DATA is @data; with a result of 0 the evidence
 *	is in @answer
 * @data: out
 * @answer: out: until the next call
 * @deadline: out: ms of the monotonic clock
 * @error: or NULL
 *
 * Return: as cvm_async_next()
 */
int cvm_async_record(struct cvm_async *async, struct cvm_submitted *done,
		     uint8_t data[CVM_REPORT_DATA_LEN], struct cvm_answer *answer,
		     int64_t *deadline, struct cvm_error *error);

/* async_thread.c: 0 or a negative errno; the program's signals are for its own threads */
int cvm_async_start(pthread_t *id, void *(*main)(void *), struct cvm_async *async);

#endif /* CVM_LIB_ASYNC_H */
