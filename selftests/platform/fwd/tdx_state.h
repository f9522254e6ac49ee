/* SPDX-License-Identifier: GPL-2.0 */
/* What the tdx_*.c files share. */
#ifndef CVM_FWD_TDX_STATE_H
#define CVM_FWD_TDX_STATE_H

#include "fwd.h"
#include "tdx_abi.h"

enum td_version { TD_10, TD_15 };
enum quote_version { QUOTE_V4, QUOTE_V5 };

/**
 * struct tdx_config - the TD, the TDX module and the platform, by KEY=VALUE
 * @td_version: enum td_version
 * @tdreport_version: 0, or 1: the hash of the service TDs is there
 * @quote_version: enum quote_version
 * @max_quotes: GetQuote calls in flight before RETRY
 * @tcb_status: what Intel's collateral says of the platform, by its place in the option
 */
struct tdx_config {
	unsigned int td_version, tdreport_version, quote_version;
	uint32_t max_quotes;

	uint8_t cpusvn[16], tee_tcb_svn[16], tee_tcb_svn2[16];
	uint8_t mrseam[TDX_HASH_LEN], mrsignerseam[TDX_HASH_LEN];
	uint64_t seam_attributes;

	uint64_t td_attributes, xfam;
	uint8_t mrtd[TDX_HASH_LEN], mrconfigid[TDX_HASH_LEN];
	uint8_t mrowner[TDX_HASH_LEN], mrownerconfig[TDX_HASH_LEN];
	uint8_t rtmr[TDX_RTMRS][TDX_HASH_LEN];
	uint8_t servtd_hash[TDX_HASH_LEN];

	uint8_t fmspc[6], pceid[2], pck_svn[16];
	uint32_t pcesvn, qe_svn;
	unsigned int tcb_status;
};

/**
 * struct tdx_faults - how the host and the module misbehave
 * @report_busy_n: TDCALLs that find their operand busy
 * @quote_status: what the next @quote_status_n quotes fail with
 * @quote_out_len: what the next @quote_out_len_n quotes say their length is
 * @early_success: the status is there before the quote
 * @stuck_n: quotes that are never answered
 * @quote_bad_data_n: quotes, rightly signed, for other REPORTDATA
 */
struct tdx_faults {
	uint32_t report_busy_n;
	uint64_t quote_status;
	uint32_t quote_status_n;
	uint32_t quote_out_len, quote_out_len_n;
	bool early_success;
	uint32_t stuck_n, quote_bad_data_n;
};

/**
 * struct tdx_pki - what signs and vouches
 * @pck: the platform's certificate and key
 * @chain: PEM, leaf first, and a NUL
 * @chain_len: of @chain, with the NUL
 */
struct tdx_pki {
	struct pki_cert pck;
	char *chain;
	size_t chain_len;
};

extern struct tdx_config tdx_config;
extern struct tdx_faults tdx_faults;

/* tdx_report.c */
void tdx_report_init(const struct fwd *fwd);
int tdx_report_make(const uint8_t report_data[64], struct tdreport *report);
bool tdx_report_genuine(const struct tdreport *report);

/* tdx_quote.c: 0, or -1 and the reason on stderr */
int tdx_quote_init(const struct fwd *fwd);

/* tdx_pki.c */
int tdx_pki_make(const struct fwd *fwd, struct tdx_pki *pki);
void tdx_pki_free(struct tdx_pki *pki);

/* tdx_quote.c: ECDSA with P-256 and SHA-256, r and s big-endian; 0 or -1 */
int tdx_sign(EVP_PKEY *key, const void *data, size_t len, uint8_t raw[P256_RAW_LEN]);

/* tdx_quote.c: SHA-256 of who signed the quoting enclave */
void tdx_qe_signer(uint8_t mrsigner[32]);

/* tdx_collateral.c: tdx-collateral.json of the state directory, as Intel would write it */
int tdx_collateral_save(const struct fwd *fwd, const struct pki_cert *root,
			const struct pki_cert *platform, const struct pki_cert *signing);

#endif /* CVM_FWD_TDX_STATE_H */
