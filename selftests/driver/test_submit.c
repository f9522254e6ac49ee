// SPDX-License-Identifier: GPL-2.0
/*
 * What becomes of submitted requests: cancelled, late, too many, closed with
 * their file.
 */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>

#include "async.h"

#define LIMIT		1024
#define OWNER_LIMIT	8192
#define QUEUE_LIMIT	4096	/* requests that wait, of everybody */
#define OTHERS		1000	/* a uid, and those above it */
#define FEW		100
#define STREAM		20000

TEST_F(async, cancel)
{
	struct cvm_cancel wrong = { .size = sizeof(wrong) - 1 };
	__u64 cookie = new_cookie(&self->info);
	long long issued;
	int i;

	EXPECT_EQ(-1, ioctl(self->fd, CVM_CANCEL, &wrong));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(0, cancel(self->fd, cookie));
	if (!self->simulated)
		SKIP(return, "no simulated platform");

	/* those that wait; another file's are not this one's */
	ASSERT_TRUE(keep_busy(self));
	issued = report_stat("issued");
	for (i = 0; i < 3; i++)
		ASSERT_EQ(0, crowd_ask(self->fd, cookie, 0));
	ASSERT_EQ(0, ask(self, 0));
	i = of_batch ? batch_open() : report_open();
	EXPECT_EQ(0, cancel(i, cookie));
	close(i);
	EXPECT_EQ(3, cancel(self->fd, cookie));
	EXPECT_EQ(0, cancel(self->fd, cookie));
	for (i = 0; i < 3; i++)
		EXPECT_TRUE(next_is(&self->reader, -ECANCELED));

	/* the hardware was not asked for them; one that it is at work on */
	EXPECT_TRUE(next_is(&self->reader, 0));
	ASSERT_TRUE(batch_await("issued", issued + 1));
	ASSERT_EQ(0, crowd_ask(self->fd, cookie, 0));
	EXPECT_TRUE(next_is(&self->reader, 0));
	ASSERT_TRUE(batch_await("issued", issued + 2));
	EXPECT_EQ(1, cancel(self->fd, cookie));
	EXPECT_TRUE(next_is(&self->reader, -ECANCELED));
	report_sim_ms(&self->info, FAST_MS);
	ASSERT_EQ(0, ask(self, 0));
	EXPECT_TRUE(next_is(&self->reader, 0));
	EXPECT_EQ(issued + 3, report_stat("issued"));
}

static struct {
	int fd;
	__u64 cookie;
	_Atomic bool stop;
	unsigned long long records;
} stream;

/* submits more with the cookie that is cancelled */
static void *feed(void *unused)
{
	while (!stream.stop)
		submit_many(stream.fd, 64, stream.cookie, 0);
	return NULL;
}

static void *consume(void *reader)
{
	while (!stream.stop)
		stream.records += !!batch_next(reader);
	return NULL;
}

/* CVM_CANCEL ends what there is, and does not go on with what comes meanwhile */
TEST_F_TIMEOUT(async, cancel_a_stream, 60)
{
	pthread_t feeders[2], consumer;
	unsigned long long cancelled = 0;
	int i, n;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	ASSERT_TRUE(keep_busy_for(self, "9000"));
	fcntl(self->fd, F_SETFL, O_NONBLOCK);
	stream.fd = self->fd;
	stream.cookie = new_cookie(&self->info);
	stream.stop = false;
	stream.records = 0;
	ASSERT_EQ(0, pthread_create(&consumer, NULL, consume, &self->reader));
	for (i = 0; i < 2; i++)
		ASSERT_EQ(0, pthread_create(&feeders[i], NULL, feed, NULL));
	while (cancelled < STREAM) {
		n = cancel(self->fd, stream.cookie);
		ASSERT_LE(0, n);
		EXPECT_GE(LIMIT, n);
		cancelled += n;
	}
	stream.stop = true;
	for (i = 0; i < 2; i++)
		pthread_join(feeders[i], NULL);
	pthread_join(consumer, NULL);
	EXPECT_LE(STREAM / 2, stream.records);
}

/* although the driver's worker is with the hardware all the time */
TEST_F(async, deadlines)
{
	unsigned long long start;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	/* as far apart as can be where a quote counts as late after 2 s */
	ASSERT_TRUE(keep_busy_for(self, "1900"));
	start = report_now_us();
	/* the timer is set for the later one first */
	ASSERT_EQ(0, ask(self, 1000));
	ASSERT_EQ(0, ask(self, 100));
	EXPECT_TRUE(next_is(&self->reader, -ETIMEDOUT));
	EXPECT_LE(100 * 1000, report_now_us() - start);
	EXPECT_GT(990 * 1000, report_now_us() - start);
	EXPECT_TRUE(next_is(&self->reader, -ETIMEDOUT));
	EXPECT_LE(1000 * 1000, report_now_us() - start);
	EXPECT_GT(1890 * 1000, report_now_us() - start);
	EXPECT_TRUE(next_is(&self->reader, 0));
}

static void *poll_for_room(void *arg)
{
	return wait_for(*(int *)arg, POLLOUT) ? arg : NULL;
}

/* unread records count; who waits for room is told */
TEST_F(async, limit)
{
	__u64 cookie = new_cookie(&self->info);
	static __u8 head[HEAD];
	pthread_t thread;
	void *room;
	int i;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	ASSERT_TRUE(keep_busy(self));
	EXPECT_EQ(-EBUSY, submit_many(self->fd, LIMIT, cookie, 0));
	ASSERT_EQ(LIMIT - 1, submit_many(self->fd, LIMIT - 1, cookie, 0));
	EXPECT_EQ(-EBUSY, ask(self, 0));
	EXPECT_EQ(0, events(self->fd) & POLLOUT);
	EXPECT_EQ(LIMIT - 1, cancel(self->fd, cookie));
	EXPECT_EQ(-EBUSY, ask(self, 0));
	EXPECT_EQ(POLLIN, events(self->fd));

	ASSERT_EQ(0, pthread_create(&thread, NULL, poll_for_room, &self->fd));
	ASSERT_EQ(HEAD, read(self->fd, head, HEAD));
	pthread_join(thread, &room);
	EXPECT_NE(NULL, room);
	EXPECT_EQ(0, ask(self, 0));
	for (i = 0; i < LIMIT - 2; i++)
		ASSERT_TRUE(next_is(&self->reader, -ECANCELED));
	EXPECT_TRUE(next_is(&self->reader, 0));
	EXPECT_TRUE(next_is(&self->reader, 0));
}

/*
 * The hardware is at work on them when they come to their deadlines: what the
 * driver still has of them is nothing that the file has to answer for.
 */
TEST_F_TIMEOUT(async, late, 60)
{
	__u64 cookie = new_cookie(&self->info);
	long long issued = report_stat("issued");
	int i;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	ASSERT_TRUE(report_sim_ms(&self->info, "6000"));
	ASSERT_EQ(LIMIT, submit_many(self->fd, LIMIT, cookie, 1500));
	ASSERT_TRUE(batch_await("issued", issued + 1));
	for (i = 0; i < LIMIT; i++)
		ASSERT_TRUE(next_is(&self->reader, -ETIMEDOUT));

	ASSERT_EQ(LIMIT, submit_many(self->fd, LIMIT, cookie, 0));
	ASSERT_EQ(issued + 1, report_stat("issued"));
	EXPECT_EQ(LIMIT, cancel(self->fd, cookie));
	for (i = 0; i < LIMIT; i++)
		ASSERT_TRUE(next_is(&self->reader, -ECANCELED));
}

/* opened by another user: another owner, in the root cgroup */
static int open_as(uid_t uid)
{
	int fd;

	if (setresuid(uid, 0, 0))
		return -1;
	fd = of_batch ? batch_open() : report_open();
	return setresuid(0, 0, 0) ? -1 : fd;
}

/* records of @fd with this result, until there is none; -1: another one */
static int count_records(int fd, int result)
{
	struct batch_reader reader;
	int n = 0;

	if (!batch_reader(&reader, fd))
		return -1;
	while (events(fd) & POLLIN || reader.at < reader.len) {
		if (!next_is(&reader, result)) {
			n = -1;
			break;
		}
		n++;
	}
	batch_reader_end(&reader);
	return n;
}

/*
 * A queue that two users have filled takes in a third one, in place of their
 * last requests, until each has as much.
 */
TEST_F_TIMEOUT(async, filled, 60)
{
	__u64 cookie = new_cookie(&self->info);
	int i, turned_away = 0, few, extra, many[QUEUE_LIMIT / LIMIT];
	struct batch_reader reader;
	long long issued;

	if (!self->simulated || !crowd_users())
		SKIP(return, "no simulated platform, or not in the root cgroup");
	few = open_as(OTHERS);
	extra = open_as(OTHERS + 1);
	ASSERT_LE(0, extra);
	ASSERT_TRUE(batch_reader(&reader, few));
	for (i = 0; i < QUEUE_LIMIT / LIMIT; i++) {
		many[i] = open_as(OTHERS + 1 + i % 2);
		ASSERT_LE(0, many[i]);
		fcntl(many[i], F_SETFL, O_NONBLOCK);
	}
	ASSERT_TRUE(keep_busy_for(self, "9000"));
	issued = report_stat("issued");
	for (i = 0; i < QUEUE_LIMIT / LIMIT; i++)
		ASSERT_EQ(LIMIT, submit_many(many[i], LIMIT, cookie, 0));
	/* they have their parts of it */
	EXPECT_EQ(-EBUSY, crowd_ask(extra, cookie, 0));

	for (i = 0; i < FEW; i++)
		ASSERT_EQ(0, crowd_ask(few, new_cookie(&self->info), 0));
	for (i = 0; i < QUEUE_LIMIT / LIMIT; i++) {
		int n = count_records(many[i], -EBUSY);

		ASSERT_LE(0, n);
		turned_away += n;
	}
	EXPECT_EQ(FEW, turned_away);
	ASSERT_EQ(issued, report_stat("issued"));

	for (i = 0; i < QUEUE_LIMIT / LIMIT; i++)
		close(many[i]);
	report_sim_ms(&self->info, FAST_MS);
	for (i = 0; i < FEW; i++)
		EXPECT_TRUE(next_is(&reader, 0));
	EXPECT_TRUE(next_is(&self->reader, 0));
	batch_reader_end(&reader);
	close(extra);
	close(few);
}

/* all files of a user together, and another's not among them */
TEST_F_TIMEOUT(async, owner_limit, 60)
{
	__u64 cookie = new_cookie(&self->info);
	int i, fd[OWNER_LIMIT / LIMIT], more, other;

	if (!self->simulated || !crowd_users())
		SKIP(return, "no simulated platform, or not in the root cgroup");
	for (i = 0; i < OWNER_LIMIT / LIMIT; i++) {
		fd[i] = open_as(OTHERS);
		ASSERT_LE(0, fd[i]);
	}
	more = open_as(OTHERS);
	other = open_as(OTHERS + 1);
	ASSERT_TRUE(keep_busy_for(self, "9000"));
	for (i = 0; i < OWNER_LIMIT / LIMIT; i++) {
		ASSERT_EQ(LIMIT, submit_many(fd[i], LIMIT, cookie, 0));
		/* unread records count */
		EXPECT_EQ(LIMIT, cancel(fd[i], cookie));
	}
	EXPECT_EQ(-EBUSY, crowd_ask(more, cookie, 0));
	EXPECT_EQ(0, crowd_ask(other, cookie, 0));
	EXPECT_EQ(LIMIT, count_records(fd[0], -ECANCELED));
	EXPECT_EQ(0, crowd_ask(more, cookie, 0));
	for (i = 0; i < OWNER_LIMIT / LIMIT; i++)
		close(fd[i]);
	close(more);
	close(other);
	report_sim_ms(&self->info, FAST_MS);
	EXPECT_TRUE(next_is(&self->reader, 0));
}

/* a closed file takes its requests with it, whatever has become of them */
TEST_F(async, closed)
{
	__u64 cookie = new_cookie(&self->info);
	int i, fd;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	ASSERT_TRUE(keep_busy(self));
	for (i = 0; i < 2 * OWNER_LIMIT / LIMIT; i++) {
		fd = of_batch ? batch_open() : report_open();
		ASSERT_LE(0, fd);
		ASSERT_EQ(LIMIT, submit_many(fd, LIMIT, cookie, 0));
		/* half of them with records */
		if (i % 2)
			EXPECT_EQ(LIMIT, cancel(fd, cookie));
		close(fd);
	}
	EXPECT_TRUE(next_is(&self->reader, 0));
	report_sim_ms(&self->info, FAST_MS);
	ASSERT_EQ(0, ask(self, 0));
	EXPECT_TRUE(next_is(&self->reader, 0));
}

TEST_HARNESS_MAIN
