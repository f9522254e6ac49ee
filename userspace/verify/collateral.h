/* SPDX-License-Identifier: MIT */
/*
 * What Intel says of its platforms and enclaves: TCB info (version 3, of TDX) and
 * the identity of the TD quoting enclave (version 2): "Intel Provisioning
 * Certification Service API", version 4. JSON that Intel signed; keys that are
 * not known are passed over, as Intel adds some.
 *
 * The file that holds all of it, cvm-collateral(5), is an object with the members
 * named below. fetch/ writes it, collateral.c reads it.
 */
#ifndef CVM_VERIFY_COLLATERAL_H
#define CVM_VERIFY_COLLATERAL_H

#include "certs.h"

#define CVM_COLLATERAL_VERSION			"version"	/* 1, or absent */
#define CVM_COLLATERAL_TCB_INFO			"tcb_info"
#define CVM_COLLATERAL_TCB_INFO_SIGNATURE	"tcb_info_signature"
#define CVM_COLLATERAL_TCB_INFO_CHAIN		"tcb_info_issuer_chain"
#define CVM_COLLATERAL_QE_IDENTITY		"qe_identity"
#define CVM_COLLATERAL_QE_IDENTITY_SIGNATURE	"qe_identity_signature"
#define CVM_COLLATERAL_QE_IDENTITY_CHAIN	"qe_identity_issuer_chain"
#define CVM_COLLATERAL_ROOT_CRL			"root_ca_crl"
#define CVM_COLLATERAL_PCK_CRL			"pck_crl"
#define CVM_COLLATERAL_PCK_CRL_CHAIN		"pck_crl_issuer_chain"
#define CVM_COLLATERAL_PCK_CHAIN		"pck_certificate_chain"
#define CVM_COLLATERAL_AMD_CRLS			"amd_crls"

struct cvm_json;

/**
 * struct cvm_signed - JSON that Intel's TCB signing key signed
 * @text: the very bytes
 * @signature: r and s, 32 bytes each, big-endian
 * @signer: the certificate, in the set that was given with it; NULL: none there
 * @chain: of @signer
 * @holds: the signature does; both made by cvm_signed_prepare()
 * @issued: issueDate
 * @next: nextUpdate
 */
struct cvm_signed {
	char *text;
	size_t len;
	uint8_t signature[64];
	X509 *signer;
	struct cvm_chain chain;
	bool holds;
	int64_t issued, next;
};

/* @advisories: with blanks between, never NULL */
struct cvm_tcb_level {
	uint8_t sgx[16];
	uint16_t pcesvn;
	uint8_t tdx[16];
	enum cvm_tcb_status status;
	int64_t date;
	char *advisories;
};

/* A level of a TDX module or of an enclave */
struct cvm_svn_level {
	uint16_t isvsvn;
	enum cvm_tcb_status status;
	int64_t date;
	char *advisories;
};

/**
 * struct cvm_tdx_module - which TDX modules are Intel's
 * @version: major version, TEE_TCB_SVN[1]; 0 in tdxModule itself
 * @attributes: as a number whose byte 0 is the first
 */
struct cvm_tdx_module {
	uint8_t version;
	uint8_t mrsigner[48];
	uint8_t attributes[8], attributes_mask[8];
	size_t level_count;
	struct cvm_svn_level *level;
};

struct cvm_tcb_info {
	struct cvm_signed sig;
	uint8_t fmspc[6];
	uint8_t pceid[2];
	uint32_t evaluation;	/* tcbEvaluationDataNumber */
	struct cvm_tdx_module module;
	size_t module_count;	/* tdxModuleIdentities */
	struct cvm_tdx_module *identity;
	size_t level_count;
	struct cvm_tcb_level *level;
};

struct cvm_qe_identity {
	struct cvm_signed sig;
	uint32_t evaluation;
	uint8_t miscselect[4], miscselect_mask[4];
	uint8_t attributes[16], attributes_mask[16];
	uint8_t mrsigner[32];
	uint16_t isvprodid;
	size_t level_count;
	struct cvm_svn_level *level;
};

/* tcb_info.c: of sig.text, which is set. 0, -EBADMSG, -ENOMEM */
int cvm_tcb_info_parse(struct cvm_tcb_info *info, struct cvm_error *error);
void cvm_tcb_info_free(struct cvm_tcb_info *info);

/* qe_identity.c: likewise */
int cvm_qe_identity_parse(struct cvm_qe_identity *identity, struct cvm_error *error);
void cvm_qe_identity_free(struct cvm_qe_identity *identity);

/* tcb_info.c: what both have; the result is for free() */
int cvm_svn_levels_parse(const struct cvm_json *in, struct cvm_svn_level **level,
			 size_t *count);
void cvm_svn_levels_free(struct cvm_svn_level *level, size_t count);

/* Looks at signature and chain, once */
void cvm_signed_prepare(struct cvm_signed *s, const struct cvm_sources *from);

/**
 * struct cvm_collateral - all that was given
 * @issuers: certificates and lists of any vendor; sources of chains, never leaves
 */
struct cvm_collateral {
	struct cvm_certs issuers;
	size_t tcb_info_count;
	struct cvm_tcb_info **tcb_info;
	size_t qe_identity_count;
	struct cvm_qe_identity **qe_identity;
};

/* All of the file, or on an error nothing */
int cvm_collateral_load(struct cvm_collateral *collateral, const void *data, size_t len,
			struct cvm_error *error);
void cvm_collateral_free(struct cvm_collateral *collateral);

/*
 * Of those that fit, the newest that is valid at @at; else the newest; else NULL
 */
const struct cvm_tcb_info *cvm_collateral_tcb_info(const struct cvm_collateral *collateral,
						   const struct cvm_pck_cert *pck, int64_t at);
const struct cvm_qe_identity *
cvm_collateral_qe_identity(const struct cvm_collateral *collateral, int64_t at);

#endif /* CVM_VERIFY_COLLATERAL_H */
