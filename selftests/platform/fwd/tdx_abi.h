/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Structures of the TDX module (TDREPORT), of the guest-host interface
 * (GetQuote status) and of DCAP quotes, as they lie in memory. Byte arrays
 * only, so that nothing is padded; integers in them are little-endian.
 */
#ifndef CVM_FWD_TDX_ABI_H
#define CVM_FWD_TDX_ABI_H

#include <stdint.h>

#define TDX_REPORTDATA_LEN	64
#define TDX_HASH_LEN		48	/* SHA-384 */
#define TDX_RTMRS		4

/* TDCALL status; the low half names the operand: 1 RCX, 2 RDX */
#define TDX_SUCCESS		0ULL
#define TDX_OPERAND_BUSY	0x8000020000000000ULL
#define TDX_OPERAND_INVALID	0xc000010000000000ULL

/* status of the GetQuote buffer */
#define GET_QUOTE_SUCCESS	0ULL
#define GET_QUOTE_ERROR		0x8000000000000000ULL
#define GET_QUOTE_UNAVAILABLE	0x8000000000000001ULL	/* no quoting service now */

/* REPORTMACSTRUCT: what the CPU authenticates, by a MAC over all but itself */
struct reportmac {
	uint8_t type, subtype, version, reserved0;
	uint8_t reserved1[12];
	uint8_t cpusvn[16];
	uint8_t tee_tcb_info_hash[TDX_HASH_LEN];
	uint8_t tee_info_hash[TDX_HASH_LEN];
	uint8_t report_data[TDX_REPORTDATA_LEN];
	uint8_t reserved2[32];
	uint8_t mac[32];
};

#define REPORT_TYPE_TDX		0x81

/* of the TDX module */
struct tee_tcb_info {
	uint8_t valid[8];
	uint8_t tee_tcb_svn[16];
	uint8_t mrseam[TDX_HASH_LEN];
	uint8_t mrsignerseam[TDX_HASH_LEN];
	uint8_t attributes[8];
	uint8_t tee_tcb_svn2[16];	/* from TDX 1.5 on: of the module that runs now */
	uint8_t reserved[95];
};

/* which parts of tee_tcb_info are filled in */
#define TCB_VALID_10		0x001ffULL
#define TCB_VALID_15		0x301ffULL

/* of the TD */
struct tdinfo {
	uint8_t attributes[8];
	uint8_t xfam[8];
	uint8_t mrtd[TDX_HASH_LEN];
	uint8_t mrconfigid[TDX_HASH_LEN];
	uint8_t mrowner[TDX_HASH_LEN];
	uint8_t mrownerconfig[TDX_HASH_LEN];
	uint8_t rtmr[TDX_RTMRS][TDX_HASH_LEN];
	uint8_t servtd_hash[TDX_HASH_LEN];	/* TDREPORT version 1 */
	uint8_t reserved[64];
};

struct tdreport {
	struct reportmac mac;
	struct tee_tcb_info tcb;
	uint8_t reserved[17];
	struct tdinfo td;
};

_Static_assert(sizeof(struct reportmac) == 256, "REPORTMACSTRUCT");
_Static_assert(sizeof(struct tee_tcb_info) == 239, "TEE_TCB_INFO");
_Static_assert(sizeof(struct tdinfo) == 512, "TDINFO_STRUCT");
_Static_assert(sizeof(struct tdreport) == 1024, "TDREPORT_STRUCT");

struct quote_header {
	uint8_t version[2];
	uint8_t key_type[2];
	uint8_t tee_type[4];
	uint8_t reserved[4];
	uint8_t qe_vendor[16];
	uint8_t user_data[20];
};

#define KEY_TYPE_ECDSA_P256	2

/* from version 5 on, between header and body */
struct quote_body_head {
	uint8_t type[2];
	uint8_t size[4];
};

#define BODY_TD10		2
#define BODY_TD15		3

struct quote_body {
	uint8_t tee_tcb_svn[16];
	uint8_t mrseam[TDX_HASH_LEN];
	uint8_t mrsignerseam[TDX_HASH_LEN];
	uint8_t seam_attributes[8];
	uint8_t td_attributes[8];
	uint8_t xfam[8];
	uint8_t mrtd[TDX_HASH_LEN];
	uint8_t mrconfigid[TDX_HASH_LEN];
	uint8_t mrowner[TDX_HASH_LEN];
	uint8_t mrownerconfig[TDX_HASH_LEN];
	uint8_t rtmr[TDX_RTMRS][TDX_HASH_LEN];
	uint8_t report_data[TDX_REPORTDATA_LEN];
};

/* struct quote_body, then this: BODY_TD15 */
struct quote_body15 {
	uint8_t tee_tcb_svn2[16];
	uint8_t mrservicetd[TDX_HASH_LEN];
};

_Static_assert(sizeof(struct quote_header) == 48, "quote header");
_Static_assert(sizeof(struct quote_body) == 584, "TD 1.0 body");
_Static_assert(sizeof(struct quote_body) + sizeof(struct quote_body15) == 648, "TD 1.5 body");

/* an SGX report: the quoting enclave's about its attestation key */
struct qe_report {
	uint8_t cpusvn[16];
	uint8_t miscselect[4];
	uint8_t reserved1[28];
	uint8_t attributes[16];
	uint8_t mrenclave[32];
	uint8_t reserved2[32];
	uint8_t mrsigner[32];
	uint8_t reserved3[96];
	uint8_t isv_prod_id[2];
	uint8_t isv_svn[2];
	uint8_t reserved4[60];
	uint8_t report_data[64];
};

_Static_assert(sizeof(struct qe_report) == 384, "SGX report body");

/* an ECDSA P-256 signature r || s, a public key x || y: big-endian */
#define P256_RAW_LEN		64
#define QE_AUTH_LEN		32

struct cert_data_head {
	uint8_t type[2];
	uint8_t size[4];
};

#define CERT_DATA_PCK_CHAIN	5	/* PEM: leaf, platform CA, root CA */
#define CERT_DATA_QE_REPORT	6	/* struct quote_certification */

/* what vouches for the attestation key; the PCK chain follows */
struct quote_certification {
	struct qe_report report;
	uint8_t signature[P256_RAW_LEN];	/* of report, by the PCK */
	uint8_t auth_len[2];
	uint8_t auth[QE_AUTH_LEN];
	struct cert_data_head chain;
};

/* after the body: its length first */
struct quote_signature {
	uint8_t signature[P256_RAW_LEN];	/* of header and body */
	uint8_t key[P256_RAW_LEN];		/* the attestation key */
	struct cert_data_head head;
	struct quote_certification certification;
};

_Static_assert(sizeof(struct quote_signature) == 128 + 6 + 384 + 64 + 2 + 32 + 6,
	       "quote signature data");

static inline void put_le(uint8_t *out, uint64_t value, unsigned int bytes)
{
	for (; bytes--; value >>= 8)
		*out++ = (uint8_t)value;
}

#endif /* CVM_FWD_TDX_ABI_H */
