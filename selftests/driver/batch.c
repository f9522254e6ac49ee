// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"

#define ARRAY		8
#define PATIENCE_US	(30 * 1000000ULL)

int batch_open(void)
{
	return open(CROWD_NODE, O_RDWR | O_CLOEXEC);
}

void batch_ask(struct batch_ask *ask)
{
	memset(ask, 0xcc, sizeof(*ask));
	ask->cookie = crowd_cookie(CVM_KIND_BATCH);
	crowd_request(&ask->req, ask->cookie);
	ask->req.cookie = 0;
	ask->req.result = 1;
	ask->req.evidence = (unsigned long)ask->evidence;
	ask->req.evidence_len = sizeof(ask->evidence);
	ask->req.proof = (unsigned long)ask->proof;
	ask->req.proof_len = sizeof(ask->proof);
}

int batch_issue(int fd, struct batch_ask *asks, unsigned int count)
{
	struct cvm_evidence_req reqs[ARRAY];
	unsigned int i;
	int ret;

	if (count > ARRAY)
		return -E2BIG;
	for (i = 0; i < count; i++)
		reqs[i] = asks[i].req;
	ret = report_issue(fd, reqs, count, 0, NULL);
	for (i = 0; i < count; i++)
		asks[i].req = reqs[i];
	return ret;
}

bool batch_answered(const struct batch_ask *ask)
{
	const struct crowd_answer answer = {
		.cookie = ask->cookie,
		.evidence = ask->evidence,
		.evidence_len = ask->req.evidence_len,
		.proof = ask->proof,
		.proof_len = ask->req.proof_len,
	};

	return !ask->req.result && crowd_verifies(&answer) &&
	       crowd_clean(ask->evidence, ask->req.evidence_len) &&
	       crowd_clean(ask->proof, ask->req.proof_len);
}

int batch_scope(int fd, __u8 scope[CVM_SCOPE_SIZE])
{
	__u8 r64[CVM_REPORT_DATA_SIZE];
	struct batch_ask ask;
	int ret;

	batch_ask(&ask);
	ret = batch_issue(fd, &ask, 1);
	if (ret || ask.req.result)
		return ret ? ret : ask.req.result;
	if (!batch_answered(&ask) ||
	    cvm_merkle_expected(ask.req.user_data, ask.proof,
				ask.req.proof_len, r64, NULL, scope))
		return -EBADMSG;
	return scope[0];
}

int batch_info_scope(int fd)
{
	struct cvm_info info;
	int ret = report_info(fd, &info);

	return ret ? ret : (int)info.scope;
}

int batch_submit(int fd, __u64 cookie, __u32 flags, __u32 timeout_ms)
{
	struct cvm_evidence_req req;
	__u32 accepted;
	int ret;

	crowd_request(&req, cookie);
	req.flags = flags;
	ret = crowd_submit(fd, &req, 1, timeout_ms, &accepted);
	return ret ? ret : req.result;
}

bool batch_reader(struct batch_reader *reader, int fd)
{
	struct cvm_info info;

	memset(reader, 0, sizeof(*reader));
	reader->fd = fd;
	if (report_info(fd, &info))
		return false;
	reader->size = 2 * (size_t)info.max_record;
	reader->room = malloc(reader->size);
	return reader->room;
}

void batch_reader_end(struct batch_reader *reader)
{
	free(reader->room);
}

const struct cvm_record *batch_next(struct batch_reader *reader)
{
	const struct cvm_record *record;
	ssize_t len;

	if (reader->at == reader->len) {
		len = read(reader->fd, reader->room, reader->size);
		if (len <= 0)
			return NULL;
		reader->len = len;
		reader->at = 0;
	}
	if (!crowd_record(reader->room + reader->at, reader->len - reader->at,
			  &record))
		return NULL;
	reader->at += record->size;
	return record;
}

static bool await(long long (*number)(const char *name), const char *name,
		  long long value)
{
	unsigned long long end = report_now_us() + PATIENCE_US;

	while (number(name) < value) {
		if (report_now_us() > end)
			return false;
		usleep(1000);
	}
	return true;
}

bool batch_await(const char *name, long long value)
{
	return await(report_stat, name, value);
}

bool batch_await_late(long long buffers)
{
	return await(report_channel, "late_buffers", buffers);
}
