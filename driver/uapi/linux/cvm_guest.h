/* SPDX-License-Identifier: (GPL-2.0 WITH Linux-syscall-note) OR MIT */
/*
 * The ABI of cvm-guest, the guest driver of confidential VMs.
 *
 * A confidential VM proves what it is with evidence that the processor signs:
 * an attestation report (AMD SEV-SNP) or a quote (Intel TDX). This header is
 * the manual of the device node that hands such evidence out.
 *
 *   /dev/cvm/report   direct evidence: the caller chooses all 64 bytes of
 *                     REPORT_DATA. 0600 root; a udev rule may give a group.
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
 *               have not come to their end than one file may (1024)
 *   -EINTR      a signal came; see the contract at CVM_ISSUE
 *
 * Errors of one request (cvm_report_req.result)
 * ---------------------------------------------
 *   0             evidence_len bytes of evidence are at evidence
 *   -EINVAL       REPORT_DATA begins with the tag reserved for batch evidence
 *                 ("CVMGBAT"), a VMPL that this VM cannot ask for, or a flag
 *                 or key_sel that this kind of evidence does not have
 *   -EOPNOTSUPP   this platform has no such evidence
 *   -ENOBUFS      a buffer is too small: evidence_len and certs_len say what
 *                 is needed; nothing was written to either
 *   -EFAULT       the evidence could not be written to the caller's memory
 *   -EBUSY        the queue is full: ask again later
 *   -ETIMEDOUT    no answer before the deadline; the channel lives
 *   -ECANCELED    the driver is going away
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
 */
enum cvm_platform_id {
	CVM_PLATFORM_NONE = 0,
	CVM_PLATFORM_SNP  = 1,
	CVM_PLATFORM_TDX  = 2,
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

/* cvm_info.kinds, bit (1 << kind): what CVM_ISSUE takes on this platform */
enum cvm_kind {
	CVM_KIND_SNP_REPORT = 1,	/* ATTESTATION_REPORT, 1184 bytes */
	CVM_KIND_TDREPORT   = 2,	/* TDREPORT_STRUCT, 1024 bytes */
	CVM_KIND_TDX_QUOTE  = 3,	/* quote, at most max_evidence bytes */
};

/**
 * struct cvm_info - what the driver offers on this machine
 * @size: in: the size the caller knows; out: the number of bytes written. All
 *	other fields are output only
 * @abi_version: CVM_ABI_VERSION
 * @platform: enum cvm_platform_id
 * @channel: enum cvm_channel_state at this moment
 * @kinds: bit (1 << kind) for each kind that CVM_ISSUE takes
 * @vmpl: SNP: the lowest VMPL number that a report can be asked for, and the
 *	one of a request that names none; 0 elsewhere
 * @max_requests: requests in one array
 * @max_evidence: bytes; no evidence is longer
 * @max_certs: bytes; no certificate table is longer
 * @default_timeout_ms: the deadline of a request that gives none
 * @max_timeout_ms: the longest deadline
 * @max_inflight: requests that the hardware can be asked at a time
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
	__u32 reserved[4];
};

/* cvm_report_req.flags */
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
 * struct cvm_report_req - one request for direct evidence
 * @kind: in: enum cvm_kind
 * @flags: in: CVM_REQ_*
 * @result: out: 0 or a negative errno, see the list above
 * @key_sel: in: enum cvm_key_sel; 0 on TDX
 * @vmpl: in: with CVM_REQ_VMPL, else 0
 * @evidence_len: in: bytes at @evidence; out: bytes of the evidence, 0 with
 *	an error other than -ENOBUFS and -EFAULT
 * @certs_len: in: bytes at @certs; out: bytes of the certificate table, 0
 *	where the host has none, or as for @evidence_len. Without
 *	CVM_REQ_CERTS: 0
 * @reserved: 0
 * @evidence: in: where the evidence goes
 * @certs: in: where the certificate table goes, as the host gave it: GUID
 *	table of the GHCB specification, untrusted
 * @platform_status: out, for diagnosis: SNP: SW_EXITINFO2 of the last VMGEXIT
 *	(firmware status in bits 31:0, VMM status in 63:32), or with -EIO from
 *	the message itself, its STATUS in bits 31:0; TDX: the GetQuote status, or
 *	what the call itself returned
 * @report_data: in: REPORT_DATA, the caller's own 64 bytes
 */
struct cvm_report_req {
	__u32 kind;
	__u32 flags;
	__s32 result;
	__u32 key_sel;
	__u32 vmpl;
	__u32 evidence_len;
	__u32 certs_len;
	__u32 reserved;
	__aligned_u64 evidence;
	__aligned_u64 certs;
	__aligned_u64 platform_status;
	__u8 report_data[CVM_REPORT_DATA_SIZE];
};

/**
 * struct cvm_issue - an array of requests
 * @size: in: sizeof(struct cvm_issue) as the caller knows it
 * @request_size: in: sizeof(struct cvm_report_req) as the caller knows it,
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

#define CVM_IOC_MAGIC	0xC7
/* _IO: the struct's own size field says how long it is, not the number */
#define CVM_INFO	_IO(CVM_IOC_MAGIC, 0x00)	/* struct cvm_info */
#define CVM_ISSUE	_IO(CVM_IOC_MAGIC, 0x01)	/* struct cvm_issue */

#endif /* _UAPI_LINUX_CVM_GUEST_H */
