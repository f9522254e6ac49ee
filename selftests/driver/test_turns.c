// SPDX-License-Identifier: GPL-2.0
/*
 * Direct requests and batches take turns where the host works on several at a
 * time, too: a client of one node beside a flood of the other.
 */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "flood.h"
#include "polite.h"

#define ASKS		20
#define PLACES		4	/* of the host, as crowd.sh is told */
/* of the driver's own finding, that it goes on with */
#define LEARNED		3
/*
 * What the host works on when the request comes, what is ready by then, and as
 * many as it works on beside the request itself: three rounds. One request in
 * ten may be late: a round ends when the slowest does.
 */
#define COMMANDS	(3 * PLACES)
#define LATE		10

static struct cvm_info info;

/* the driver has found out that the host works on several */
static bool several(void)
{
	unsigned long long end = report_now_us() + 120000000;

	while (report_now_us() < end) {
		if (report_channel("max_inflight") >= LEARNED)
			return true;
		usleep(10000);
	}
	return false;
}

FIXTURE(turns) {
};

FIXTURE_VARIANT(turns) {
	bool batch;
};

FIXTURE_VARIANT_ADD(turns, batch_beside_direct) { .batch = true };
FIXTURE_VARIANT_ADD(turns, direct_beside_batch) { .batch = false };

FIXTURE_SETUP(turns)
{
	if (!crowd_info(&info) || crowd_seam("requests") < 0)
		SKIP(return, "no " CROWD_NODE ", or no simulated platform");
	if (info.platform != CVM_PLATFORM_TDX)
		SKIP(return, "no platform that works on several at a time");
	ASSERT_TRUE(flood_init());
	chmod(CROWD_NODE, 0666);
	chmod(REPORT_NODE, 0666);
}

FIXTURE_TEARDOWN(turns)
{
}

TEST_F_TIMEOUT(turns, polite, 300)
{
	/* always something to ask for: so the driver sees what several bring */
	const struct flood first = { .files = 2, .uids = 1, .deep = 16 };
	const struct flood flood = {
		.batch = !variant->batch,
		.files = 8,
		.uids = 1,
		.deep = variant->batch ? 16 : 512,
	};
	static struct polite polite = { .count = ASKS };
	int fd = crowd_open(variant->batch);
	__u32 kind = variant->batch ? CVM_KIND_BATCH : report_slow_kind(&info);
	pid_t pid = flood_start(&first);

	ASSERT_LT(0, pid);
	ASSERT_LE(0, fd);
	ASSERT_TRUE(several());
	flood_kill(pid);
	pid = flood_start(&flood);
	ASSERT_LT(0, pid);

	crowd_seam_clear();
	ASSERT_TRUE(polite_run(&polite, fd, kind));
	TH_LOG("T=%.1f ms, the client's p50 %.2f T, longest %.2f T, commands %lld/%lld",
	       polite_firmware_us() / 1e3,
	       polite.us[polite_rank(&polite, 50)] / polite_firmware_us(),
	       polite.us[ASKS - 1] / polite_firmware_us(),
	       polite.commands[polite_rank(&polite, 50)], polite.commands[ASKS - 1]);
	EXPECT_LT(0, flood_tally->answers[0]);
	EXPECT_GE(COMMANDS, polite.commands[ASKS - 1 - ASKS / LATE]);
	flood_kill(pid);
	close(fd);
}

TEST_HARNESS_MAIN
