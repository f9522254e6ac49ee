// SPDX-License-Identifier: GPL-2.0
/*
 * Callers that leave early: by signal, deadline, death, or by closing the
 * file. Each gets what the ABI promises, and the next caller gets evidence.
 * The firmware is made slow for this, which only a simulated platform can be.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "report.h"

#define SLOW_MS		"400"
#define FAST_MS		"4.7"
#define COUNT		3

FIXTURE(callers) {
	int fd;
	struct cvm_info info;
	struct cvm_report_req reqs[COUNT];
	unsigned char *evidence;
};

FIXTURE_SETUP(callers)
{
	int i;

	self->fd = report_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " REPORT_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
	if (!report_sim_ms(&self->info, SLOW_MS))
		SKIP(return, "no simulated platform");
	self->evidence = calloc(COUNT, REPORT_MAX);
	ASSERT_NE(NULL, self->evidence);
	for (i = 0; i < COUNT; i++)
		report_request(&self->reqs[i], report_slow_kind(&self->info),
			       100 + i, self->evidence + i * REPORT_MAX,
			       REPORT_MAX);
}

FIXTURE_TEARDOWN(callers)
{
	if (self->evidence) {
		struct cvm_report_req *req = &self->reqs[0];

		/* whatever happened, the channel works, for others too */
		report_sim_ms(&self->info, FAST_MS);
		report_request(req, report_slow_kind(&self->info), 7,
			       self->evidence, REPORT_MAX);
		close(self->fd);
		self->fd = report_open();
		ASSERT_LE(0, self->fd);
		EXPECT_EQ(0, report_issue(self->fd, req, 1, 0, NULL));
		EXPECT_EQ(0, req->result);
		EXPECT_TRUE(report_matches(req));
		free(self->evidence);
	}
	close(self->fd);
}

/*
 * One is answered in time, one is with the hardware when the deadline comes,
 * and one that waits in the queue then is never asked.
 */
TEST_F(callers, deadline)
{
	unsigned long long start, took;
	long long issued = report_stat("issued");
	long long timeouts = report_stat("timeouts");
	__u32 done;
	int i;

	start = report_now_us();
	ASSERT_EQ(0, report_issue(self->fd, self->reqs, COUNT, 600, &done));
	took = report_now_us() - start;
	EXPECT_LE(590 * 1000, took);
	EXPECT_GT(900 * 1000, took);
	EXPECT_EQ(1, done);
	EXPECT_EQ(0, self->reqs[0].result);
	EXPECT_TRUE(report_matches(&self->reqs[0]));
	for (i = 1; i < COUNT; i++) {
		EXPECT_EQ(-ETIMEDOUT, self->reqs[i].result);
		EXPECT_EQ(0, self->reqs[i].evidence_len);
	}
	EXPECT_EQ(timeouts + COUNT - 1, report_stat("timeouts"));
	usleep(600 * 1000);
	EXPECT_EQ(issued + COUNT - 1, report_stat("issued"));
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *interrupt(void *thread)
{
	usleep(600 * 1000);
	pthread_kill(*(pthread_t *)thread, SIGUSR1);
	return NULL;
}

TEST_F(callers, signal)
{
	struct sigaction action = { .sa_handler = on_signal };
	long long detached = report_stat("detached");
	long long issued = report_stat("issued");
	pthread_t self_thread = pthread_self(), helper;
	__u32 done;
	int i;

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, pthread_create(&helper, NULL, interrupt, &self_thread));
	EXPECT_EQ(-EINTR, report_issue(self->fd, self->reqs, COUNT, 0, &done));
	pthread_join(helper, NULL);
	EXPECT_EQ(1, done);
	EXPECT_EQ(0, self->reqs[0].result);
	EXPECT_TRUE(report_matches(&self->reqs[0]));
	for (i = 1; i < COUNT; i++)
		EXPECT_EQ(-EINTR, self->reqs[i].result);
	EXPECT_EQ(detached + COUNT - 1, report_stat("detached"));
	usleep(600 * 1000);
	EXPECT_EQ(issued + COUNT - 1, report_stat("issued"));
}

struct caller {
	int fd;
	struct cvm_report_req *reqs;
	int ret;
};

static void *call(void *arg)
{
	struct caller *caller = arg;

	caller->ret = report_issue(caller->fd, caller->reqs, COUNT, 0, NULL);
	return NULL;
}

/* closing the descriptor in one thread does not pull it from under another */
TEST_F(callers, close)
{
	struct caller caller = { self->fd, self->reqs, 0 };
	pthread_t thread;
	int i;

	ASSERT_EQ(0, pthread_create(&thread, NULL, call, &caller));
	usleep(100 * 1000);
	ASSERT_EQ(0, close(self->fd));
	pthread_join(thread, NULL);
	EXPECT_EQ(0, caller.ret);
	for (i = 0; i < COUNT; i++)
		EXPECT_TRUE(!self->reqs[i].result &&
			    report_matches(&self->reqs[i]));
}

/* a client that is killed while the firmware works on its request */
TEST_F(callers, killed)
{
	unsigned long long start;
	int status;
	pid_t pid;

	pid = fork();
	ASSERT_LE(0, pid);
	if (!pid) {
		report_issue(self->fd, self->reqs, COUNT, 0, NULL);
		_exit(0);
	}
	usleep(150 * 1000);
	start = report_now_us();
	kill(pid, SIGKILL);
	ASSERT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_TRUE(WIFSIGNALED(status));
	/* it does not wait for the firmware */
	EXPECT_GT(150 * 1000, report_now_us() - start);
}

/* no more than one file may have, and what it has comes to its end */
TEST_F(callers, share)
{
	static struct cvm_report_req many[128];
	struct cvm_issue issue = {
		.size = sizeof(issue),
		.request_size = sizeof(many[0]),
		.count = ARRAY_SIZE(many),
		.timeout_ms = 200,
		.requests = (__u64)(unsigned long)many,
	};
	unsigned int i, n;
	int status, busy = 0;
	pid_t pids[10];

	for (i = 0; i < ARRAY_SIZE(many); i++)
		report_request(&many[i], report_slow_kind(&self->info), i,
			       self->evidence, REPORT_MAX);
	for (n = 0; n < ARRAY_SIZE(pids); n++) {
		pids[n] = fork();
		ASSERT_LE(0, pids[n]);
		if (!pids[n])
			_exit(ioctl(self->fd, CVM_ISSUE, &issue) ? errno : 0);
	}
	for (n = 0; n < ARRAY_SIZE(pids); n++) {
		ASSERT_EQ(pids[n], waitpid(pids[n], &status, 0));
		ASSERT_TRUE(WIFEXITED(status));
		EXPECT_TRUE(WEXITSTATUS(status) == 0 ||
			    WEXITSTATUS(status) == EBUSY);
		busy += WEXITSTATUS(status) == EBUSY;
	}
	EXPECT_LE(1, busy);
}

/* a child's: how many of @count requests, in a file of its own, got -EBUSY */
static int busy_results(struct cvm_report_req *many, unsigned int count)
{
	unsigned int i, busy = 0;
	int fd = report_open();

	if (fd < 0 || report_issue(fd, many, count, 300, NULL))
		return 255;
	for (i = 0; i < count; i++)
		busy += many[i].result == -EBUSY;
	return busy;
}

/* more files than the queue has room for: the rest is told at once */
TEST_F(callers, queue_full)
{
	static struct cvm_report_req many[128];
	unsigned int i, n, busy = 0;
	pid_t pids[40];
	int status;

	for (i = 0; i < ARRAY_SIZE(many); i++)
		report_request(&many[i], report_slow_kind(&self->info), i,
			       self->evidence, REPORT_MAX);
	for (n = 0; n < ARRAY_SIZE(pids); n++) {
		pids[n] = fork();
		ASSERT_LE(0, pids[n]);
		if (!pids[n])
			_exit(busy_results(many, ARRAY_SIZE(many)));
	}
	for (n = 0; n < ARRAY_SIZE(pids); n++) {
		ASSERT_EQ(pids[n], waitpid(pids[n], &status, 0));
		ASSERT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) != 255);
		busy += WEXITSTATUS(status);
	}
	/* 5,120 for 4,096 places, which a slow machine fills with some less */
	EXPECT_LE(1, busy);
	EXPECT_GE(1024, busy);
}

TEST_F(callers, unload_refused)
{
	EXPECT_EQ(-1, syscall(SYS_delete_module, "cvm_guest", 04000));
	EXPECT_EQ(EWOULDBLOCK, errno);
}

TEST_HARNESS_MAIN
