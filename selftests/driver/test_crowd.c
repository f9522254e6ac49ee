// SPDX-License-Identifier: GPL-2.0
/*
 * 1,024 clients, each with an open file: what they cost the kernel while they
 * wait, and that each gets evidence, again and again, from a host that lets
 * few reports through.
 *   CVM_SECONDS (10): of the second
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>
#include <openssl/sha.h>

#include "kselftest_harness.h"
#include "crowd.h"

#define CLIENTS		1024
#define REPORTS		4096
#define GROUP		"cvm-crowd"
#define MEMORY		(4 * 1024 * 1024)
#define ANSWERS		3
#define SWAPS		2

/**
 * struct crowd - all clients
 * @earliest: of a client's request, how many reports had been issued before it
 * @latest: and how many after it
 * @reports: the reports that were seen, in that order, by their hashes
 * @seen: how many there are
 * @issued: reports before the first of them
 * @right: answers that verify
 * @wrong: those that do not
 * @misplaced: of @right, with an earlier report than they had to, or a later one
 * @rights: of @right, each client's
 */
static struct crowd {
	struct cvm_info info;
	int fd[CLIENTS];
	int epoll;
	unsigned char *room;
	long long earliest[CLIENTS], latest[CLIENTS], issued;
	unsigned char reports[REPORTS][SHA256_DIGEST_LENGTH];
	int seen;
	unsigned long long right, wrong, misplaced, rights[CLIENTS];
} crowd;

static void ask(int client, __u32 timeout_ms)
{
	int ret;

	crowd.earliest[client] = report_stat("issued");
	ret = crowd_ask(crowd.fd[client], crowd_cookie(CVM_KIND_BATCH),
			timeout_ms);
	crowd.latest[client] = report_stat("issued");
	if (ret && !crowd.wrong++)
		printf("# not accepted: %d\n", ret);
}

/* which of all reports that were issued that is, 1 the first; 0: too many */
static long long number(const struct cvm_record *record)
{
	unsigned char hash[SHA256_DIGEST_LENGTH];
	int i;

	SHA256((const unsigned char *)record + record->data_offset,
	       record->evidence_len, hash);
	for (i = crowd.seen; i > 0; i--)
		if (!memcmp(crowd.reports[i - 1], hash, sizeof(hash)))
			return crowd.issued + i;
	if (crowd.seen == REPORTS)
		return 0;
	memcpy(crowd.reports[crowd.seen++], hash, sizeof(hash));
	return crowd.issued + crowd.seen;
}

/*
 * A set is frozen, then counted: what was asked for before the number was read
 * is in the set after the one that may be between the two, at the latest. Of
 * quotes that are ready at the same time, any may be seen first.
 */
static bool in_place(int client, long long number)
{
	int swaps = crowd.info.platform == CVM_PLATFORM_TDX ? SWAPS : 0;

	if (number + swaps > crowd.earliest[client] &&
	    number - swaps <= crowd.latest[client] + 2)
		return true;
	if (!crowd.misplaced)
		printf("# report %lld of a request after %lld and before %lld\n",
		       number, crowd.earliest[client], crowd.latest[client]);
	return false;
}

static void judge(int client, const struct cvm_record *record)
{
	if (record->result || !crowd_record_verifies(record)) {
		if (!crowd.wrong++)
			printf("# first wrong one: result %d, status %#llx\n",
			       record->result,
			       (unsigned long long)record->platform_status);
		return;
	}
	crowd.right++;
	crowd.rights[client]++;
	crowd.misplaced += !in_place(client, number(record));
}

/* the one record of that client */
static void answer(int client)
{
	ssize_t len = read(crowd.fd[client], crowd.room, crowd.info.max_record);
	const struct cvm_record *record = NULL;

	if (len > 0 && crowd_record(crowd.room, len, &record) && record)
		judge(client, record);
	else if (!crowd.wrong++)
		printf("# read: %zd, %d\n", len, errno);
}

/* answers until @end, in microseconds, or until @pending clients have one */
static int serve(unsigned long long end, int pending, bool again)
{
	struct epoll_event events[128];
	int i, n;

	while (pending && report_now_us() < end) {
		n = epoll_wait(crowd.epoll, events, 128, 100);
		for (i = 0; i < n; i++) {
			answer(events[i].data.u32);
			if (again)
				ask(events[i].data.u32, 0);
			else
				pending--;
		}
	}
	return pending;
}

/*
 * A host that lets a report a second through: by refusing (SNP), or because a
 * quote takes it that long (TDX, where a refusal is an answer). Or none such.
 */
static bool slow(bool slow)
{
	if (crowd.info.platform != CVM_PLATFORM_TDX)
		return report_sim(slow ? "rate=2/2s" : "rate=0");
	return report_sim(slow ? "parallel=1" : "parallel=4") &&
	       report_sim_ms(&crowd.info, slow ? "1000" : "4.7");
}

/*
 * Each end of a request is an event, in the order in which they came: where only
 * what is readable counts, a client may be seen in the place of its last answer,
 * before others who have had theirs for long.
 */
static void come(void)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	int i;

	for (i = 0; i < CLIENTS; i++) {
		crowd.fd[i] = crowd_open(true);
		event.data.u32 = i;
		if (crowd.fd[i] < 0 ||
		    epoll_ctl(crowd.epoll, EPOLL_CTL_ADD, crowd.fd[i], &event))
			abort();
	}
}

static void leave(void)
{
	int i;

	for (i = 0; i < CLIENTS; i++)
		close(crowd.fd[i]);
}

static void least_and_most(unsigned long long *least, unsigned long long *most)
{
	int i;

	*least = *most = crowd.rights[0];
	for (i = 1; i < CLIENTS; i++) {
		*least = crowd.rights[i] < *least ? crowd.rights[i] : *least;
		*most = crowd.rights[i] > *most ? crowd.rights[i] : *most;
	}
}

FIXTURE(clients) {
	bool simulated;
};

FIXTURE_SETUP(clients)
{
	struct rlimit files = { 2 * CLIENTS, 2 * CLIENTS };

	if (!crowd_info(&crowd.info))
		SKIP(return, "no " CROWD_NODE);
	crowd.room = malloc(crowd.info.max_record);
	ASSERT_NE(NULL, crowd.room);
	ASSERT_EQ(0, setrlimit(RLIMIT_NOFILE, &files));
	crowd.epoll = epoll_create1(EPOLL_CLOEXEC);
	ASSERT_LE(0, crowd.epoll);
	crowd.issued = report_stat("issued");
	crowd.seen = 0;
	crowd.right = 0;
	crowd.wrong = 0;
	crowd.misplaced = 0;
	memset(crowd.rights, 0, sizeof(crowd.rights));
	self->simulated = slow(false);
}

FIXTURE_TEARDOWN(clients)
{
	close(crowd.epoll);
	free(crowd.room);
}

/* nobody reads meanwhile */
static bool all_answered(long long completed)
{
	unsigned long long end = report_now_us() + 60000000;

	while (report_stat("completed") < completed && report_now_us() < end)
		usleep(10000);
	return report_stat("completed") >= completed;
}

/*
 * Of the memory that is accounted to the clients' group, what is not there
 * without them. The VFS's part is in it: an open file, with its place in a
 * table and in epoll, costs that with any driver.
 */
TEST_F_TIMEOUT(clients, memory, 120)
{
	long long completed = report_stat("completed");
	long long before, opened, waiting, answered;
	int i;

	if (!self->simulated || !crowd_group(GROUP) || !crowd_enter(GROUP))
		SKIP(return, "no simulated platform, or no memory controller");
	ASSERT_LE(0, crowd_memory(GROUP, "slab"));
	before = crowd_memory(GROUP, "kernel");
	come();
	opened = crowd_memory(GROUP, "kernel");
	/* longer than it takes to count, shorter than a deadline */
	ASSERT_TRUE(crowd.info.platform == CVM_PLATFORM_TDX ?
		    report_sim_ms(&crowd.info, "5000") :
		    report_sim("busy_ms=5000"));
	for (i = 0; i < CLIENTS; i++)
		ask(i, 0);
	/* the first may have been issued, all the others wait */
	waiting = crowd_memory(GROUP, "kernel");
	ASSERT_TRUE(all_answered(completed + CLIENTS));
	answered = crowd_memory(GROUP, "kernel");
	TH_LOG("%d clients: files %lld KiB, requests %lld KiB, together %lld bytes each; answered and unread: %lld KiB",
	       CLIENTS, (opened - before) / 1024, (waiting - opened) / 1024,
	       (waiting - before) / CLIENTS, (answered - before) / 1024);
	EXPECT_LT(before, opened);
	EXPECT_LT(opened, waiting);
	EXPECT_LT(waiting, answered);
	EXPECT_GE(MEMORY, waiting - before);
	EXPECT_GE(MEMORY, answered - before);
	EXPECT_EQ(0, serve(report_now_us() + 60000000, CLIENTS, false));
	EXPECT_EQ(CLIENTS, crowd.right);
	EXPECT_EQ(0, crowd.wrong);
	leave();
	crowd_enter("");
}

/* until each client has its answers, and for some time */
static void serve_all(unsigned int seconds)
{
	unsigned long long now = report_now_us(), end = now + seconds * 1000000ULL;
	unsigned long long least = 0, most;

	while (least < ANSWERS && report_now_us() < now + 200000000 && !crowd.wrong) {
		serve(end, CLIENTS, true);
		end = report_now_us() + 1000000;
		least_and_most(&least, &most);
	}
}

/* everybody who waits is in the next report, however few there are */
TEST_F_TIMEOUT(clients, throttled, 300)
{
	const char *value = getenv("CVM_SECONDS");
	unsigned int seconds = value ? strtoul(value, NULL, 10) : 10;
	unsigned long long least, most;
	int i;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	come();
	ASSERT_TRUE(slow(true));
	crowd_seam_clear();
	for (i = 0; i < CLIENTS; i++)
		ask(i, 0);
	serve_all(seconds);
	least_and_most(&least, &most);
	TH_LOG("%llu answers by %d of %lld reports, %llu to %llu a client",
	       crowd.right, crowd.seen, crowd_seam("requests"), least, most);
	slow(false);
	EXPECT_EQ(0, crowd.wrong);
	EXPECT_EQ(0, crowd.misplaced);
	EXPECT_LE(ANSWERS, least);
	leave();
}

TEST_HARNESS_MAIN
