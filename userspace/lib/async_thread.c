// SPDX-License-Identifier: MIT
/*
 * Submitted requests where the source can only be waited for: a thread asks,
 * one after the other, and batch requests that came meanwhile at once. An
 * eventfd is readable while there are completions.
 */
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>

#include "async.h"
#include "common/cleanup.h"

/**
 * struct task - a request under way
 * @next: in the queue, or in the list of those that ended
 * @mine: what its caller submitted, whose job is given to the source
 * @data: its REPORT_DATA
 * @timeout_ms: as it was submitted; 0: none
 * @deadline: ms of the monotonic clock
 * @abandoned: it was cancelled while the source was being asked
 */
struct task {
	struct task *next;
	struct cvm_submitted mine;
	uint8_t data[CVM_REPORT_DATA_LEN];
	uint32_t timeout_ms;
	uint64_t deadline;
	bool abandoned;
};

struct list {
	struct task *first, **last;
};

/**
 * struct thread - the thread's part of a struct cvm_async; all under its lock
 * @id: who asks
 * @wake: it waits for requests, or for the end
 * @queued: nobody has asked for them yet
 * @asked: the source is being asked for them
 * @done: nobody has fetched them yet
 * @count: of all three
 * @closing: the thread is to end
 */
struct thread {
	pthread_t id;
	pthread_cond_t wake;
	struct list queued, asked, done;
	size_t count;
	bool closing;
};

static void init(struct list *list)
{
	list->first = NULL;
	list->last = &list->first;
}

static void append(struct list *list, struct task *task)
{
	task->next = NULL;
	*list->last = task;
	list->last = &task->next;
}

static struct task *take_first(struct list *list)
{
	struct task *task = list->first;

	if (!task)
		return NULL;
	list->first = task->next;
	if (!list->first)
		list->last = &list->first;
	return task;
}

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void finish(struct cvm_async *async, struct task *task)
{
	struct thread *thread = async->state;

	append(&thread->done, task);
	eventfd_write(async->fd, 1);
}

static void finish_with(struct cvm_async *async, struct task *task, int result)
{
	task->mine.job.result = cvm_source_error(&task->mine.job.error, result,
						 &async->ctx->source[0], 0);
	finish(async, task);
}

/* A batch takes along whoever wants the same; anything else is asked for alone. */
static bool goes_with(const struct task *task, const struct task *head)
{
	return task->mine.job.batch && head->mine.job.batch &&
	       task->mine.job.flags == head->mine.job.flags &&
	       task->timeout_ms == head->timeout_ms;
}

/* What the source is asked for next: into @asked. */
static size_t gather(struct cvm_async *async)
{
	struct thread *thread = async->state;
	struct list queued = thread->queued;
	const struct task *head = NULL;
	size_t count = 0;

	init(&thread->queued);
	for (struct task *task; (task = take_first(&queued));) {
		if (task->timeout_ms && task->deadline <= now_ms()) {
			finish_with(async, task, -ETIMEDOUT);
		} else if (!head || goes_with(task, head)) {
			head = head ? head : task;
			append(&thread->asked, task);
			count++;
		} else {
			append(&thread->queued, task);
		}
	}
	return count;
}

static uint32_t time_left(const struct task *task)
{
	uint64_t now = now_ms();

	if (!task->timeout_ms)
		return 0;
	/* 0 would mean the default: what is past its deadline has 1 ms */
	return task->deadline > now ? (uint32_t)(task->deadline - now) : 1;
}

static void hand_back(struct cvm_async *async, const struct cvm_job *jobs, size_t count)
{
	struct thread *thread = async->state;

	for (size_t i = 0; i < count; i++) {
		struct task *task = take_first(&thread->asked);

		task->mine.job = jobs[i];
		if (!task->abandoned) {
			finish(async, task);
			continue;
		}
		cvm_evidence_free(task->mine.job.evidence);
		free(task);
	}
}

/* Called with the lock held, which others have while the source is asked. */
static void ask(struct cvm_async *async)
{
	struct thread *thread = async->state;
	size_t count = gather(async);
	__cleanup_free struct cvm_job *jobs = count ? calloc(count, sizeof(*jobs)) : NULL;
	const struct task *task = thread->asked.first;
	uint32_t timeout_ms = count ? time_left(task) : 0;

	if (!jobs) {
		while (count--)
			finish_with(async, take_first(&thread->asked), -ENOMEM);
		return;
	}
	for (size_t i = 0; i < count; i++, task = task->next)
		jobs[i] = task->mine.job;
	pthread_mutex_unlock(&async->lock);
	cvm_jobs_issue(async->ctx, jobs, count, timeout_ms);
	pthread_mutex_lock(&async->lock);
	hand_back(async, jobs, count);
}

static void *thread_main(void *arg)
{
	struct cvm_async *async = arg;
	struct thread *thread = async->state;

	pthread_mutex_lock(&async->lock);
	while (!thread->closing) {
		if (thread->queued.first)
			ask(async);
		else
			pthread_cond_wait(&thread->wake, &async->lock);
	}
	pthread_mutex_unlock(&async->lock);
	return NULL;
}

int cvm_async_start(pthread_t *id, void *(*main)(void *), struct cvm_async *async)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(id, NULL, main, async);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

static int open_thread(struct cvm_async *async)
{
	struct thread *thread = calloc(1, sizeof(*thread));
	int rc;

	if (!thread)
		return -ENOMEM;
	init(&thread->queued);
	init(&thread->asked);
	init(&thread->done);
	pthread_cond_init(&thread->wake, NULL);
	async->state = thread;
	async->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	rc = async->fd < 0 ? -errno : cvm_async_start(&thread->id, thread_main, async);
	if (!rc)
		return 0;
	if (async->fd >= 0)
		close(async->fd);
	pthread_cond_destroy(&thread->wake);
	free(thread);
	return rc;
}

static void free_list(struct list *list)
{
	for (struct task *task; (task = take_first(list));) {
		cvm_evidence_free(task->mine.job.evidence);
		free(task);
	}
}

static void close_thread(struct cvm_async *async)
{
	struct thread *thread = async->state;

	pthread_mutex_lock(&async->lock);
	thread->closing = true;
	pthread_cond_signal(&thread->wake);
	pthread_mutex_unlock(&async->lock);
	pthread_join(thread->id, NULL);
	free_list(&thread->queued);
	free_list(&thread->done);
	close(async->fd);
	pthread_cond_destroy(&thread->wake);
	free(thread);
}

static int add(struct thread *thread, const struct cvm_submitted *one, uint32_t timeout_ms)
{
	struct task *task;

	if (thread->count >= CVM_ASYNC_MAX)
		return -EBUSY;
	task = calloc(1, sizeof(*task));
	if (!task)
		return -ENOMEM;
	task->mine = *one;
	memcpy(task->data, one->job.report_data, sizeof(task->data));
	task->mine.job.report_data = task->data;
	task->timeout_ms = timeout_ms;
	task->deadline = now_ms() + timeout_ms;
	append(&thread->queued, task);
	thread->count++;
	return 0;
}

static void submit_thread(struct cvm_async *async, struct cvm_submitted *all, size_t count,
			  uint32_t timeout_ms)
{
	struct thread *thread = async->state;

	for (size_t i = 0; i < count; i++) {
		struct cvm_job *job = &all[i].job;

		job->result = add(thread, &all[i], timeout_ms);
		if (job->result)
			cvm_source_error(&job->error, job->result, &async->ctx->source[0], 0);
	}
	pthread_cond_signal(&thread->wake);
}

static int next_thread(struct cvm_async *async, struct cvm_submitted *done,
		       struct cvm_error *error)
{
	struct thread *thread = async->state;
	struct task *task = take_first(&thread->done);
	eventfd_t count;

	if (!task) {
		/* not readable again before the next one ends */
		eventfd_read(async->fd, &count);
		return 0;
	}
	thread->count--;
	*done = task->mine;
	free(task);
	return 1;
}

/* The source goes on with what it was asked: its answer is thrown away. */
static int abandon(struct cvm_async *async, uint64_t cookie)
{
	struct thread *thread = async->state;
	int cancelled = 0;

	for (struct task *task = thread->asked.first; task; task = task->next) {
		struct task *end;

		if (task->mine.cookie != cookie || task->abandoned)
			continue;
		end = calloc(1, sizeof(*end));
		if (!end)
			return -ENOMEM;
		end->mine.cookie = cookie;
		task->abandoned = true;
		finish_with(async, end, -ECANCELED);
		cancelled++;
	}
	return cancelled;
}

static int cancel_thread(struct cvm_async *async, uint64_t cookie)
{
	struct thread *thread = async->state;
	struct list queued = thread->queued;
	int cancelled = abandon(async, cookie);

	init(&thread->queued);
	for (struct task *task; (task = take_first(&queued));) {
		if (task->mine.cookie != cookie) {
			append(&thread->queued, task);
			continue;
		}
		finish_with(async, task, -ECANCELED);
		cancelled += cancelled >= 0;
	}
	return cancelled;
}

const struct cvm_async_ops cvm_async_thread = {
	.open = open_thread,
	.close = close_thread,
	.submit = submit_thread,
	.next = next_thread,
	.cancel = cancel_thread,
};
