// SPDX-License-Identifier: GPL-2.0
/*
 * Quotes from a host that is slow, busy, broken or hostile. Only a simulated
 * one can be asked to be.
 */
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "report.h"

FIXTURE(quote) {
	int fd;
	struct cvm_info info;
	struct cvm_evidence_req req;
	unsigned char *evidence;
};

FIXTURE_SETUP(quote)
{
	self->fd = report_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " REPORT_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
	if (self->info.platform != CVM_PLATFORM_TDX)
		SKIP(return, "not TDX");
	if (!report_sim("quote_ms=4.7"))
		SKIP(return, "no simulated platform");
	self->evidence = malloc(REPORT_MAX);
	ASSERT_NE(NULL, self->evidence);
}

FIXTURE_TEARDOWN(quote)
{
	free(self->evidence);
	close(self->fd);
}

/* the result of one quote */
static int quote(int fd, struct cvm_evidence_req *req, void *evidence, int ms)
{
	static __u64 seed = 1000;
	int ret;

	report_request(req, CVM_KIND_TDX_QUOTE, seed++, evidence, REPORT_MAX);
	ret = report_issue(fd, req, 1, ms, NULL);
	if (ret)
		return ret;
	if (!req->result && !report_matches(req))
		return -EILSEQ;
	return req->result;
}

#define QUOTE(ms)	quote(self->fd, &self->req, self->evidence, ms)

/* what the fastest of @count quotes took, us; 0: one has failed */
static unsigned long long best_of(int fd, void *evidence, int count)
{
	unsigned long long start, took, best = ~0ULL;
	struct cvm_evidence_req req;

	while (count--) {
		start = report_now_us();
		if (quote(fd, &req, evidence, 0))
			return 0;
		took = report_now_us() - start;
		if (took < best)
			best = took;
	}
	return best;
}

TEST_F(quote, versions)
{
	report_sim("quote_version=5\ntd_version=10");
	EXPECT_EQ(0, QUOTE(0));
	EXPECT_EQ(5, self->evidence[0]);
	report_sim("td_version=15");
	EXPECT_EQ(0, QUOTE(0));
	EXPECT_EQ(3, self->evidence[48]);
	report_sim("quote_version=4");
	EXPECT_EQ(0, QUOTE(0));
	EXPECT_EQ(4, self->evidence[0]);
}

TEST_F(quote, tdreport_busy)
{
	long long retries = report_stat("retries");

	report_sim("tdreport_busy_n=3");
	EXPECT_EQ(0, QUOTE(0));
	EXPECT_EQ(retries + 3, report_stat("retries"));
}

TEST_F(quote, error_status)
{
	report_sim("quote_status=8000000000000001");
	EXPECT_EQ(-EIO, QUOTE(0));
	EXPECT_EQ(0x8000000000000001ULL, self->req.platform_status);
	EXPECT_EQ(0, self->req.evidence_len);
	EXPECT_EQ(0, QUOTE(0));
	report_sim("quote_status=1234");
	EXPECT_EQ(-EIO, QUOTE(0));
	EXPECT_EQ(0x1234, self->req.platform_status);
	EXPECT_EQ(0, QUOTE(0));
}

TEST_F(quote, lengths)
{
	static const char *const lengths[] = {
		"quote_out_len=0", "quote_out_len=1", "quote_out_len=631",
		"quote_out_len=131049", "quote_out_len=131072",
		"quote_out_len=4294967295",
	};
	long long rejected = report_stat("rejected");
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(lengths); i++) {
		report_sim(lengths[i]);
		EXPECT_EQ(-EBADMSG, QUOTE(0)) {
			TH_LOG("%s", lengths[i]);
		}
		EXPECT_EQ(0, QUOTE(0));
	}
	EXPECT_EQ(rejected + (long long)ARRAY_SIZE(lengths),
		  report_stat("rejected"));
}

/* a quote that is valid, but for somebody else's REPORT_DATA */
TEST_F(quote, foreign)
{
	report_sim("quote_bad_data_n=1");
	EXPECT_EQ(-EBADMSG, QUOTE(0));
	EXPECT_EQ(0, QUOTE(0));
}

/* "done" is said before the quote is there: what is not there is not believed */
TEST_F(quote, early)
{
	int i, ret;

	report_sim("early_success=1");
	for (i = 0; i < 10; i++) {
		ret = QUOTE(0);
		/*
		 * Somebody who looks late enough finds the quote; what the host
		 * still writes may fall into the next TDREPORT, which is refused.
		 */
		EXPECT_TRUE(!ret || ret == -EBADMSG || ret == -EIO) {
			TH_LOG("%d", ret);
		}
		/*
		 * This host writes on for 200 ms, into whatever the buffer is
		 * used for by then, the next TDREPORT for one.
		 */
		usleep(400 * 1000);
	}
	report_sim("early_success=0");
	EXPECT_EQ(0, QUOTE(0));
}

/*
 * A quote that never comes: its caller waits until the deadline, the next one
 * only until the buffer counts as late, and then no longer than ever.
 */
TEST_F(quote, stuck)
{
	unsigned long long start, best;
	long long late = report_stat("late");
	struct cvm_info info;
	int i;

	for (i = 0; i < 8; i++)
		EXPECT_EQ(0, QUOTE(0));
	report_sim("stuck_n=1");
	start = report_now_us();
	EXPECT_EQ(-ETIMEDOUT, QUOTE(300));
	EXPECT_GT(1900 * 1000, report_now_us() - start);
	EXPECT_EQ(0, QUOTE(5000));
	EXPECT_EQ(late + 1, report_stat("late"));
	/* it does not wait for 2 s; on a busy machine the best of some tells the rest */
	start = report_now_us();
	EXPECT_EQ(0, QUOTE(0));
	EXPECT_GT(1900 * 1000, report_now_us() - start);
	best = best_of(self->fd, self->evidence, 10);
	EXPECT_LT(0, best);
	EXPECT_GT(100 * 1000, best);
	EXPECT_EQ(late + 1, report_stat("late"));
	ASSERT_EQ(0, report_info(self->fd, &info));
	EXPECT_EQ(CVM_CHANNEL_READY, info.channel);
}

/*
 * A host that takes two quotes at a time (report.sh starts it so) and has
 * forgotten one, above: while it works on another, RETRY is all that it says.
 */
TEST_F(quote, retry)
{
	long long throttled = report_stat("throttled");

	report_sim("quote_ms=3000");
	EXPECT_EQ(-ETIMEDOUT, QUOTE(100));
	report_sim("quote_ms=4.7");
	EXPECT_EQ(0, QUOTE(10 * 1000));
	EXPECT_LT(throttled, report_stat("throttled"));
	EXPECT_EQ(0, QUOTE(0));
}

/* a TDREPORT waits for no quote */
TEST_F(quote, tdreport_overtakes)
{
	struct cvm_evidence_req reqs[2];
	unsigned char tdreport[1024];
	__u32 done;

	report_sim("quote_ms=1000");
	report_request(&reqs[0], CVM_KIND_TDX_QUOTE, 1, self->evidence,
		       REPORT_MAX);
	report_request(&reqs[1], CVM_KIND_TDREPORT, 2, tdreport,
		       sizeof(tdreport));
	EXPECT_EQ(0, report_issue(self->fd, reqs, 2, 500, &done));
	EXPECT_EQ(1, done);
	EXPECT_EQ(-ETIMEDOUT, reqs[0].result);
	EXPECT_EQ(0, reqs[1].result);
	EXPECT_TRUE(report_matches(&reqs[1]));
	report_sim("quote_ms=4.7");
}

/* a host that becomes slower, then faster: the estimate follows both ways */
TEST_F(quote, estimate_follows)
{
	unsigned long long best;
	int i;

	report_sim("quote_ms=60");
	for (i = 0; i < 6; i++)
		EXPECT_EQ(0, QUOTE(0));
	report_sim("quote_ms=4.7");
	best = best_of(self->fd, self->evidence, 40);
	EXPECT_LT(0, best);
	EXPECT_GT(12 * 1000, best);
}

TEST_HARNESS_MAIN
