// SPDX-License-Identifier: GPL-2.0
/*
 * Derived keys. What AMD's firmware computes is not public; what matters is
 * kept: equal inputs give equal keys, any selected field that differs gives
 * another, VCEK keys belong to the chip and VMRK keys to this launch.
 */
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>

#include "cleanup.h"
#include "snp.h"

enum {
	MIX_POLICY	= 1 << 0,
	MIX_IMAGE_ID	= 1 << 1,
	MIX_FAMILY_ID	= 1 << 2,
	MIX_MEASUREMENT	= 1 << 3,
	MIX_GUEST_SVN	= 1 << 4,
	MIX_TCB		= 1 << 5,
	MIX_MIT_VECTOR	= 1 << 6,	/* message version 2 */
};

#define ROOT_VMRK	1U		/* else KEY_SEL, bits 2:1, names the root */

/* everything that goes in; fields that are not selected stay zero */
struct mix {
	uint32_t root, vmpl;
	uint64_t select;
	uint8_t chip_id[64];		/* VCEK only */
	uint64_t policy;
	uint8_t image_id[16], family_id[16], measurement[48];
	uint64_t tcb, mit_vector;
	uint32_t guest_svn;
} __attribute__((packed));

static uint32_t check(const struct snp_key_req *req, unsigned int version, unsigned int req_vmpl)
{
	uint64_t known = version >= 2 ? 2 * MIX_MIT_VECTOR - 1 : MIX_MIT_VECTOR - 1;
	/* KEY_SEL came with the VLEK, before reports of version 3 */
	bool key_sel = snp_report_version() >= 3 || snp.signing_key == SNP_VLEK;

	if (req->root_key_select & ~(key_sel ? 7U : ROOT_VMRK) ||
	    req->reserved || req->guest_field_select & ~known)
		return SNP_INVALID_PARAM;
	/* no key for a more privileged VMPL, a newer guest or a newer platform */
	if (req->vmpl < req_vmpl || req->vmpl > 3 || req->guest_svn > snp.guest_svn ||
	    !snp_tcb_within(req->tcb_version, snp_committed_tcb()))
		return SNP_INVALID_PARAM;
	/* nor for mitigations that were not there at launch */
	if (version >= 2 && req->launch_mit_vector & ~snp.launch_mit_vector)
		return SNP_INVALID_PARAM;
	return SNP_OK;
}

static void mix_fields(struct mix *mix, const struct snp_key_req *req)
{
	uint64_t select = req->guest_field_select;

	mix->vmpl = req->vmpl;
	mix->select = select;
	if (select & MIX_POLICY)
		mix->policy = snp.policy | (snp.debug ? 1ULL << 19 : 0);
	if (select & MIX_IMAGE_ID)
		memcpy(mix->image_id, snp.image_id, sizeof(mix->image_id));
	if (select & MIX_FAMILY_ID)
		memcpy(mix->family_id, snp.family_id, sizeof(mix->family_id));
	if (select & MIX_MEASUREMENT)
		memcpy(mix->measurement, snp.measurement, sizeof(mix->measurement));
	if (select & MIX_GUEST_SVN)
		mix->guest_svn = req->guest_svn;
	if (select & MIX_TCB)
		mix->tcb = req->tcb_version;
	if (select & MIX_MIT_VECTOR)
		mix->mit_vector = req->launch_mit_vector;
}

static int derive(const uint8_t root[32], const struct mix *mix, uint8_t key[32])
{
	EVP_KDF *kdf __clean(kdf) = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *ctx __clean(kdf_ctx) = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA384", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)root, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)mix, sizeof(*mix)),
		OSSL_PARAM_construct_end(),
	};

	return ctx && EVP_KDF_derive(ctx, key, 32, params) > 0 ? 0 : -1;
}

/* from the chip's secret, or this launch's VMRK */
static uint32_t root_key(struct fwd *fwd, const struct snp_key_req *req, struct mix *mix,
			 uint8_t root[32])
{
	enum snp_key key;
	uint32_t status;

	if (req->root_key_select & ROOT_VMRK) {
		mix->root = 2;
		fwd_derive(fwd->boot_secret, "VMRK", root, 32);
		return SNP_OK;
	}
	status = snp_select_key(req->root_key_select >> 1, &key);
	if (status)
		return status;
	mix->root = key;
	if (key == SNP_VCEK)
		snp_chip_id(mix->chip_id);
	fwd_derive(fwd->chip_secret, key == SNP_VLEK ? "VLEK root" : "VCEK root", root, 32);
	return SNP_OK;
}

void snp_derive_key(struct fwd *fwd, const struct snp_key_req *req, unsigned int version,
		    unsigned int req_vmpl, struct snp_key_rsp *rsp)
{
	struct mix mix = { 0 };
	uint8_t root[32] = { 0 };

	memset(rsp, 0, sizeof(*rsp));
	rsp->status = check(req, version, req_vmpl);
	if (!rsp->status && fault(&snp_faults.report_status_n))
		rsp->status = snp_faults.report_status;
	if (!rsp->status)
		rsp->status = root_key(fwd, req, &mix, root);
	mix_fields(&mix, req);
	if (!rsp->status && derive(root, &mix, rsp->key))
		rsp->status = SNP_INVALID_KEY;
	OPENSSL_cleanse(root, sizeof(root));
}
