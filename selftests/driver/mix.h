/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A client that does everything that files of the driver can do, in any order,
 * and knows what must come of it.
 */
#ifndef MIX_H
#define MIX_H

#include <stdatomic.h>
#include <stdbool.h>

#include "crowd.h"

#define MIX_EVIDENCE	(16 * 1024)
#define MIX_PROOF	1024

enum { OWN_REPORT, OWN_BATCH, SHARED_REPORT, SHARED_BATCH, FILES };

/**
 * struct mix - what all clients have in common
 * @info: of the report node, @max_record of both
 * @nkinds: of the report node
 * @seed: of the run
 * @kinds: likewise
 * @end: when they stop, in microseconds
 * @shared: files of all: report, batch
 */
extern struct mix {
	struct cvm_info info;
	unsigned int nkinds, seed;
	__u32 kinds[4];
	unsigned long long end;
	int shared[2];
} mix;

/* what became of the requests of all processes */
extern struct mix_tally {
	atomic_ullong right, wrong, late, records, killed, refused;
} *tally;

/**
 * struct mix_client - one of the clients
 * @seed: of its own
 * @fd: files; the first two are its own
 * @open: accepted requests of its own files without a record
 * @room: for evidence, and for records
 * @nobody: it has no privileges
 */
struct mix_client {
	unsigned int seed;
	int fd[FILES];
	long open[2];
	unsigned char *room;
	bool nobody;
};

/* @nobody: gives up the thread's privileges first */
bool mix_start(struct mix_client *client, unsigned int seed, bool nobody);
/* until the end */
void mix_live(struct mix_client *client);
/* waits for a record of every request that was accepted */
void mix_finish(struct mix_client *client);

/*
 * judges a request of an array; @faulty: its buffer was no good; @nobody: whoever
 * asked had no privileges
 */
void mix_judge(const struct cvm_evidence_req *req, __u64 cookie, bool faulty, bool nobody);
void mix_wrong(const char *what, long long value);

#endif /* MIX_H */
