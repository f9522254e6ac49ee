/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the tests of the batch node and of submitted requests share.
 */
#ifndef BATCH_H
#define BATCH_H

#include <stdbool.h>
#include <linux/cvm_guest.h>

#include "crowd.h"
#include "merkle.h"

#define BATCH_EVIDENCE	16384

/**
 * struct batch_ask - a request of an array, with all that belongs to it
 * @req: as the driver sees it, for a moment
 * @cookie: what it is about; the driver does not get it
 * @evidence: of the request
 * @proof: of the request
 */
struct batch_ask {
	struct cvm_evidence_req req;
	__u64 cookie;
	__u8 evidence[BATCH_EVIDENCE];
	__u8 proof[CVM_PROOF_MAX];
};

/* the batch node, which a read of it waits on; -1 with errno */
int batch_open(void);

/* another request, about a cookie of its own */
void batch_ask(struct batch_ask *ask);
/* CVM_ISSUE of @count asks, at most 8; 0 or a negative errno */
int batch_issue(int fd, struct batch_ask *asks, unsigned int count);
/* is its answer about @ask->cookie? */
bool batch_answered(const struct batch_ask *ask);
/* asks once and verifies: enum cvm_scope, or a negative errno */
int batch_scope(int fd, __u8 scope[CVM_SCOPE_SIZE]);
/* what CVM_INFO says the scope would be; a negative errno */
int batch_info_scope(int fd);

/* CVM_SUBMIT of one request with @cookie; 0 or a negative errno */
int batch_submit(int fd, __u64 cookie, __u32 flags, __u32 timeout_ms);

/**
 * struct batch_reader - reads records, one after the other
 * @fd: from there
 * @room: for what one read() gives
 * @size: bytes
 * @len: bytes that the last one gave
 * @at: of these, read by the caller
 */
struct batch_reader {
	int fd;
	__u8 *room;
	size_t size;
	size_t len;
	size_t at;
};

bool batch_reader(struct batch_reader *reader, int fd);
void batch_reader_end(struct batch_reader *reader);
/* valid until the next one is read; NULL: no well-formed one, or see errno */
const struct cvm_record *batch_next(struct batch_reader *reader);

/* waits until that number in sysfs is @value or more; false: it is not */
bool batch_await(const char *name, long long value);
/* TDX: until the host is late with that many buffers */
bool batch_await_late(long long buffers);

#endif /* BATCH_H */
