// SPDX-License-Identifier: GPL-2.0
/*
 * Nobody waits for somebody else: a client that asks once in a while beside a
 * flood of a user with many files, or of many users in one cgroup; and floods
 * that have equal rights get equal shares, however many files they have, or
 * cgroups of their own making. What is asserted is counted: how many requests
 * the firmware answered in between. Times are printed, for benchmarks.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "flood.h"
#include "polite.h"

#define GROUP		"cvm-flood"
#define POLITE		20	/* requests of the polite client, or CVM_POLITE */
/*
 * The command that is on its way, one more, and the client's own: 3 T. One
 * time in twenty the client may be late for it: it is scheduled like anybody,
 * and now and then the driver tries whether the host works on one more.
 */
#define COMMANDS	3
#define LATE		20
#define EQUALS		8
#define EQUAL_COMMANDS	60

static struct cvm_info info;

static unsigned int polite_requests(void)
{
	const char *value = getenv("CVM_POLITE");
	unsigned long n = value ? strtoul(value, NULL, 10) : POLITE;

	return n < POLITE || n > POLITE_MAX ? POLITE : n;
}

static void say(const struct polite *polite, const char *name)
{
	double t = polite_firmware_us();
	unsigned int last = polite->count - 1;

	printf("# fairness %s %s of=%u p50_t=%.2f p99_t=%.2f max_t=%.2f commands=%lld/%lld T=%.1fms\n",
	       info.platform == CVM_PLATFORM_TDX ? "tdx" : "snp", name, polite->count,
	       polite->us[polite_rank(polite, 50)] / t,
	       polite->us[polite_rank(polite, 99)] / t, polite->us[last] / t,
	       polite->commands[polite_rank(polite, 50)],
	       polite->commands[last], t / 1e3);
}

static void open_to_all(void)
{
	chmod(CROWD_NODE, 0666);
	chmod(REPORT_NODE, 0666);
}

FIXTURE(beside) {
};

FIXTURE_VARIANT(beside) {
	const char *name;
	bool flood_batch, polite_batch;
	bool users;
};

FIXTURE_VARIANT_ADD(beside, files_direct) { "direct 64-files", false, false, false };
FIXTURE_VARIANT_ADD(beside, files_batch) { "batch 64-files", true, true, false };
FIXTURE_VARIANT_ADD(beside, users_direct) { "direct 64-uids-in-a-cgroup", false, false, true };
FIXTURE_VARIANT_ADD(beside, users_batch) { "batch 64-uids-in-a-cgroup", true, true, true };
FIXTURE_VARIANT_ADD(beside, other_node) { "batch-beside-direct 64-files", false, true, false };

FIXTURE_SETUP(beside)
{
	if (!crowd_info(&info) || crowd_seam("requests") < 0)
		SKIP(return, "no " CROWD_NODE ", or no simulated platform");
	if (!crowd_users())
		SKIP(return, "not in the root cgroup");
	if (variant->users && !crowd_group(GROUP))
		SKIP(return, "no cgroup v2");
	ASSERT_TRUE(flood_init());
	open_to_all();
}

FIXTURE_TEARDOWN(beside)
{
}

TEST_F_TIMEOUT(beside, one_polite_client, 600)
{
	const struct flood flood = {
		.group = variant->users ? GROUP : NULL,
		.batch = variant->flood_batch,
		.files = FLOOD_FILES,
		.uids = variant->users ? FLOOD_FILES : 1,
		.deep = 128,
	};
	__u32 kind = variant->polite_batch ? CVM_KIND_BATCH :
					     report_slow_kind(&info);
	static struct polite polite;
	int fd = crowd_open(variant->polite_batch);
	pid_t pid = flood_start(&flood);

	ASSERT_LT(0, pid);
	ASSERT_LE(0, fd);
	polite.count = polite_requests();
	crowd_seam_clear();
	ASSERT_TRUE(polite_run(&polite, fd, kind));
	EXPECT_LT(0, flood_tally->answers[0]);
	say(&polite, variant->name);
	EXPECT_GE(COMMANDS, polite.commands[polite.count - 1 - polite.count / LATE]);
	flood_kill(pid);
	close(fd);
}

static double jain(const unsigned long long *counts, unsigned int n)
{
	double sum = 0, squares = 0;
	unsigned int i;

	for (i = 0; i < n; i++) {
		sum += counts[i];
		squares += (double)counts[i] * counts[i];
	}
	return squares > 0 ? sum * sum / (n * squares) : 0;
}

FIXTURE(equals) {
};

/*
 * Half of the users have twice as many files and wishes; or half of the files
 * are opened in a cgroup each, below that of a user who can make them.
 * Everybody always has more than a share of the largest set waiting.
 */
FIXTURE_VARIANT(equals) {
	const char *name;
	unsigned int parties;
	struct flood flood;
};

FIXTURE_VARIANT_ADD(equals, direct) {
	"8-uids", EQUALS, { .files = EQUALS * 3 / 2, .uids = EQUALS, .deep = 320 }
};
FIXTURE_VARIANT_ADD(equals, batch) {
	"8-uids", EQUALS,
	{ .batch = true, .files = EQUALS * 3 / 2, .uids = EQUALS, .deep = 320 }
};
FIXTURE_VARIANT_ADD(equals, direct_divided) {
	"8-cgroups-beside-1", 2,
	{ .divided = true, .files = 2 * EQUALS, .uids = 1, .deep = 240 }
};
FIXTURE_VARIANT_ADD(equals, batch_divided) {
	"8-cgroups-beside-1", 2,
	{ .batch = true, .divided = true, .files = 2 * EQUALS, .uids = 1, .deep = 240 }
};

FIXTURE_SETUP(equals)
{
	if (!crowd_info(&info) || crowd_seam("requests") < 0)
		SKIP(return, "no " CROWD_NODE ", or no simulated platform");
	if (!crowd_users())
		SKIP(return, "not in the root cgroup");
	if (variant->flood.divided && !flood_groups())
		SKIP(return, "no cgroup v2");
	ASSERT_TRUE(flood_init());
	open_to_all();
}

FIXTURE_TEARDOWN(equals)
{
}

TEST_F_TIMEOUT(equals, share, 120)
{
	unsigned long long counts[EQUALS] = { 0 }, end;
	unsigned int i, n = variant->parties;
	pid_t pid;

	/* slow enough for one process to ask for all of it */
	report_sim_ms(&info, variant->flood.batch ? "250" : "40");
	pid = flood_start(&variant->flood);
	ASSERT_LT(0, pid);
	crowd_seam_clear();
	end = report_now_us() + 60000000;
	while (crowd_seam("requests") < EQUAL_COMMANDS && report_now_us() < end)
		usleep(10000);
	for (i = 0; i < variant->flood.files; i++)
		counts[i % n] += flood_tally->answers[i];
	flood_kill(pid);
	printf("# fairness %s %s %s jain=%.3f least=%llu most=%llu\n",
	       info.platform == CVM_PLATFORM_TDX ? "tdx" : "snp",
	       variant->flood.batch ? "batch" : "direct", variant->name,
	       jain(counts, n), counts[n - 1], counts[0]);
	report_sim_ms(&info, "4.7");
	EXPECT_LE(EQUAL_COMMANDS, crowd_seam("requests"));
	EXPECT_LE(0.95, jain(counts, n));
}

TEST_HARNESS_MAIN
