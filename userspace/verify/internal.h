/* SPDX-License-Identifier: MIT */
/* What the kinds of evidence share. The public side is cvmguest/verify.h. */
#ifndef CVM_VERIFY_INTERNAL_H
#define CVM_VERIFY_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include <cvmguest.h>

#include "../common/api.h"
#include "cache.h"
#include "certs.h"
#include "collateral.h"
#include "policy.h"
#include "verdict.h"

/**
 * struct cvm_verifier - see cvmguest/verify.h
 * @prepared: chains of @certs and signatures of @collateral have been looked at
 * @lock: of preparing
 */
struct cvm_verifier {
	struct cvm_certs certs, trust_roots;
	struct cvm_collateral collateral;
	struct cvm_policy *policy;
	struct cvm_cache *cache;
	atomic_bool prepared;
	pthread_mutex_t lock;
};

/* Looks at chains and collateral, once; 0 or -ENOMEM */
int cvm_verifier_prepare(const struct cvm_verifier *shared);

/* Where chains come from: what is in the evidence, and what came with it, first; or NULL */
struct cvm_sources cvm_sources_of(const struct cvm_verifier *verifier, const struct cvm_certs *own,
				  const struct cvm_certs *given);

/**
 * struct cvm_case - one piece of evidence under examination
 * @opts: the caller's, whatever its age
 * @given: the certificates of @opts, or NULL
 * @given_fault: why they are not there, "" where nothing is wrong with them
 * @v: the verdict
 * @batch: a proof was given
 * @bound: there is something to expect; and then
 * @value: the 64 bytes that the evidence must be bound to
 * @tpm_value: and its vTPM's quote
 */
struct cvm_case {
	const struct cvm_verifier *verifier;
	struct cvm_verify_opts opts;
	struct cvm_bundle *given;
	char given_fault[256];
	struct cvm_verdict *v;
	bool batch;
	bool bound;
	uint8_t value[CVM_REPORT_DATA_LEN];
	uint8_t tpm_value[64];
	size_t tpm_value_len;
};

/* ---- binding.c: "Batch v1", section 2 */

/* What the evidence must be bound to; adds the check "proof" where one was given. */
void cvm_case_expect(struct cvm_case *c);

/* The check "report_data", by what the evidence carries */
void cvm_check_report_data(struct cvm_case *c, const uint8_t carried[CVM_REPORT_DATA_LEN]);

/* The same check where the evidence itself carries nothing, only its vTPM's quote does */
void cvm_check_expected(struct cvm_case *c);

/* SHA-512(@value || manifest): what an SVSM has put into REPORT_DATA */
bool cvm_svsm_report_data(const uint8_t value[64], const void *manifest, size_t len,
			  uint8_t out[64]);

/* ---- snp.c, tdx.c: all but what the evidence is bound to. 0 or -EBADMSG */

int cvm_check_snp(struct cvm_case *c, struct cvm_span report);
int cvm_check_tdx(struct cvm_case *c, struct cvm_span quote);

/* ---- tdx_tcb.c: "Intel TDX DCAP Quoting Library API" and the service's manual */

/* Adds the checks of collateral; false where a rule cannot speak of the TCB. */
bool cvm_check_tdx_tcb(struct cvm_case *c, const struct cvm_quote *quote,
		       const struct cvm_pck_cert *pck);

/* ---- azure.c: HCL report, TD quote, quote of the vTPM. 0 or -EBADMSG */

int cvm_check_azure(struct cvm_case *c, struct cvm_span hcl);

/* Every field that both have: the quote is of this TDREPORT. */
struct cvm_tdreport;
bool cvm_td_same(const struct cvm_tdreport *report, const struct cvm_td_body *body);

/* ---- tpm.c */

/**
 * cvm_tpm_check() - a quote of a TPM, by an attestation key that is trusted
 * @v: gets "tpm_quote", "tpm_nonce" and "tpm_pcrs"; facts are set where all hold
 * @key: RSA
 * @quote: the caller's, of a size that is ours
 * @nonce: extraData that it must carry; NULL: nothing to expect was given
 * @nonce_len: bytes
 * @batch: @nonce is what a proof leads to
 *
 * Pure. Returns true where all hold.
 */
bool cvm_tpm_check(struct cvm_verdict *v, EVP_PKEY *key, const struct cvm_tpm_quote *quote,
		   const uint8_t *nonce, size_t nonce_len, bool batch);

/* What a TPM has made, by RSASSA with SHA-256 */
bool cvm_tpm_is_signed(EVP_PKEY *key, const void *message, size_t message_len,
		       const void *signature, size_t signature_len);

#endif /* CVM_VERIFY_INTERNAL_H */
