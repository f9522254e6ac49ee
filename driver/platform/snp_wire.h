/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SEV-SNP guest messages as they are on the wire: SEV-SNP firmware ABI
 * (SNP_GUEST_REQUEST, MSG_REPORT_REQ, ATTESTATION_REPORT) and GHCB
 * specification (guest requests, secrets page, certificate table).
 * Little-endian, like every machine that has it.
 */
#ifndef CVM_SNP_WIRE_H
#define CVM_SNP_WIRE_H

#ifdef __KERNEL__
#include <linux/build_bug.h>
#include <linux/string.h>
#else
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#endif
#include <linux/errno.h>
#include <linux/types.h>

enum {
	CVM_SNP_VMPCKS		= 4,
	CVM_SNP_VMPLS		= 4,
	CVM_SNP_VMPCK_LEN	= 32,
	CVM_SNP_PAGE		= 4096,
	CVM_SNP_TAG_LEN		= 16,
	CVM_SNP_AAD_LEN		= 48,	/* the header from algo to its end */
	CVM_SNP_IV_LEN		= 12,
	CVM_SNP_HDR_VERSION	= 1,
	CVM_SNP_AES_256_GCM	= 1,
	/* the answer's type is one higher */
	CVM_SNP_KEY_REQ		= 3,
	CVM_SNP_REPORT_REQ	= 5,
	CVM_SNP_KEY_REQ_V1	= 1,
	CVM_SNP_KEY_REQ_V2	= 2,	/* with launch_mit_vector */
	CVM_SNP_REPORT_REQ_V1	= 1,
	CVM_SNP_REPORT_SIZE	= 1184,
	/* firmware that makes reports of this version knows KEY_SEL in a KEY_REQ */
	CVM_SNP_REPORT_V3	= 3,
	/* and of this one KEY_REQ_V2 */
	CVM_SNP_REPORT_V5	= 5,
	CVM_SNP_KEY_LEN		= 32,

	/* pages of certificate table: at first, and the most a host may ask for */
	CVM_SNP_CERT_PAGES	= 4,
	CVM_SNP_CERT_PAGES_MAX	= 32,
};

/* SW_EXITINFO2: firmware status in bits 31:0, VMM status in bits 63:32 */
#define CVM_SNP_FW(info)	((__u32)(info))
#define CVM_SNP_VMM(info)	((__u32)((info) >> 32))

enum {
	CVM_SNP_VMM_INVALID_LEN	= 1,
	CVM_SNP_VMM_BUSY	= 2,
};

#define CVM_SNP_VMM_GENERIC	0xffffffffU

/* to a message of a version that the firmware does not know, among others */
#define CVM_SNP_FW_INVALID_PARAM	0x16U

/* no firmware status has more than 16 bits: the firmware was not called */
#define CVM_SNP_FW_NOT_CALLED	0xffffffffU

struct cvm_snp_hdr {
	__u8 tag[32];		/* the first CVM_SNP_TAG_LEN bytes count */
	__u64 seqno;
	__u8 reserved1[8];
	__u8 algo;		/* from here on authenticated */
	__u8 hdr_version;
	__u16 hdr_size;
	__u8 type;
	__u8 version;
	__u16 size;
	__u32 reserved2;
	__u8 vmpck;
	__u8 reserved3[35];
} __attribute__((packed));

#define CVM_SNP_PAYLOAD	(CVM_SNP_PAGE - sizeof(struct cvm_snp_hdr))

struct cvm_snp_page {
	struct cvm_snp_hdr hdr;
	__u8 payload[CVM_SNP_PAYLOAD];
} __attribute__((packed));

struct cvm_snp_secrets {
	__u8 reserved1[32];
	__u8 vmpck[CVM_SNP_VMPCKS][CVM_SNP_VMPCK_LEN];
	__u32 seqno[CVM_SNP_VMPCKS];	/* the guest's own: the last one used */
	__u8 reserved2[3920];
} __attribute__((packed));

struct cvm_snp_report_req {
	__u8 report_data[64];
	__u32 vmpl;
	__u32 key_sel;		/* bits 1:0 */
	__u8 reserved[24];
} __attribute__((packed));

#define CVM_SNP_KEY_SEL		3U

struct cvm_snp_report_rsp {
	__u32 status;
	__u32 report_size;
	__u8 reserved[24];
	__u8 report[CVM_SNP_REPORT_SIZE];
} __attribute__((packed));

struct cvm_snp_key_req {
	__u32 root_key_select;	/* bit 0: VMRK; bits 2:1: KEY_SEL, 0: VLEK or VCEK */
	__u32 reserved;
	__u64 guest_field_select;
	__u32 vmpl;
	__u32 guest_svn;
	__u64 tcb_version;
	__u64 launch_mit_vector;	/* version 2 */
} __attribute__((packed));

#define CVM_SNP_KEY_REQ_V1_SIZE	offsetof(struct cvm_snp_key_req, launch_mit_vector)
#define CVM_SNP_ROOT_ANY	0U		/* the VLEK if there is one, else the VCEK */
#define CVM_SNP_ROOT_VMRK	1U
#define CVM_SNP_ROOT_VCEK	(1U << 1)	/* never the VLEK: that is of many chips */
#define CVM_SNP_ROOT_BITS	(CVM_SNP_ROOT_VMRK | CVM_SNP_KEY_SEL << 1)

struct cvm_snp_key_rsp {
	__u32 status;
	__u8 reserved[28];
	__u8 key[CVM_SNP_KEY_LEN];
} __attribute__((packed));

/* what the driver looks at in an ATTESTATION_REPORT */
struct cvm_snp_report {
	__u32 version;
	__u8 reserved1[44];
	__u32 vmpl;
	__u8 reserved2[20];
	__u32 key_info;		/* bits 4:2: which key signed it */
	__u32 reserved3;
	__u8 report_data[64];
	__u8 reserved4[240];
	__u64 reported_tcb;
	__u8 reserved5[24];
	__u8 chip_id[64];
	__u8 reserved6[704];
} __attribute__((packed));

#define CVM_SNP_KEY_INFO_SIGNER	0x1cU
#define CVM_SNP_SIGNED_BY_VLEK	0x04U

struct cvm_snp_cert_entry {
	__u8 guid[16];
	__u32 offset;
	__u32 length;
} __attribute__((packed));

static_assert(sizeof(struct cvm_snp_hdr) == 0x60, "guest message header");
static_assert(offsetof(struct cvm_snp_hdr, algo) == 0x30, "AAD of a message");
static_assert(sizeof(struct cvm_snp_page) == CVM_SNP_PAGE, "guest message");
static_assert(sizeof(struct cvm_snp_secrets) == CVM_SNP_PAGE, "secrets page");
static_assert(offsetof(struct cvm_snp_secrets, seqno) == 0xa0, "OS area");
static_assert(sizeof(struct cvm_snp_report_req) == 96, "MSG_REPORT_REQ");
static_assert(offsetof(struct cvm_snp_report_rsp, report) == 32, "MSG_REPORT_RSP");
static_assert(CVM_SNP_KEY_REQ_V1_SIZE == 32, "MSG_KEY_REQ, version 1");
static_assert(sizeof(struct cvm_snp_key_req) == 40, "MSG_KEY_REQ, version 2");
static_assert(sizeof(struct cvm_snp_key_rsp) == 64, "MSG_KEY_RSP");
static_assert(sizeof(struct cvm_snp_report) == CVM_SNP_REPORT_SIZE, "report");
static_assert(offsetof(struct cvm_snp_report, report_data) == 0x50, "report");
static_assert(offsetof(struct cvm_snp_report, reported_tcb) == 0x180, "report");
static_assert(offsetof(struct cvm_snp_report, chip_id) == 0x1a0, "report");

#endif /* CVM_SNP_WIRE_H */
