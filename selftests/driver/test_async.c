// SPDX-License-Identifier: GPL-2.0
/*
 * The records of submitted requests: read, poll, io_uring, and callers of
 * 32 bits.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "async.h"
#include "ring.h"

#define NOBODY		65534

/* no memory; volatile, or the compiler warns of what is done on purpose */
static void *volatile nowhere = (void *)8;

static void nonblocking(int fd)
{
	fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

TEST_F(async, read)
{
	int i;

	for (i = 0; i < 20; i++)
		ASSERT_EQ(0, ask(self, 0));
	for (i = 0; i < 20; i++)
		ASSERT_TRUE(next_is(&self->reader, 0));
	nonblocking(self->fd);
	EXPECT_EQ(NULL, batch_next(&self->reader));
	EXPECT_EQ(EAGAIN, errno);
}

/* a record, byte by byte */
TEST_F(async, record)
{
	struct cvm_record *record;
	__u64 cookie = new_cookie(&self->info);
	size_t i, end;

	ASSERT_EQ(0, crowd_ask(self->fd, cookie, 0));
	record = malloc(self->info.max_record);
	ASSERT_NE(NULL, record);
	memset(record, 0xcc, self->info.max_record);
	ASSERT_LT(0, read(self->fd, record, self->info.max_record));
	EXPECT_EQ(0, record->size % 8);
	EXPECT_EQ(HEAD, record->data_offset);
	EXPECT_EQ(0, record->result);
	EXPECT_EQ(crowd_kind(cookie), record->kind);
	EXPECT_EQ(cookie, record->cookie);
	EXPECT_EQ(0, record->certs_len | record->reserved);
	EXPECT_EQ(of_batch, record->proof_len > 0);
	end = HEAD + record->evidence_len + record->proof_len;
	EXPECT_EQ((end + 7) / 8 * 8, record->size);
	for (i = end; i < record->size; i++)
		EXPECT_EQ(0, ((__u8 *)record)[i]);
	EXPECT_EQ(0xcc, ((__u8 *)record)[record->size]);
	free(record);
}

TEST_F(async, poll)
{
	nonblocking(self->fd);
	EXPECT_EQ(POLLOUT, events(self->fd));
	ASSERT_EQ(0, ask(self, 0));
	ASSERT_TRUE(wait_for(self->fd, POLLIN));
	EXPECT_EQ(POLLIN | POLLOUT, events(self->fd));
	EXPECT_TRUE(next_is(&self->reader, 0));
	EXPECT_EQ(POLLOUT, events(self->fd));
}

/* the length of a record; 0: none was right */
static size_t read_one(int fd, void *room, size_t size)
{
	const struct cvm_record *record = room;
	ssize_t len = read(fd, room, size);

	if (len <= 0 || record->size != len || !crowd_record_verifies(record))
		return 0;
	return len;
}

/* whole records only: one that does not fit stays */
TEST_F(async, buffers)
{
	static __u8 room[3 * 65536];
	long long completed;
	size_t one;
	int i;

	ASSERT_EQ(0, ask(self, 0));
	ASSERT_TRUE(wait_for(self->fd, POLLIN));
	memset(room, 0xcc, sizeof(room));
	EXPECT_EQ(0, read(self->fd, room, 0));
	EXPECT_EQ(-1, read(self->fd, room, HEAD - 1));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(-1, read(self->fd, room, HEAD));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(0xcc, room[0]);
	one = read_one(self->fd, room, 65536);
	ASSERT_LT(HEAD, one);

	completed = report_stat("completed");
	/* each has a report to itself, and so the same length */
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ask(self, 0));
		ASSERT_TRUE(batch_await("completed", completed + i + 1));
	}
	memset(room, 0xcc, sizeof(room));
	ASSERT_EQ(2 * one, read(self->fd, room, 3 * one - 8));
	EXPECT_TRUE(crowd_record_verifies((void *)room));
	EXPECT_TRUE(crowd_record_verifies((void *)(room + one)));
	EXPECT_EQ(0xcc, room[2 * one]);
	EXPECT_EQ(-1, read(self->fd, room, one - 8));
	EXPECT_EQ(ENOBUFS, errno);
	EXPECT_EQ(one, read_one(self->fd, room, one));
}

TEST_F(async, scattered)
{
	static __u8 room[65536];
	struct iovec iov[3] = {
		{ room, 7 }, { room + 7, 64 }, { room + 71, sizeof(room) - 71 },
	};

	ASSERT_EQ(0, ask(self, 0));
	ASSERT_LT(0, readv(self->fd, iov, 3));
	EXPECT_TRUE(crowd_record_verifies((void *)room));
}

/* a record that could not be written is read by the next who tries */
TEST_F(async, faults)
{
	size_t page = getpagesize();
	char *map;

	map = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, map);
	ASSERT_EQ(0, munmap(map + page, page));
	ASSERT_EQ(0, ask(self, 0));
	ASSERT_TRUE(wait_for(self->fd, POLLIN));
	EXPECT_EQ(-1, read(self->fd, nowhere, 65536));
	EXPECT_EQ(EFAULT, errno);
	/* it begins where memory is and ends where none is */
	EXPECT_EQ(-1, read(self->fd, map + page - HEAD - 8, 65536));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_TRUE(next_is(&self->reader, 0));
	munmap(map, page);
}

TEST_F(async, nowait)
{
	static __u8 room[65536];
	struct iovec iov = { room, sizeof(room) };

	EXPECT_EQ(-1, preadv2(self->fd, &iov, 1, -1, RWF_NOWAIT));
	EXPECT_EQ(EAGAIN, errno);
	ASSERT_EQ(0, ask(self, 0));
	ASSERT_TRUE(wait_for(self->fd, POLLIN));
	EXPECT_LT(0, preadv2(self->fd, &iov, 1, -1, RWF_NOWAIT));
	EXPECT_TRUE(crowd_record_verifies((void *)room));
}

static void on_signal(int number)
{
}

TEST_F(async, signal)
{
	struct sigaction action = { .sa_handler = on_signal };
	struct itimerval soon = { .it_value.tv_usec = 50000,
				  .it_interval.tv_usec = 50000 };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &soon, NULL);
	EXPECT_EQ(NULL, batch_next(&self->reader));
	EXPECT_EQ(EINTR, errno);
	memset(&soon, 0, sizeof(soon));
	setitimer(ITIMER_REAL, &soon, NULL);
}

/* what may not be submitted, although it may be issued */
TEST_F(async, malformed)
{
	static const size_t fields[] = {
		offsetof(struct cvm_evidence_req, evidence),
		offsetof(struct cvm_evidence_req, evidence_len),
		offsetof(struct cvm_evidence_req, proof),
		offsetof(struct cvm_evidence_req, proof_len),
		offsetof(struct cvm_evidence_req, certs),
		offsetof(struct cvm_evidence_req, certs_len),
	};
	struct cvm_evidence_req reqs[2];
	unsigned int i;
	__u32 accepted;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		crowd_request(&reqs[0], new_cookie(&self->info));
		crowd_request(&reqs[1], new_cookie(&self->info));
		*((__u8 *)&reqs[1] + fields[i]) = 1;
		EXPECT_EQ(-EINVAL, crowd_submit(self->fd, reqs, 2, 0,
						&accepted));
	}
	/* one that is refused has no record, its neighbour has */
	crowd_request(&reqs[1], new_cookie(&self->info));
	memcpy(reqs[0].user_data, CVM_RESERVED_TAG, CVM_RESERVED_TAG_SIZE);
	ASSERT_EQ(0, crowd_submit(self->fd, reqs, 2, 0, &accepted));
	EXPECT_EQ(1, accepted);
	EXPECT_EQ(-EINVAL, reqs[0].result);
	EXPECT_EQ(0, reqs[1].result);
	EXPECT_TRUE(next_is(&self->reader, 0));
	nonblocking(self->fd);
	EXPECT_EQ(NULL, batch_next(&self->reader));
	EXPECT_EQ(EAGAIN, errno);
}

#define READERS		4
#define RECORDS		200

static atomic_int seen[RECORDS], taken;

/* in turns where nothing can be written and where something can */
static void *read_shared(void *arg)
{
	unsigned long long end = report_now_us() + 60000000;
	const struct cvm_record *record;
	struct batch_reader reader;

	if (!batch_reader(&reader, *(int *)arg))
		return NULL;
	while (atomic_load(&taken) < RECORDS && report_now_us() < end) {
		if (reader.at == reader.len && read(reader.fd, nowhere, 65536) >= 0)
			break;
		record = batch_next(&reader);
		if (!record || record->cookie >= RECORDS)
			continue;
		atomic_fetch_add(&seen[record->cookie], 1);
		atomic_fetch_add(&taken, 1);
	}
	batch_reader_end(&reader);
	return NULL;
}

/* nobody gets another's record, and none is lost */
TEST_F_TIMEOUT(async, readers, 90)
{
	pthread_t threads[READERS];
	struct cvm_evidence_req req;
	__u32 accepted;
	__u64 i;

	nonblocking(self->fd);
	for (i = 0; i < READERS; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, read_shared,
					    &self->fd));
	for (i = 0; i < RECORDS; i++) {
		crowd_request(&req, new_cookie(&self->info));
		req.cookie = i;
		ASSERT_EQ(0, crowd_submit(self->fd, &req, 1, 0, &accepted));
		ASSERT_EQ(1, accepted);
	}
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < RECORDS; i++)
		EXPECT_EQ(1, atomic_load(&seen[i]));
}

/* ---- other ways in ---- */

static int read_by(struct ring *ring, int fd)
{
	static __u8 room[65536];

	if (ring_read(ring, fd, room, sizeof(room)))
		return 1;
	return ring_wait(ring);
}

/*
 * What becomes of it when a child without privileges reads by root's ring, or
 * by one of its own: 0, there was a record, or a negative errno.
 */
static int read_as_nobody(struct ring *ring, int fd)
{
	struct ring own;
	int status = 0, ret;
	pid_t pid = fork();

	if (!pid) {
		if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY) ||
		    (!ring && !ring_open(&own)))
			_exit(ENOTRECOVERABLE);
		ret = read_by(ring ? ring : &own, fd);
		_exit(ret > (int)HEAD ? 0 : ret < 0 ? -ret : EBADMSG);
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
		-WEXITSTATUS(status) : -ECHILD;
}

/* root's proof stays root's, on this way too; a direct report has none */
TEST_F(async, io_uring_as_nobody)
{
	struct ring ring, *rings[] = { NULL, &ring };
	int i;

	if (!ring_open(&ring))
		SKIP(return, "no io_uring");
	for (i = 0; i < 2; i++) {
		ASSERT_EQ(0, ask(self, 0));
		ASSERT_TRUE(wait_for(self->fd, POLLIN));
		EXPECT_EQ(of_batch ? -EPERM : 0,
			  read_as_nobody(rings[i], self->fd));
	}
	ASSERT_EQ(0, ask(self, 0));
	EXPECT_LT(HEAD, read_by(&ring, self->fd));
	ring_close(&ring);
}

/* a read that came first ends with the record, on a file that would block */
TEST_F(async, io_uring)
{
	static __u8 room[65536];
	struct ring ring;
	int i;

	if (!ring_open(&ring))
		SKIP(return, "no io_uring");
	for (i = 0; i < 3; i++) {
		ASSERT_EQ(0, ring_read(&ring, self->fd, room, sizeof(room)));
		EXPECT_FALSE(ring_done(&ring));
		ASSERT_EQ(0, ask(self, 0));
		EXPECT_LT(HEAD, ring_wait(&ring));
		EXPECT_TRUE(crowd_record_verifies((void *)room));
	}
	ASSERT_EQ(0, ask(self, 0));
	ASSERT_EQ(0, ring_read(&ring, self->fd, room, HEAD));
	EXPECT_EQ(-ENOBUFS, ring_wait(&ring));
	ASSERT_EQ(0, ring_read(&ring, self->fd, nowhere, sizeof(room)));
	EXPECT_EQ(-EFAULT, ring_wait(&ring));
	EXPECT_TRUE(next_is(&self->reader, 0));
	/* one that is still waiting when everything is closed */
	ASSERT_EQ(0, ring_read(&ring, self->fd, room, sizeof(room)));
	ring_close(&ring);
}

/* ioctl(2) as a program of 32 bits makes it */
static long ioctl32(int fd, unsigned int cmd, void *arg)
{
	long ret;

	asm volatile("int $0x80" : "=a" (ret)
		     : "a" (54L), "b" ((long)fd), "c" ((long)cmd), "d" (arg)
		     : "memory");
	return ret;
}

/* false: the kernel has no such system calls, and says so with a signal */
static bool has_ioctl32(void)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(ioctl32(-1, CVM_INFO, NULL) != -EBADF);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

TEST_F(async, caller_of_32_bits)
{
	struct {
		struct cvm_info info;
		struct cvm_issue issue;
		struct cvm_evidence_req req;
		struct cvm_cancel cancel;
	} *low;

	if (!has_ioctl32())
		SKIP(return, "no system calls of 32 bits");
	low = mmap(NULL, getpagesize(), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)low);
	low->info.size = sizeof(low->info);
	ASSERT_EQ(0, ioctl32(self->fd, CVM_INFO, &low->info));
	EXPECT_EQ(0, memcmp(&low->info, &self->info, sizeof(low->info)));

	crowd_request(&low->req, new_cookie(&self->info));
	low->issue = (struct cvm_issue){
		.size = sizeof(low->issue), .request_size = sizeof(low->req),
		.count = 1, .requests = (unsigned long)&low->req,
	};
	ASSERT_EQ(0, ioctl32(self->fd, CVM_SUBMIT, &low->issue));
	EXPECT_EQ(1, low->issue.done);
	EXPECT_TRUE(next_is(&self->reader, 0));
	low->cancel.size = sizeof(low->cancel);
	low->cancel.cookie = low->req.cookie;
	EXPECT_EQ(0, ioctl32(self->fd, CVM_CANCEL, &low->cancel));
	low->req.cookie = 0;
	EXPECT_EQ(0, ioctl32(self->fd, CVM_ISSUE, &low->issue));
	EXPECT_EQ(0, low->issue.done);
	EXPECT_EQ(-ENOBUFS, low->req.result);
	munmap(low, getpagesize());
}

TEST_HARNESS_MAIN
