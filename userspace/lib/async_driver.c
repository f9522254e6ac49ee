// SPDX-License-Identifier: MIT
/*
 * Submitted requests with the cvm-guest driver: CVM_SUBMIT, and records that
 * read() gives. Direct and batch requests go by different files; an epoll
 * instance makes one descriptor of the two.
 */
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

#include "async.h"
#include "common/cleanup.h"
#include "driver.h"

#define DOORS		2
#define NO_SLOT		UINT32_MAX

/**
 * struct slot - a request under way
 * @turn: how often the slot was taken; the driver's cookie is this and the
 *	slot's number, so that a record that is not ours is known
 * @next_free: the next one in the list of free slots
 * @busy: it is under way
 * @cookie: the caller's
 * @deadline: ms of the monotonic clock
 * @job: what was asked
 * @data: its REPORT_DATA
 */
struct slot {
	uint32_t turn, next_free;
	bool busy;
	uint64_t cookie;
	int64_t deadline;
	struct cvm_job job;
	uint8_t data[CVM_REPORT_DATA_LEN];
};

/**
 * struct driver - the driver's part of a struct cvm_async
 * @source: its files
 * @slots: @count of them, which grows
 * @free: first of the list of free ones
 * @records: what read() gave last
 * @size: room for records
 * @at: the next record
 * @len: end of them
 * @turn: whose turn it is to be read from
 */
struct driver {
	const struct cvm_source *source;
	struct slot *slots;
	uint32_t count, free;
	uint8_t *records;
	size_t size, at, len;
	unsigned int turn;
};

static int door(const struct driver *driver, unsigned int which)
{
	return which ? driver->source->batch_fd : driver->source->fd;
}

static void free_driver(struct cvm_async *async)
{
	struct driver *driver = async->state;

	if (async->fd >= 0)
		close(async->fd);
	free(driver->slots);
	free(driver->records);
	free(driver);
}

static void close_driver(struct cvm_async *async)
{
	struct driver *driver = async->state;

	/* what is under way ends with nobody to read it; the files may live on */
	for (uint32_t i = 0; i < driver->count; i++)
		if (driver->slots[i].busy)
			async->ops->cancel(async, driver->slots[i].cookie);
	for (struct cvm_submitted done = { 0 }; async->ops->next(async, &done, NULL) > 0;)
		cvm_evidence_free(done.job.evidence);
	free_driver(async);
}

static int watch(int epoll, const struct driver *driver)
{
	for (unsigned int i = 0; i < DOORS; i++) {
		struct epoll_event event = { .events = EPOLLIN };
		int fd = door(driver, i);

		if (fd >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
			return -errno;
	}
	return 0;
}

static int open_driver(struct cvm_async *async)
{
	struct driver *driver = calloc(1, sizeof(*driver));
	int rc;

	if (!driver)
		return -ENOMEM;
	driver->source = &async->ctx->source[0];
	driver->free = NO_SLOT;
	driver->size = driver->source->max_record;
	driver->records = malloc(driver->size);
	async->state = driver;
	async->fd = epoll_create1(EPOLL_CLOEXEC);
	rc = async->fd < 0 ? -errno : 0;
	/* a driver without records has no such requests */
	if (!rc && !driver->size)
		rc = -EOPNOTSUPP;
	if (!rc)
		rc = driver->records ? watch(async->fd, driver) : -ENOMEM;
	/* no record is ours yet, and others may share the files */
	if (rc)
		free_driver(async);
	return rc;
}

static int grow(struct driver *driver)
{
	uint32_t count = driver->count ? 2 * driver->count : 16;
	struct slot *slots = realloc(driver->slots, count * sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	memset(slots + driver->count, 0, (count - driver->count) * sizeof(*slots));
	driver->slots = slots;
	for (uint32_t i = driver->count; i < count; i++) {
		slots[i].next_free = driver->free;
		driver->free = i;
	}
	driver->count = count;
	return 0;
}

static void put_slot(struct driver *driver, uint32_t index)
{
	driver->slots[index].busy = false;
	driver->slots[index].next_free = driver->free;
	driver->free = index;
}

static int take_slot(struct driver *driver, const struct cvm_submitted *one, int64_t deadline,
		     struct cvm_evidence_req *req)
{
	struct slot *slot;
	uint32_t index;
	int rc = driver->free == NO_SLOT ? grow(driver) : 0;

	if (rc)
		return rc;
	index = driver->free;
	slot = &driver->slots[index];
	driver->free = slot->next_free;
	slot->turn++;
	slot->busy = true;
	slot->cookie = one->cookie;
	slot->deadline = deadline;
	slot->job = one->job;
	memcpy(slot->data, one->job.report_data, sizeof(slot->data));
	req->cookie = (uint64_t)slot->turn << 32 | index;
	return 0;
}

/* The slot of a record; NULL: it is not of ours, but of a process that shares the file. */
static struct slot *slot_of(struct driver *driver, uint64_t cookie)
{
	uint32_t index = (uint32_t)cookie;
	struct slot *slot = index < driver->count ? &driver->slots[index] : NULL;

	return slot && slot->busy && slot->turn == cookie >> 32 ? slot : NULL;
}

static void submit_chunk(struct driver *driver, struct cvm_submitted *all, size_t count,
			 uint32_t timeout_ms)
{
	__cleanup_free struct cvm_evidence_req *reqs = calloc(count, sizeof(*reqs));
	struct cvm_issue array = {
		.size = sizeof(array),
		.request_size = sizeof(*reqs),
		.timeout_ms = timeout_ms,
		.requests = (uintptr_t)reqs,
	};
	int64_t deadline = cvm_driver_deadline(driver->source, timeout_ms);
	int rc = reqs ? 0 : -ENOMEM;

	for (size_t i = 0; !rc && i < count; i++) {
		cvm_driver_request(&reqs[i], &all[i].job);
		rc = take_slot(driver, &all[i], deadline, &reqs[i]);
		array.count += !rc;
	}
	if (!rc && ioctl(door(driver, all->job.batch), CVM_SUBMIT, &array))
		rc = -errno;
	for (size_t i = 0; i < count; i++) {
		int result = rc ? rc : reqs[i].result;

		if (result && i < array.count)
			put_slot(driver, (uint32_t)reqs[i].cookie);
		all[i].job.result = result;
		if (result)
			cvm_source_error(&all[i].job.error, result, driver->source, 0);
	}
}

static void submit_driver(struct cvm_async *async, struct cvm_submitted *all, size_t count,
			  uint32_t timeout_ms)
{
	struct driver *driver = async->state;
	size_t chunk = driver->source->status.max_requests;

	chunk = chunk ? chunk : 1;
	for (size_t first = 0; first < count; first += chunk)
		submit_chunk(driver, all + first, count - first < chunk ? count - first : chunk,
			     timeout_ms);
}

/* Bytes; 0: nothing there. A file that others share keeps its flags, so each read says it. */
static ssize_t read_now(int fd, void *buffer, size_t size)
{
	struct iovec iov = { .iov_base = buffer, .iov_len = size };
	struct pollfd ready = { .fd = fd, .events = POLLIN };
	ssize_t got = preadv2(fd, &iov, 1, -1, RWF_NOWAIT);

	if (got < 0 && errno == EOPNOTSUPP)
		got = poll(&ready, 1, 0) == 1 ? read(fd, buffer, size) : 0;
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return got < 0 ? -errno : got;
}

/* 1: there are records, 0: there are none */
static int fill(struct driver *driver, struct cvm_error *error)
{
	for (unsigned int i = 0; i < DOORS; i++) {
		int fd = door(driver, driver->turn++ % DOORS);
		ssize_t got = fd < 0 ? 0 : read_now(fd, driver->records, driver->size);

		if (got < 0)
			return cvm_path_error(error, (int)got, driver->source->status.source,
					      "read results from");
		driver->at = 0;
		driver->len = (size_t)got;
		if (got)
			return 1;
	}
	return 0;
}

/* The next record is whole and lies within what was read. */
static bool parse(struct driver *driver, struct cvm_record *record, const uint8_t **data)
{
	const uint8_t *start = driver->records + driver->at;
	size_t left = driver->len - driver->at;

	if (left < sizeof(*record))
		return false;
	memcpy(record, start, sizeof(*record));
	*data = start + record->data_offset;
	driver->at += record->size;
	return record->size >= sizeof(*record) && record->size <= left &&
	       record->data_offset >= sizeof(*record) &&
	       (uint64_t)record->data_offset + record->evidence_len + record->certs_len +
	       record->proof_len <= record->size;
}

/* 1: a request of ours ended, 0: the record was somebody else's */
static int complete(struct driver *driver, const struct cvm_record *record,
		    struct cvm_submitted *done, uint8_t *data, int64_t *deadline)
{
	struct slot *slot = slot_of(driver, record->cookie);

	if (!slot)
		return 0;
	done->cookie = slot->cookie;
	done->job = slot->job;
	memcpy(data, slot->data, sizeof(slot->data));
	done->job.report_data = data;
	*deadline = slot->deadline;
	if (record->result)
		done->job.result = cvm_source_error(&done->job.error, record->result,
						    driver->source, record->platform_status);
	put_slot(driver, (uint32_t)record->cookie);
	return 1;
}

int cvm_async_record(struct cvm_async *async, struct cvm_submitted *done,
		     uint8_t data[CVM_REPORT_DATA_LEN], struct cvm_answer *answer,
		     int64_t *deadline, struct cvm_error *error)
{
	struct driver *driver = async->state;

	for (;;) {
		struct cvm_record record;
		const uint8_t *start;
		int rc = driver->at < driver->len ? 1 : fill(driver, error);

		if (rc <= 0)
			return rc;
		if (!parse(driver, &record, &start)) {
			driver->at = driver->len;
			return cvm_set_error(error, -EBADMSG, "%s: gave a malformed record",
					     driver->source->status.source);
		}
		if (!complete(driver, &record, done, data, deadline))
			continue;
		*answer = (struct cvm_answer) {
			.data = (void *)start, .len = record.evidence_len,
			.certs = (void *)(start + record.evidence_len),
			.certs_len = record.certs_len,
			.proof = (void *)(start + record.evidence_len + record.certs_len),
			.proof_len = record.proof_len,
		};
		return 1;
	}
}

static int next_driver(struct cvm_async *async, struct cvm_submitted *done,
		       struct cvm_error *error)
{
	const struct driver *driver = async->state;
	uint8_t data[CVM_REPORT_DATA_LEN];
	struct cvm_answer answer;
	int64_t deadline;
	int rc = cvm_async_record(async, done, data, &answer, &deadline, error);

	if (rc > 0 && !done->job.result)
		cvm_job_copy(&done->job, driver->source, &answer);
	/* not for longer than this */
	done->job.report_data = NULL;
	return rc;
}

static int cancel_driver(struct cvm_async *async, uint64_t cookie)
{
	struct driver *driver = async->state;
	int cancelled = 0;

	for (uint32_t i = 0; i < driver->count; i++) {
		struct slot *slot = &driver->slots[i];
		struct cvm_cancel cancel = {
			.size = sizeof(cancel), .cookie = (uint64_t)slot->turn << 32 | i,
		};

		if (!slot->busy || slot->cookie != cookie)
			continue;
		if (ioctl(door(driver, slot->job.batch), CVM_CANCEL, &cancel))
			return -errno;
		cancelled += (int)cancel.cancelled;
	}
	return cancelled;
}

const struct cvm_async_ops cvm_async_driver = {
	.open = open_driver,
	.close = close_driver,
	.submit = submit_driver,
	.next = next_driver,
	.cancel = cancel_driver,
};
