/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * TDX on the wire: TDREPORT (TDX module ABI), GetQuote (Guest-Hypervisor
 * Communication Interface), and the head of a quote (Intel DCAP).
 */
#ifndef CVM_TDX_ABI_H
#define CVM_TDX_ABI_H

#include <linux/sizes.h>
#include <linux/types.h>

enum {
	TDX_REPORTDATA_SIZE	= 64,
	TDX_REPORTDATA_ALIGN	= 64,
	TDX_TDREPORT_SIZE	= 1024,
	TDX_TDREPORT_ALIGN	= 1024,

	/* what an RTMR is extended with, and its value */
	TDX_DIGEST_SIZE		= 48,
	TDX_DIGEST_ALIGN	= 64,

	/* TDREPORT_STRUCT: the type of report in byte 0, then REPORTDATA */
	TDX_TDREPORT_TYPE	= 0x81,
	TDX_TDREPORT_DATA	= 128,
	/* TDINFO_STRUCT in it: ATTRIBUTES and XFAM, then the measurements */
	TDX_TDREPORT_MRTD	= 512 + 2 * 8,
	TDX_TDREPORT_MRCONFIGID	= TDX_TDREPORT_MRTD + TDX_DIGEST_SIZE,
	TDX_TDREPORT_MROWNER	= TDX_TDREPORT_MRCONFIGID + TDX_DIGEST_SIZE,
	TDX_TDREPORT_MROWNERCONFIG = TDX_TDREPORT_MROWNER + TDX_DIGEST_SIZE,
	TDX_TDREPORT_RTMR	= TDX_TDREPORT_MROWNERCONFIG + TDX_DIGEST_SIZE,
};

/**
 * struct tdx_quote_buf - what guest and host share for one quote
 * @version: 1
 * @status: by the host, enum tdx_quote_status
 * @in_len: bytes of TDREPORT
 * @out_len: by the host, bytes of the quote
 * @data: TDREPORT, then the quote
 */
struct tdx_quote_buf {
	__le64 version;
	__le64 status;
	__le32 in_len;
	__le32 out_len;
	u8 data[];
};

#define TDX_QUOTE_BUF_VERSION	1
#define TDX_QUOTE_BUF_SIZE	SZ_128K
#define TDX_QUOTE_MAX		(TDX_QUOTE_BUF_SIZE - sizeof(struct tdx_quote_buf))

#define TDX_QUOTE_SUCCESS	0ULL
#define TDX_QUOTE_IN_FLIGHT	0xffffffffffffffffULL

/* what the hypercall itself returns */
#define TDX_VMCALL_SUCCESS	0ULL
#define TDX_VMCALL_RETRY	1ULL

/* quote header, versions 4 and 5 */
struct tdx_quote_header {
	__le16 version;
	__le16 key_type;
	__le32 tee_type;
	u8 reserved[4];
	u8 vendor[16];
	u8 user_data[20];
} __packed;

#define TDX_TEE_TYPE		0x81

/* version 5 says which body follows; version 4 knows only one */
struct tdx_quote_body_header {
	__le16 type;
	__le32 size;
} __packed;

enum {
	TDX_BODY_TD10		= 2,
	TDX_BODY_TD15		= 3,
	TDX_BODY_TD10_SIZE	= 584,
	TDX_BODY_TD15_SIZE	= 648,
	/* REPORTDATA, in both bodies */
	TDX_BODY_DATA		= 520,
};

#endif /* CVM_TDX_ABI_H */
