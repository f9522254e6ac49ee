/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * The ABI of cvm-guest, the guest driver of confidential VMs.
 *
 * A confidential VM proves what it is with evidence that the processor signs:
 * an attestation report (AMD SEV-SNP) or a quote (Intel TDX); on Azure it is in
 * an HCL report, whose claims have REPORT_DATA as "user-data". This header is the
 * manual of the device nodes that hand such evidence out.
 *
 *   /dev/cvm/report   direct evidence: the caller chooses all 64 bytes of
 *                     REPORT_DATA; and RTMRs. 0600 root; a udev rule may give
 *                     a group.
 *   /dev/cvm/batch    batch evidence: many callers, each with 64 bytes of its
 *                     own (user_data), share one report or quote, and each
 *                     gets a proof that it is among them. The format is
 *                     "batch v1". 0660; a udev rule gives the group cvm.
 *   /dev/cvm/key      keys that only this VM can derive, made into keys of the
 *                     kernel's keyrings. 0600 root, and CAP_SYS_ADMIN besides.
 *
 * What a request goes through
 * ---------------------------
 * CVM_ISSUE takes an array of requests and blocks until each has a result.
 * The requests of one array, and of all callers, are queued; one worker in
 * the driver talks to the hardware. A caller's deadline, a signal or a closed
 * file detaches the *waiter*: a request that waits in the queue is dropped, a
 * request that the hardware has already been asked is finished by the worker
 * and its answer thrown away. No caller is blocked behind another's timeout,
 * and no caller can cost another one the channel.
 *
 * What is checked
 * ---------------
 * Everything that comes from the host is copied once out of shared memory and
 * checked before anybody sees it: message authenticity and sequence, status,
 * lengths, and that the evidence carries the REPORT_DATA that was asked for.
 * It is not verified (signature, certificates, TCB): that is the relying
 * party's work. A certificate table is passed on as the host gave it.
 *
 * Extending this ABI
 * ------------------
 * Every struct starts with its size (an array element's is given beside the
 * array). A kernel that knows a longer struct than the caller takes the
 * missing fields as zero; a kernel that knows a shorter one accepts the
 * caller's as long as the fields it does not know are zero, and refuses with
 * -E2BIG otherwise. Reserved fields are zero, unknown flags and kinds are
 * refused with -EINVAL; none of this changes any state.
 * Pointers are 64-bit integers and nothing needs 32-bit translation.
 *
 * Errors of the ioctls themselves
 * -------------------------------
 *   -EINVAL     a size below the first published one, an unknown flag or
 *               kind, a reserved field that is not zero, a count of 0
 *   -E2BIG      a size above one page, more requests than max_requests, an
 *               unknown field that is not zero
 *   -EFAULT     memory of the caller that cannot be read or written
 *   -ENOTTY     an ioctl that this node does not have
 *   -ENOMEM     no memory for the requests
 *   -EBUSY      with this array, the open file would have more requests that
 *               have not come to their end, or whose records have not been
 *               read, than one file may (1024), or all files of its service,
 *               container or user together (8192)
 *   -EINTR      a signal came; see the contract at CVM_ISSUE
 *
 * Errors of one request (cvm_evidence_req.result)
 * ---------------------------------------------
 *   0             evidence_len bytes of evidence are at evidence
 *   -EINVAL       REPORT_DATA begins with the tag reserved for batch evidence
 *                 ("CVMGBAT"), a VMPL that this VM cannot ask for, or a flag
 *                 or key_sel that this kind of evidence does not have
 *   -EOPNOTSUPP   this platform has no such evidence
 *   -ENOBUFS      a buffer is too small: evidence_len and certs_len say what
 *                 is needed; nothing was written to either
 *   -EFAULT       the evidence could not be written to the caller's memory
 *   -EBUSY        the queue is full, and others have no larger part of it than
 *                 the caller: ask again later. CVM_SUBMIT: or there are 64 MiB
 *                 of evidence in unread records of the caller's service,
 *                 container or user: read them first
 *   -ETIMEDOUT    no answer before the deadline; the channel lives
 *   -ECANCELED    the driver is going away; in a record also: CVM_CANCEL
 *   -EINTR        the caller got a signal before the request was answered
 *   -EIO          the platform refused, platform_status says why; or, where
 *                 that is 0, the kernel's own cipher failed
 *   -ENOMEM       no memory for the evidence
 *   -EBADMSG      the host's answer was malformed or not about this request
 *   -ENOKEY       the channel to the firmware is dead until the next boot:
 *                 the driver has wiped its key rather than risk it
 */
#ifndef _UAPI_LINUX_CVM_GUEST_H
#define _UAPI_LINUX_CVM_GUEST_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define CVM_ABI_VERSION		1

#define CVM_REPORT_DATA_SIZE	64

/* No direct request may begin with these 7 bytes: they mark batch evidence. */
#define CVM_RESERVED_TAG	"CVMGBAT"
#define CVM_RESERVED_TAG_SIZE	7

/**
 * enum cvm_platform_id - what this VM runs on
 * @CVM_PLATFORM_NONE: not a confidential VM that the driver knows
 * @CVM_PLATFORM_SNP: AMD SEV-SNP, guest messages at the kernel's own VMPL
 * @CVM_PLATFORM_TDX: Intel TDX
 * @CVM_PLATFORM_AZURE_SNP: SEV-SNP under Azure's paravisor: reports are in the
 *	TPM, a new one every two seconds at most
 * @CVM_PLATFORM_AZURE_TDX: TDX likewise
 */
enum cvm_platform_id {
	CVM_PLATFORM_NONE = 0,
	CVM_PLATFORM_SNP  = 1,
	CVM_PLATFORM_TDX  = 2,
	CVM_PLATFORM_AZURE_SNP = 3,
	CVM_PLATFORM_AZURE_TDX = 4,
};

/**
 * enum cvm_channel_state - can the firmware be asked
 * @CVM_CHANNEL_READY: it can
 * @CVM_CHANNEL_PARKED: a message that the host has not answered yet is kept
 *	and repeated, unchanged; requests wait behind it
 * @CVM_CHANNEL_DEAD: the key was wiped, after an answer that no honest platform
 *	gives or because its message counter has come to an end; evidence needs
 *	a reboot, requests fail with -ENOKEY
 */
enum cvm_channel_state {
	CVM_CHANNEL_READY  = 0,
	CVM_CHANNEL_PARKED = 1,
	CVM_CHANNEL_DEAD   = 2,
};

/* cvm_info.kinds, bit (1 << kind): what this node gives on this platform */
enum cvm_kind {
	CVM_KIND_SNP_REPORT = 1,	/* ATTESTATION_REPORT, 1184 bytes */
	CVM_KIND_TDREPORT   = 2,	/* TDREPORT_STRUCT, 1024 bytes */
	CVM_KIND_TDX_QUOTE  = 3,	/* quote, at most max_evidence bytes */
	CVM_KIND_BATCH      = 4,	/* batch node: a report or quote, and a proof */
	CVM_KIND_KEY        = 5,	/* key node: CVM_DERIVE */
	CVM_KIND_RTMR       = 6,	/* report node: CVM_EXTEND_RTMR */
	CVM_KIND_HCL_REPORT = 7,	/* Azure: the paravisor's, as the TPM's NV index has it */
};

/**
 * enum cvm_scope - for whom a batch proof speaks; written by the driver into
 *	what the hardware signs
 * @CVM_SCOPE_UNPRIVILEGED: anybody who was let near the node
 * @CVM_SCOPE_PRIVILEGED: the submitter and the opener of the file both had
 *	CAP_SYS_ADMIN in the initial user namespace
 * @CVM_SCOPE_LABEL: whoever was handed a file with this label, see
 *	CVM_SET_SCOPE
 */
enum cvm_scope {
	CVM_SCOPE_UNPRIVILEGED = 0,
	CVM_SCOPE_PRIVILEGED   = 1,
	CVM_SCOPE_LABEL	       = 2,
};

#define CVM_MAX_LABEL		255

/**
 * struct cvm_info - what the driver offers on this machine
 * @size: in: the size the caller knows; out: the number of bytes written. All
 *	other fields are output only
 * @abi_version: CVM_ABI_VERSION
 * @platform: enum cvm_platform_id
 * @channel: enum cvm_channel_state at this moment
 * @kinds: bit (1 << kind) for each kind that this node gives: by CVM_ISSUE, or
 *	by the ioctl that enum cvm_kind names
 * @vmpl: SNP: the lowest VMPL number that a report can be asked for, and the
 *	one of a request that names none; 0 elsewhere
 * @max_requests: requests in one array
 * @max_evidence: bytes; no evidence is longer
 * @max_certs: bytes; no certificate table is longer
 * @default_timeout_ms: the deadline of a request that gives none
 * @max_timeout_ms: the longest deadline
 * @max_inflight: requests that the hardware can be asked at a time
 * @scope: batch node: enum cvm_scope that a request of this caller by this
 *	file would get now; 0 elsewhere
 * @max_leaves: batch node: requests that share one report at most
 * @max_record: bytes; no completion record is longer
 * @reserved: 0
 */
struct cvm_info {
	__u32 size;
	__u32 abi_version;
	__u32 platform;
	__u32 channel;
	__u32 kinds;
	__u32 vmpl;
	__u32 max_requests;
	__u32 max_evidence;
	__u32 max_certs;
	__u32 default_timeout_ms;
	__u32 max_timeout_ms;
	__u32 max_inflight;
	__u32 scope;
	__u32 max_leaves;
	__u32 max_record;
	__u32 reserved;
};

/* cvm_evidence_req.flags */
#define CVM_REQ_CERTS		(1U << 0)	/* SNP: the host's certificate table too */
#define CVM_REQ_VMPL		(1U << 1)	/* SNP: vmpl is given; else cvm_info.vmpl */
#define CVM_REQ_ALL		(CVM_REQ_CERTS | CVM_REQ_VMPL)

/**
 * enum cvm_key_sel - SNP: the key that signs a report
 *	(SEV-SNP firmware ABI, MSG_REPORT_REQ, KEY_SEL)
 * @CVM_KEY_AUTO: the VLEK where the host has loaded one, else the VCEK
 * @CVM_KEY_VCEK: the chip's own key
 * @CVM_KEY_VLEK: the cloud provider's; an error where there is none
 */
enum cvm_key_sel {
	CVM_KEY_AUTO = 0,
	CVM_KEY_VCEK = 1,
	CVM_KEY_VLEK = 2,
};

/**
 * struct cvm_evidence_req - one request for evidence
 * @kind: in: enum cvm_kind; on the batch node CVM_KIND_BATCH
 * @flags: in: CVM_REQ_*; on the batch node CVM_REQ_CERTS alone
 * @result: out: 0 or a negative errno, see the list above
 * @key_sel: in: enum cvm_key_sel; 0 on TDX and on the batch node
 * @vmpl: in: with CVM_REQ_VMPL, else 0
 * @evidence_len: in: bytes at @evidence; out: bytes of the evidence, 0 with
 *	an error other than -ENOBUFS and -EFAULT
 * @certs_len: in: bytes at @certs; out: bytes of the certificate table, 0
 *	where the host has none, or as for @evidence_len. Without
 *	CVM_REQ_CERTS: 0
 * @proof_len: in: bytes at @proof; out: bytes of the proof, or as for
 *	@evidence_len. 0 except on the batch node
 * @evidence: in: where the evidence goes
 * @certs: in: where the certificate table goes, as the host gave it: GUID
 *	table of the GHCB specification, untrusted
 * @proof: in: where the proof goes
 * @platform_status: out, for diagnosis: SNP: SW_EXITINFO2 of the last VMGEXIT
 *	(firmware status in bits 31:0, VMM status in 63:32), or with -EIO from
 *	the message itself, its STATUS in bits 31:0; TDX: the GetQuote status, or
 *	what the call itself returned; Azure: the TPM's return code
 * @cookie: in: CVM_SUBMIT: comes back in the record; CVM_ISSUE: 0
 * @report_data: in: REPORT_DATA, the caller's own 64 bytes
 * @user_data: in: the same bytes on the batch node: what the proof is about
 *
 * With CVM_SUBMIT the three lengths and the three addresses are 0.
 */
struct cvm_evidence_req {
	__u32 kind;
	__u32 flags;
	__s32 result;
	__u32 key_sel;
	__u32 vmpl;
	__u32 evidence_len;
	__u32 certs_len;
	__u32 proof_len;
	__aligned_u64 evidence;
	__aligned_u64 certs;
	__aligned_u64 proof;
	__aligned_u64 platform_status;
	__aligned_u64 cookie;
	union {
		__u8 report_data[CVM_REPORT_DATA_SIZE];
		__u8 user_data[CVM_REPORT_DATA_SIZE];
	};
};

/**
 * struct cvm_issue - an array of requests
 * @size: in: sizeof(struct cvm_issue) as the caller knows it
 * @request_size: in: sizeof(struct cvm_evidence_req) as the caller knows it,
 *	which is also the stride of the array
 * @count: in: number of requests, 1 to cvm_info.max_requests
 * @flags: 0
 * @timeout_ms: in: deadline of all of them from now; 0: default_timeout_ms;
 *	more than max_timeout_ms is taken as max_timeout_ms
 * @done: out: how many requests have a result of 0
 * @requests: in: the array
 *
 * The contract of CVM_ISSUE: the whole array is read and checked before
 * anything is asked; if that fails the ioctl fails and nothing was issued and
 * nothing written. After that it returns 0 and every request has its result,
 * in the array: one may fail while others succeed. It returns -EINTR when a
 * signal ended the wait: then, too, every request has its result, and those
 * that were not answered have -EINTR. A result that cannot be written because
 * the array went away is lost, and the ioctl returns -EFAULT. Requests are not
 * ordered among themselves.
 */
struct cvm_issue {
	__u32 size;
	__u32 request_size;
	__u32 count;
	__u32 flags;
	__u32 timeout_ms;
	__u32 done;
	__aligned_u64 requests;
};

/*
 * CVM_SUBMIT takes the same structs, queues the requests and returns at once.
 * A request whose result is 0 was accepted and will have exactly one record; one
 * with another result was not, and has none. The array as a whole fails as that
 * of CVM_ISSUE does, before anything was queued, but for -EFAULT because the
 * results could not be written. cvm_issue.done counts those that were accepted.
 *
 * read() gives the records of the file, in the order in which the requests
 * came to their end: as many whole ones as fit. It waits for the first, or with
 * O_NONBLOCK returns -EAGAIN. -ENOBUFS: the first is longer than the buffer,
 * cvm_info.max_record always does. -EPERM: the first carries a proof of
 * CVM_SCOPE_PRIVILEGED and the reader has no CAP_SYS_ADMIN. A record whose
 * copy failed (-EFAULT) stays. A request counts against the file's limit until
 * its record has been read. Whoever shares a file may read its records and cancel
 * its requests. A closed file takes its requests and records with it.
 *
 * poll(): POLLIN: there is a record; POLLOUT: the file's own limit has room for
 * a request. Nothing tells of room in the queue or in other limits: after
 * -EBUSY, read the records that there are, and ask again later.
 */

/**
 * struct cvm_record - the end of a submitted request, as read() gives it
 * @size: bytes of the whole record, a multiple of 8
 * @data_offset: where the evidence begins; the certificate table follows it,
 *	then the proof, without gaps; what is left up to @size is zero
 * @result: 0 or a negative errno, as cvm_evidence_req.result
 * @kind: of the request
 * @cookie: of the request
 * @platform_status: as cvm_evidence_req.platform_status
 * @evidence_len: bytes, 0 with an error
 * @certs_len: bytes
 * @proof_len: bytes
 * @reserved: 0
 */
struct cvm_record {
	__u32 size;
	__u32 data_offset;
	__s32 result;
	__u32 kind;
	__aligned_u64 cookie;
	__aligned_u64 platform_status;
	__u32 evidence_len;
	__u32 certs_len;
	__u32 proof_len;
	__u32 reserved;
};

/**
 * struct cvm_cancel - give up submitted requests
 * @size: in: sizeof(struct cvm_cancel) as the caller knows it
 * @cancelled: out: how many had no result yet; each has a record with a result
 *	of -ECANCELED
 * @cookie: in: which, of this file
 */
struct cvm_cancel {
	__u32 size;
	__u32 cancelled;
	__aligned_u64 cookie;
};

/**
 * struct cvm_set_scope - whom the proofs by this open file shall speak for
 * @size: in: sizeof(struct cvm_set_scope) as the caller knows it
 * @label_len: in: bytes of @label, 1 to CVM_MAX_LABEL
 * @label: in: the label, any bytes; the rest is 0
 *
 * Once per open file, before its first request; the file can then be handed
 * to a workload, which cannot change it. -EPERM: the caller or the opener lacks
 * CAP_SYS_ADMIN in the initial user namespace; -EBUSY: there is a label already,
 * or there was a request.
 */
struct cvm_set_scope {
	__u32 size;
	__u32 label_len;
	__u8 label[CVM_MAX_LABEL + 1];
};

#define CVM_RTMRS		4
#define CVM_RTMR_SIZE		48

/**
 * struct cvm_extend_rtmr - TDX: extend a measurement register of this VM
 * @size: in: sizeof(struct cvm_extend_rtmr) as the caller knows it
 * @index: in: of the register, below CVM_RTMRS
 * @timeout_ms: in: deadline from now; 0: default_timeout_ms; more than
 *	max_timeout_ms is taken as max_timeout_ms
 * @flags: 0
 * @digest: in: SHA-384 of what is measured
 *
 * The register's value becomes SHA-384(value || digest), and stays in every
 * TDREPORT and quote until the VM ends. What was measured, and in which order, is
 * for the caller to keep. Registers are read from a TDREPORT (TDINFO_STRUCT, RTMR)
 * or a quote: a request for one that comes later has the new value.
 *
 * Evidence says what is, this says what shall be: the file has to be open for
 * writing, so a udev rule can give a group the node with mode 0640.
 *
 *   0             it was extended, once; with any other result it was not
 *   -EBADF        the file is not open for writing
 *   -EINVAL       as for other ioctls; there is no such register
 *   -EOPNOTSUPP   this platform has none, or this kernel extends none, as 6.12
 *   -EBUSY        the TDX module was busy all the time: try again; or as for
 *                 other requests
 *   -EIO          the TDX module refused
 *   -EFAULT, -ENOMEM, -ETIMEDOUT, -ECANCELED, -EINTR: as for other requests
 */
struct cvm_extend_rtmr {
	__u32 size;
	__u32 index;
	__u32 timeout_ms;
	__u32 flags;
	__u8 digest[CVM_RTMR_SIZE];
};

#define CVM_IOC_MAGIC	0xC7
/* _IO: the struct's own size field says how long it is, not the number */
#define CVM_INFO	_IO(CVM_IOC_MAGIC, 0x00)	/* struct cvm_info */
#define CVM_ISSUE	_IO(CVM_IOC_MAGIC, 0x01)	/* struct cvm_issue */
#define CVM_SUBMIT	_IO(CVM_IOC_MAGIC, 0x02)	/* struct cvm_issue */
#define CVM_CANCEL	_IO(CVM_IOC_MAGIC, 0x03)	/* struct cvm_cancel */
/* /dev/cvm/batch alone */
#define CVM_SET_SCOPE	_IO(CVM_IOC_MAGIC, 0x04)	/* struct cvm_set_scope */
/* 0x05: CVM_DERIVE of <linux/cvm_guest_key.h> */
/* /dev/cvm/report alone */
#define CVM_EXTEND_RTMR	_IO(CVM_IOC_MAGIC, 0x06)	/* struct cvm_extend_rtmr */

#endif /* _UAPI_LINUX_CVM_GUEST_H */
