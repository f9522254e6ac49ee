/* SPDX-License-Identifier: MIT */
/*
 * Quotes, versions 4 and 5: "Intel TDX DCAP Quoting Library API", appendix A.
 * Fields are named as there. Both versions carry enclaves' reports as well as
 * TDs': such a quote is parsed, so that it can be shown for what it is.
 */
#ifndef CVM_QUOTE_H
#define CVM_QUOTE_H

#include "format.h"

#define CVM_QUOTE_HEADER_SIZE		48
#define CVM_QUOTE_BODY_TD10_SIZE	584
#define CVM_QUOTE_BODY_TD15_SIZE	648
#define CVM_SGX_REPORT_SIZE		384
#define CVM_QUOTE_TRAILING_MAX		4096	/* real ones have up to 70 */

#define CVM_QUOTE_TEE_SGX		0
#define CVM_QUOTE_TEE_TDX		0x81
#define CVM_QUOTE_KEY_ECDSA_P256	2

enum cvm_quote_body_type {
	CVM_QUOTE_BODY_SGX = 1,		/* an enclave's report */
	CVM_QUOTE_BODY_TD10 = 2,
	CVM_QUOTE_BODY_TD15 = 3,
};

/* A.3.9 (version 4), A.4.11 (version 5): certification data types */
enum cvm_cert_data_type {
	CVM_CERT_DATA_PPID_PLAIN = 1,
	CVM_CERT_DATA_PPID_RSA2048 = 2,
	CVM_CERT_DATA_PPID_RSA3072 = 3,
	CVM_CERT_DATA_PCK_LEAF = 4,
	CVM_CERT_DATA_PCK_CHAIN = 5,
	CVM_CERT_DATA_QE_REPORT = 6,
	CVM_CERT_DATA_PLATFORM_MANIFEST = 7,
};

/*
 * TDATTRIBUTES: "Intel TDX Module ABI Specification" (348551), ATTRIBUTES. Bits
 * 7:0 (TUD) are those of a TD under debug: with any of them the host sees inside.
 */
#define CVM_TD_ATTR_DEBUG		(1ULL << 0)
#define CVM_TD_ATTR_TUD			0xffULL
#define CVM_TD_ATTR_ICSSD		(1ULL << 16)
#define CVM_TD_ATTR_LASS		(1ULL << 27)
#define CVM_TD_ATTR_SEPT_VE_DISABLE	(1ULL << 28)
#define CVM_TD_ATTR_MIGRATABLE		(1ULL << 29)
#define CVM_TD_ATTR_PKS			(1ULL << 30)
#define CVM_TD_ATTR_KL			(1ULL << 31)
#define CVM_TD_ATTR_TPA			(1ULL << 62)
#define CVM_TD_ATTR_PERFMON		(1ULL << 63)
#define CVM_TD_ATTR_KNOWN						\
	(CVM_TD_ATTR_DEBUG | CVM_TD_ATTR_ICSSD | CVM_TD_ATTR_LASS |	\
	 CVM_TD_ATTR_SEPT_VE_DISABLE | CVM_TD_ATTR_MIGRATABLE |		\
	 CVM_TD_ATTR_PKS | CVM_TD_ATTR_KL | CVM_TD_ATTR_TPA |		\
	 CVM_TD_ATTR_PERFMON)

/* TD quote body; the last two fields only where the body is of TDX 1.5 */
struct cvm_td_body {
	uint8_t tee_tcb_svn[16];
	uint8_t mrseam[48];
	uint8_t mrsignerseam[48];
	uint64_t seamattributes;
	uint64_t tdattributes;
	uint64_t xfam;
	uint8_t mrtd[48];
	uint8_t mrconfigid[48];
	uint8_t mrowner[48];
	uint8_t mrownerconfig[48];
	uint8_t rtmr[4][48];
	uint8_t reportdata[64];
	uint8_t tee_tcb_svn_2[16];
	uint8_t mrservicetd[48];
};

/* Enclave report body: of the quoting enclave, or what an SGX quote is about */
struct cvm_sgx_report {
	uint8_t cpusvn[16];
	uint32_t miscselect;
	uint8_t attributes[16];
	uint8_t mrenclave[32];
	uint8_t mrsigner[32];
	uint16_t isvprodid;
	uint16_t isvsvn;
	uint8_t reportdata[64];
};

struct cvm_cert_data {
	uint16_t type;		/* enum cvm_cert_data_type */
	size_t offset;		/* of its data in the quote */
	struct cvm_span data;
};

/* PPID, CPUSVN, PCESVN, PCEID: certification data types 1 to 3 */
struct cvm_ppid {
	bool encrypted;
	struct cvm_span ppid;
	uint8_t cpusvn[16];
	uint16_t pcesvn;
	uint16_t pceid;
};

/* QE report certification data, type 6 */
struct cvm_qe_cert {
	struct cvm_span report;		/* the bytes that are signed */
	struct cvm_sgx_report qe;
	struct cvm_span signature;	/* r and s, 32 bytes each, big-endian */
	struct cvm_span auth_data;
	struct cvm_cert_data cert;	/* types 1 to 5, 7 */
};

/**
 * struct cvm_quote - a quote taken apart
 * @body_type: version 4: by @tee_type; version 5: as the quote says
 * @body: of a TD
 * @enclave: in its place, with CVM_QUOTE_BODY_SGX
 * @signed_part: header and body, what the attestation key signs
 * @certified: the attestation key and all that vouches for it: the same bytes
 *	in every quote of a platform until its keys change
 * @signature: r and s, 32 bytes each, big-endian
 * @attestation_key: x and y of a P-256 point, 32 bytes each, big-endian
 * @cert: certification data as it stands in the quote
 * @has_qe: @cert is of type 6, and @qe is it taken apart
 * @trailing: bytes after the quote that it does not account for: transport
 *	buffers are longer than quotes, and nothing signs what is in there
 */
struct cvm_quote {
	uint16_t version;
	uint16_t att_key_type;
	uint32_t tee_type;
	uint8_t qe_vendor_id[16];
	uint8_t user_data[20];
	uint16_t body_type;
	struct cvm_td_body body;
	struct cvm_sgx_report enclave;
	struct cvm_span signed_part;
	struct cvm_span certified;
	struct cvm_span signature;
	struct cvm_span attestation_key;
	struct cvm_cert_data cert;
	bool has_qe;
	struct cvm_qe_cert qe;
	struct cvm_span trailing;
};

int cvm_quote_parse(const void *data, size_t len, struct cvm_quote *q,
		    struct cvm_format_error *err);

/* Signature data, the part of a quote from @at to the end of @data */
int cvm_quote_parse_signature(struct cvm_span data, size_t at,
			      struct cvm_quote *q,
			      struct cvm_format_error *err);

/* 384 bytes at @p; nothing is checked, every value is one */
void cvm_sgx_report_parse(const uint8_t *p, struct cvm_sgx_report *r);

/* Certification data of types 1 to 3 */
int cvm_ppid_parse(const struct cvm_cert_data *cert, struct cvm_ppid *ppid,
		   struct cvm_format_error *err);

/* A phrase for people; "unknown" for a type that is not in the specification */
const char *cvm_cert_data_name(uint16_t type);

#endif /* CVM_QUOTE_H */
