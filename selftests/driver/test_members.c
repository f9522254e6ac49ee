// SPDX-License-Identifier: GPL-2.0
/*
 * One answer is for many: what becomes of everybody in a set when the host's is
 * not what it should be, or one member does not take his.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "batch.h"

#define SLOW_MS		"1500"
#define FAST_MS		"4.7"
#define FILES		4
#define EACH		8
#define ARRAY		8

/* members who wait in an ioctl */
struct blocked {
	int fd;
	struct batch_ask asks[ARRAY];
	int ret;
	pthread_t thread;
};

FIXTURE(members) {
	int fd;
	struct cvm_info info;
	int files[FILES];
	struct batch_reader readers[FILES];
	struct blocked *blocked;
};

FIXTURE_SETUP(members)
{
	int i;

	self->fd = batch_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " CROWD_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
	if (!report_sim_ms(&self->info, FAST_MS))
		SKIP(return, "no simulated platform");
	for (i = 0; i < FILES; i++) {
		self->files[i] = crowd_open(true);
		ASSERT_TRUE(batch_reader(&self->readers[i], self->files[i]));
	}
	self->blocked = calloc(1, sizeof(*self->blocked));
	ASSERT_NE(NULL, self->blocked);
	for (i = 0; i < ARRAY; i++)
		batch_ask(&self->blocked->asks[i]);
}

FIXTURE_TEARDOWN(members)
{
	int i;

	report_sim_ms(&self->info, FAST_MS);
	for (i = 0; i < FILES; i++) {
		batch_reader_end(&self->readers[i]);
		close(self->files[i]);
	}
	free(self->blocked);
	close(self->fd);
}

static void *wait_in_ioctl(void *arg)
{
	struct blocked *blocked = arg;

	blocked->ret = batch_issue(blocked->fd, blocked->asks, ARRAY);
	return NULL;
}

/* those who wait in an ioctl come last */
static bool block(FIXTURE_DATA(members) *self)
{
	long long requests = report_stat("requests");

	self->blocked->fd = self->fd;
	return !pthread_create(&self->blocked->thread, NULL, wait_in_ioctl,
			       self->blocked) &&
	       batch_await("requests", requests + ARRAY);
}

/* the host has so many, and has made its answers */
static bool in_flight(long long count)
{
	unsigned long long end = report_now_us() + 10000000;

	while (crowd_seam("in_flight") < count && report_now_us() < end)
		usleep(1000);
	return crowd_seam("in_flight") == count;
}

/* everybody waits, behind a request that the hardware is at work on */
static bool gather(FIXTURE_DATA(members) *self, __u32 timeout_ms)
{
	long long issued = report_stat("issued"), others = crowd_seam("in_flight");
	struct cvm_evidence_req reqs[EACH];
	__u32 accepted;
	int i, j;

	if (!report_sim_ms(&self->info, SLOW_MS) ||
	    batch_submit(self->fd, crowd_cookie(CVM_KIND_BATCH), 0, 0) ||
	    !batch_await("issued", issued + 1) || !in_flight(others + 1))
		return false;
	for (i = 0; i < FILES; i++) {
		for (j = 0; j < EACH; j++)
			crowd_request(&reqs[j], crowd_cookie(CVM_KIND_BATCH));
		if (crowd_submit(self->files[i], reqs, EACH, timeout_ms,
				 &accepted) || accepted != EACH)
			return false;
	}
	return block(self);
}

/* the first one's own record */
static bool first_answered(FIXTURE_DATA(members) *self)
{
	const struct cvm_record *record;
	struct batch_reader reader;
	bool good;

	if (!batch_reader(&reader, self->fd))
		return false;
	record = batch_next(&reader);
	good = record && !record->result && crowd_record_verifies(record);
	batch_reader_end(&reader);
	return good;
}

static bool wait_readable(int fd)
{
	struct pollfd polled = { fd, POLLIN, 0 };

	return poll(&polled, 1, 30000) == 1;
}

/* each has one record, with this result, and no other; how many have it */
static int records_with(FIXTURE_DATA(members) *self, int result)
{
	const struct cvm_record *record;
	int i, n = 0, right = 0;

	for (i = 0; i < FILES; i++) {
		for (n = 0; n < EACH; n++) {
			if (self->readers[i].at == self->readers[i].len &&
			    !wait_readable(self->files[i]))
				return -1;
			record = batch_next(&self->readers[i]);
			if (!record)
				return -1;
			right += record->result == result &&
				 (result || crowd_record_verifies(record));
		}
		if (batch_next(&self->readers[i]) || errno != EAGAIN)
			return -2;
	}
	return right;
}

static int results_with(FIXTURE_DATA(members) *self, int result)
{
	int i, right = 0;

	pthread_join(self->blocked->thread, NULL);
	for (i = 0; !self->blocked->ret && i < ARRAY; i++)
		right += self->blocked->asks[i].req.result == result &&
			 (result || batch_answered(&self->blocked->asks[i]));
	return right;
}

static bool is_tdx(const struct cvm_info *info)
{
	return info->platform == CVM_PLATFORM_TDX;
}

/* a report that is not about them: nobody gets it, and the next one is theirs */
TEST_F(members, foreign_report)
{
	long long rejected = report_stat("rejected");
	__u8 scope[CVM_SCOPE_SIZE];

	ASSERT_TRUE(gather(self, 0));
	/* the answer to the first is made already, and on its way */
	ASSERT_TRUE(report_sim(is_tdx(&self->info) ? "quote_bad_data_n=1" :
						     "bad_report_data_n=1"));
	ASSERT_TRUE(first_answered(self));
	EXPECT_EQ(FILES * EACH, records_with(self, -EBADMSG));
	EXPECT_EQ(ARRAY, results_with(self, -EBADMSG));
	EXPECT_EQ(rejected + 1, report_stat("rejected"));
	report_sim_ms(&self->info, FAST_MS);
	EXPECT_EQ(CVM_SCOPE_PRIVILEGED, batch_scope(self->fd, scope));
}

/* the platform refuses: everybody is told why */
TEST_F(members, refused)
{
	__u8 scope[CVM_SCOPE_SIZE];

	ASSERT_TRUE(gather(self, 0));
	ASSERT_TRUE(report_sim(is_tdx(&self->info) ?
			       "quote_status=8000000000000001" :
			       "report_status=22"));
	ASSERT_TRUE(first_answered(self));
	EXPECT_EQ(FILES * EACH, records_with(self, -EIO));
	EXPECT_EQ(ARRAY, results_with(self, -EIO));
	EXPECT_NE(0, self->blocked->asks[0].req.platform_status);
	report_sim_ms(&self->info, FAST_MS);
	EXPECT_EQ(CVM_SCOPE_PRIVILEGED, batch_scope(self->fd, scope));
}

/* the host takes longer than any of them waits: those who submitted leave */
TEST_F(members, some_leave)
{
	ASSERT_TRUE(gather(self, 2000));
	ASSERT_TRUE(first_answered(self));
	EXPECT_EQ(FILES * EACH, records_with(self, -ETIMEDOUT));
	EXPECT_EQ(ARRAY, results_with(self, 0));
}

/* ---- one who does not take his ---- */

/* memory that is there when somebody else says so; -1: not on this kernel */
static int absent_memory(void *room, size_t size)
{
	struct uffdio_register range = {
		.range = { (unsigned long)room, size },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };
	int fd = syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd >= 0 && !ioctl(fd, UFFDIO_API, &api) &&
	    !ioctl(fd, UFFDIO_REGISTER, &range))
		return fd;
	return -1;
}

static bool give_memory(int fd, void *room, size_t size)
{
	struct uffdio_zeropage zero = {
		.range = { (unsigned long)room, size },
	};

	return !ioctl(fd, UFFDIO_ZEROPAGE, &zero);
}

/*
 * A member whose memory does not come stands in the middle of having his report
 * copied. The others of his set have theirs, and go on asking.
 */
TEST_F(members, stalled_copy)
{
	const size_t size = 64 * 1024;
	__u8 *room = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffd_msg fault;
	__u8 scope[CVM_SCOPE_SIZE];
	int uffd, i;

	ASSERT_NE(MAP_FAILED, (void *)room);
	uffd = absent_memory(room, size);
	if (uffd < 0)
		SKIP(return, "no userfaultfd");
	self->blocked->asks[0].req.evidence = (unsigned long)room;
	self->blocked->asks[0].req.evidence_len = size;
	ASSERT_TRUE(gather(self, 0));
	report_sim_ms(&self->info, FAST_MS);
	EXPECT_EQ(FILES * EACH, records_with(self, 0));
	for (i = 0; i < 20; i++)
		ASSERT_EQ(CVM_SCOPE_PRIVILEGED, batch_scope(self->fd, scope));
	ASSERT_EQ((ssize_t)sizeof(fault), read(uffd, &fault, sizeof(fault)));
	EXPECT_EQ(UFFD_EVENT_PAGEFAULT, fault.event);
	for (i = 0; i < 20; i++)
		ASSERT_EQ(CVM_SCOPE_PRIVILEGED, batch_scope(self->fd, scope));
	ASSERT_TRUE(give_memory(uffd, room, size));
	EXPECT_EQ(ARRAY - 1, results_with(self, 0));
	EXPECT_EQ(0, self->blocked->asks[0].req.result);
	close(uffd);
	munmap(room, size);
}

/*
 * The last test: an answer that no honest host gives, and the channel is dead.
 * Everybody learns it once, and whoever comes later at once.
 */
TEST_F(members, dead_channel)
{
	__u8 scope[CVM_SCOPE_SIZE];

	if (is_tdx(&self->info))
		SKIP(return, "no key that could be lost");
	ASSERT_TRUE(gather(self, 0));
	ASSERT_TRUE(report_sim("bad_tag_n=1"));
	ASSERT_TRUE(first_answered(self));
	EXPECT_EQ(FILES * EACH, records_with(self, -ENOKEY));
	EXPECT_EQ(ARRAY, results_with(self, -ENOKEY));
	EXPECT_EQ(-ENOKEY, batch_scope(self->fd, scope));
	EXPECT_EQ(0, crowd_ask(self->files[0], crowd_cookie(CVM_KIND_BATCH), 0));
	EXPECT_TRUE(wait_readable(self->files[0]));
}

TEST_HARNESS_MAIN
