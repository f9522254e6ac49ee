// SPDX-License-Identifier: GPL-2.0
/* /dev/cvm/key: whom it serves, what makes a key another one, and when. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "key.h"
#include "flood.h"
#include "polite.h"

TEST_F(key, info)
{
	EXPECT_EQ(1U << CVM_KIND_KEY, self->info.kinds);
	EXPECT_EQ(0, self->info.max_leaves);
}

TEST_F(key, mode)
{
	struct stat st;

	ASSERT_EQ(0, stat(KEY_NODE, &st));
	EXPECT_EQ(S_IFCHR | 0600, st.st_mode);
	EXPECT_EQ(0, st.st_uid);
}

static int without_capability(int fd)
{
	struct derive derive_args;
	int status;
	pid_t pid = fork();

	if (!pid) {
		derive_init(&derive_args);
		if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
			_exit(0);
		if (fd < 0)
			fd = open(KEY_NODE, O_RDWR);
		_exit(-derive(fd, &derive_args));
	}
	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
		-WEXITSTATUS(status) : 0;
}

/* both who opens and who asks: an open file is not enough, nor is being root */
TEST_F(key, privileges)
{
	struct derive derive_args;
	int fd;

	EXPECT_EQ(-EPERM, without_capability(self->fd));
	ASSERT_EQ(0, chmod(KEY_NODE, 0666));
	EXPECT_EQ(-EPERM, without_capability(-1));
	ASSERT_EQ(0, seteuid(NOBODY));
	fd = open(KEY_NODE, O_RDWR);
	ASSERT_EQ(0, seteuid(0));
	ASSERT_EQ(0, chmod(KEY_NODE, 0600));
	ASSERT_LE(0, fd);
	derive_init(&derive_args);
	EXPECT_EQ(-EPERM, derive(fd, &derive_args));
	close(fd);
	EXPECT_EQ(0, derive(self->fd, &derive_args));
}

#define CALL(field, value)							\
	{ "call." #field "=" #value, offsetof(struct derive, call.field),	\
	  sizeof(((struct derive *)0)->call.field), value }
#define KEY(field, value)							\
	{ "key." #field "=" #value, offsetof(struct derive, key.field),	\
	  sizeof(((struct derive *)0)->key.field), value }

static const struct {
	const char *name;
	size_t at, len;
	unsigned long long value;
} malformed[] = {
	CALL(flags, 4), CALL(flags, 0x80000000), CALL(root, 2), CALL(mix, 0x80),
	CALL(mix, 0x80000000), CALL(vmpl, 1), CALL(guest_svn, 1), CALL(tcb, 1),
	CALL(launch_mit_vector, 1), CALL(salt_len, CVM_MAX_KEY_SALT + 1),
	KEY(purpose, 0), KEY(purpose, 4), KEY(purpose, CVM_PURPOSE_CHECK),
	KEY(form, 3), KEY(length, CVM_MIN_KEY - 1), KEY(length, CVM_MAX_KEY + 1),
	KEY(length, 0), KEY(label_len, CVM_MAX_LABEL + 1), KEY(keyring, KEY_SPEC_PROCESS_KEYRING),
	KEY(timeout_s, 1), KEY(name_len, 1), KEY(name, 8),
};

/* of the whole call, which derive() always makes right */
TEST_F(key, wrong_counts)
{
	static const __u32 counts[] = { 0, CVM_MAX_DERIVED + 1, 0xffff, ~0U };
	struct cvm_derive *call = &self->one.call;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(counts); i++) {
		derive_init(&self->one);
		ASSERT_EQ(0, derive(self->fd, &self->one));
		call->count = counts[i];
		EXPECT_EQ(-1, ioctl(self->fd, CVM_DERIVE, call));
		EXPECT_EQ(counts[i] ? E2BIG : EINVAL, errno);
		call->flags = 1U << 31;
		EXPECT_EQ(-1, ioctl(self->fd, CVM_DERIVE, call));
		EXPECT_EQ(EINVAL, errno);
	}
	derive_init(&self->one);
	ASSERT_EQ(0, derive(self->fd, &self->one));
	call->derived_size = sizeof(self->one.key) - 1;
	EXPECT_EQ(-1, ioctl(self->fd, CVM_DERIVE, call));
	EXPECT_EQ(EINVAL, errno);
	call->derived_size = sizeof(self->one.key);
	call->derived = 8;
	EXPECT_EQ(-1, ioctl(self->fd, CVM_DERIVE, call));
	EXPECT_EQ(EFAULT, errno);
}

/* a struct that is longer than ours has to be 0 where we do not know it */
TEST_F(key, longer_struct)
{
	struct {
		struct cvm_derived key;
		__u64 more;
	} longer = { .more = 0 };

	ASSERT_EQ(0, derive(self->fd, &self->one));
	memcpy(&self->other, &self->one, sizeof(self->one));
	longer.key = self->one.key;
	longer.key.memory = (unsigned long)self->other.bytes;
	memset(self->other.bytes, 0, sizeof(self->other.bytes));
	self->one.call.derived = (unsigned long)&longer;
	self->one.call.derived_size = sizeof(longer);
	EXPECT_EQ(0, ioctl(self->fd, CVM_DERIVE, &self->one.call));
	EXPECT_TRUE(derive_same(&self->one, &self->other));
	longer.more = 1;
	EXPECT_EQ(-1, ioctl(self->fd, CVM_DERIVE, &self->one.call));
	EXPECT_EQ(E2BIG, errno);
}

/* nothing is asked, nothing written */
TEST_F(key, malformed)
{
	long long requests = report_stat("requests");
	static const unsigned char zero[CVM_MAX_KEY];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(malformed); i++) {
		derive_init(&self->one);
		memcpy((char *)&self->one + malformed[i].at, &malformed[i].value,
		       malformed[i].len);
		EXPECT_EQ(-EINVAL, derive(self->fd, &self->one)) {
			TH_LOG("%s", malformed[i].name);
		}
		EXPECT_EQ(0, memcmp(zero, self->one.bytes, sizeof(zero)));
	}
	EXPECT_EQ(requests, report_stat("requests"));
	EXPECT_EQ(-1, ioctl(self->fd, CVM_ISSUE, NULL));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->fd, CVM_SET_SCOPE, NULL));
	EXPECT_EQ(ENOTTY, errno);
	EXPECT_EQ(-1, ioctl(self->fd, CVM_DERIVE, NULL));
	EXPECT_EQ(EFAULT, errno);
}

/* a direct or batch door leads to no key */
TEST_F(key, other_doors)
{
	struct cvm_evidence_req req;
	__u8 room[64];
	int fd;

	report_request(&req, CVM_KIND_KEY, 1, room, sizeof(room));
	fd = report_open();
	EXPECT_EQ(-EINVAL, report_issue(fd, &req, 1, 0, NULL));
	EXPECT_EQ(-1, ioctl(fd, CVM_DERIVE, &self->one.call));
	EXPECT_EQ(ENOTTY, errno);
	close(fd);
	fd = batch_open();
	EXPECT_EQ(-EINVAL, report_issue(fd, &req, 1, 0, NULL));
	EXPECT_EQ(-1, ioctl(fd, CVM_DERIVE, &self->one.call));
	close(fd);
}

/* ---- which key it is ---- */

TEST_F(key, always_the_same)
{
	static const unsigned char zero[CVM_MAX_KEY];

	ASSERT_EQ(0, derive(self->fd, &self->one));
	ASSERT_EQ(0, derive(self->fd, &self->other));
	EXPECT_TRUE(derive_same(&self->one, &self->other));
	EXPECT_NE(0, memcmp(zero, self->one.bytes, 32));
	/* not a byte more */
	EXPECT_EQ(0, memcmp(zero, self->one.bytes + 32, sizeof(zero) - 32));
}

static void other_root(struct derive *d) { d->call.root = CVM_ROOT_VMRK; }
static void less_mixed(struct derive *d) { d->call.mix &= ~CVM_MIX_POLICY; }
static void with_svn(struct derive *d) { d->call.mix |= CVM_MIX_GUEST_SVN; }
static void with_tcb(struct derive *d) { d->call.mix |= CVM_MIX_TCB; }
static void other_tcb(struct derive *d)
{
	with_tcb(d);
	/* one in the highest component: microcode, never 0 in a committed TCB */
	d->call.tcb = 1ULL << 56;
}
static void other_vmpl(struct derive *d)
{
	d->call.flags = CVM_DERIVE_VMPL;
	d->call.vmpl = 3;
}
static void other_purpose(struct derive *d) { d->key.purpose = CVM_PURPOSE_MAC; }
static void a_label(struct derive *d) { d->label = "root"; }
static void other_label(struct derive *d) { d->label = "roo"; }
static void longer(struct derive *d) { d->key.length = 64; }
static void longest(struct derive *d) { d->key.length = 128; }
static void salted(struct derive *d)
{
	d->call.salt = (unsigned long)"salt";
	d->call.salt_len = 4;
}

static const struct {
	const char *name;
	void (*change)(struct derive *derive);
} changes[] = {
	{ "root", other_root }, { "mix", less_mixed }, { "svn", with_svn },
	{ "tcb", with_tcb }, { "other tcb", other_tcb }, { "vmpl", other_vmpl },
	{ "purpose", other_purpose }, { "label", a_label },
	{ "other label", other_label }, { "64 bytes", longer },
	{ "128 bytes", longest }, { "salt", salted },
};

/* each in its first 32 bytes, too: a longer key does not begin with a shorter one */
TEST_F(key, everything_counts)
{
	static struct derive all[ARRAY_SIZE(changes)];
	unsigned int i, j;

	ASSERT_EQ(0, derive(self->fd, &self->one));
	for (i = 0; i < ARRAY_SIZE(changes); i++) {
		derive_init(&all[i]);
		changes[i].change(&all[i]);
		ASSERT_EQ(0, derive(self->fd, &all[i])) {
			TH_LOG("%s", changes[i].name);
		}
		EXPECT_NE(0, memcmp(self->one.bytes, all[i].bytes, 32)) {
			TH_LOG("%s", changes[i].name);
		}
		for (j = 0; j < i; j++)
			EXPECT_NE(0, memcmp(all[j].bytes, all[i].bytes, 32)) {
				TH_LOG("%s, %s", changes[i].name, changes[j].name);
			}
	}
}

/* what the firmware refuses, it says, and the channel lives */
/* whatever firmware it is: of this chip, also when the host has loaded a VLEK */
static bool same_with_vlek(FIXTURE_DATA(key) *self, const char *version)
{
	bool same;

	if (!report_sim(version) || derive(self->fd, &self->one) ||
	    !report_sim("signing_key=vlek"))
		return false;
	derive_init(&self->other);
	same = derive(self->fd, &self->other) ||
	       derive_same(&self->one, &self->other);
	/* another one is in no case handed out */
	if (!same)
		printf("# %s: a key of the VLEK\n", version);
	return report_sim("signing_key=vcek") && same;
}

/* by which the driver gets to know of another firmware */
static bool one_report(void)
{
	struct cvm_evidence_req req;
	__u8 room[4096];
	int fd = report_open(), ret;

	report_request(&req, CVM_KIND_SNP_REPORT, 1, room, sizeof(room));
	ret = report_issue(fd, &req, 1, 0, NULL);
	close(fd);
	return !ret && !req.result;
}

TEST_F(key, vlek)
{
	if (!self->simulated)
		SKIP(return, "no simulated platform");
	EXPECT_TRUE(same_with_vlek(self, "report_version=5"));
	EXPECT_TRUE(same_with_vlek(self, "report_version=3"));
	/* cannot be told: not even once, when the driver has seen no VLEK yet */
	ASSERT_TRUE(report_sim("report_version=2"));
	ASSERT_TRUE(one_report());
	EXPECT_EQ(0, derive(self->fd, &self->one));
	ASSERT_TRUE(report_sim("signing_key=vlek"));
	EXPECT_EQ(-EBADMSG, derive(self->fd, &self->other));
	derive_init(&self->other);
	EXPECT_EQ(0, derive(self->fd, &self->other));
	EXPECT_TRUE(derive_same(&self->one, &self->other));
	report_sim("signing_key=vcek");
	report_sim("report_version=0");
}

TEST_F(key, mitigations)
{
	if (!self->simulated)
		SKIP(return, "no simulated platform");
	ASSERT_TRUE(report_sim("report_version=3"));
	ASSERT_EQ(0, derive(self->fd, &self->one));
	self->other.call.mix |= CVM_MIX_LAUNCH_MIT;
	EXPECT_EQ(-EOPNOTSUPP, derive(self->fd, &self->other));
	/* firmware is updated while the guest runs */
	ASSERT_TRUE(report_sim("report_version=5"));
	EXPECT_EQ(0, derive(self->fd, &self->other));
	EXPECT_FALSE(derive_same(&self->one, &self->other));
	/* a mitigation that was not there at launch */
	self->other.call.launch_mit_vector = 1ULL << 63;
	EXPECT_EQ(-EIO, derive(self->fd, &self->other));
	EXPECT_EQ(0x16, self->other.call.platform_status);
	report_sim("report_version=0");
}

TEST_F(key, refused)
{
	self->one.call.mix |= CVM_MIX_TCB;
	self->one.call.tcb = ~0ULL;
	EXPECT_EQ(-EIO, derive(self->fd, &self->one));
	EXPECT_EQ(0x16, self->one.call.platform_status);
	derive_init(&self->one);
	self->one.call.mix |= CVM_MIX_GUEST_SVN;
	self->one.call.guest_svn = ~0U;
	EXPECT_EQ(-EIO, derive(self->fd, &self->one));
	derive_init(&self->one);
	self->one.call.flags = CVM_DERIVE_VMPL;
	self->one.call.vmpl = 4;
	EXPECT_EQ(-EINVAL, derive(self->fd, &self->one));
	EXPECT_EQ(0, derive(self->fd, &self->other));
}

/* ---- time ---- */

static void on_alarm(int number)
{
}

TEST_F(key, deadline_and_signal)
{
	struct sigaction action = { .sa_handler = on_alarm };
	unsigned long long start;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	ASSERT_TRUE(report_sim("busy_ms=3000"));
	start = report_now_us();
	self->one.call.timeout_ms = 300;
	EXPECT_EQ(-ETIMEDOUT, derive(self->fd, &self->one));
	EXPECT_GT(2500 * 1000, report_now_us() - start);
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	EXPECT_EQ(-EINTR, derive(self->fd, &self->other));
	/* the message that was on its way is answered, and thrown away */
	derive_init(&self->one);
	EXPECT_EQ(0, derive(self->fd, &self->one));
}

/* 64 threads, keys and reports mixed: each gets its own */
static struct {
	int fd;
	unsigned char keys[8][32];
	_Atomic int wrong;
} mixed;

static void label_of(int number, char label[4])
{
	snprintf(label, 4, "%d", number);
}

static void *ask_for_one(void *arg)
{
	long number = (long)arg;
	struct cvm_evidence_req req;
	__u8 room[4096];
	struct derive mine;
	char label[4];
	int i, fd;

	for (i = 0; i < 20; i++) {
		if (number % 2) {
			derive_init(&mine);
			label_of(number % 8, label);
			mine.label = label;
			if (derive(mixed.fd, &mine) ||
			    memcmp(mine.bytes, mixed.keys[number % 8], 32))
				mixed.wrong++;
		} else {
			fd = report_open();
			report_request(&req, CVM_KIND_SNP_REPORT,
				       number * 1000 + i, room, sizeof(room));
			if (report_issue(fd, &req, 1, 0, NULL) || req.result ||
			    !report_matches(&req))
				mixed.wrong++;
			close(fd);
		}
	}
	return NULL;
}

TEST_F_TIMEOUT(key, mixed_with_reports, 120)
{
	pthread_t threads[64];
	struct derive mine;
	char label[4];
	long i;

	mixed.fd = self->fd;
	for (i = 0; i < 8; i++) {
		derive_init(&mine);
		label_of(i, label);
		mine.label = label;
		ASSERT_EQ(0, derive(self->fd, &mine));
		memcpy(mixed.keys[i], mine.bytes, 32);
	}
	for (i = 0; i < 64; i++)
		ASSERT_EQ(0, pthread_create(&threads[i], NULL, ask_for_one, (void *)i));
	for (i = 0; i < 64; i++)
		pthread_join(threads[i], NULL);
	EXPECT_EQ(0, mixed.wrong);
}

#define ASKS		20
/* what is on its way when it comes, a report of nobody's, and its own */
#define COMMANDS	3
#define LATE		10

/* a flood of batches delays it by what is on its way, not by what waits */
TEST_F_TIMEOUT(key, beside_a_flood, 120)
{
	const struct flood flood = { .batch = true, .files = 8, .uids = 1, .deep = 512 };
	static struct polite polite = { .count = ASKS };
	long long before;
	pid_t pid;
	int i;

	if (!self->simulated)
		SKIP(return, "no simulated platform");
	ASSERT_TRUE(flood_init());
	ASSERT_EQ(0, chmod(CROWD_NODE, 0666));
	pid = flood_start(&flood);
	ASSERT_LT(0, pid);
	for (i = 0; i < ASKS; i++) {
		usleep(POLITE_PERIOD_US);
		before = crowd_seam("requests");
		ASSERT_EQ(0, derive(self->fd, &self->one));
		polite.commands[i] = crowd_seam("requests") - before;
	}
	polite_sort(&polite);
	TH_LOG("commands %lld to %lld", polite.commands[0], polite.commands[ASKS - 1]);
	EXPECT_LT(0, flood_tally->answers[0]);
	EXPECT_GE(COMMANDS, polite.commands[ASKS - 1 - ASKS / LATE]);
	flood_kill(pid);
}

TEST_HARNESS_MAIN
