/* SPDX-License-Identifier: MIT */
/* What the files of the library share. The public side is cvmguest.h. */
#ifndef CVM_LIB_H
#define CVM_LIB_H

#include <errno.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/api.h"
#include "common/util.h"
#include "cvmguest.h"

#define CVM_SNP_REPORT_LEN	1184
#define CVM_TDREPORT_LEN	1024
/* what configfs-tsm allows; the driver says its own limits */
#define CVM_EVIDENCE_MAX	(32U << 10)
/* largest table a GHCB host hands out: 32 pages, what the drivers' buffers hold at most */
#define CVM_CERTS_MAX		(128U << 10)

#define CVM_TYPE_BIT(type)	(1U << (type))

/* PCRs of a bank, and bytes of one: SHA-256 */
#define CVM_PCR_COUNT		24
#define CVM_PCR_LEN		32

/**
 * struct cvm_azure - what belongs to an HCL report, and is shared by who share that
 * @users: pieces of evidence that have it
 * @message: TPMS_ATTEST, @message_len bytes
 * @signature: RSASSA, @signature_len bytes
 * @pcrs: of the SHA-256 bank
 * @td_quote: for free(), or NULL
 */
struct cvm_azure {
	atomic_uint users;
	size_t message_len, signature_len, td_quote_len;
	uint8_t message[1024];
	uint8_t signature[512];
	uint8_t pcrs[CVM_PCR_COUNT * CVM_PCR_LEN];
	uint8_t *td_quote;
};

/* azure.c: one user more, and one less; NULL is no matter */
struct cvm_azure *cvm_azure_get(struct cvm_azure *azure);
void cvm_azure_put(struct cvm_azure *azure);

struct cvm_evidence {
	uint32_t type;
	size_t len;
	size_t certs_len;
	size_t proof_len;
	uint8_t *data;
	uint8_t *certs;
	uint8_t *proof;
	struct cvm_azure *azure;
};

/**
 * struct cvm_job - one request on its way to a backend, already checked
 * @type: enum cvm_evidence_type
 * @batch: with a proof
 * @flags: CVM_REQUEST_*
 * @vmpl: with CVM_REQUEST_VMPL
 * @signing_key: enum cvm_signing_key
 * @report_data: CVM_REPORT_DATA_LEN bytes of the caller; for a batch what the
 *	proof is to be about
 * @tpm_nonce: HCL reports: what the vTPM's quote is to carry; NULL: what follows from
 *	@report_data
 * @tpm_nonce_len: bytes
 * @result: out
 * @evidence: out: with a result of 0, else NULL
 * @error: out: with any other result
 */
struct cvm_job {
	uint32_t type;
	bool batch;
	uint32_t flags;
	uint32_t vmpl;
	uint32_t signing_key;
	const uint8_t *report_data;
	const uint8_t *tpm_nonce;
	size_t tpm_nonce_len;
	int result;
	struct cvm_evidence *evidence;
	struct cvm_error error;
};

/**
 * struct cvm_source - an open backend; nothing but what @spare and @vtpm have changes
 *	meanwhile
 * @backend: its functions
 * @status: what it offers; status.types decides which requests it gets
 * @root: put before every path
 * @fd: cvm: /dev/cvm/report, or the negative errno of its open()
 * @batch_fd: cvm: likewise /dev/cvm/batch
 * @max_record: cvm: bytes; no completion record of either is longer
 * @spare: cvm: a place for a buffer that the next request can use, or NULL
 * @vtpm: vtpm, and cvm on Azure: where it is; else NULL
 */
struct cvm_source {
	const struct cvm_backend *backend;
	struct cvm_status status;
	const char *root;
	int fd;
	int batch_fd;
	uint32_t max_record;
	_Atomic(void *) *spare;
	struct cvm_vtpm_place *vtpm;
};

/**
 * struct cvm_backend - a way to evidence
 * @name: what the user calls it
 * @signing_keys: SNP: the caller can choose the key
 * @batches: it takes batch jobs; for the others the library gathers them
 * @open: find out what there is and fill in status. -ENODEV: this machine has
 *	no such thing; anything else: it is there and cannot be used
 * @close: or NULL
 * @refresh: bring what changes in a copy of the status up to date; or NULL
 * @issue: give every job its result within @timeout_ms (0: no limit of the
 *	caller's); callable from any thread
 * @extend: extend RTMR @index with @digest, 0 or what is wrong; -EOPNOTSUPP: not by
 *	this source; or NULL
 */
struct cvm_backend {
	const char *name;
	bool signing_keys;
	bool batches;
	int (*open)(struct cvm_source *source, const struct cvm_open_opts *opts,
		    struct cvm_error *error);
	void (*close)(struct cvm_source *source);
	int (*refresh)(const struct cvm_source *source, struct cvm_status *status,
		       struct cvm_error *error);
	void (*issue)(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		      uint32_t timeout_ms);
	int (*extend)(const struct cvm_source *source, uint32_t index, const uint8_t *digest,
		      struct cvm_error *error);
};

extern const struct cvm_backend cvm_backend_cvm, cvm_backend_tsm, cvm_backend_native,
				cvm_backend_vtpm, cvm_backend_sim;

/* tsm and native go together: quotes are the one's, TDREPORTs and keys the other's */
#define CVM_MAX_SOURCES	2

/**
 * struct cvm_ctx - a context; @async alone changes while it is open
 * @root: put before every path
 * @count: sources
 * @source: where evidence comes from
 * @async: somebody has its struct cvm_async
 */
struct cvm_ctx {
	char root[PATH_MAX];
	size_t count;
	struct cvm_source source[CVM_MAX_SOURCES];
	atomic_flag async;
};

/* Azure: it is about no report */
static inline bool cvm_job_quote_alone(const struct cvm_job *job)
{
	return job->flags & CVM_REQUEST_QUOTE_ALONE;
}

/* request.c: 0, or what is wrong with @job */
int cvm_job_check(const struct cvm_job *job, struct cvm_error *error);

/* request.c: every job gets its result */
void cvm_jobs_issue(const struct cvm_ctx *ctx, struct cvm_job *jobs, size_t count,
		    uint32_t timeout_ms);

/* request.c: who has evidence as @job wants it; NULL: nobody, and @job->error says so */
const struct cvm_source *cvm_job_source(const struct cvm_ctx *ctx, struct cvm_job *job);

/* request.c: the kind of evidence that proves what this machine is */
uint32_t cvm_ctx_type(const struct cvm_ctx *ctx);

/* batch.c: fills in @job; the same as cvm_job_check() */
int cvm_batch_job(const struct cvm_ctx *ctx, struct cvm_job *job, const uint8_t *user_data,
		  uint32_t flags, struct cvm_error *error);

/* gather.c: one piece of evidence for batch jobs that all have the same flags, and its scope */
uint8_t cvm_gather_scope(void);
void cvm_gather(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		uint32_t timeout_ms);

/* error.c */

/* What the errors of struct cvm_evidence_req mean and what to do, whoever gave them. */
int cvm_source_error(struct cvm_error *error, int rc, const struct cvm_source *source,
		     uint64_t platform_status);

/* source.c: set is where evidence comes from, and sets status.source */
int cvm_source_path(const struct cvm_source *source, const char *path, char out[PATH_MAX]);
int cvm_source_set(struct cvm_source *source, const char *root, const char *path,
		   struct cvm_error *error);
bool cvm_source_has(const struct cvm_source *source, const char *path);

/**
 * struct cvm_answer - what a backend got; all of it was allocated
 * @data: the evidence
 * @certs: the certificate table or NULL
 * @proof: batch: the proof
 * @azure: what belongs to an HCL report, or NULL
 * @len: bytes at @data
 * @certs_len: bytes at @certs; a table of zero bytes is none
 * @proof_len: bytes at @proof
 * @known: it has been compared with what was asked for
 */
struct cvm_answer {
	void *data, *certs, *proof;
	struct cvm_azure *azure;
	size_t len, certs_len, proof_len;
	bool known;
};

/**
 * cvm_job_done() - turn what a backend got into the evidence of a job
 * @job: gets its result
 * @source: where it came from
 * @answer: taken over, freed if it is refused
 *
 * The evidence must carry the job's REPORT_DATA, or what its proof leads to:
 * sources have given one caller's report to another, and configfs is writable
 * by others.
 */
void cvm_job_done(struct cvm_job *job, const struct cvm_source *source,
		  const struct cvm_answer *answer);

/* As cvm_job_done() with a copy of @answer, which is not taken over. */
void cvm_job_copy(struct cvm_job *job, const struct cvm_source *source,
		  const struct cvm_answer *answer);

/* Bytes of a certificate table at the start of @size bytes that end in zeros. */
size_t cvm_certs_used(const void *certs, size_t size);

#endif /* CVM_LIB_H */
