// SPDX-License-Identifier: GPL-2.0
/* The attestation report, versions 2 to 5, signed by the VCEK or the VLEK. */
#include <string.h>

#include "cleanup.h"
#include "snp.h"

/* ATTESTATION_REPORT; what a version does not have is zero */
struct report {
	uint32_t version;
	uint32_t guest_svn;
	uint64_t policy;
	uint8_t family_id[16];		/* 0x010 */
	uint8_t image_id[16];
	uint32_t vmpl;			/* 0x030 */
	uint32_t signature_algo;
	uint64_t current_tcb;
	uint64_t platform_info;		/* 0x040 */
	uint32_t key_info;
	uint32_t reserved1;
	uint8_t report_data[64];	/* 0x050 */
	uint8_t measurement[48];	/* 0x090 */
	uint8_t host_data[32];		/* 0x0c0 */
	uint8_t id_key_digest[48];	/* 0x0e0 */
	uint8_t author_key_digest[48];	/* 0x110 */
	uint8_t report_id[32];		/* 0x140 */
	uint8_t report_id_ma[32];	/* 0x160 */
	uint64_t reported_tcb;		/* 0x180 */
	uint8_t cpuid[3];		/* 0x188: version 3: family, model, stepping */
	uint8_t reserved2[21];
	uint8_t chip_id[64];		/* 0x1a0 */
	uint64_t committed_tcb;		/* 0x1e0 */
	struct snp_firmware_version current;
	uint8_t reserved3;
	struct snp_firmware_version committed;
	uint8_t reserved4;
	uint64_t launch_tcb;		/* 0x1f0 */
	uint64_t launch_mit_vector;	/* 0x1f8: version 5 */
	uint64_t current_mit_vector;	/* 0x200: version 5 */
	uint8_t reserved5[152];
	uint8_t r[72], s[72];		/* 0x2a0: little-endian */
	uint8_t reserved6[368];
} __attribute__((packed));

_Static_assert(sizeof(struct report) == SNP_REPORT_LEN, "report");
_Static_assert(offsetof(struct report, chip_id) == 0x1a0, "chip id");
_Static_assert(offsetof(struct report, launch_mit_vector) == 0x1f8, "version 5");
_Static_assert(offsetof(struct report, r) == SNP_SIGNED_LEN, "signature");

enum { SIGNED_BY_NOBODY = 7 };

/*
 * KEY_SEL: 0 is the VLEK where the host has loaded one, else the VCEK. A key
 * that is masked or not there cannot be asked for by name.
 */
uint32_t snp_select_key(uint32_t key_sel, enum snp_key *key)
{
	bool vlek = snp.signing_key == SNP_VLEK;

	if (key_sel > 2)
		return SNP_INVALID_PARAM;
	if ((key_sel == 1 && snp.mask_chip_key) || (key_sel == 2 && !vlek))
		return SNP_INVALID_KEY;
	*key = key_sel == 2 || (key_sel == 0 && vlek) ? SNP_VLEK : SNP_VCEK;
	return SNP_OK;
}

static bool chip_id_shown(void)
{
	return snp.mask_chip_id == 0 || (snp.mask_chip_id == 2 && snp.signing_key != SNP_VLEK);
}

static void fill_guest(struct report *rep, const struct snp_report_req *req)
{
	rep->guest_svn = snp.guest_svn;
	rep->policy = snp.policy | (snp.debug ? 1ULL << 19 : 0);
	rep->vmpl = req->vmpl;
	memcpy(rep->family_id, snp.family_id, sizeof(rep->family_id));
	memcpy(rep->image_id, snp.image_id, sizeof(rep->image_id));
	memcpy(rep->report_data, req->report_data, sizeof(rep->report_data));
	memcpy(rep->measurement, snp.measurement, sizeof(rep->measurement));
	memcpy(rep->host_data, snp.host_data, sizeof(rep->host_data));
	memcpy(rep->id_key_digest, snp.id_key_digest, sizeof(rep->id_key_digest));
	memcpy(rep->author_key_digest, snp.author_key_digest, sizeof(rep->author_key_digest));
	memcpy(rep->report_id, snp.report_id, sizeof(rep->report_id));
	memcpy(rep->report_id_ma, snp.report_id_ma, sizeof(rep->report_id_ma));
	if (fault(&snp_faults.bad_report_data))
		rep->report_data[0] ^= 1;
}

static void fill_platform(struct report *rep)
{
	uint32_t cpuid = snp_cpuid();

	rep->version = snp_report_version();
	rep->signature_algo = snp.signature_algo;
	rep->platform_info = snp.platform_info;
	rep->current_tcb = snp_current_tcb();
	rep->reported_tcb = snp_reported_tcb();
	rep->committed_tcb = snp_committed_tcb();
	rep->launch_tcb = snp_launch_tcb();
	rep->current = snp.current;
	rep->committed = snp.committed;
	if (chip_id_shown())
		snp_chip_id(rep->chip_id);
	if (rep->version >= 3) {
		rep->cpuid[0] = (uint8_t)(cpuid >> 16);
		rep->cpuid[1] = (uint8_t)(cpuid >> 8);
		rep->cpuid[2] = (uint8_t)cpuid;
	}
	if (rep->version >= 5) {
		rep->launch_mit_vector = snp.launch_mit_vector;
		rep->current_mit_vector = snp.current_mit_vector;
	}
}

/* ECDSA's r and s, least significant byte first, in 72 bytes each */
static int sign(struct report *rep, EVP_PKEY *key)
{
	EVP_MD_CTX *md __clean(md_ctx) = EVP_MD_CTX_new();
	ECDSA_SIG *sig __clean(ecdsa) = NULL;
	uint8_t der[128];
	const uint8_t *in = der;
	size_t len = sizeof(der);

	if (!md || !EVP_DigestSignInit(md, NULL, EVP_sha384(), NULL, key) ||
	    EVP_DigestSign(md, der, &len, (const uint8_t *)rep, SNP_SIGNED_LEN) <= 0)
		return -1;
	sig = d2i_ECDSA_SIG(NULL, &in, (long)len);
	if (!sig || BN_bn2lebinpad(ECDSA_SIG_get0_r(sig), rep->r, sizeof(rep->r)) < 0 ||
	    BN_bn2lebinpad(ECDSA_SIG_get0_s(sig), rep->s, sizeof(rep->s)) < 0)
		return -1;
	return 0;
}

static uint32_t make_report(const struct snp_report_req *req, struct report *rep)
{
	enum snp_key key;
	uint32_t status = snp_select_key(req->key_sel & 3, &key), signer;
	const struct pki_cert *leaf;

	if (status)
		return status;
	/* MASK_CHIP_KEY: a report all the same, but nobody answers for it */
	signer = key == SNP_VCEK && snp.mask_chip_key ? SIGNED_BY_NOBODY : key;
	fill_guest(rep, req);
	fill_platform(rep);
	rep->key_info = (uint32_t)snp.author_key_en | (uint32_t)snp.mask_chip_key << 1 |
			signer << 2;
	if (signer == SIGNED_BY_NOBODY)
		return SNP_OK;
	leaf = snp_leaf(key);
	return leaf && !sign(rep, leaf->key) ? SNP_OK : SNP_INVALID_KEY;
}

void snp_report(const struct snp_report_req *req, unsigned int req_vmpl,
		struct snp_report_rsp *rsp)
{
	static const uint8_t zero[sizeof(req->reserved)];

	memset(rsp, 0, sizeof(*rsp));
	/* a VMPCK speaks for its own VMPL and the less privileged ones */
	if (req->vmpl < req_vmpl || req->vmpl > 3 || req->key_sel & ~3U ||
	    memcmp(req->reserved, zero, sizeof(zero)))
		rsp->status = SNP_INVALID_PARAM;
	else if (fault(&snp_faults.report_status_n))
		rsp->status = snp_faults.report_status;
	else
		rsp->status = make_report(req, (struct report *)rsp->report);
	if (rsp->status)
		memset(rsp->report, 0, sizeof(rsp->report));
	else
		rsp->report_size = SNP_REPORT_LEN;
}
