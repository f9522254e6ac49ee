/* SPDX-License-Identifier: MIT */
/*
 * What the steps of cvmctl selftest share. A step asks the machine for one thing,
 * checks what came, and says so; selftest_*.c has them, the table is in
 * cmd_selftest.c.
 */
#ifndef CVMCTL_SELFTEST_H
#define CVMCTL_SELFTEST_H

#include "evidence.h"

/* as many as are asked for at a time, at most, where a step asks for many */
#define MANY		8
#define REASON_SIZE	640

enum outcome { PASSED, FAILED, SKIPPED };

/**
 * struct selftest - the machine under test
 * @ctx: where evidence comes from
 * @backend: what the user named as that, or NULL
 * @status: of it
 * @trust_root: path or NULL
 * @results: array of objects, the result
 * @failed: how many
 * @reason: what the step that runs has to say
 */
struct selftest {
	struct cvm_ctx *ctx;
	const char *backend;
	struct cvm_status status;
	const char *trust_root;
	json_t *results;
	unsigned int failed;
	char reason[REASON_SIZE];
};

/* selftest_evidence.c: what a step returns */
enum outcome selftest_say(struct selftest *t, enum outcome outcome, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* the paravisor gives the reports */
bool selftest_is_azure(const struct selftest *t);

/* how many direct ones a step asks for: a paravisor makes one in two seconds */
size_t selftest_count(const struct selftest *t);

/* the report or quote that this machine is for */
uint32_t selftest_type(const struct selftest *t);

/* of @ctx, which may be another than @t's; a negative errno and @error */
int selftest_ask(struct cvm_ctx *ctx, uint32_t type, const uint8_t *data,
		 const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
		 struct cvm_error *error);

/* by the parsers: it is well formed, and signed are these CVM_REPORT_DATA_LEN bytes */
bool selftest_carries(const struct cvm_evidence *evidence, const uint8_t *wanted);

/* selftest_evidence.c: the steps */
enum outcome selftest_evidence(struct selftest *t);
enum outcome selftest_tdreport(struct selftest *t);
enum outcome selftest_vmpl(struct selftest *t);
enum outcome selftest_many(struct selftest *t);
enum outcome selftest_deadline(struct selftest *t);
enum outcome selftest_reserved(struct selftest *t);

/* selftest_async.c */
enum outcome selftest_async(struct selftest *t);

/* selftest_batch.c: nothing is wrong, but this source or process has no such evidence */
bool selftest_may_not(int rc);

/* selftest_batch.c: for whom proofs speak here, as cvm_batch_expected() takes it */
const char *selftest_scope(const struct selftest *t);

/* selftest_batch.c: the steps */
enum outcome selftest_batch(struct selftest *t);
enum outcome selftest_label(struct selftest *t);

/* selftest_sources.c */
enum outcome selftest_sources(struct selftest *t);

/* selftest_verify.c */
enum outcome selftest_verify(struct selftest *t);
enum outcome selftest_proof(struct selftest *t);

#endif /* CVMCTL_SELFTEST_H */
