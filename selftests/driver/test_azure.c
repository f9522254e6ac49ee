// SPDX-License-Identifier: GPL-2.0
/*
 * HCL reports from a paravisor that has a window of two seconds, and from one that
 * gives old reports, others', and rubbish. Only a simulated one can be asked to.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <openssl/sha.h>

#include "kselftest_harness.h"
#include "report.h"
#include "tpm.h"

#define WINDOW_US	2000000
/* of a busy machine, in which it is none or one that is waited for, or another one */
#define SLACK_US	400000
#define NONE_US		(WINDOW_US - SLACK_US)
#define ONE_US		(2 * WINDOW_US - SLACK_US)

FIXTURE(hcl) {
	int fd;
	struct cvm_info info;
	struct cvm_evidence_req req;
	unsigned char *evidence;
};

FIXTURE_SETUP(hcl)
{
	self->fd = report_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " REPORT_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
	if (self->info.platform != CVM_PLATFORM_AZURE_SNP &&
	    self->info.platform != CVM_PLATFORM_AZURE_TDX)
		SKIP(return, "not Azure");
	if (!report_sim("report_ms=5"))
		SKIP(return, "no simulated platform");
	self->evidence = malloc(REPORT_MAX);
	ASSERT_NE(NULL, self->evidence);
}

FIXTURE_TEARDOWN(hcl)
{
	free(self->evidence);
	close(self->fd);
}

/* SHA-256 of the claims is in the hardware's report, which begins at 20h */
static bool is_bound(const struct cvm_info *info, const unsigned char *p)
{
	unsigned int len = p[0x4d0] | p[0x4d1] << 8;
	unsigned char hash[64] = { 0 };

	SHA256(p + 0x4d4, len, hash);
	return !memcmp(p + 0x20 + (info->platform == CVM_PLATFORM_AZURE_TDX ? 0x80 : 0x50), hash,
		       sizeof(hash));
}

/* the result of one report for REPORT_DATA of @seed */
static int ask(const struct cvm_info *info, int fd, struct cvm_evidence_req *req,
	       unsigned char *evidence, __u64 seed)
{
	int ret;

	report_request(req, CVM_KIND_HCL_REPORT, seed, evidence, REPORT_MAX);
	ret = report_issue(fd, req, 1, 0, NULL);
	if (ret || req->result)
		return ret ? ret : req->result;
	return report_matches(req) && is_bound(info, evidence) ? 0 : -EILSEQ;
}

static __u64 next_seed(void)
{
	static __u64 seed = 7000;

	return seed++;
}

#define ASK()		ask(&self->info, self->fd, &self->req, self->evidence, next_seed())
#define ASK_FOR(seed)	ask(&self->info, self->fd, &self->req, self->evidence, seed)

static void pass_window(void)
{
	usleep(WINDOW_US + 50000);
}

static bool trouble_is(const char *what)
{
	char text[40] = "";
	FILE *file = fopen(REPORT_CHANNEL "trouble", "re");

	if (!file)
		return false;
	if (!fgets(text, sizeof(text), file))
		text[0] = 0;
	fclose(file);
	text[strcspn(text, "\n")] = 0;
	if (strcmp(text, what))
		printf("# trouble: %s\n", text);
	return !strcmp(text, what);
}

/* ---- the window ---- */

TEST_F(hcl, at_once)
{
	unsigned long long start;

	pass_window();
	start = report_now_us();
	EXPECT_EQ(0, ASK());
	EXPECT_GT(NONE_US, report_now_us() - start);
	EXPECT_TRUE(trouble_is("none"));
}

TEST_F(hcl, waits_for_the_window)
{
	unsigned long long start;

	ASSERT_EQ(0, ASK());
	start = report_now_us();
	EXPECT_EQ(0, ASK());
	EXPECT_LT(WINDOW_US - SLACK_US, report_now_us() - start);
	EXPECT_GT(ONE_US, report_now_us() - start);
}

/* what is in the TPM says the same already: with the same value, it proves nothing */
TEST_F(hcl, the_same_again)
{
	unsigned char *first = malloc(REPORT_MAX);
	unsigned long long start;
	__u64 seed = next_seed();

	ASSERT_NE(NULL, first);
	ASSERT_EQ(0, ASK_FOR(seed));
	memcpy(first, self->evidence, self->req.evidence_len);
	start = report_now_us();
	EXPECT_EQ(0, ASK_FOR(seed));
	EXPECT_LT(2 * WINDOW_US - SLACK_US, report_now_us() - start);
	/* on TDX nothing in it depends on when it was made */
	if (self->info.platform == CVM_PLATFORM_AZURE_SNP)
		EXPECT_NE(0, memcmp(first, self->evidence, self->req.evidence_len));
	free(first);
}

TEST_F(hcl, upper_case)
{
	report_sim("hex_case=upper");
	EXPECT_EQ(0, ASK());
	report_sim("hex_case=lower");
}

TEST_F(hcl, reserved_tag)
{
	report_request(&self->req, CVM_KIND_HCL_REPORT, 1, self->evidence, REPORT_MAX);
	memcpy(self->req.report_data, CVM_RESERVED_TAG, CVM_RESERVED_TAG_SIZE);
	ASSERT_EQ(0, report_issue(self->fd, &self->req, 1, 0, NULL));
	EXPECT_EQ(-EINVAL, self->req.result);
}

/* ---- what goes wrong once costs time, and nothing else ---- */

static int after(const char *fault, const struct cvm_info *info, int fd,
		 struct cvm_evidence_req *req, unsigned char *evidence)
{
	pass_window();
	report_sim(fault);
	return ask(info, fd, req, evidence, next_seed());
}

#define AFTER(fault)	after(fault, &self->info, self->fd, &self->req, self->evidence)

TEST_F_TIMEOUT(hcl, once, 120)
{
	EXPECT_EQ(0, AFTER("renewal_fails_n=1"));
	EXPECT_EQ(0, AFTER("torn_n=1"));
	EXPECT_EQ(0, AFTER("claims_hash_n=1"));
	EXPECT_EQ(0, AFTER("other_user_data_n=1"));
	EXPECT_EQ(0, AFTER("claims_size=60000\nclaims_size_n=1"));
	EXPECT_EQ(0, AFTER("hcl_type=1\nhcl_type_n=1"));
	EXPECT_TRUE(trouble_is("none"));
}

/* somebody else has written his own, and had a report of it, in our window */
TEST_F_TIMEOUT(hcl, others_write_and_read, 60)
{
	int i;

	for (i = 0; i < 2; i++) {
		pass_window();
		EXPECT_EQ(0, tpm_write_input(0x11));
		EXPECT_EQ(0, tpm_read_report());
		EXPECT_EQ(0, ASK());
	}
}

/* a value of his own, another each time, written and read for @us: no window opens but for him */
static pid_t compete(unsigned long long us)
{
	unsigned long long end = report_now_us() + us;
	pid_t pid = fork();
	unsigned char value = 0;

	if (pid)
		return pid;
	while (report_now_us() < end)
		if (tpm_write_input(++value) || tpm_read_report())
			_exit(1);
	_exit(0);
}

/* for longer than it takes to call a report stale: it comes late, and under its own name */
TEST_F_TIMEOUT(hcl, contended, 90)
{
	int status = 1;
	pid_t pid;

	ASSERT_EQ(0, ASK());
	pid = compete(12 * 1000 * 1000);
	EXPECT_EQ(0, ASK());
	EXPECT_TRUE(trouble_is("none"));
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
}

/* ---- what is named, and refused ---- */

TEST_F_TIMEOUT(hcl, never_whole, 60)
{
	EXPECT_EQ(-EBADMSG, AFTER("claims_hash_n=100"));
	EXPECT_TRUE(trouble_is("torn"));
	report_sim("claims_hash_n=0");
	EXPECT_EQ(0, ASK());
	EXPECT_TRUE(trouble_is("none"));
}

TEST_F_TIMEOUT(hcl, tpm_says_no, 60)
{
	EXPECT_EQ(-EIO, AFTER("nv_rc=0x14a\nnv_rc_n=1"));
	EXPECT_EQ(0x14a, self->req.platform_status);
	EXPECT_TRUE(trouble_is("tpm-error"));
	EXPECT_EQ(-EBADMSG, AFTER("nv_short_n=1"));
	EXPECT_EQ(-EBADMSG, AFTER("nv_length_n=1"));
	EXPECT_EQ(0, ASK());
	EXPECT_TRUE(trouble_is("none"));
}

TEST_F_TIMEOUT(hcl, no_user_data, 60)
{
	EXPECT_EQ(-EOPNOTSUPP, AFTER("no_user_data=1"));
	EXPECT_TRUE(trouble_is("no-user-data"));
	report_sim("no_user_data=0");
	EXPECT_EQ(0, ASK());
}

/* an index that another tool has left, or taken away */
TEST_F_TIMEOUT(hcl, input_index, 60)
{
	ASSERT_EQ(0, ASK());
	EXPECT_EQ(0, tpm_undefine_input());
	/* found out by the first who writes there, to whom it does not matter */
	EXPECT_EQ(0, ASK());
	EXPECT_EQ(0, ASK());

	EXPECT_EQ(0, tpm_undefine_input());
	EXPECT_EQ(0, tpm_define_input(TPM_OWNER_ALL, 32));
	EXPECT_EQ(-EIO, ASK());
	EXPECT_TRUE(trouble_is("input-size"));
	EXPECT_EQ(-EIO, ASK());

	EXPECT_EQ(0, tpm_undefine_input());
	EXPECT_EQ(0, tpm_define_input(TPM_NO_OWNER_READ, 64));
	EXPECT_EQ(-EIO, ASK());
	EXPECT_TRUE(trouble_is("input-rights"));

	EXPECT_EQ(0, tpm_undefine_input());
	EXPECT_EQ(0, ASK());
	EXPECT_TRUE(trouble_is("none"));
}

/* these two take what nobody notices by an error: the paravisor is silent */
TEST_F_TIMEOUT(hcl, silently_too_long, 60)
{
	ASSERT_EQ(0, ASK());
	EXPECT_EQ(0, tpm_undefine_input());
	EXPECT_EQ(0, tpm_define_input(TPM_OWNER_ALL, 128));
	EXPECT_EQ(-EIO, ASK());
	EXPECT_TRUE(trouble_is("input-size"));
	EXPECT_EQ(0, tpm_undefine_input());
	EXPECT_EQ(0, ASK());
}

TEST_F_TIMEOUT(hcl, silently_stale, 60)
{
	EXPECT_EQ(-EIO, AFTER("renewal_fails_n=100000"));
	EXPECT_TRUE(trouble_is("stale"));
	report_sim("renewal_fails_n=0");
	EXPECT_EQ(0, ASK());
	EXPECT_TRUE(trouble_is("none"));
}

TEST_F_TIMEOUT(hcl, owner_password, 60)
{
	EXPECT_EQ(0, tpm_set_password("", "secret"));
	EXPECT_EQ(-EIO, ASK());
	EXPECT_TRUE(trouble_is("owner-password"));
	EXPECT_EQ(0, tpm_set_password("secret", ""));
	EXPECT_EQ(0, ASK());
	EXPECT_TRUE(trouble_is("none"));
}

/* ---- others have their TPM ---- */

/* measures for @us, and says how long the slowest took; it ends with 1 if one failed */
static pid_t measure(unsigned long long us, int out)
{
	unsigned long long end = report_now_us() + us, start, now = report_now_us();
	unsigned long long result[2] = { 0, 0 };
	pid_t pid = fork();

	if (pid)
		return pid;
	while (now < end) {
		start = now;
		if (tpm_extend())
			_exit(1);
		now = report_now_us();
		result[0]++;
		if (now - start > result[1])
			result[1] = now - start;
	}
	_exit(write(out, result, sizeof(result)) != sizeof(result));
}

TEST_F_TIMEOUT(hcl, others_go_on, 60)
{
	unsigned long long result[2] = { 0, 0 };
	int ends[2], status = 1, i;
	pid_t pid;

	ASSERT_EQ(0, pipe(ends));
	pid = measure(3 * WINDOW_US, ends[1]);
	for (i = 0; i < 3; i++)
		EXPECT_EQ(0, ASK());
	EXPECT_EQ(pid, waitpid(pid, &status, 0));
	EXPECT_EQ(0, status);
	EXPECT_EQ((ssize_t)sizeof(result), read(ends[0], result, sizeof(result)));
	TH_LOG("%llu measurements, the slowest took %llu us", result[0], result[1]);
	EXPECT_LT(100, result[0]);
	EXPECT_GT(1000000, result[1]);
	close(ends[0]);
	close(ends[1]);
}

/* ---- the TPM's driver; the last, as it may have another number behind it ---- */

/* What @link leads to: its path's end, or all of it */
static void follow(const char *link, bool end, char out[256])
{
	char path[PATH_MAX] = "";

	if (!realpath(link, path))
		path[0] = 0;
	snprintf(out, 256, "%s", end && strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
}

static bool tell(const char *driver, const char *what, const char *device)
{
	char path[300];
	FILE *file;
	bool good;

	snprintf(path, sizeof(path), "%s/%s", driver, what);
	file = fopen(path, "we");
	if (!file)
		return false;
	good = fputs(device, file) >= 0;
	return !fclose(file) && good;
}

TEST_F_TIMEOUT(hcl, bound_anew, 60)
{
	char driver[256], device[256];
	int i;

	follow("/sys/class/tpm/tpm0/device/driver", false, driver);
	follow("/sys/class/tpm/tpm0/device", true, device);
	EXPECT_EQ(0, ASK());
	for (i = 0; i < 2; i++) {
		ASSERT_TRUE(tell(driver, "unbind", device));
		EXPECT_EQ(-EIO, ASK());
		EXPECT_TRUE(trouble_is("no-tpm"));
		EXPECT_EQ(-EIO, ASK());
		ASSERT_TRUE(tell(driver, "bind", device));
		EXPECT_EQ(0, ASK());
		EXPECT_TRUE(trouble_is("none"));
	}
	TH_LOG("tpm0 is %s", access("/sys/class/tpm/tpm0", F_OK) ? "another one now" : "tpm0 again");
}

TEST_HARNESS_MAIN
