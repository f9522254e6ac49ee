/* SPDX-License-Identifier: MIT */
/*
 * libcvmguest: evidence of what a confidential VM is, for programs inside it.
 *
 * One call gets evidence from whatever this machine offers: the cvm-guest
 * driver, configfs-tsm, the nodes of the kernel's own drivers, or a simulated
 * platform for development without hardware.
 *
 * Errors: a function that can fail returns 0 or a negative errno. What went
 * wrong, where, and what to do about it goes as one line of text to the
 * struct cvm_error of the caller; nothing is printed and errno means nothing.
 *
 * Threads: a context may be used by any number of threads at a time; nothing
 * in it changes between cvm_open() and cvm_close(). Other objects belong to
 * whoever got them: one thread at a time, unless they say otherwise, as a
 * verifier does.
 *
 * Growing structs: a struct that begins with a size is set to zero and its
 * size to sizeof by the caller. A field that a later version adds means, when
 * it is zero, what the version before did. A library that is older than the
 * caller refuses (-E2BIG) fields that it does not know unless they are zero.
 */
#ifndef CVMGUEST_H
#define CVMGUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CVM_API __attribute__((visibility("default")))

/* bytes of REPORT_DATA, the caller's own part of every kind of evidence */
#define CVM_REPORT_DATA_LEN	64

/* the longest qualifyingData of Azure's vTPM */
#define CVM_TPM_NONCE_LEN	50

/**
 * struct cvm_error - why a call failed, for humans
 * @platform_status: for diagnosis where the platform refused, else 0: SNP:
 *	SW_EXITINFO2 (firmware status in bits 31:0, VMM status in 63:32); TDX:
 *	the GetQuote status
 * @text: one line without a full stop or newline; what, where, what to do
 *
 * Owned by the caller. Every call that takes one accepts NULL, and sets it
 * only when it fails. Since: 0.1
 */
struct cvm_error {
	uint64_t platform_status;
	char text[504];
};

/**
 * enum cvm_tee - the kind of confidential VM
 * @CVM_TEE_NONE: none that is known
 * @CVM_TEE_SNP: AMD SEV-SNP
 * @CVM_TEE_TDX: Intel TDX
 *
 * Since: 0.1
 */
enum cvm_tee {
	CVM_TEE_NONE = 0,
	CVM_TEE_SNP = 1,
	CVM_TEE_TDX = 2,
};

/**
 * enum cvm_evidence_type - the kinds of evidence
 * @CVM_EVIDENCE_SNP_REPORT: ATTESTATION_REPORT, 1184 bytes
 * @CVM_EVIDENCE_TDREPORT: TDREPORT_STRUCT, 1024 bytes; only this machine can
 *	tell whether it is genuine
 * @CVM_EVIDENCE_TDX_QUOTE: a quote, some kilobytes
 * @CVM_EVIDENCE_HCL_REPORT: Azure: the paravisor's report out of the vTPM; what
 *	belongs to it are cvm_evidence_tpm_quote() and cvm_evidence_td_quote()
 *
 * Since: 0.1
 */
enum cvm_evidence_type {
	CVM_EVIDENCE_SNP_REPORT = 1,
	CVM_EVIDENCE_TDREPORT = 2,
	CVM_EVIDENCE_TDX_QUOTE = 3,
	CVM_EVIDENCE_HCL_REPORT = 7,
};

/* ------------------------------------------------------------------ context */

/* One way to get evidence, open. Since: 0.1 */
struct cvm_ctx;

/**
 * struct cvm_open_opts - where evidence comes from
 * @size: sizeof(struct cvm_open_opts)
 * @backend: "cvm" (/dev/cvm/report and batch), "tsm" (configfs-tsm), "native"
 *	(/dev/sev-guest, /dev/tdx_guest), "vtpm" (Azure: the paravisor's report in
 *	the vTPM) or "sim" (a simulated platform); NULL takes the first of cvm, tsm,
 *	native, vtpm that this machine has; for vtpm only Hyper-V's are looked at, or
 *	what @tcti names. sim is only taken when named: what it
 *	gives proves nothing
 * @sim_socket: sim: path of the UNIX socket that cvm-fwd listens on; NULL: the
 *	environment variable CVM_SIM
 * @root: put before the path of every device and kernel file, as in a
 *	container that sees the machine's /dev and /sys below it, or NULL; no
 *	path may be longer than 255 bytes
 * @batch_fd: an open file of /dev/cvm/batch that this process was handed, and
 *	nothing else of the driver's is opened then; duplicated; 0: none. On Azure the
 *	TPM and the file that batches share by are opened all the same
 * @reserved: 0
 * @tcti: vtpm, and cvm on Azure: another way to the TPM than /dev/tpmrm0, as tpm2-tss
 *	has it ("tabrmd", "swtpm:port=2321"), or NULL
 * @imds: likewise: base URL of the host's service that quotes a TDREPORT, or NULL:
 *	http://169.254.169.254
 *
 * On Azure the backend cvm takes reports from the driver, and what belongs to them from
 * the TPM and that service, once for all members of a batch: processes of one user share
 * by cvm-guest.batch in XDG_RUNTIME_DIR, or in /run, where they may write to that.
 *
 * The strings are copied. vtpm: what tpm2-tss logs to stderr is by TSS2_LOG in the
 * environment ("all+none": nothing), which is the program's to set. Since: 0.1
 */
struct cvm_open_opts {
	size_t size;
	const char *backend;
	const char *sim_socket;
	const char *root;
	int batch_fd;
	uint32_t reserved;
	const char *tcti;
	const char *imds;
};

/**
 * cvm_open() - find the source of evidence and open it
 * @ctx: out: the context, for cvm_close(); NULL on failure
 * @opts: or NULL for the machine's best
 * @error: or NULL
 *
 * A source that this machine does not have is passed over; one that is there
 * but cannot be used is an error, and so is a named one that is not there.
 *
 * Return: 0; -ENODEV: no source of evidence here; -EACCES, -EPERM: there is
 * one, and this process may not use it; -EINVAL: an unknown backend; -E2BIG:
 * @opts is newer than this library; -ENOMEM; or what the source answered.
 * Since: 0.1
 */
CVM_API int cvm_open(struct cvm_ctx **ctx, const struct cvm_open_opts *opts,
		     struct cvm_error *error);

/**
 * cvm_close() - release a context
 * @ctx: or NULL. No other thread may still be using it; evidence outlives it.
 *
 * Since: 0.1
 */
CVM_API void cvm_close(struct cvm_ctx *ctx);

/**
 * enum cvm_health - can the firmware be asked
 * @CVM_HEALTH_UNKNOWN: the source does not say
 * @CVM_HEALTH_READY: it can
 * @CVM_HEALTH_PARKED: a message that the host has not answered yet is kept and
 *	repeated; requests wait behind it
 * @CVM_HEALTH_DEAD: the channel's key is gone; only a reboot brings it back
 *
 * Since: 0.1
 */
enum cvm_health {
	CVM_HEALTH_UNKNOWN = 0,
	CVM_HEALTH_READY = 1,
	CVM_HEALTH_PARKED = 2,
	CVM_HEALTH_DEAD = 3,
};

/**
 * struct cvm_status - a source: what it offers and how it is
 * @size: in: sizeof; out: the bytes of it that were filled in
 * @tee: enum cvm_tee
 * @health: enum cvm_health, at this moment
 * @types: bit (1 << type) for each enum cvm_evidence_type that it gives
 * @vmpl: SNP: the VMPL of the guest's kernel, which is the lowest number that
 *	a report can be asked for; 0 where that is not known
 * @max_requests: how many requests it takes at a time; 0: not known
 * @max_inflight: how many the hardware works on at a time; 0: not known
 * @max_evidence: bytes of the longest evidence; 0: not known
 * @max_certs: bytes of the longest certificate table; 0: not known
 * @default_timeout_ms: deadline of a request that names none; 0: not known
 * @max_timeout_ms: the longest deadline; 0: not known
 * @backend: "cvm", "tsm", "native", "vtpm" or "sim"
 * @source: path of what evidence comes from
 * @max_leaves: how many requests share evidence at most; 0: no batches
 * @scope: 0 unprivileged, 1 privileged, 2 label: for whom a proof would speak now
 *
 * Since: 0.1
 */
struct cvm_status {
	size_t size;
	uint32_t tee;
	uint32_t health;
	uint32_t types;
	uint32_t vmpl;
	uint32_t max_requests;
	uint32_t max_inflight;
	uint32_t max_evidence;
	uint32_t max_certs;
	uint32_t default_timeout_ms;
	uint32_t max_timeout_ms;
	char backend[16];
	char source[256];
	uint32_t max_leaves;
	uint32_t scope;
};

/**
 * cvm_status() - what the source of a context offers, and how it is
 * @ctx: the context
 * @status: with its size set; filled in
 * @error: or NULL
 *
 * No evidence is asked for.
 *
 * Return: 0; -EINVAL: a size below that of version 0.1; or what the source
 * answered. Since: 0.1
 */
CVM_API int cvm_status(struct cvm_ctx *ctx, struct cvm_status *status,
		       struct cvm_error *error);

/* ----------------------------------------------------------------- evidence */

/* Evidence as the platform gave it, unverified. Immutable. Since: 0.1 */
struct cvm_evidence;

/* struct cvm_request.flags and struct cvm_report_opts.flags; Since: 0.1 */
#define CVM_REQUEST_CERTS	(1U << 0)	/* SNP: the host's certificate table too */
#define CVM_REQUEST_VMPL	(1U << 1)	/* SNP: vmpl is given; else the kernel's own */
#define CVM_REQUEST_QUOTE_ALONE	(1U << 2)	/* Azure: no new report: see cvm_attest() */

/**
 * enum cvm_signing_key - SNP: the key that signs a report
 * @CVM_SIGNING_KEY_AUTO: the VLEK where the host has loaded one, else the VCEK
 * @CVM_SIGNING_KEY_VCEK: the chip's own key
 * @CVM_SIGNING_KEY_VLEK: the cloud provider's; an error where there is none
 *
 * Since: 0.1
 */
enum cvm_signing_key {
	CVM_SIGNING_KEY_AUTO = 0,
	CVM_SIGNING_KEY_VCEK = 1,
	CVM_SIGNING_KEY_VLEK = 2,
};

/**
 * struct cvm_report_opts - how one piece of evidence is asked for
 * @size: sizeof(struct cvm_report_opts)
 * @flags: CVM_REQUEST_*
 * @vmpl: SNP, with CVM_REQUEST_VMPL: 0 to 3
 * @signing_key: SNP: enum cvm_signing_key
 * @timeout_ms: the longest time until an answer; 0: the source's own default.
 *	configfs-tsm and the kernel's own drivers know no deadlines: there any
 *	other value is refused. A paravisor renews its report every 2 s at most
 *
 * Since: 0.1
 */
struct cvm_report_opts {
	size_t size;
	uint32_t flags;
	uint32_t vmpl;
	uint32_t signing_key;
	uint32_t timeout_ms;
};

/**
 * cvm_report() - an SNP attestation report
 * @ctx: the context
 * @report_data: CVM_REPORT_DATA_LEN bytes that the report is to carry
 * @opts: or NULL: no certificates, the kernel's own VMPL, CVM_SIGNING_KEY_AUTO
 * @evidence: out: of type CVM_EVIDENCE_SNP_REPORT, for cvm_evidence_free();
 *	NULL on failure
 * @error: or NULL
 *
 * Blocks until there is an answer. The evidence carries @report_data, which
 * was compared; whether it is genuine is for the relying party to verify.
 *
 * Return: 0, or one of
 *	-EINVAL      @report_data begins with "CVMGBAT", which is reserved; a
 *	             VMPL, key or flag that does not exist or cannot be asked for
 *	-EOPNOTSUPP  this source has no such evidence or no such option
 *	-EBUSY       the source has too much to do: ask again later
 *	-ETIMEDOUT   no answer before the deadline
 *	-EINTR       a signal came
 *	-EIO         the platform refused; see cvm_error.platform_status
 *	-EBADMSG     an answer that is malformed or not about this request
 *	-ENOKEY      the channel to the firmware is dead until the next boot
 *	-EACCES, -EPERM  this process may not ask
 *	-ECANCELED   the driver is going away
 *	-E2BIG       @opts is newer than this library
 *	-ENOMEM, or what the source answered
 * Since: 0.1
 */
CVM_API int cvm_report(struct cvm_ctx *ctx, const uint8_t *report_data,
		       const struct cvm_report_opts *opts,
		       struct cvm_evidence **evidence, struct cvm_error *error);

/**
 * cvm_attest() - direct evidence of this machine, of whatever kind
 * @ctx: the context
 * @report_data: as of cvm_report(). On Azure it is user-data in the claims, and the
 *	vTPM's quote carries it without the zeros at its end; what is longer than
 *	CVM_TPM_NONCE_LEN bytes then, as its SHA-384
 * @opts: as of cvm_report(); certificates are asked for where there are any
 * @evidence: out: an SNP report, a TDX quote or an HCL report with what belongs to it
 * @error: or NULL
 *
 * With CVM_REQUEST_QUOTE_ALONE the vTPM's quote alone is made about @report_data, which
 * takes it milliseconds and no window. The report beside it is the one that is there,
 * whatever it is about, and there is no quote of its TDREPORT: it is for who has verified a
 * report of this boot before, and takes the quote by CVM_BINDING_AZURE_TPM and with that
 * report's resetCount. The vTPM's key is compared with the one that the report's claims name.
 *
 * Return: as of cvm_report(); -EOPNOTSUPP: CVM_REQUEST_QUOTE_ALONE where there is no
 * paravisor, or for a batch by an open file of another scope than this process has itself.
 * Since: 0.1
 */
CVM_API int cvm_attest(struct cvm_ctx *ctx, const uint8_t *report_data,
		       const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
		       struct cvm_error *error);

/* A TDX quote: as cvm_report(), for CVM_EVIDENCE_TDX_QUOTE. Since: 0.1 */
CVM_API int cvm_quote(struct cvm_ctx *ctx, const uint8_t *report_data,
		      const struct cvm_report_opts *opts,
		      struct cvm_evidence **evidence, struct cvm_error *error);

/* A TDREPORT: as cvm_report(), for CVM_EVIDENCE_TDREPORT. Since: 0.1 */
CVM_API int cvm_tdreport(struct cvm_ctx *ctx, const uint8_t *report_data,
			 const struct cvm_report_opts *opts,
			 struct cvm_evidence **evidence, struct cvm_error *error);

/**
 * struct cvm_request - one of many requests
 * @size: in: sizeof(struct cvm_request), the same in every element; the
 *	elements are that many bytes apart
 * @type: in: enum cvm_evidence_type
 * @flags: in: CVM_REQUEST_*
 * @vmpl: in: SNP, with CVM_REQUEST_VMPL: 0 to 3
 * @signing_key: in: SNP: enum cvm_signing_key
 * @report_data: in: what the evidence is to carry
 * @evidence: out: with a result of 0 for cvm_evidence_free(), else NULL
 * @result: out: 0 or a negative errno as of cvm_report()
 * @reserved: in: 0
 *
 * Since: 0.1
 */
struct cvm_request {
	size_t size;
	uint32_t type;
	uint32_t flags;
	uint32_t vmpl;
	uint32_t signing_key;
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	struct cvm_evidence *evidence;
	int result;
	uint32_t reserved;
};

/**
 * cvm_issue() - many requests in one call
 * @ctx: the context
 * @requests: @count of them
 * @count: 1 or more
 * @timeout_ms: the longest time for all of them; 0: the source's default
 * @error: or NULL; about the call, or else the first request that failed
 *
 * With the backend cvm as many as its driver takes go to it by one system call;
 * the others ask one after the other. Requests are not ordered among themselves.
 *
 * Return: the number of requests with a result of 0, and then every request
 * has its result: some may fail while others succeed; or -EINVAL, -E2BIG,
 * -ENOMEM: the array itself is malformed or too long, nothing was asked for
 * and nothing written. Since: 0.1
 */
CVM_API long cvm_issue(struct cvm_ctx *ctx, struct cvm_request *requests, size_t count,
		       uint32_t timeout_ms, struct cvm_error *error);

/* Release evidence. @evidence: or NULL. Since: 0.1 */
CVM_API void cvm_evidence_free(struct cvm_evidence *evidence);

/* enum cvm_evidence_type. Since: 0.1 */
CVM_API uint32_t cvm_evidence_type(const struct cvm_evidence *evidence);

/**
 * cvm_evidence_data() - the report or quote
 * @evidence: the evidence
 * @len: out: bytes
 *
 * Return: the bytes, which belong to @evidence. Since: 0.1
 */
CVM_API const void *cvm_evidence_data(const struct cvm_evidence *evidence, size_t *len);

/**
 * cvm_evidence_certs() - the certificate table that came with a report
 * @evidence: the evidence
 * @len: out: bytes, 0 where there is none
 *
 * It is the GUID table of the GHCB specification as the host gave it.
 *
 * Return: the bytes, which belong to @evidence, or NULL. Since: 0.1
 */
CVM_API const void *cvm_evidence_certs(const struct cvm_evidence *evidence, size_t *len);

/* -------------------------------------------------------------------- RTMRs */

/* TDX: how many measurement registers a VM can extend; and bytes of one, a SHA-384 */
#define CVM_RTMR_COUNT	4
#define CVM_RTMR_LEN	48

/**
 * cvm_rtmr_read() - the run-time measurement registers of a TD
 * @ctx: the context
 * @rtmr: out: their values
 * @error: or NULL
 *
 * By a TDREPORT, or a quote where the source has none: unverified, as that is.
 *
 * Return: 0; -EOPNOTSUPP: this source has neither; or as of cvm_quote().
 * Since: 0.1
 */
CVM_API int cvm_rtmr_read(struct cvm_ctx *ctx, uint8_t rtmr[CVM_RTMR_COUNT][CVM_RTMR_LEN],
			  struct cvm_error *error);

/**
 * cvm_rtmr_extend() - extend a run-time measurement register of a TD
 * @ctx: the context
 * @index: of the register, below CVM_RTMR_COUNT
 * @digest: CVM_RTMR_LEN bytes, the SHA-384 of what is measured
 * @error: or NULL
 *
 * Its value becomes the SHA-384 of the value and @digest, until the VM ends. Event
 * logs, which say what was measured, are the caller's business.
 *
 * Return: 0: it was extended, once; with any other value it was not:
 *	-EINVAL      there is no such register
 *	-EOPNOTSUPP  this source extends none: the kernel cannot (Linux 6.12), the
 *	             platform has none, or the backend has no way to
 *	-EACCES, -EPERM  this process may not
 *	-EBUSY, -EIO, -EINTR, -ETIMEDOUT, -ECANCELED, -ENOMEM  as of cvm_report()
 * Since: 0.1
 */
CVM_API int cvm_rtmr_extend(struct cvm_ctx *ctx, uint32_t index, const uint8_t *digest,
			    struct cvm_error *error);

#include "cvmguest/batch.h"
#include "cvmguest/verify.h"

#ifdef __cplusplus
}
#endif

#endif /* CVMGUEST_H */
