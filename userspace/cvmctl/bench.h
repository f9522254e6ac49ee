/* SPDX-License-Identifier: MIT */
/* The clients of cvmctl bench: who asks, and what each of them saw. */
#ifndef CVMCTL_BENCH_H
#define CVMCTL_BENCH_H

#include "cvmctl.h"

/**
 * struct sample - one answer
 * @ms: how long it took
 * @evidence: a hash of the report or quote, to tell how many shared it
 */
struct sample {
	double ms;
	uint64_t evidence;
};

/**
 * struct client - one of those who ask
 * @sample: @count answers
 * @count: answers, each checked to be about its own nonce
 * @room: of @sample
 * @errors: requests that failed
 * @rc: of the first that failed
 * @error: likewise
 */
struct client {
	struct sample *sample;
	size_t count, room;
	uint64_t errors;
	int rc;
	struct cvm_error error;
};

/**
 * struct bench - what all clients share
 * @backend: as the user gave it
 * @batch: else direct, or
 * @key: derived keys, not evidence
 * @pipeline: one thread and one open file, with submitted requests
 * @tee: enum cvm_tee
 * @type: enum cvm_evidence_type of direct evidence
 * @seconds: how long to go on
 * @took: out: seconds until the last had its answer
 * @clients: how many
 * @client: of each
 */
struct bench {
	const char *backend;
	bool batch, key, pipeline;
	uint32_t tee;
	uint32_t type;
	uint32_t seconds;
	double took;
	size_t clients;
	struct client *client;
};

/* what a client of @key has: a door to derived keys; bench_keys.c */
struct bench_door;

/* 0 or an exit status; for bench_close_door(), which takes NULL */
int bench_open_door(const struct bench *bench, struct bench_door **door);
void bench_close_door(struct bench_door *door);

/* One derived key, of the label @nonce, which is wiped at once; 0 or a negative errno. */
int bench_derive(struct bench_door *door, const uint8_t *nonce, size_t len,
		 struct cvm_error *error);

/* 0 or an exit status; what went wrong has been said */
int bench_threads(struct bench *bench);
int bench_pipeline(struct bench *bench);

/* What both need: a context of a client's own, the time, a nonce, a result. */

#define NONCE_LEN	64

int bench_open(const struct bench *bench, struct cvm_ctx **ctx);
double bench_now_ms(void);

/* Random once, then counted: no client waits for random numbers. */
int bench_first_nonce(uint8_t nonce[NONCE_LEN]);
void bench_next_nonce(uint8_t nonce[NONCE_LEN]);

/* @rc, @evidence, @error: of the library; @evidence is freed. */
void bench_record(struct client *client, double ms, int rc, struct cvm_evidence *evidence,
		  const struct cvm_error *error);

/* It got nothing but errors: a source that refuses at once is not to be flooded. */
bool bench_hopeless(const struct client *client);

#endif /* CVMCTL_BENCH_H */
