/* SPDX-License-Identifier: MIT */
/*
 * Certificates, revocation lists and collateral from those who publish them, and
 * a cache of them on disk. Nothing that comes from a server is trusted for it: it
 * is parsed and seen to be what was asked for, so that no rubbish is kept, and
 * verify/ decides what it is worth.
 */
#ifndef CVM_FETCH_H
#define CVM_FETCH_H

#include <stdbool.h>
#include <stdint.h>

#include <cvmguest.h>

#include "../formats/snp_report.h"

#define CVM_KDS_URL	"https://kdsintf.amd.com"
#define CVM_PCS_URL	"https://api.trustedservices.intel.com"
#define CVM_PCS_ROOT_CRL "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der"
#define CVM_THIM_URL	"http://169.254.169.254"

/**
 * struct cvm_fetch - where from, and how long it may take
 * @cache: directory, made where it is not there
 * @kds: base URL, without a slash at its end
 * @pcs: likewise; another than Intel's is that of a PCCS, whose answers are the same
 * @thim: likewise
 * @offline: from the cache alone
 * @refresh: not from the cache
 * @timeout: seconds for each fetch, waiting included for a server that is busy or
 *	for somebody else who fetches the same
 * @now: seconds since 1970
 */
struct cvm_fetch {
	const char *cache;
	const char *kds, *pcs, *thim;
	bool offline, refresh;
	unsigned int timeout;
	int64_t now;
};

/**
 * struct cvm_fetched - what was asked for
 * @text: certificates and lists in PEM; or JSON byte for byte as Intel signed it
 * @chain: Intel: the issuer chain that came along, PEM; or NULL
 * @expires: until when it holds, by what it says itself
 * @old: it should have been fetched anew, which failed; it still holds
 */
struct cvm_fetched {
	char *text;
	char *chain;
	int64_t expires;
	bool old;
};

void cvm_fetched_free(struct cvm_fetched *fetched);

/* Each: 0; -ENOENT: not there, by the server, or offline; -ETIMEDOUT: busy, or not to be
 * reached; -EBADMSG: what came is not it; -EOPNOTSUPP: there is no libcurl; -errno of the cache.
 */

/* kds.c: "VCEK Certificate and KDS Interface Specification" (AMD publication 57230) */

int cvm_kds_vcek(const struct cvm_fetch *f, enum cvm_snp_product product,
		 const uint8_t chip_id[64], uint64_t tcb, struct cvm_fetched *out,
		 struct cvm_error *error);
int cvm_kds_chain(const struct cvm_fetch *f, enum cvm_snp_product product, bool vlek,
		  struct cvm_fetched *out, struct cvm_error *error);
int cvm_kds_crl(const struct cvm_fetch *f, enum cvm_snp_product product, bool vlek,
		struct cvm_fetched *out, struct cvm_error *error);

/*
 * thim.c: VCEK, ASK and ARK from the host of an Azure guest, which it runs on: the same
 * chip has one TCB at a time, so what it answers must be for @tcb.
 */
int cvm_thim_vcek(const struct cvm_fetch *f, enum cvm_snp_product product,
		  const uint8_t chip_id[64], uint64_t tcb, struct cvm_fetched *out,
		  struct cvm_error *error);

/* pcs.c: "Intel Provisioning Certification Service API", version 4 */

int cvm_pcs_tcb_info(const struct cvm_fetch *f, const uint8_t fmspc[6], struct cvm_fetched *out,
		     struct cvm_error *error);
int cvm_pcs_qe_identity(const struct cvm_fetch *f, struct cvm_fetched *out,
			struct cvm_error *error);
/* @ca: "platform" or "processor" */
int cvm_pcs_pck_crl(const struct cvm_fetch *f, const char *ca, struct cvm_fetched *out,
		    struct cvm_error *error);
int cvm_pcs_root_crl(const struct cvm_fetch *f, struct cvm_fetched *out, struct cvm_error *error);

#endif /* CVM_FETCH_H */
