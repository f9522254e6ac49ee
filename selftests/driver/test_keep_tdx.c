// SPDX-License-Identifier: GPL-2.0
/*
 * What the driver keeps of a TDX host that is late or talkative, and in whose
 * memory.
 */
#include <stdlib.h>

#include "async.h"

#define GROUP		"cvm-keep"
#define LIMIT		1024
#define LITTLE		(64 * 1024)
#define UNREAD		(64 * 1024 * 1024)
#define LONG_QUOTE	"131000"

static bool fits(FIXTURE_DATA(async) *self)
{
	return self->simulated && self->info.platform == CVM_PLATFORM_TDX &&
	       crowd_group(GROUP);
}

/* a host that never answers keeps a buffer of the driver's, and that is all */
TEST_F_TIMEOUT(async, forgotten, 60)
{
	__u64 cookie = new_cookie(&self->info);
	long long before, kept;
	int i;

	if (!fits(self))
		SKIP(return, "no simulated TDX, or no memory controller");
	/* how long the host takes, so that it is late early */
	for (i = 0; i < 8; i++) {
		ASSERT_EQ(0, ask(self, 0));
		ASSERT_TRUE(next_is(&self->reader, 0));
	}
	ASSERT_TRUE(crowd_enter(GROUP));
	before = crowd_memory(GROUP, "slab");
	ASSERT_TRUE(report_sim("stuck_n=1"));
	ASSERT_EQ(LIMIT, submit_many(self->fd, LIMIT, cookie, 500));
	for (i = 0; i < LIMIT; i++)
		ASSERT_TRUE(next_is(&self->reader, -ETIMEDOUT));
	ASSERT_TRUE(batch_await_late(1));
	ASSERT_EQ(0, ask(self, 0));
	EXPECT_TRUE(next_is(&self->reader, 0));
	kept = crowd_memory(GROUP, "slab") - before;
	TH_LOG("%lld bytes are kept", kept);
	EXPECT_GE(LITTLE, kept);
	crowd_enter("");
}

/*
 * Evidence that nobody reads is charged to who has asked for it, and is bounded
 * whatever the host gives.
 */
TEST_F_TIMEOUT(async, unread, 120)
{
	int limit = UNREAD / atoi(LONG_QUOTE) + 1, i, ret, other;
	long long completed = report_stat("completed"), before, kept;
	struct batch_reader reader;

	if (!fits(self))
		SKIP(return, "no simulated TDX, or no memory controller");
	ASSERT_TRUE(crowd_enter(GROUP));
	other = of_batch ? batch_open() : report_open();
	ASSERT_TRUE(batch_reader(&reader, other));
	before = crowd_memory(GROUP, "kernel");
	ASSERT_TRUE(report_sim("quote_out_len=" LONG_QUOTE));
	ASSERT_TRUE(report_sim("quote_out_len_n=100000"));
	for (i = 0; i < limit; i++) {
		/* one after the other: no two share what they keep */
		ASSERT_EQ(0, crowd_ask(other, new_cookie(&self->info), 0));
		ASSERT_TRUE(batch_await("completed", completed + i + 1));
	}
	ret = crowd_ask(other, new_cookie(&self->info), 0);
	kept = crowd_memory(GROUP, "kernel") - before;
	TH_LOG("%d records: %lld KiB", limit, kept / 1024);
	report_sim("quote_out_len_n=0");
	EXPECT_EQ(-EBUSY, ret);
	EXPECT_LE(UNREAD, kept);
	EXPECT_GE(UNREAD + UNREAD / 8, kept);

	/* not to those who are elsewhere */
	ASSERT_EQ(0, ask(self, 0));
	EXPECT_TRUE(next_is(&self->reader, 0));
	for (i = 0; i < 2; i++)
		EXPECT_NE(NULL, batch_next(&reader));
	EXPECT_EQ(0, crowd_ask(other, new_cookie(&self->info), 0));
	batch_reader_end(&reader);
	close(other);
	kept = crowd_memory(GROUP, "kernel") - before;
	EXPECT_GE(UNREAD / 8, kept);
	crowd_enter("");
}

TEST_HARNESS_MAIN
