// SPDX-License-Identifier: GPL-2.0
/*
 * RTMRs: extended once or not at all, whatever happens to whoever asks, by the
 * ioctl and by the files that the kernel's own driver has.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "report.h"

#define FILES		"/sys/class/misc/cvm_report/measurements/"
/* where clients look for them */
#define CLIENTS_FILES	"/sys/class/misc/tdx_guest/measurements/"
#define TDREPORT_LEN	1024
#define TDREPORT_RTMR	720
#define QUOTE_RTMR	(48 + 328)	/* version 4 */
#define BACKLOG		1000		/* requests that wait before ours */

typedef __u8 digest[CVM_RTMR_SIZE];

FIXTURE(rtmr) {
	int fd;
	bool extends;
	struct cvm_info info;
};

FIXTURE_SETUP(rtmr)
{
	self->fd = report_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " REPORT_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
	self->extends = self->info.kinds & (1U << CVM_KIND_RTMR);
}

FIXTURE_TEARDOWN(rtmr)
{
	close(self->fd);
}

#define NEEDS_RTMRS()						\
	do {							\
		if (!self->extends)				\
			SKIP(return, "no RTMRs to extend");	\
	} while (0)

static int extend(int fd, __u32 index, const digest with, __u32 timeout_ms)
{
	struct cvm_extend_rtmr arg = {
		.size = sizeof(arg), .index = index, .timeout_ms = timeout_ms,
	};

	memcpy(arg.digest, with, sizeof(arg.digest));
	return ioctl(fd, CVM_EXTEND_RTMR, &arg) ? -errno : 0;
}

/* by a TDREPORT; false: there is none */
static bool read_rtmr(int fd, __u32 index, digest value)
{
	unsigned char report[TDREPORT_LEN];
	struct cvm_evidence_req req;

	report_request(&req, CVM_KIND_TDREPORT, 1, report, sizeof(report));
	if (report_issue(fd, &req, 1, 0, NULL) || req.result)
		return false;
	memcpy(value, report + TDREPORT_RTMR + index * CVM_RTMR_SIZE, CVM_RTMR_SIZE);
	return true;
}

static void expect(digest value, const digest with)
{
	unsigned char both[2 * CVM_RTMR_SIZE];

	memcpy(both, value, CVM_RTMR_SIZE);
	memcpy(both + CVM_RTMR_SIZE, with, CVM_RTMR_SIZE);
	EVP_Digest(both, sizeof(both), value, NULL, EVP_sha384(), NULL);
}

static void fill(digest with, int seed)
{
	memset(with, seed, CVM_RTMR_SIZE);
}

TEST_F(rtmr, every_register)
{
	digest want, got, with;
	__u32 i, j;

	NEEDS_RTMRS();
	for (i = 0; i < CVM_RTMRS; i++)
		for (j = 0; j < 2; j++) {
			fill(with, i + 7 * j);
			ASSERT_TRUE(read_rtmr(self->fd, i, want));
			expect(want, with);
			EXPECT_EQ(0, extend(self->fd, i, with, 0));
			ASSERT_TRUE(read_rtmr(self->fd, i, got));
			EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
		}
}

TEST_F(rtmr, quote_has_it)
{
	unsigned char *quote = malloc(REPORT_MAX);
	struct cvm_evidence_req req;
	digest want, with;

	ASSERT_NE(NULL, quote);
	NEEDS_RTMRS();
	report_sim("quote_version=4");
	ASSERT_TRUE(read_rtmr(self->fd, 3, want));
	fill(with, 0xa5);
	expect(want, with);
	EXPECT_EQ(0, extend(self->fd, 3, with, 0));
	report_request(&req, CVM_KIND_TDX_QUOTE, 2, quote, REPORT_MAX);
	ASSERT_EQ(0, report_issue(self->fd, &req, 1, 0, NULL));
	ASSERT_EQ(0, req.result);
	EXPECT_EQ(0, memcmp(want, quote + QUOTE_RTMR + 3 * CVM_RTMR_SIZE, sizeof(want)));
	free(quote);
}

/* where there is nothing to extend, it says so, and nothing else changes */
TEST_F(rtmr, unsupported)
{
	digest with = { 1 }, before, after;
	bool tdx = self->info.platform == CVM_PLATFORM_TDX;

	if (self->extends)
		SKIP(return, "there are RTMRs");
	EXPECT_TRUE(!tdx || read_rtmr(self->fd, 0, before));
	EXPECT_EQ(-EOPNOTSUPP, extend(self->fd, 0, with, 0));
	EXPECT_TRUE(!tdx || read_rtmr(self->fd, 0, after));
	EXPECT_TRUE(!tdx || !memcmp(before, after, sizeof(after)));
	EXPECT_NE(0, access(FILES, F_OK));
	EXPECT_NE(0, access(CLIENTS_FILES, F_OK));
}

static int call(int fd, struct cvm_extend_rtmr *arg)
{
	return ioctl(fd, CVM_EXTEND_RTMR, arg) ? -errno : 0;
}

TEST_F(rtmr, malformed)
{
	struct cvm_extend_rtmr good = { .size = sizeof(good), .digest = { 9 } }, arg;
	struct {
		struct cvm_extend_rtmr known;
		__u8 rest[8];
	} longer = { .known = good };
	digest before, after;

	NEEDS_RTMRS();
	ASSERT_TRUE(read_rtmr(self->fd, 0, before));
	arg = good, arg.size = sizeof(arg) - 1;
	EXPECT_EQ(-EINVAL, call(self->fd, &arg));
	arg = good, arg.size = 5000;
	EXPECT_EQ(-E2BIG, call(self->fd, &arg));
	arg = good, arg.flags = 1;
	EXPECT_EQ(-EINVAL, call(self->fd, &arg));
	arg = good, arg.index = CVM_RTMRS;
	EXPECT_EQ(-EINVAL, call(self->fd, &arg));
	arg = good, arg.index = ~0U;
	EXPECT_EQ(-EINVAL, call(self->fd, &arg));
	EXPECT_EQ(-EFAULT, call(self->fd, NULL));
	longer.known.size = sizeof(longer);
	longer.rest[7] = 1;
	EXPECT_EQ(-E2BIG, call(self->fd, &longer.known));
	ASSERT_TRUE(read_rtmr(self->fd, 0, after));
	EXPECT_EQ(0, memcmp(before, after, sizeof(after)));

	longer.rest[7] = 0;
	EXPECT_EQ(0, call(self->fd, &longer.known));
	expect(before, good.digest);
	ASSERT_TRUE(read_rtmr(self->fd, 0, after));
	EXPECT_EQ(0, memcmp(before, after, sizeof(after)));
}

/* not by CVM_ISSUE, not by the other nodes, and not by who may only read */
TEST_F(rtmr, other_doors)
{
	static const char *const nodes[] = { "/dev/cvm/batch", "/dev/cvm/key" };
	struct cvm_evidence_req req;
	unsigned char evidence[64];
	digest with = { 2 };
	unsigned int i;
	int fd;

	report_request(&req, CVM_KIND_RTMR, 1, evidence, sizeof(evidence));
	EXPECT_EQ(-EINVAL, report_issue(self->fd, &req, 1, 0, NULL));
	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		fd = open(nodes[i], O_RDWR | O_CLOEXEC);
		ASSERT_LE(0, fd);
		EXPECT_EQ(-ENOTTY, extend(fd, 0, with, 0));
		close(fd);
	}
	fd = open(REPORT_NODE, O_RDONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-EBADF, extend(fd, 0, with, 0));
	close(fd);
}

TEST_F(rtmr, module_is_busy)
{
	digest want, got, with = { 3 };

	NEEDS_RTMRS();
	if (!report_sim("tdreport_busy_n=0"))
		SKIP(return, "no simulated platform");
	ASSERT_TRUE(read_rtmr(self->fd, 2, want));
	report_sim("tdreport_busy_n=5");
	EXPECT_EQ(0, extend(self->fd, 2, with, 0));
	expect(want, with);
	ASSERT_TRUE(read_rtmr(self->fd, 2, got));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));

	report_sim("tdreport_busy_n=1000");
	EXPECT_EQ(-EBUSY, extend(self->fd, 2, with, 0));
	report_sim("tdreport_busy_n=0");
	ASSERT_TRUE(read_rtmr(self->fd, 2, got));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
}

#define THREADS		8
#define EACH		25

struct extender {
	pthread_t thread;
	__u32 index;
	bool by_file;
	int failed;
};

static const char *const dirs[] = { FILES, CLIENTS_FILES };

static const char *dir = FILES;

static int write_file(__u32 index, const void *data, size_t len)
{
	char path[128];
	ssize_t put;
	int fd, ret;

	snprintf(path, sizeof(path), "%srtmr%u:sha384", dir, index);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	put = write(fd, data, len);
	ret = put < 0 ? -errno : put == (ssize_t)len ? 0 : -EIO;
	close(fd);
	return ret;
}

static ssize_t read_file(const char *name, void *data, size_t len)
{
	char path[128];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "%s%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	got = read(fd, data, len);
	close(fd);
	return got < 0 ? -errno : got;
}

static void *extender(void *arg)
{
	struct extender *e = arg;
	digest with = { 4 }, got;
	int fd = report_open();
	int i;

	for (i = 0; i < EACH; i++) {
		if (e->by_file)
			e->failed += !!write_file(e->index, with, sizeof(with));
		else
			e->failed += !!extend(fd, e->index, with, 0);
		e->failed += !read_rtmr(fd, e->index, got);
	}
	close(fd);
	return NULL;
}

/* each of many is extended once, among TDREPORTs: the same digest, so any order will do */
TEST_F(rtmr, together)
{
	struct extender e[THREADS] = {};
	digest want, got, with = { 4 };
	int i;

	NEEDS_RTMRS();
	ASSERT_TRUE(read_rtmr(self->fd, 1, want));
	for (i = 0; i < THREADS; i++) {
		e[i].index = 1;
		e[i].by_file = i % 2;
		ASSERT_EQ(0, pthread_create(&e[i].thread, NULL, extender, &e[i]));
	}
	for (i = 0; i < THREADS; i++) {
		pthread_join(e[i].thread, NULL);
		EXPECT_EQ(0, e[i].failed);
	}
	for (i = 0; i < THREADS * EACH; i++)
		expect(want, with);
	ASSERT_TRUE(read_rtmr(self->fd, 1, got));
	EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
}

/* what waits in this file for longer than anybody here will */
static bool backlog(int fd)
{
	static struct cvm_evidence_req reqs[BACKLOG];
	struct cvm_issue submit = {
		.size = sizeof(submit), .request_size = sizeof(*reqs), .count = BACKLOG,
		.requests = (__u64)(unsigned long)reqs,
	};
	int i;

	for (i = 0; i < BACKLOG; i++)
		report_request(&reqs[i], CVM_KIND_TDREPORT, i, NULL, 0);
	return !ioctl(fd, CVM_SUBMIT, &submit) && submit.done == BACKLOG;
}

static void on_alarm(int signal)
{
}

/* for somebody who may not be in the kernel yet when the first one comes */
static void alarms(suseconds_t us)
{
	setitimer(ITIMER_REAL, &(struct itimerval){ { 0, us }, { 0, us } }, NULL);
}

/* what comes of one that waits behind many; the module makes each of those wait, too */
static int extend_behind(const digest with, __u32 timeout_ms, suseconds_t alarm_us)
{
	int fd = report_open(), ret = -EIO;

	report_sim("tdreport_busy_n=1000000");
	if (backlog(fd)) {
		alarms(alarm_us);
		ret = extend(fd, 0, with, timeout_ms);
		alarms(0);
	}
	report_sim("tdreport_busy_n=0");
	/* takes what waits with it */
	close(fd);
	return ret;
}

/* given up while it waits: not extended, and it stays so; again if we had no CPU meanwhile */
TEST_F(rtmr, given_up)
{
	const struct { __u32 timeout_ms; suseconds_t alarm_us; int result; } givers_up[] = {
		{ 1, 0, -ETIMEDOUT }, { 0, 20000, -EINTR },
	};
	struct sigaction action = { .sa_handler = on_alarm };
	digest before, after, with = { 5 };
	unsigned int i, tries;
	int ret;

	NEEDS_RTMRS();
	sigaction(SIGALRM, &action, NULL);
	for (i = 0; i < ARRAY_SIZE(givers_up); i++) {
		tries = 0;
		do {
			ASSERT_TRUE(read_rtmr(self->fd, 0, before));
			ret = extend_behind(with, givers_up[i].timeout_ms, givers_up[i].alarm_us);
			if (!ret)
				expect(before, with);
			ASSERT_TRUE(read_rtmr(self->fd, 0, after));
			EXPECT_EQ(0, memcmp(before, after, sizeof(after)));
		} while ((!ret || ret == -EBUSY) && ++tries < 10);
		EXPECT_EQ(givers_up[i].result, ret);
	}
	EXPECT_EQ(0, extend(self->fd, 0, with, 0));
}

static const struct {
	const char *name;
	mode_t mode;
	size_t at;	/* in a TDREPORT */
} files[] = {
	{ "rtmr0:sha384", 0644, TDREPORT_RTMR },
	{ "rtmr1:sha384", 0644, TDREPORT_RTMR + 48 },
	{ "rtmr2:sha384", 0644, TDREPORT_RTMR + 96 },
	{ "rtmr3:sha384", 0644, TDREPORT_RTMR + 144 },
	{ "mrtd:sha384", 0444, 528 },
	{ "mrconfigid", 0444, 576 },
	{ "mrowner", 0444, 624 },
	{ "mrownerconfig", 0444, 672 },
};

/* values that are not each other's; only the simulated platform lets them be set */
static void set_fixed(void)
{
	char line[32 + 2 * CVM_RTMR_SIZE];
	unsigned int i;

	for (i = 5; i < ARRAY_SIZE(files); i++) {
		snprintf(line, sizeof(line), "%s=%0*u", files[i].name, 2 * CVM_RTMR_SIZE, i);
		report_sim(line);
	}
}

/* the names that the kernel's driver has, and the values of the moment */
TEST_F(rtmr, files)
{
	unsigned char report[TDREPORT_LEN], value[64];
	struct cvm_evidence_req req;
	char path[128];
	struct stat st;
	unsigned int i, j;

	NEEDS_RTMRS();
	set_fixed();
	report_request(&req, CVM_KIND_TDREPORT, 1, report, sizeof(report));
	ASSERT_EQ(0, report_issue(self->fd, &req, 1, 0, NULL));
	ASSERT_EQ(0, req.result);
	for (j = 0; j < ARRAY_SIZE(dirs) * ARRAY_SIZE(files); j++) {
		dir = dirs[j / ARRAY_SIZE(files)];
		i = j % ARRAY_SIZE(files);
		snprintf(path, sizeof(path), "%s%s", dir, files[i].name);
		ASSERT_EQ(0, stat(path, &st));
		EXPECT_EQ(S_IFREG | files[i].mode, st.st_mode);
		EXPECT_EQ(CVM_RTMR_SIZE, st.st_size);
		EXPECT_EQ(CVM_RTMR_SIZE, read_file(files[i].name, value, sizeof(value)));
		EXPECT_EQ(0, memcmp(value, report + files[i].at, CVM_RTMR_SIZE)) {
			TH_LOG("%s", path);
		}
	}
}

static bool file_reads(const digest want)
{
	digest got;

	return read_file("rtmr3:sha384", got, sizeof(got)) == sizeof(got) &&
	       !memcmp(want, got, sizeof(got));
}

/* each sees what the others have done, at once; so does who keeps a file open */
TEST_F(rtmr, file_and_ioctl)
{
	digest want, got, with = { 6 };
	unsigned int i;
	int kept = open(CLIENTS_FILES "rtmr3:sha384", O_RDONLY | O_CLOEXEC);

	NEEDS_RTMRS();
	ASSERT_LE(0, kept);
	ASSERT_EQ(CVM_RTMR_SIZE, read_file("rtmr3:sha384", want, sizeof(want)));
	for (i = 0; i < ARRAY_SIZE(dirs); i++) {
		dir = dirs[i];
		EXPECT_TRUE(file_reads(want));
		EXPECT_EQ(0, extend(self->fd, 3, with, 0));
		expect(want, with);
		EXPECT_TRUE(file_reads(want));
		EXPECT_EQ(0, write_file(3, with, sizeof(with)));
		expect(want, with);
		EXPECT_TRUE(file_reads(want));
		EXPECT_EQ(CVM_RTMR_SIZE, pread(kept, got, sizeof(got), 0));
		EXPECT_EQ(0, memcmp(want, got, sizeof(got)));
	}
	close(kept);
}

TEST_F(rtmr, file_malformed)
{
	unsigned char data[64] = { 7 };
	digest before, after;
	int fd;

	NEEDS_RTMRS();
	ASSERT_TRUE(read_rtmr(self->fd, 2, before));
	EXPECT_EQ(-EINVAL, write_file(2, data, 1));
	EXPECT_EQ(-EINVAL, write_file(2, data, 47));
	fd = open(FILES "rtmr2:sha384", O_WRONLY | O_CLOEXEC);
	ASSERT_LE(0, fd);
	EXPECT_EQ(-1, pwrite(fd, data, 24, 24));
	EXPECT_EQ(EINVAL, errno);
	close(fd);
	/* nobody writes to what is fixed, root neither */
	EXPECT_EQ(-1, open(FILES "mrtd:sha384", O_WRONLY | O_CLOEXEC));
	ASSERT_TRUE(read_rtmr(self->fd, 2, after));
	EXPECT_EQ(0, memcmp(before, after, sizeof(after)));
}

TEST_HARNESS_MAIN
