// SPDX-License-Identifier: GPL-2.0
/*
 * Arrays of batch requests: what is refused, that every proof is right, who
 * shares a report with whom, and that no member can harm another.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "batch.h"

#define SLOW_MS		"2000"
#define FAST_MS		"4.7"
#define ASKS		5

FIXTURE(batch) {
	int fd;
	struct cvm_info info;
	struct batch_ask asks[ASKS];
	bool simulated;
};

FIXTURE_SETUP(batch)
{
	int i;

	self->fd = batch_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " CROWD_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
	for (i = 0; i < ASKS; i++)
		batch_ask(&self->asks[i]);
	self->simulated = report_sim_ms(&self->info, FAST_MS);
}

FIXTURE_TEARDOWN(batch)
{
	report_sim_ms(&self->info, FAST_MS);
	close(self->fd);
}

TEST_F(batch, good)
{
	struct batch_ask *ask = &self->asks[0];
	size_t i;

	ASSERT_EQ(0, batch_issue(self->fd, ask, 1));
	EXPECT_EQ(0, ask->req.result);
	EXPECT_TRUE(batch_answered(ask));
	/* nothing beyond what was announced */
	for (i = ask->req.evidence_len; i < sizeof(ask->evidence); i++)
		ASSERT_EQ(0xcc, ask->evidence[i]);
	for (i = ask->req.proof_len; i < sizeof(ask->proof); i++)
		ASSERT_EQ(0xcc, ask->proof[i]);
}

static bool has(const char *path, const char *word)
{
	char text[4096] = "";
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	bool found = fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 &&
		     strstr(text, word);

	if (fd >= 0)
		close(fd);
	return found;
}

/* what was freed is filled, so that it would be seen in any answer */
TEST_F(batch, stale_memory_shows)
{
	if (!has("/proc/cmdline", "slub_debug=P"))
		SKIP(return, "the kernel does not fill what is freed");
	EXPECT_TRUE(has("/sys/kernel/slab/kmalloc-1k/poison", "1"));
	EXPECT_TRUE(has("/sys/kernel/slab/kmalloc-2k/poison", "1"));
	EXPECT_FALSE(crowd_clean("1kkkkkkkk1", 10));
}

TEST_F(batch, info)
{
	const struct cvm_info *info = &self->info;

	EXPECT_EQ(1U << CVM_KIND_BATCH, info->kinds);
	EXPECT_EQ(1024, info->max_requests);
	EXPECT_EQ(1024, info->max_leaves);
	EXPECT_EQ(CVM_SCOPE_PRIVILEGED, info->scope);
	EXPECT_LE(sizeof(struct cvm_record) + info->max_evidence +
		  info->max_certs + CVM_PROOF_MAX, info->max_record);
	EXPECT_EQ(0, info->max_record % 8);
	EXPECT_EQ(0, info->reserved);
}

TEST_F(batch, mode)
{
	struct stat st;

	ASSERT_EQ(0, stat(CROWD_NODE, &st));
	EXPECT_EQ(S_IFCHR | 0660, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
}

#define FIELD(field, value)						\
	{ #field "=" #value, offsetof(struct cvm_evidence_req, field),	\
	  sizeof(((struct cvm_evidence_req *)0)->field), value }

static const struct {
	const char *name;
	size_t at, len;
	unsigned long long value;
} malformed[] = {
	FIELD(kind, 0),
	FIELD(kind, CVM_KIND_SNP_REPORT),
	FIELD(kind, CVM_KIND_TDREPORT),
	FIELD(kind, CVM_KIND_TDX_QUOTE),
	FIELD(kind, CVM_KIND_BATCH + 1),
	FIELD(kind, 0xffffffff),
	FIELD(flags, CVM_REQ_VMPL),
	FIELD(flags, CVM_REQ_ALL),
	FIELD(flags, 0x80000000),
	FIELD(key_sel, CVM_KEY_VCEK),
	FIELD(vmpl, 1),
	FIELD(certs, 4096),
	FIELD(certs_len, 1),
	FIELD(cookie, 1),
};

/* one bad request refuses the array: nothing is asked, nothing written */
TEST_F(batch, malformed)
{
	long long requests = report_stat("requests");
	struct cvm_evidence_req reqs[3], before[3];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		reqs[0] = reqs[1] = reqs[2] = self->asks[0].req;
		memcpy((char *)&reqs[1] + malformed[i].at, &malformed[i].value,
		       malformed[i].len);
		memcpy(before, reqs, sizeof(before));
		EXPECT_EQ(-EINVAL, report_issue(self->fd, reqs, 3, 0, NULL)) {
			TH_LOG("%s", malformed[i].name);
		}
		EXPECT_EQ(0, memcmp(before, reqs, sizeof(before)));
	}
	EXPECT_EQ(-E2BIG, report_issue(self->fd, reqs, 1025, 0, NULL));
	EXPECT_EQ(-EINVAL, report_issue(self->fd, reqs, 0, 0, NULL));
	EXPECT_EQ(requests, report_stat("requests"));
}

/* the tag that marks batch evidence is nobody's nonce; others are served */
TEST_F(batch, reserved_tag)
{
	struct cvm_evidence_req *bad = &self->asks[1].req;

	memcpy(bad->user_data, CVM_RESERVED_TAG, CVM_RESERVED_TAG_SIZE);
	ASSERT_EQ(0, batch_issue(self->fd, self->asks, 3));
	EXPECT_TRUE(batch_answered(&self->asks[0]));
	EXPECT_EQ(-EINVAL, bad->result);
	EXPECT_EQ(0, bad->evidence_len | bad->proof_len);
	EXPECT_TRUE(batch_answered(&self->asks[2]));
}

TEST_F(batch, certs)
{
	struct batch_ask *ask = &self->asks[0];
	static __u8 certs[65536];

	ask->req.flags = CVM_REQ_CERTS;
	ask->req.certs = (unsigned long)certs;
	ask->req.certs_len = sizeof(certs);
	ASSERT_EQ(0, batch_issue(self->fd, ask, 1));
	if (self->info.platform == CVM_PLATFORM_TDX) {
		EXPECT_EQ(-EINVAL, ask->req.result);
		return;
	}
	EXPECT_TRUE(batch_answered(ask));
	EXPECT_LT(0, ask->req.certs_len);
}

/* the salt of each is its own: nobody sees that two ask the same */
TEST_F(batch, equal_user_data)
{
	int i, j;

	for (i = 1; i < ASKS; i++) {
		self->asks[i].cookie = self->asks[0].cookie;
		memcpy(self->asks[i].req.user_data,
		       self->asks[0].req.user_data, CVM_USER_DATA_SIZE);
	}
	ASSERT_EQ(0, batch_issue(self->fd, self->asks, ASKS));
	for (i = 0; i < ASKS; i++) {
		EXPECT_TRUE(batch_answered(&self->asks[i]));
		/* behind header, index, path length, 0 and scope */
		for (j = 0; j < i; j++)
			EXPECT_NE(0, memcmp(self->asks[i].proof + CVM_PROOF_FIXED -
					    CVM_SALT_SIZE,
					    self->asks[j].proof + CVM_PROOF_FIXED -
					    CVM_SALT_SIZE, CVM_SALT_SIZE));
	}
}

/* a proof for one is not one for another */
TEST_F(batch, proofs_are_personal)
{
	ASSERT_EQ(0, batch_issue(self->fd, self->asks, 2));
	EXPECT_TRUE(batch_answered(&self->asks[0]));
	EXPECT_TRUE(batch_answered(&self->asks[1]));
	self->asks[0].cookie = self->asks[1].cookie;
	EXPECT_FALSE(batch_answered(&self->asks[0]));
}

/* ---- while the hardware is busy ---- */

/* a request that the hardware is at work on: those that follow gather */
static bool keep_busy(const struct cvm_info *info, int fd)
{
	long long issued = report_stat("issued");

	return report_sim_ms(info, SLOW_MS) &&
	       !batch_submit(fd, crowd_cookie(CVM_KIND_BATCH), 0, 0) &&
	       batch_await("issued", issued + 1);
}

struct report {
	__u32 len;
	__u32 certs_len;
	__u8 bytes[BATCH_EVIDENCE];
};

static bool next_report(struct batch_reader *reader, struct report *report)
{
	const struct cvm_record *record = batch_next(reader);

	if (!record || record->result || !crowd_record_verifies(record))
		return false;
	report->len = record->evidence_len;
	report->certs_len = record->certs_len;
	if (report->len > sizeof(report->bytes))
		return false;
	memcpy(report->bytes, (const __u8 *)record + record->data_offset,
	       report->len);
	return true;
}

static bool same(const struct report *a, const struct report *b)
{
	return a->len == b->len && !memcmp(a->bytes, b->bytes, a->len);
}

/* never in the report that was asked for before it came */
TEST_F(batch, late_nonce)
{
	static struct report first, late, later;
	long long batches = report_stat("batches");
	struct batch_reader reader;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	ASSERT_TRUE(batch_reader(&reader, self->fd));
	ASSERT_TRUE(keep_busy(&self->info, self->fd));
	ASSERT_EQ(0, crowd_ask(self->fd, crowd_cookie(CVM_KIND_BATCH), 0));
	ASSERT_EQ(0, crowd_ask(self->fd, crowd_cookie(CVM_KIND_BATCH), 0));
	report_sim_ms(&self->info, FAST_MS);
	ASSERT_TRUE(next_report(&reader, &first));
	ASSERT_TRUE(next_report(&reader, &late));
	ASSERT_TRUE(next_report(&reader, &later));
	EXPECT_FALSE(same(&first, &late));
	EXPECT_TRUE(same(&late, &later));
	EXPECT_EQ(batches + 2, report_stat("batches"));
	batch_reader_end(&reader);
}

/* who wants certificates shares no report with who does not */
TEST_F(batch, parameters)
{
	static struct report with, without;
	long long batches = report_stat("batches");
	struct batch_reader reader;
	int i;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	if (self->info.platform != CVM_PLATFORM_SNP) {
		/* who has no certificates says so, nobody is left waiting */
		EXPECT_EQ(-EINVAL,
			  batch_submit(self->fd, 1, CVM_REQ_CERTS, 0));
		return;
	}
	ASSERT_TRUE(batch_reader(&reader, self->fd));
	ASSERT_TRUE(keep_busy(&self->info, self->fd));
	for (i = 0; i < 8; i++)
		ASSERT_EQ(0, batch_submit(self->fd,
					  crowd_cookie(CVM_KIND_BATCH),
					  i % 2 ? CVM_REQ_CERTS : 0, 0));
	report_sim_ms(&self->info, FAST_MS);
	ASSERT_TRUE(next_report(&reader, &with));
	for (i = 0; i < 8; i++) {
		static struct report report, *kind;

		ASSERT_TRUE(next_report(&reader, &report));
		kind = report.certs_len ? &with : &without;
		if (i == 0 || i == 4)
			*kind = report;
		EXPECT_TRUE(same(kind, &report));
		EXPECT_EQ(kind->certs_len, report.certs_len);
	}
	EXPECT_NE(0, with.certs_len);
	EXPECT_EQ(0, without.certs_len);
	EXPECT_FALSE(same(&with, &without));
	EXPECT_EQ(batches + 3, report_stat("batches"));
	batch_reader_end(&reader);
}

struct array {
	int fd;
	struct batch_ask *asks;
	int ret;
};

static void *issue_array(void *arg)
{
	struct array *array = arg;

	array->ret = batch_issue(array->fd, array->asks, ASKS);
	return NULL;
}

static pid_t ask_in_child(int fd)
{
	static struct batch_ask ask;
	pid_t pid = fork();

	if (pid)
		return pid;
	batch_ask(&ask);
	batch_issue(fd, &ask, 1);
	_exit(0);
}

/* kills it; false: it did not die of that */
static bool kill_child(pid_t pid)
{
	int status;

	return !kill(pid, SIGKILL) && waitpid(pid, &status, 0) == pid &&
	       WIFSIGNALED(status);
}

/*
 * In one set: two that are good, an array with buffers that fault or are too
 * small, a client that is killed and a file that is closed while the hardware
 * works on their report, and one each that goes before.
 */
TEST_F(batch, bad_members)
{
	struct array array = { self->fd, self->asks, -1 };
	long long batches = report_stat("batches");
	long long requests, issued;
	struct batch_reader reader;
	int closed[2], good, i;
	pid_t killed[2];
	pthread_t thread;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	self->asks[1].req.evidence = 8;
	self->asks[2].req.evidence_len = 7;
	self->asks[3].req.proof_len = CVM_PROOF_FIXED - 1;
	good = batch_open();
	ASSERT_LE(0, good);
	ASSERT_TRUE(batch_reader(&reader, good));
	ASSERT_TRUE(keep_busy(&self->info, good));
	issued = report_stat("issued");
	requests = report_stat("requests");

	ASSERT_EQ(0, crowd_ask(good, crowd_cookie(CVM_KIND_BATCH), 0));
	ASSERT_EQ(0, pthread_create(&thread, NULL, issue_array, &array));
	for (i = 0; i < 2; i++) {
		closed[i] = batch_open();
		ASSERT_EQ(0, crowd_ask(closed[i],
				       crowd_cookie(CVM_KIND_BATCH), 0));
		killed[i] = ask_in_child(self->fd);
		ASSERT_LT(0, killed[i]);
	}
	ASSERT_EQ(0, crowd_ask(good, crowd_cookie(CVM_KIND_BATCH), 0));
	ASSERT_TRUE(batch_await("requests", requests + ASKS + 6));
	EXPECT_EQ(issued, report_stat("issued"));
	close(closed[0]);
	EXPECT_TRUE(kill_child(killed[0]));

	ASSERT_TRUE(batch_await("issued", issued + 1));
	close(closed[1]);
	EXPECT_TRUE(kill_child(killed[1]));

	for (i = 0; i < 3; i++) {
		const struct cvm_record *record = batch_next(&reader);

		ASSERT_NE(NULL, record);
		EXPECT_EQ(0, record->result);
		EXPECT_TRUE(crowd_record_verifies(record));
	}
	pthread_join(thread, NULL);
	EXPECT_EQ(0, array.ret);
	EXPECT_TRUE(batch_answered(&self->asks[0]));
	EXPECT_EQ(-EFAULT, self->asks[1].req.result);
	for (i = 2; i < 4; i++) {
		EXPECT_EQ(-ENOBUFS, self->asks[i].req.result);
		EXPECT_EQ(self->asks[0].req.evidence_len,
			  self->asks[i].req.evidence_len);
		EXPECT_LT(CVM_PROOF_FIXED, self->asks[i].req.proof_len);
		EXPECT_EQ(0xcc, self->asks[i].evidence[0]);
		EXPECT_EQ(0xcc, self->asks[i].proof[0]);
	}
	EXPECT_TRUE(batch_answered(&self->asks[4]));
	EXPECT_EQ(batches + 2, report_stat("batches"));
	batch_reader_end(&reader);
	close(good);
}

TEST_HARNESS_MAIN
