/* SPDX-License-Identifier: MIT */
/*
 * TDREPORT_STRUCT: "Intel TDX Module ABI Specification" (348551), section on
 * measurement and attestation types. Its MAC can be checked only on the
 * machine that made it; a quote is what others can verify.
 */
#ifndef CVM_TDREPORT_H
#define CVM_TDREPORT_H

#include "format.h"

#define CVM_TDREPORT_SIZE	1024
#define CVM_TDREPORT_TYPE_TDX	0x81

/**
 * struct cvm_tdreport - TDREPORT_STRUCT
 * @version: of REPORTTYPE; 1: the TD has, or may have, service TDs
 * @valid: bit i: the 8 bytes at 8 * i of TEE_TCB_INFO mean something
 * @has_tee_tcb_svn2: by @valid: a TDX 1.5 module made this
 * @servtd_hash: zero in version 0, where it is reserved
 * @tee_tcb_info: the 239 bytes that tee_tcb_info_hash is the SHA-384 of
 * @tdinfo: the 512 bytes that tee_info_hash is the SHA-384 of
 */
struct cvm_tdreport {
	/* REPORTMACSTRUCT */
	uint8_t type;
	uint8_t subtype;
	uint8_t version;
	uint8_t cpusvn[16];
	uint8_t tee_tcb_info_hash[48];
	uint8_t tee_info_hash[48];
	uint8_t reportdata[64];
	uint8_t mac[32];
	/* TEE_TCB_INFO */
	uint64_t valid;
	uint8_t tee_tcb_svn[16];
	uint8_t mrseam[48];
	uint8_t mrsignerseam[48];
	uint64_t seam_attributes;
	bool has_tee_tcb_svn2;
	uint8_t tee_tcb_svn2[16];
	/* TDINFO_STRUCT */
	uint64_t attributes;
	uint64_t xfam;
	uint8_t mrtd[48];
	uint8_t mrconfigid[48];
	uint8_t mrowner[48];
	uint8_t mrownerconfig[48];
	uint8_t rtmr[4][48];
	uint8_t servtd_hash[48];

	struct cvm_span tee_tcb_info;
	struct cvm_span tdinfo;
};

int cvm_tdreport_parse(const void *data, size_t len, struct cvm_tdreport *r,
		       struct cvm_format_error *err);

#endif /* CVM_TDREPORT_H */
