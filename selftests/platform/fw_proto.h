/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cvm_platform_sim.ko (the seams, in the VM's kernel), the library's sim
 * backend and cvmctl say to cvm-fwd, the simulated host and firmware.
 *
 * A stream (the misc device /dev/cvm-fw, a virtio-serial port, or a UNIX
 * stream socket) carries frames: struct fw_frame and len bytes of payload.
 * Every request gets exactly one answer with the same type and id, in any
 * order. Integers are little-endian. cvm-fwd decides everything: what the
 * firmware answers, and when: the kernel half delivers an answer no earlier
 * than delay_ns after it put the request on the stream. A request that is not
 * answered stays open: a quote for ever, any other fails after 100 s.
 */
#ifndef CVM_FW_PROTO_H
#define CVM_FW_PROTO_H

#include <linux/types.h>

#define FW_MAGIC		0x31574643	/* "CFW1" */
#define FW_PAGE			4096
#define FW_MAX_PAYLOAD		(256 * 1024)
#define FW_MAX_CERT_PAGES	32
#define FW_MAX_QUOTES		16		/* in flight, as QEMU allows */

enum fw_type {
	FW_HELLO	= 1,	/* -> (nothing)              <- struct fw_hello */
	FW_SNP_REQUEST	= 2,	/* -> struct fw_snp_request  <- struct fw_snp_answer, certs */
	FW_TDX_REPORT	= 3,	/* -> REPORTDATA[64]         <- TDREPORT[1024] */
	FW_TDX_QUOTE	= 4,	/* -> TDREPORT[1024]         <- quote */
	FW_TDX_RTMR	= 5,	/* -> index u32, digest[48]  <- (nothing) */
	FW_CONTROL	= 6,	/* -> KEY=VALUE lines        <- (nothing), or an error text */
	FW_STATUS	= 7,	/* -> (nothing)              <- KEY=VALUE lines: counters */
	FW_VIOLATION	= 8,	/* -> text                   <- (nothing): a broken rule */
	FW_SIM_REPORT	= 9,	/* -> struct fw_sim_report   <- report[1184], certificate table */
	FW_SIM_QUOTE	= 10,	/* -> REPORTDATA[64]         <- quote */
	FW_SIM_KEY	= 11,	/* -> MSG_KEY_REQ[40]        <- derived key[32] */
	FW_SVSM_ATTEST	= 12,	/* -> struct fw_svsm_attest  <- struct fw_svsm_answer, buffers */
};

struct fw_frame {
	__u32 magic;
	__u32 type;		/* enum fw_type */
	__u64 id;		/* chosen by the asker */
	__u32 len;		/* payload bytes that follow */
	__u32 flags;		/* answers: FW_HOLD_CPU; requests: 0 */
	__u64 status;		/* answers: SNP SW_EXITINFO2; TDX status code; else 0 or an errno */
	__u64 delay_ns;		/* answers: the least time from request to answer */
};

#define FW_HOLD_CPU	(1U << 0)	/* the vCPU is stalled for delay_ns */
#define FW_EARLY	(1U << 1)	/* quote: out_len and status come 200 ms before the data */
#define FW_OUT_LEN	(1U << 2)	/* quote: a u32 before it is what goes to out_len */

enum fw_platform {
	FW_PLATFORM_SNP		= 1,
	FW_PLATFORM_TDX		= 2,
	/* under a paravisor, which has the hardware to itself: all is in the TPM */
	FW_PLATFORM_AZURE_SNP	= 3,
	FW_PLATFORM_AZURE_TDX	= 4,
};

struct fw_hello {
	__u32 platform;		/* enum fw_platform */
	__u32 vmpl;		/* the VMPL the guest kernel runs at */
	__u32 max_quotes;	/* GetQuote calls in flight before RETRY, 1 to 16 */
	__u32 strict;		/* broken page rules fail the run; else they are logged */
	__u8 boot_id[16];	/* new for each start of the VM, kept across kexec */
	__u8 secrets[FW_PAGE];	/* SNP: the secrets page as the firmware makes it at launch */
};

struct fw_snp_request {
	__u64 exit_code;	/* SVM_VMGEXIT_GUEST_REQUEST or ..._EXT_GUEST_REQUEST */
	__u32 data_npages;	/* extended: shared pages offered for certificates */
	__u32 reserved;
	__u8 request[FW_PAGE];	/* the shared request page */
};

struct fw_snp_answer {
	__u32 data_npages;	/* with INVALID_LEN: pages needed (goes to RBX) */
	__s32 es_result;	/* of snp_issue_guest_request(); 0 but for GHCB failures */
	__u32 deliver;		/* 1: response is written to the shared response page */
	__u32 certs_len;	/* bytes of certificate table that follow this struct */
	__u8 response[FW_PAGE];
};

/* a call of the SVSM's attestation protocol: registers, and what they lead to */
struct fw_svsm_attest {
	__u64 rax, rcx, rdx, r8;
	__u32 report_len;	/* bytes of the guest's buffers */
	__u32 manifest_len;
	__u32 certs_len;
	__u32 nonce_len;
	__u8 nonce[64];		/* the first of them */
	__u8 guid[16];		/* of a single service */
	__u32 manifest_version;
	__u32 reserved;
};

struct fw_svsm_answer {
	__u64 rax, rcx, rdx, r8;
	__u32 pending;		/* 1: the host came back without running the SVSM */
	__u32 report_len;	/* bytes that follow, in this order, for the buffers */
	__u32 manifest_len;
	__u32 certs_len;
};

struct fw_sim_report {
	__u8 report_data[64];
	__u32 vmpl;
	__u32 key_sel;
};

#endif /* CVM_FW_PROTO_H */
