/* SPDX-License-Identifier: MIT */
/*
 * Batch evidence and requests that nobody waits for; a part of cvmguest.h.
 *
 * In a batch any number of callers, each with 64 bytes of its own, share one
 * report or quote. What the hardware signs commits to all of them (the format
 * is "batch v1"); each gets the evidence and a proof of its own part, which
 * says as well for whom it speaks. On a host that allows one report a second
 * this is the only way to more attestations than that.
 */
#ifndef CVMGUEST_BATCH_H
#define CVMGUEST_BATCH_H

#ifndef CVMGUEST_H
#error "include cvmguest.h, of which this is a part"
#endif

/* bytes that a caller has certified in a batch */
#define CVM_USER_DATA_LEN	64

/* ------------------------------------------------------------------- batch */

/**
 * struct cvm_batch_opts - how batch evidence is asked for
 * @size: sizeof(struct cvm_batch_opts)
 * @flags: CVM_REQUEST_CERTS (where there are any), CVM_REQUEST_QUOTE_ALONE or 0
 * @timeout_ms: the longest time until an answer; 0: the source's own default.
 *	As in struct cvm_report_opts, configfs-tsm and the kernel's own drivers
 *	take no other
 *
 * Since: 0.1
 */
struct cvm_batch_opts {
	size_t size;
	uint32_t flags;
	uint32_t timeout_ms;
};

/**
 * struct cvm_batch_request - one of those that share evidence
 * @size: in: sizeof(struct cvm_batch_request), the same in every element; the
 *	elements are that many bytes apart
 * @user_data: in: what the proof is to be about; not beginning with "CVMGBAT"
 * @evidence: out: with a result of 0 for cvm_evidence_free(), with its proof;
 *	else NULL
 * @result: out: 0 or a negative errno as of cvm_report()
 * @reserved: in: 0
 *
 * Since: 0.1
 */
struct cvm_batch_request {
	size_t size;
	uint8_t user_data[CVM_USER_DATA_LEN];
	struct cvm_evidence *evidence;
	int result;
	uint32_t reserved;
};

/**
 * cvm_batch() - evidence that many share
 * @ctx: the context
 * @requests: @count of them
 * @count: 1 to 65,536
 * @opts: or NULL: no certificates, the source's default deadline
 * @error: or NULL; about the call, or else the first request that failed
 *
 * With the cvm-guest driver the requests share reports with those of all other
 * processes. It writes into each proof for whom that speaks: the label of the
 * file (cvm_set_label()); else privileged, where this process and who opened
 * the file had CAP_SYS_ADMIN in the initial user namespace; else unprivileged.
 * With any other source the library makes one report or quote for this call,
 * and the scope is privileged or unprivileged by the same rule.
 *
 * Each proof has been walked: the evidence commits to its user_data. Whether
 * the evidence is genuine is for the relying party to verify.
 *
 * Return: as cvm_issue(); all requests have the error of the source where it
 * has no batch evidence (-EOPNOTSUPP) or this process may not have it. A
 * malformed array is refused before anything was asked for. Since: 0.1
 */
CVM_API long cvm_batch(struct cvm_ctx *ctx, struct cvm_batch_request *requests, size_t count,
		       const struct cvm_batch_opts *opts, struct cvm_error *error);

/**
 * cvm_batch_one() - evidence for one, shared with whoever asks at the same time
 * @ctx: the context
 * @user_data: CVM_USER_DATA_LEN bytes that the proof is to be about
 * @opts: or NULL
 * @evidence: out: for cvm_evidence_free(), with its proof; NULL on failure
 * @error: or NULL
 *
 * Return: 0 or a negative errno as of cvm_report(). Since: 0.1
 */
CVM_API int cvm_batch_one(struct cvm_ctx *ctx, const uint8_t *user_data,
			  const struct cvm_batch_opts *opts, struct cvm_evidence **evidence,
			  struct cvm_error *error);

/**
 * cvm_evidence_proof() - the proof that came with batch evidence
 * @evidence: the evidence
 * @len: out: bytes, 0 where there is none
 *
 * Return: the bytes, which belong to @evidence, or NULL. Since: 0.1
 */
CVM_API const void *cvm_evidence_proof(const struct cvm_evidence *evidence, size_t *len);

/**
 * cvm_set_label() - whom the proofs by this context shall speak for
 * @ctx: a context of the cvm-guest driver
 * @label: any bytes, such as a workload's name
 * @len: 1 to 255
 * @error: or NULL
 *
 * Once, before the context's first batch request. The label belongs to the
 * open file: hand cvm_batch_fd() to a workload (by fork and exec, or over a
 * UNIX socket), which opens its context by cvm_open_opts.batch_fd and cannot
 * change the label.
 *
 * On Azure a label is worth nothing against whoever may open the TPM, as those must who
 * complete the driver's reports: he can make a proof of any scope himself.
 *
 * Return: 0; -EPERM: this process, or who opened the file, has no CAP_SYS_ADMIN
 * in the initial user namespace; -EBUSY: there is a label already, or there was
 * a request; -EINVAL: a label of another length; -EOPNOTSUPP: the source is not
 * that driver. Since: 0.1
 */
CVM_API int cvm_set_label(struct cvm_ctx *ctx, const void *label, size_t len,
			  struct cvm_error *error);

/**
 * cvm_batch_fd() - the open file by which a context asks for batch evidence
 * @ctx: the context
 *
 * It is closed on exec: duplicate it for a program that shall inherit it.
 * Processes that share it share its limits and, of cvm_async_submit(), the
 * completions: only one of them can use that.
 *
 * Return: a descriptor that belongs to @ctx; -EOPNOTSUPP: the source has none.
 * Since: 0.1
 */
CVM_API int cvm_batch_fd(const struct cvm_ctx *ctx);

/* ------------------------------------------------------------ asynchronous */

/*
 * Requests under way that nobody waits for, with a descriptor for poll(),
 * epoll or any other event loop. Any thread may call any of its functions
 * but cvm_async_close(). In a child of fork() it is of no use, and closing it there does
 * nothing: the requests are its parent's. Since: 0.1
 */
struct cvm_async;

/* struct cvm_async_request.type beside enum cvm_evidence_type; Since: 0.1 */
#define CVM_ASYNC_BATCH		0x100U	/* this machine's report or quote, with a proof */

/**
 * struct cvm_async_request - a request to submit
 * @size: in: sizeof(struct cvm_async_request), the same in every element; the
 *	elements are that many bytes apart
 * @cookie: in: comes back in the completion; not looked at
 * @type: in: enum cvm_evidence_type, or CVM_ASYNC_BATCH
 * @flags: in: as struct cvm_request; for a batch CVM_REQUEST_CERTS or 0
 * @vmpl: in: as struct cvm_request; for a batch 0
 * @signing_key: in: likewise
 * @result: out: 0: accepted, and there will be one completion; else a negative
 *	errno, and there will be none
 * @report_data: in: what the evidence is to carry; for a batch what the proof is
 *	to be about
 * @reserved: in: 0
 *
 * Since: 0.1
 */
struct cvm_async_request {
	size_t size;
	uint64_t cookie;
	uint32_t type;
	uint32_t flags;
	uint32_t vmpl;
	uint32_t signing_key;
	int32_t result;
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	uint32_t reserved;
};

/**
 * struct cvm_completion - the end of a submitted request
 * @size: in: sizeof(struct cvm_completion)
 * @cookie: out: of the request
 * @evidence: out: with a result of 0 for cvm_evidence_free(), else NULL
 * @result: out: 0 or a negative errno as of cvm_report()
 * @reserved: out: 0
 *
 * Since: 0.1
 */
struct cvm_completion {
	size_t size;
	uint64_t cookie;
	struct cvm_evidence *evidence;
	int result;
	uint32_t reserved;
};

/**
 * cvm_async_open() - submit requests by a context
 * @async: out: for cvm_async_close(), before cvm_close() of @ctx
 * @ctx: the context, which goes on to take blocking calls as well
 * @error: or NULL
 *
 * With the cvm-guest driver there is no thread, but on Azure those that complete what it gives,
 * one report after the other; with any other source one thread asks, and gathers the batch
 * requests that wait for it.
 *
 * Return: 0; -EBUSY: this context has one already; -ENOMEM; or what the system
 * answered. Since: 0.1
 */
CVM_API int cvm_async_open(struct cvm_async **async, struct cvm_ctx *ctx,
			   struct cvm_error *error);

/*
 * Gives up what is under way; without the driver it waits until the source has
 * answered what it is being asked. On Azure the host may be asked for what belongs to a report:
 * that is given up within about a second. @async: or NULL. Since: 0.1
 */
CVM_API void cvm_async_close(struct cvm_async *async);

/**
 * cvm_async_fd() - what an event loop waits for
 * @async: what it says
 *
 * Return: a descriptor that is readable (POLLIN) while there may be completions;
 * then call cvm_async_next() until it returns 0. It belongs to @async and is for
 * nothing else. Since: 0.1
 */
CVM_API int cvm_async_fd(const struct cvm_async *async);

/**
 * cvm_async_submit() - ask, and do not wait
 * @async: the requests' owner
 * @requests: @count of them; not needed any more when this returns
 * @count: 1 to 65,536
 * @timeout_ms: the longest time for each; 0: the source's default
 * @error: or NULL; about the call, or else the first request not accepted
 *
 * Return: how many were accepted, and then every request has its result:
 * -EBUSY: as many as there may be are under way or not fetched yet; others as
 * of cvm_report(); or -EINVAL, -E2BIG, -ENOMEM: the array is malformed and
 * nothing was submitted. Since: 0.1
 */
CVM_API long cvm_async_submit(struct cvm_async *async, struct cvm_async_request *requests,
			      size_t count, uint32_t timeout_ms, struct cvm_error *error);

/**
 * cvm_async_next() - fetch a completion
 * @async: the requests' owner
 * @completion: with its size set; filled in
 * @error: or NULL; why the request failed, where completion->result says so,
 *	or the call
 *
 * Never waits. On Azure with the driver a report that came before the request's deadline has
 * until then to be completed, by a quote of the vTPM and, of TDX, the host's, whenever it is
 * fetched, but for those behind as many as the library holds, which have not ended or not been
 * fetched. One that is slow to complete keeps those waiting that need as much, and no others: what
 * has failed, and what is of a batch that is complete, ends at once.
 *
 * Return: 1: there was one; 0: there is none now; a negative errno: the source
 * cannot be asked. Since: 0.1
 */
CVM_API int cvm_async_next(struct cvm_async *async, struct cvm_completion *completion,
			   struct cvm_error *error);

/**
 * cvm_async_cancel() - give up requests
 * @async: the requests' owner
 * @cookie: which
 *
 * On Azure with the driver what it has answered beyond as many as the library holds goes on.
 *
 * Return: how many had no answer yet; each has a completion with a result of
 * -ECANCELED; or a negative errno, with some ended perhaps. Since: 0.1
 */
CVM_API int cvm_async_cancel(struct cvm_async *async, uint64_t cookie);

/* ------------------------------------------------------------------- proofs */

/**
 * struct cvm_part - one of several things that user data commits to
 * @data: @len bytes
 * @len: bytes, less than 4 GiB
 *
 * Since: 0.1
 */
struct cvm_part {
	const void *data;
	size_t len;
};

/**
 * cvm_user_data() - user data of more than one part, or of other than 64 bytes
 * @parts: by convention the audience, the relying party's nonce (16 random
 *	bytes or more) and the key of the channel
 * @count: how many
 * @user_data: out: CVM_REPORT_DATA_LEN bytes; the same parts in another split
 *	or order give others. "Batch v1", section 1
 *
 * Return: 0; -E2BIG: a part is too long; -ENOMEM. Since: 0.1
 */
CVM_API int cvm_user_data(const struct cvm_part *parts, size_t count, uint8_t *user_data);

/**
 * cvm_batch_expected() - what evidence must carry, if a proof is right
 * @user_data: CVM_REPORT_DATA_LEN bytes: what the relying party asked for
 * @proof: @len bytes, as they came
 * @len: bytes
 * @scope: for whom the proof must speak: "privileged" (also NULL),
 *	"unprivileged", "label:NAME" or "any". A proof for unprivileged callers
 *	speaks for anybody whom root let near the node: do not hand the VM's own
 *	secrets out for it
 * @report_data: out: CVM_REPORT_DATA_LEN bytes to compare with the REPORT_DATA
 *	of evidence that is verified otherwise; zero on failure
 * @error: or NULL
 *
 * Pure: no device, no clock. "Batch v1", section 2. It proves nothing by
 * itself: the evidence must carry @report_data, in full, and be verified.
 *
 * Return: 0; -EBADMSG: no proof of version 1; -EPERM: it speaks for somebody
 * else; -EINVAL: @user_data is reserved, or @scope is none. Since: 0.1
 */
CVM_API int cvm_batch_expected(const uint8_t *user_data, const void *proof, size_t len,
			       const char *scope, uint8_t *report_data,
			       struct cvm_error *error);

#endif /* CVMGUEST_BATCH_H */
