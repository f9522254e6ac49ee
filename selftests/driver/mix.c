// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "mix.h"

#define ARRAY		8
#define NOBODY		65534

static bool is_batch(int file)
{
	return file == OWN_BATCH || file == SHARED_BATCH;
}

static unsigned int any(struct mix_client *client, unsigned int n)
{
	return rand_r(&client->seed) % n;
}

void mix_wrong(const char *what, long long value)
{
	if (atomic_fetch_add(&tally->wrong, 1) < 5)
		fprintf(stderr, "# wrong: %s (%lld), seed %u\n", what, value,
			mix.seed);
}

static __u64 new_cookie(struct mix_client *client, int file)
{
	return crowd_cookie(is_batch(file) ? CVM_KIND_BATCH :
					     mix.kinds[any(client, mix.nkinds)]);
}

static __u32 some_time(struct mix_client *client)
{
	static const __u32 ms[] = { 1, 10, 100, 2000, 2000, 2000 };

	return ms[any(client, sizeof(ms) / sizeof(ms[0]))];
}

/* what a request may come to, besides its evidence */
static bool is_excused(int result)
{
	return result == -ETIMEDOUT || result == -EBUSY || result == -EINTR;
}

void mix_judge(const struct cvm_evidence_req *req, __u64 cookie, bool faulty, bool nobody)
{
	const struct crowd_answer answer = {
		.cookie = cookie,
		.evidence = (void *)(unsigned long)req->evidence,
		.evidence_len = req->evidence_len,
		.proof = (void *)(unsigned long)req->proof,
		.proof_len = req->proof_len,
	};

	if (!req->result && !faulty && crowd_verifies(&answer) &&
	    (!nobody || crowd_scope(&answer) <= CVM_SCOPE_UNPRIVILEGED))
		atomic_fetch_add(&tally->right, 1);
	else if (is_excused(req->result))
		atomic_fetch_add(&tally->late, 1);
	else if (!faulty || (req->result != -EFAULT && req->result != -ENOBUFS))
		mix_wrong("result of an array", req->result);
}

static void do_issue(struct mix_client *client)
{
	struct cvm_evidence_req reqs[ARRAY];
	unsigned int i, n = 1 + any(client, ARRAY), bad = any(client, 4 * ARRAY);
	int file = any(client, FILES), ret;
	__u64 cookies[ARRAY];

	for (i = 0; i < n; i++) {
		cookies[i] = new_cookie(client, file);
		crowd_request(&reqs[i], cookies[i]);
		reqs[i].cookie = 0;
		reqs[i].evidence = (unsigned long)client->room + i * MIX_EVIDENCE;
		reqs[i].evidence_len = MIX_EVIDENCE;
		if (is_batch(file)) {
			reqs[i].proof = (unsigned long)client->room +
					ARRAY * MIX_EVIDENCE + i * MIX_PROOF;
			reqs[i].proof_len = MIX_PROOF;
		}
		if (i == bad && any(client, 2))
			reqs[i].evidence = 8;
		else if (i == bad)
			reqs[i].evidence_len = 7;
	}
	ret = report_issue(client->fd[file], reqs, n, some_time(client), NULL);
	if (ret && ret != -EINTR && ret != -EBUSY)
		mix_wrong("array", ret);
	for (i = 0; (!ret || ret == -EINTR) && i < n; i++)
		mix_judge(&reqs[i], cookies[i], i == bad, client->nobody);
}

static void do_submit(struct mix_client *client)
{
	int file = any(client, FILES), ret;
	struct cvm_evidence_req reqs[2 * ARRAY];
	unsigned int i, n = 1 + any(client, 2 * ARRAY);
	__u32 accepted;

	for (i = 0; i < n; i++)
		crowd_request(&reqs[i], new_cookie(client, file));
	ret = crowd_submit(client->fd[file], reqs, n, some_time(client),
			   &accepted);
	if (ret && ret != -EBUSY && ret != -EINTR)
		mix_wrong("submission", ret);
	if (file < 2)
		client->open[file] += accepted;
	for (i = 0; !ret && i < n; i++)
		if (reqs[i].result && reqs[i].result != -EBUSY)
			mix_wrong("submitted request", reqs[i].result);
}

static void judge_record(const struct cvm_record *record)
{
	atomic_fetch_add(&tally->records, 1);
	if (!record->result && crowd_record_verifies(record))
		atomic_fetch_add(&tally->right, 1);
	else if (is_excused(record->result) || record->result == -ECANCELED)
		atomic_fetch_add(&tally->late, 1);
	else
		mix_wrong("record", record->result);
}

/* reads once; how many records came */
static long read_some(struct mix_client *client, int file, size_t size)
{
	ssize_t at = 0, len = read(client->fd[file], client->room, size);
	const struct cvm_record *record;
	long n = 0;

	/* root's proof is at the head of a file that all share */
	if (len < 0 && errno == EPERM && client->nobody && file >= 2)
		return 0;
	if (len < 0 && errno != EAGAIN && errno != EINTR && errno != ENOBUFS)
		mix_wrong("read", -errno);
	for (; at < len; at += record->size, n++) {
		if (!crowd_record(client->room + at, len - at, &record) || !record) {
			mix_wrong("form of a record at", at);
			break;
		}
		judge_record(record);
	}
	if (file < 2)
		client->open[file] -= n;
	return n;
}

static size_t room(void)
{
	size_t records = 2 * (size_t)mix.info.max_record;

	return records > ARRAY * (MIX_EVIDENCE + MIX_PROOF) ? records :
						      ARRAY * (MIX_EVIDENCE + MIX_PROOF);
}

static void do_read(struct mix_client *client)
{
	size_t size = any(client, 8) ? room() : any(client, 4096);

	read_some(client, any(client, FILES), size);
}

static void do_poll(struct mix_client *client)
{
	struct pollfd polled[FILES];
	int i, ret;

	for (i = 0; i < FILES; i++)
		polled[i] = (struct pollfd){ client->fd[i], POLLIN, 0 };
	ret = poll(polled, FILES, any(client, 30));
	for (i = 0; ret > 0 && i < FILES; i++)
		if (polled[i].revents & POLLIN)
			read_some(client, i, room());
}

static void do_cancel(struct mix_client *client)
{
	int file = any(client, 2);
	struct cvm_cancel cancel = { .size = sizeof(cancel) };

	cancel.cookie = new_cookie(client, file);
	if (crowd_ask(client->fd[file], cancel.cookie, 1000))
		return;
	client->open[file]++;
	if (any(client, 2))
		sched_yield();
	if (ioctl(client->fd[file], CVM_CANCEL, &cancel))
		mix_wrong("cancel", -errno);
	else if (cancel.cancelled > 1)
		mix_wrong("cancelled", cancel.cancelled);
}

static void do_label(struct mix_client *client)
{
	struct cvm_set_scope scope = {
		.size = sizeof(scope), .label_len = 8, .label = "workload",
	};

	int ret = ioctl(client->fd[OWN_BATCH], CVM_SET_SCOPE, &scope) ? -errno : 0;

	if (client->nobody ? ret != -EPERM : ret && ret != -EBUSY)
		mix_wrong("label", ret);
}

static void do_reopen(struct mix_client *client)
{
	int file = any(client, 2), fd = crowd_open(is_batch(file));

	if (fd < 0) {
		mix_wrong("open", -errno);
		return;
	}
	close(client->fd[file]);
	client->fd[file] = fd;
	client->open[file] = 0;
	if (file == OWN_BATCH && any(client, 2))
		do_label(client);
}

/* nothing of this may be taken, or change anything */
static void do_wrong(struct mix_client *client)
{
	struct cvm_issue issue = { sizeof(issue), sizeof(struct cvm_evidence_req),
				   1, 0, 1000, 0, 8 };
	int fd = client->fd[any(client, FILES)];
	struct cvm_evidence_req req;
	int ret = -1;

	switch (any(client, 9)) {
	case 0: ret = ioctl(fd, _IO(CVM_IOC_MAGIC, 5 + any(client, 251)), &issue); break;
	case 1: ret = ioctl(fd, CVM_ISSUE, NULL); break;
	case 2: issue.size = any(client, 32); ret = ioctl(fd, CVM_SUBMIT, &issue); break;
	case 3: issue.count = 0; ret = ioctl(fd, CVM_ISSUE, &issue); break;
	case 4: issue.count = ~0U; ret = ioctl(fd, CVM_SUBMIT, &issue); break;
	case 5: ret = ioctl(fd, CVM_SUBMIT, &issue); break;
	case 6: issue.flags = 1U << any(client, 32); ret = ioctl(fd, CVM_ISSUE, &issue); break;
	case 7:
		crowd_request(&req, crowd_cookie(99));
		issue.requests = (unsigned long)&req;
		ret = ioctl(fd, CVM_SUBMIT, &issue);
		break;
	case 8: ret = ioctl(client->fd[OWN_REPORT], CVM_SET_SCOPE, &issue); break;
	}
	if (ret >= 0)
		mix_wrong("taken, although it is nonsense", ret);
	atomic_fetch_add(&tally->refused, 1);
}

static void do_statistics(struct mix_client *client)
{
	static const char * const names[] = {
		"requests", "completed", "failed", "refused", "timeouts",
		"issued", "throttled", "latency_us",
	};
	struct cvm_info info;

	if (report_stat(names[any(client, sizeof(names) / sizeof(names[0]))]) < 0)
		mix_wrong("statistics", 0);
	if (report_info(client->fd[any(client, FILES)], &info))
		mix_wrong("info", -errno);
}

static void (* const actions[])(struct mix_client *) = {
	do_issue, do_submit, do_submit, do_read, do_poll, do_poll, do_cancel,
	do_reopen, do_wrong, do_statistics,
};

/* of this thread alone, which the C library would not do */
static bool become_nobody(void)
{
	return !syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) &&
	       !syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY);
}

bool mix_start(struct mix_client *client, unsigned int seed, bool nobody)
{
	*client = (struct mix_client){ .seed = seed, .nobody = nobody };
	if (nobody && !become_nobody()) {
		mix_wrong("giving up privileges", -errno);
		return false;
	}
	client->fd[OWN_REPORT] = crowd_open(false);
	client->fd[OWN_BATCH] = crowd_open(true);
	client->fd[SHARED_REPORT] = mix.shared[0];
	client->fd[SHARED_BATCH] = mix.shared[1];
	client->room = malloc(room());
	if (client->room && client->fd[0] >= 0 && client->fd[1] >= 0)
		return true;
	mix_wrong("start of a client", -errno);
	return false;
}

/* every request that was accepted has a record; then nothing is left */
void mix_finish(struct mix_client *client)
{
	int file;

	for (file = 0; file < 2; file++) {
		struct pollfd polled = { client->fd[file], POLLIN, 0 };

		while (client->open[file] > 0 && (poll(&polled, 1, 20000) > 0 ||
						  errno == EINTR))
			read_some(client, file, room());
		if (client->open[file]) {
			mix_wrong("accepted requests without a record", client->open[file]);
		}
		close(client->fd[file]);
	}
	free(client->room);
}

void mix_live(struct mix_client *client)
{
	while (report_now_us() < mix.end)
		actions[any(client, sizeof(actions) / sizeof(actions[0]))](client);
}

