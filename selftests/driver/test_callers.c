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
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "report.h"

#define SLOW_MS		"1000"
#define FAST_MS		"4.7"
#define COUNT		3
#define FAILED		255	/* exit status */

FIXTURE(callers) {
	int fd;
	struct cvm_info info;
	struct cvm_evidence_req reqs[COUNT];
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
		struct cvm_evidence_req *req = &self->reqs[0];

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
 * and one that waits in the queue then is never asked. They are as far apart
 * as can be where a quote counts as late after 2 s.
 */
TEST_F(callers, deadline)
{
	unsigned long long start, took;
	long long issued = report_stat("issued");
	long long timeouts = report_stat("timeouts");
	__u32 done;
	int i;

	report_sim_ms(&self->info, "1400");
	start = report_now_us();
	ASSERT_EQ(0, report_issue(self->fd, self->reqs, COUNT, 2100, &done));
	took = report_now_us() - start;
	EXPECT_LE(2090 * 1000, took);
	EXPECT_GT(2750 * 1000, took);
	EXPECT_EQ(1, done);
	EXPECT_EQ(0, self->reqs[0].result);
	EXPECT_TRUE(report_matches(&self->reqs[0]));
	for (i = 1; i < COUNT; i++) {
		EXPECT_EQ(-ETIMEDOUT, self->reqs[i].result);
		EXPECT_EQ(0, self->reqs[i].evidence_len);
	}
	EXPECT_EQ(timeouts + COUNT - 1, report_stat("timeouts"));
	usleep(1000 * 1000);
	EXPECT_EQ(issued + COUNT - 1, report_stat("issued"));
}

static void on_signal(int sig)
{
	(void)sig;
}

struct interrupter {
	pthread_t whom;
	long long issued;
};

/* once the hardware has been asked for the second one */
static void *interrupt(void *arg)
{
	struct interrupter *at = arg;

	while (report_stat("issued") < at->issued)
		usleep(1000);
	pthread_kill(at->whom, SIGUSR1);
	return NULL;
}

TEST_F(callers, signal)
{
	struct sigaction action = { .sa_handler = on_signal };
	long long detached = report_stat("detached");
	long long issued = report_stat("issued");
	struct interrupter at = { pthread_self(), issued + COUNT - 1 };
	pthread_t helper;
	__u32 done;
	int i;

	sigaction(SIGUSR1, &action, NULL);
	ASSERT_EQ(0, pthread_create(&helper, NULL, interrupt, &at));
	EXPECT_EQ(-EINTR, report_issue(self->fd, self->reqs, COUNT, 0, &done));
	pthread_join(helper, NULL);
	EXPECT_EQ(1, done);
	EXPECT_EQ(0, self->reqs[0].result);
	EXPECT_TRUE(report_matches(&self->reqs[0]));
	for (i = 1; i < COUNT; i++)
		EXPECT_EQ(-EINTR, self->reqs[i].result);
	EXPECT_EQ(detached + COUNT - 1, report_stat("detached"));
	usleep(1000 * 1000);
	EXPECT_EQ(issued + COUNT - 1, report_stat("issued"));
}

struct caller {
	int fd;
	struct cvm_evidence_req *reqs;
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

	report_sim_ms(&self->info, "3000");
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
	EXPECT_GT(2500 * 1000, report_now_us() - start);
}

/*
 * @clients processes that start when all are there, each with an array of 128
 * requests; what @each returns, summed up. -1: one of them failed.
 */
static int crowd(unsigned int clients, __u32 kind, int fd,
		 int (*each)(int fd, struct cvm_evidence_req *many))
{
	static struct cvm_evidence_req many[128];
	static unsigned char evidence[REPORT_MAX];
	int gate[2], status, sum = 0;
	unsigned int n;
	char byte;

	for (n = 0; n < ARRAY_SIZE(many); n++)
		report_request(&many[n], kind, n, evidence, sizeof(evidence));
	if (pipe(gate))
		return -1;
	for (n = 0; n < clients; n++) {
		if (fork())
			continue;
		close(gate[1]);
		_exit(read(gate[0], &byte, 1) ? FAILED : each(fd, many));
	}
	close(gate[0]);
	close(gate[1]);
	while (wait(&status) > 0) {
		if (!WIFEXITED(status) || WEXITSTATUS(status) == FAILED)
			return -1;
		sum += WEXITSTATUS(status);
	}
	return sum;
}

static int refused_arrays(int fd, struct cvm_evidence_req *many)
{
	int ret = report_issue(fd, many, 128, 2000, NULL);

	return !ret ? 0 : ret == -EBUSY ? 1 : FAILED;
}

/* 1,280 requests where one file may have 1,024 */
TEST_F(callers, share)
{
	int busy = crowd(10, report_slow_kind(&self->info), self->fd,
			 refused_arrays);

	/* those that are refused may stand in each other's way for a moment */
	EXPECT_LE(1, busy);
	EXPECT_GE(5, busy);
}

static int refused_requests(int fd, struct cvm_evidence_req *many)
{
	unsigned int i, busy = 0;

	fd = report_open();
	if (fd < 0 || report_issue(fd, many, 128, 2000, NULL))
		return FAILED;
	for (i = 0; i < 128; i++)
		busy += many[i].result == -EBUSY;
	return busy;
}

/* 5,120 requests in 40 files, where 4,096 may wait: the rest is told at once */
TEST_F(callers, queue_full)
{
	int busy = crowd(40, report_slow_kind(&self->info), -1,
			 refused_requests);

	EXPECT_LE(1, busy);
	EXPECT_GE(1024, busy);
}

TEST_F(callers, unload_refused)
{
	EXPECT_EQ(-1, syscall(SYS_delete_module, "cvm_guest", 04000));
	EXPECT_EQ(EWOULDBLOCK, errno);
}

TEST_HARNESS_MAIN
