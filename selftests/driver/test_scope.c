// SPDX-License-Identifier: GPL-2.0
/*
 * For whom a batch proof speaks. Every way from a file to a proof that changes
 * who opened it or who uses it: the proof must say no more than both may.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "batch.h"

#define NOBODY		65534
#define GROUP		777	/* stands for the group cvm */
#define RACES		50
#define FAILED		200	/* exit status */

static const char label[] = "workload";

FIXTURE(scope) {
	int fd;
	__u8 bytes[CVM_SCOPE_SIZE];
};

FIXTURE_SETUP(scope)
{
	struct cvm_info info;

	self->fd = batch_open();
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " CROWD_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &info));
	report_sim_ms(&info, "4.7");
	/* what the udev rule does */
	ASSERT_EQ(0, chown(CROWD_NODE, 0, GROUP));
}

FIXTURE_TEARDOWN(scope)
{
	ASSERT_EQ(0, chown(CROWD_NODE, 0, 0));
	close(self->fd);
}

static int set_label(int fd, const void *bytes, __u32 len)
{
	struct cvm_set_scope scope = { .size = sizeof(scope), .label_len = len };

	memcpy(scope.label, bytes, len < CVM_MAX_LABEL ? len : CVM_MAX_LABEL);
	return ioctl(fd, CVM_SET_SCOPE, &scope) ? -errno : 0;
}

/* the scope that is announced, if it is the one that is then given */
static int scope_of(int fd)
{
	__u8 bytes[CVM_SCOPE_SIZE];
	int scope = batch_info_scope(fd);

	return batch_scope(fd, bytes) == scope ? scope : FAILED;
}

static bool become_nobody(void)
{
	gid_t group = GROUP;

	return !setgroups(1, &group) && !setgid(NOBODY) && !setuid(NOBODY) &&
	       !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

static bool drop_capabilities(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = {};

	return !syscall(SYS_capset, &head, none);
}

/* what @act returns in a child of its own, at least 0; -1: it died */
static int in_child(int (*act)(int), int fd)
{
	int status;
	pid_t pid = fork();

	if (!pid)
		_exit(act(fd));
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

TEST_F(scope, root)
{
	EXPECT_EQ(CVM_SCOPE_PRIVILEGED, scope_of(self->fd));
	ASSERT_EQ(CVM_SCOPE_PRIVILEGED, batch_scope(self->fd, self->bytes));
}

static int group_alone(int fd)
{
	int own;

	if (!become_nobody())
		return FAILED;
	own = open(REPORT_NODE, O_RDWR);
	if (own >= 0 || errno != EACCES)
		return FAILED + 1;
	own = batch_open();
	if (own < 0)
		return FAILED + 2;
	return scope_of(own);
}

TEST_F(scope, group_alone)
{
	EXPECT_EQ(CVM_SCOPE_UNPRIVILEGED, in_child(group_alone, -1));
}

static int no_group(int fd)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		return FAILED;
	return batch_open() < 0 ? errno : FAILED;
}

TEST_F(scope, no_group)
{
	EXPECT_EQ(EACCES, in_child(no_group, -1));
}

/* root opened it, somebody else uses it: after fork and setuid ... */
static int inherited(int fd)
{
	return become_nobody() ? scope_of(fd) : FAILED;
}

TEST_F(scope, inherited)
{
	EXPECT_EQ(CVM_SCOPE_UNPRIVILEGED, in_child(inherited, self->fd));
	/* which is evaluated anew each time */
	EXPECT_EQ(CVM_SCOPE_PRIVILEGED, scope_of(self->fd));
}

/* ... or root itself, without capabilities */
static int powerless_root(int fd)
{
	return drop_capabilities() && !getuid() ? scope_of(fd) : FAILED;
}

TEST_F(scope, powerless_root)
{
	EXPECT_EQ(CVM_SCOPE_UNPRIVILEGED, in_child(powerless_root, self->fd));
}

/* somebody else opened it, root uses it: setuid programs */
static int regained(int fd)
{
	gid_t group = GROUP;
	int own;

	if (setgroups(1, &group) || seteuid(NOBODY))
		return FAILED;
	own = batch_open();
	if (own < 0 || seteuid(0))
		return FAILED + 1;
	/* now all-powerful again, as a file of its own shows */
	if (scope_of(batch_open()) != CVM_SCOPE_PRIVILEGED)
		return FAILED + 2;
	return scope_of(own);
}

TEST_F(scope, regained)
{
	EXPECT_EQ(CVM_SCOPE_UNPRIVILEGED, in_child(regained, -1));
}

/* root of a user namespace is nobody here */
static int namespace_root(int fd)
{
	char map[32];
	int proc, own;

	if (unshare(CLONE_NEWUSER))
		return errno == ENOSYS || errno == EINVAL ?
			CVM_SCOPE_UNPRIVILEGED : FAILED;
	proc = open("/proc/self/uid_map", O_WRONLY);
	snprintf(map, sizeof(map), "0 0 1");
	if (proc < 0 || write(proc, map, strlen(map)) < 0 || getuid())
		return FAILED + 1;
	own = batch_open();
	if (own < 0 || scope_of(own) != CVM_SCOPE_UNPRIVILEGED)
		return FAILED + 2;
	return scope_of(fd);
}

TEST_F(scope, namespace_root)
{
	EXPECT_EQ(CVM_SCOPE_UNPRIVILEGED, in_child(namespace_root, self->fd));
}

/* ---- files that are handed over ---- */

static bool send_file(int via, int fd)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	char byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	return sendmsg(via, &msg, 0) == 1;
}

static int receive_file(int via)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control = {};
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = &control, .msg_controllen = sizeof(control),
	};
	int fd = -1;

	if (recvmsg(via, &msg, 0) == 1 && CMSG_FIRSTHDR(&msg))
		memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	return fd;
}

static int open_and_send(int via)
{
	int own;

	if (!become_nobody())
		return FAILED;
	own = batch_open();
	return own >= 0 && send_file(via, own) ? 0 : FAILED;
}

TEST_F(scope, sent_to_root)
{
	int pair[2], fd;

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, in_child(open_and_send, pair[1]));
	fd = receive_file(pair[0]);
	ASSERT_LE(0, fd);
	EXPECT_EQ(CVM_SCOPE_UNPRIVILEGED, scope_of(fd));
	/* nor can it be given a label */
	EXPECT_EQ(-EPERM, set_label(fd, label, strlen(label)));
	close(fd);
}

static int receive_and_use(int via)
{
	int fd;

	if (!become_nobody())
		return FAILED;
	fd = receive_file(via);
	return fd >= 0 ? scope_of(fd) : FAILED;
}

TEST_F(scope, sent_by_root)
{
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_TRUE(send_file(pair[0], self->fd));
	EXPECT_EQ(CVM_SCOPE_UNPRIVILEGED, in_child(receive_and_use, pair[1]));
}

/* ---- labels ---- */

static int use_label(int fd)
{
	__u8 want[CVM_SCOPE_SIZE], got[CVM_SCOPE_SIZE];

	if (!become_nobody() || cvm_scope_label(want, label, strlen(label)))
		return FAILED;
	if (set_label(fd, "another", 7) != -EPERM)
		return FAILED + 1;
	if (batch_info_scope(fd) != CVM_SCOPE_LABEL)
		return FAILED + 2;
	if (batch_scope(fd, got) != CVM_SCOPE_LABEL)
		return FAILED + 3;
	return memcmp(want, got, sizeof(want)) ? FAILED + 4 : 0;
}

TEST_F(scope, label)
{
	ASSERT_EQ(0, set_label(self->fd, label, strlen(label)));
	EXPECT_EQ(-EBUSY, set_label(self->fd, label, strlen(label)));
	EXPECT_EQ(0, in_child(use_label, self->fd));
	/* root has it by this file, too */
	EXPECT_EQ(CVM_SCOPE_LABEL, scope_of(self->fd));
	EXPECT_EQ(-EBUSY, set_label(self->fd, "another", 7));
}

static int receive_and_use_label(int via)
{
	return use_label(receive_file(via));
}

TEST_F(scope, label_sent)
{
	int pair[2];

	ASSERT_EQ(0, socketpair(AF_UNIX, SOCK_STREAM, 0, pair));
	ASSERT_EQ(0, set_label(self->fd, label, strlen(label)));
	ASSERT_TRUE(send_file(pair[0], self->fd));
	EXPECT_EQ(0, in_child(receive_and_use_label, pair[1]));
}

static int label_own(int fd)
{
	int own;

	if (!become_nobody())
		return FAILED;
	own = batch_open();
	if (set_label(own, label, strlen(label)) != -EPERM)
		return FAILED + 1;
	/* root's file without a label gets none either */
	if (set_label(fd, label, strlen(label)) != -EPERM)
		return FAILED + 2;
	return scope_of(own);
}

TEST_F(scope, nobody_labels)
{
	EXPECT_EQ(CVM_SCOPE_UNPRIVILEGED, in_child(label_own, self->fd));
	EXPECT_EQ(0, set_label(self->fd, label, strlen(label)));
}

TEST_F(scope, label_too_late)
{
	ASSERT_EQ(CVM_SCOPE_PRIVILEGED, scope_of(self->fd));
	EXPECT_EQ(-EBUSY, set_label(self->fd, label, strlen(label)));
	EXPECT_EQ(CVM_SCOPE_PRIVILEGED, scope_of(self->fd));
}

TEST_F(scope, malformed_labels)
{
	struct cvm_set_scope scope = { .size = sizeof(scope), .label_len = 4 };
	unsigned char all[CVM_MAX_LABEL];
	int report = report_open();

	EXPECT_EQ(-EINVAL, set_label(self->fd, label, 0));
	EXPECT_EQ(-EINVAL, set_label(self->fd, label, CVM_MAX_LABEL + 1));
	memset(scope.label, 'x', 5);
	EXPECT_EQ(-1, ioctl(self->fd, CVM_SET_SCOPE, &scope));
	EXPECT_EQ(EINVAL, errno);
	scope.size = sizeof(scope) - 1;
	EXPECT_EQ(-1, ioctl(self->fd, CVM_SET_SCOPE, &scope));
	EXPECT_EQ(EINVAL, errno);
	EXPECT_EQ(-1, ioctl(self->fd, CVM_SET_SCOPE, NULL));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_EQ(-ENOTTY, set_label(report, label, strlen(label)));
	close(report);
	/* any bytes are a label, and nothing of this was one */
	memset(all, 0, sizeof(all));
	EXPECT_EQ(0, set_label(self->fd, all, sizeof(all)));
}

/* an array that was refused was no request */
TEST_F(scope, label_after_refusal)
{
	static struct batch_ask ask;

	batch_ask(&ask);
	ask.req.key_sel = CVM_KEY_VLEK;
	ASSERT_EQ(-EINVAL, batch_issue(self->fd, &ask, 1));
	EXPECT_EQ(0, set_label(self->fd, label, strlen(label)));
}

struct racer {
	int fd;
	int scope;
};

static void *race(void *arg)
{
	struct racer *racer = arg;
	__u8 bytes[CVM_SCOPE_SIZE];

	racer->scope = batch_scope(racer->fd, bytes);
	return NULL;
}

/* the label is that of all requests, or there is none */
TEST_F_TIMEOUT(scope, label_races_request, 120)
{
	struct racer racer;
	pthread_t thread;
	int i, ret;

	for (i = 0; i < RACES; i++) {
		racer = (struct racer){ batch_open(), FAILED };
		ASSERT_LE(0, racer.fd);
		ASSERT_EQ(0, pthread_create(&thread, NULL, race, &racer));
		ret = set_label(racer.fd, label, strlen(label));
		pthread_join(thread, NULL);
		EXPECT_TRUE(ret == 0 || ret == -EBUSY);
		EXPECT_EQ(ret ? CVM_SCOPE_PRIVILEGED : CVM_SCOPE_LABEL,
			  racer.scope);
		close(racer.fd);
	}
}

/* ---- records ---- */

static int read_as_nobody(int fd)
{
	struct batch_reader reader;

	if (!become_nobody() || !batch_reader(&reader, fd))
		return FAILED;
	return batch_next(&reader) ? FAILED + 1 : errno;
}

/* root's proof stays root's, whoever has the file by now */
TEST_F(scope, privileged_record)
{
	const struct cvm_record *record;
	struct batch_reader reader;

	ASSERT_EQ(0, crowd_ask(self->fd, crowd_cookie(CVM_KIND_BATCH), 0));
	EXPECT_EQ(EPERM, in_child(read_as_nobody, self->fd));
	ASSERT_TRUE(batch_reader(&reader, self->fd));
	record = batch_next(&reader);
	ASSERT_NE(NULL, record);
	EXPECT_EQ(0, record->result);
	EXPECT_TRUE(crowd_record_verifies(record));
	batch_reader_end(&reader);
}

static int submit_as_nobody(int fd)
{
	if (!become_nobody())
		return FAILED;
	return crowd_ask(fd, crowd_cookie(CVM_KIND_BATCH), 0) ? FAILED : 0;
}

/* the scope is the submitter's, not that of whoever reads */
TEST_F(scope, submitted)
{
	const struct cvm_record *record;
	__u8 data[CVM_USER_DATA_SIZE], r64[CVM_USER_DATA_SIZE];
	struct batch_reader reader;

	ASSERT_EQ(0, in_child(submit_as_nobody, self->fd));
	ASSERT_TRUE(batch_reader(&reader, self->fd));
	record = batch_next(&reader);
	ASSERT_NE(NULL, record);
	ASSERT_EQ(0, record->result);
	crowd_data(record->cookie, data);
	ASSERT_EQ(0, cvm_merkle_expected(data, (const __u8 *)record +
					 record->data_offset +
					 record->evidence_len,
					 record->proof_len, r64, NULL,
					 self->bytes));
	EXPECT_EQ(CVM_SCOPE_UNPRIVILEGED, self->bytes[0]);
	batch_reader_end(&reader);
}

TEST_HARNESS_MAIN
