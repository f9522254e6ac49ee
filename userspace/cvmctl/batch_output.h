/* SPDX-License-Identifier: MIT */
/* What cvmctl batch writes. */
#ifndef CVMCTL_BATCH_OUTPUT_H
#define CVMCTL_BATCH_OUTPUT_H

#include "cvmctl.h"

/* those who share evidence, in the order of the input */
struct nonces {
	struct cvm_batch_request *request;
	size_t count;
};

/* 0 or an exit status; what went wrong has been said */

/* A line of JSON for each, on the standard output. */
int write_jsonl(const struct nonces *nonces);

/* @path is a new directory, or an empty one: no other run's files are in it. */
int make_directory(const char *path);

/*
 * NNNN.proof for each, report-N.bin or quote-N.bin for each distinct piece of
 * evidence, certs-N.bin where there are certificates; index.jsonl says which
 * belong together.
 */
int write_directory(const char *path, const struct nonces *nonces);

#endif /* CVMCTL_BATCH_OUTPUT_H */
