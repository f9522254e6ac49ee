/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The fixture of the tests of submitted requests: one file, on either node.
 */
#ifndef ASYNC_H
#define ASYNC_H

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "batch.h"

#define SLOW_MS		"2000"
#define FAST_MS		"4.7"
#define HEAD		sizeof(struct cvm_record)

FIXTURE(async) {
	int fd;
	struct cvm_info info;
	struct batch_reader reader;
	bool simulated;
};

FIXTURE_VARIANT(async) {
	bool batch;
};

FIXTURE_VARIANT_ADD(async, batch) { .batch = true };
FIXTURE_VARIANT_ADD(async, direct) { .batch = false };

static bool of_batch;

static inline __u64 new_cookie(const struct cvm_info *info)
{
	return crowd_cookie(of_batch ? CVM_KIND_BATCH : report_slow_kind(info));
}

static inline int ask(FIXTURE_DATA(async) *self, __u32 timeout_ms)
{
	return crowd_ask(self->fd, new_cookie(&self->info), timeout_ms);
}

FIXTURE_SETUP(async)
{
	of_batch = variant->batch;
	self->fd = of_batch ? batch_open() : report_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no node");
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
	ASSERT_TRUE(batch_reader(&self->reader, self->fd));
	self->simulated = report_sim_ms(&self->info, FAST_MS);
}

FIXTURE_TEARDOWN(async)
{
	report_sim_ms(&self->info, FAST_MS);
	batch_reader_end(&self->reader);
	close(self->fd);
}

/* events that the file has now */
static inline short events(int fd)
{
	struct pollfd polled = { fd, POLLIN | POLLOUT, 0 };

	return poll(&polled, 1, 0) < 0 ? -1 : polled.revents;
}

static inline bool wait_for(int fd, short event)
{
	struct pollfd polled = { fd, event, 0 };

	return poll(&polled, 1, 30000) == 1 && polled.revents & event;
}

/* the next record has this result, and is right */
static inline bool next_is(struct batch_reader *reader, int result)
{
	const struct cvm_record *record = batch_next(reader);

	if (!record) {
		printf("# no record: %s\n", strerror(errno));
		return false;
	}
	if (record->result != result) {
		printf("# result %d, not %d\n", record->result, result);
		return false;
	}
	if (!result)
		return crowd_record_verifies(record);
	return record->size == HEAD && record->data_offset == HEAD &&
	       !(record->evidence_len | record->certs_len | record->proof_len);
}

/* a request that the hardware is at work on: those that follow wait */
static inline bool keep_busy_for(FIXTURE_DATA(async) *self, const char *ms)
{
	long long issued = report_stat("issued");

	return report_sim_ms(&self->info, ms) && !ask(self, 0) &&
	       batch_await("issued", issued + 1);
}

static inline bool keep_busy(FIXTURE_DATA(async) *self)
{
	return keep_busy_for(self, SLOW_MS);
}

static inline int cancel(int fd, __u64 cookie)
{
	struct cvm_cancel cancel = { .size = sizeof(cancel), .cancelled = ~0U,
				     .cookie = cookie };

	return ioctl(fd, CVM_CANCEL, &cancel) ? -errno : (int)cancel.cancelled;
}

/* CVM_SUBMIT of @count; how many were taken, or a negative errno */
static inline int submit_many(int fd, unsigned int count, __u64 cookie,
		       __u32 timeout_ms)
{
	struct cvm_evidence_req *reqs = calloc(count, sizeof(*reqs));
	__u32 accepted;
	unsigned int i;
	int ret;

	for (i = 0; i < count; i++)
		crowd_request(&reqs[i], cookie);
	ret = crowd_submit(fd, reqs, count, timeout_ms, &accepted);
	free(reqs);
	return ret ? ret : (int)accepted;
}

#endif /* ASYNC_H */
