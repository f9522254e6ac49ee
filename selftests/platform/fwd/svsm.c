// SPDX-License-Identifier: GPL-2.0
/*
 * The SVSM's attestation protocol: AMD's SVSM specification (58019), section 7. Two
 * services, of which the second knows two forms of its manifest. The SVSM's own
 * messages to the firmware, under VMPCK 0, are nobody's to see.
 */
#include <inttypes.h>
#include <string.h>
#include <openssl/evp.h>

#include "snp.h"

#define PROTOCOL		1
#define MANIFEST_MAX		(48U * 1024)	/* of each, and certificates, fit in an answer */
#define NONCE_LEN		64

enum { ATTEST_SERVICES, ATTEST_SINGLE_SERVICE };

/* in RAX */
enum {
	SVSM_SUCCESS			= 0,
	SVSM_ERR_INCOMPLETE		= 0x80000000,
	SVSM_ERR_UNSUPPORTED_PROTOCOL	= 0x80000001,
	SVSM_ERR_UNSUPPORTED_CALL	= 0x80000002,
	SVSM_ERR_INVALID_PARAMETER	= 0x80000005,
	SVSM_ERR_BUSY			= 0x80000007,
	SVSM_FAIL_SNP_ATTESTATION	= 0x80001000,
};

/* GUIDs lie in memory as UEFI has them: the first three fields little-endian */
static const struct service {
	const char *name;
	uint8_t guid[16];
	uint32_t versions;
} services[] = {
	/* c476f1eb-0123-45a5-9641-b4e7dde5bfe3 */
	{ "vTPM", { 0xeb, 0xf1, 0x76, 0xc4, 0x23, 0x01, 0xa5, 0x45,
		    0x96, 0x41, 0xb4, 0xe7, 0xdd, 0xe5, 0xbf, 0xe3 }, 1 },
	/* 5d8a1c3e-6f0b-4b7e-9a52-0c71f3e8d246: no other SVSM's */
	{ "clock", { 0x3e, 0x1c, 0x8a, 0x5d, 0x0b, 0x6f, 0x7e, 0x4b,
		     0x9a, 0x52, 0x0c, 0x71, 0xf3, 0xe8, 0xd2, 0x46 }, 2 },
};

/* 63849ebb-3d92-4670-a1ff-58f9c94b87bb */
static const uint8_t table_guid[16] = {
	0xbb, 0x9e, 0x84, 0x63, 0x92, 0x3d, 0x70, 0x46,
	0xa1, 0xff, 0x58, 0xf9, 0xc9, 0x4b, 0x87, 0xbb,
};

/* the head of the table of manifests: table_guid, its length, how many; and an entry */
struct entry {
	uint8_t guid[16];
	uint32_t first, second;
};

static struct {
	uint32_t busy, incomplete, pending, swap, own_level;
	uint32_t error, error_n;
	uint32_t liar, lie_n;
	uint64_t lie, lie_step;
} faults;

static uint32_t manifest_len;
static uint64_t calls, attested;

static void arm_error(struct fwd *fwd)
{
	faults.error_n = faults.error ? 1 : 0;
}

const struct fw_option svsm_options[] = {
	{ "svsm_manifest", "N: each service's manifest has at least N bytes",
	  opt_u32, &manifest_len, .max = MANIFEST_MAX },
	{ "svsm_busy_n", "N: the SVSM is busy for the next N calls", opt_u32, &faults.busy },
	{ "svsm_incomplete_n", "N: the SVSM has not finished the next N calls",
	  opt_u32, &faults.incomplete },
	{ "svsm_pending_n", "N: the host does not run the SVSM for the next N calls",
	  opt_u32, &faults.pending },
	{ "svsm_error", "N: what the SVSM says to the next call", opt_u32, &faults.error,
	  .changed = arm_error },
	{ "svsm_error_n", "N: to the next N calls", opt_u32, &faults.error_n },
	{ "svsm_liar", "rcx|rdx|r8: the register with a wrong length: manifest, certificates, report",
	  opt_choice, &faults.liar, .choices = "rcx|rdx|r8" },
	{ "svsm_lie", "N: that length", opt_u64, &faults.lie },
	{ "svsm_lie_step", "N: by how much the next one is longer", opt_u64, &faults.lie_step },
	{ "svsm_lie_n", "N: in the next N answers", opt_u32, &faults.lie_n },
	{ "svsm_swap_n", "N: the next N manifests are not those that were hashed",
	  opt_u32, &faults.swap },
	{ "svsm_own_level_n", "N: the next N reports are for the guest's VMPL, not the SVSM's",
	  opt_u32, &faults.own_level },
	{ }
};

/* what a service says of itself; -> its length */
static uint32_t describe(struct fwd *fwd, const struct service *service, uint32_t version,
			 uint8_t *out)
{
	char text[64];
	uint32_t len = (uint32_t)snprintf(text, sizeof(text), "%s %u ", service->name, version);
	uint32_t all = len + 32 > manifest_len ? len + 32 : manifest_len;

	memset(out, 0, all);
	memcpy(out, text, len);
	fwd_derive(fwd->boot_secret, text, out + len, 32);
	return all;
}

static uint32_t describe_all(struct fwd *fwd, uint8_t *out)
{
	struct entry *entry = (struct entry *)out;
	uint32_t at = (uint32_t)((ARRAY_SIZE(services) + 1) * sizeof(*entry)), i;

	for (i = 0; i < ARRAY_SIZE(services); i++) {
		memcpy(entry[i + 1].guid, services[i].guid, sizeof(entry->guid));
		entry[i + 1].first = at;
		entry[i + 1].second = describe(fwd, &services[i], 0, out + at);
		at += entry[i + 1].second;
	}
	memcpy(entry->guid, table_guid, sizeof(entry->guid));
	entry->first = at;
	entry->second = ARRAY_SIZE(services);
	return at;
}

/* 0: there is no such service, or not in this form */
static uint32_t make_manifest(struct fwd *fwd, const struct fw_svsm_attest *ask, uint8_t *out)
{
	uint32_t i;

	if ((uint32_t)ask->rax == ATTEST_SERVICES)
		return describe_all(fwd, out);
	for (i = 0; i < ARRAY_SIZE(services); i++)
		if (!memcmp(ask->guid, services[i].guid, sizeof(ask->guid)) &&
		    ask->manifest_version < services[i].versions)
			return describe(fwd, &services[i], ask->manifest_version, out);
	return 0;
}

/* what needs no work; 0: there is some */
static uint64_t refuse(const struct fw_svsm_attest *ask, uint64_t now)
{
	if (fault(&faults.busy) || model_busy(now))
		return SVSM_ERR_BUSY;
	if (fault(&faults.incomplete))
		return SVSM_ERR_INCOMPLETE;
	if (fault(&faults.error_n))
		return faults.error;
	if (ask->rax >> 32 != PROTOCOL)
		return SVSM_ERR_UNSUPPORTED_PROTOCOL;
	if ((uint32_t)ask->rax > ATTEST_SINGLE_SERVICE)
		return SVSM_ERR_UNSUPPORTED_CALL;
	return ask->nonce_len == NONCE_LEN ? 0 : SVSM_ERR_INVALID_PARAMETER;
}

/* the report of VMPL 0 whose REPORT_DATA is a hash of nonce and manifest */
static bool make_report(const struct fw_svsm_attest *ask, const uint8_t *manifest, uint32_t len,
			struct snp_report_rsp *rsp)
{
	struct snp_report_req req = { .vmpl = fault(&faults.own_level) ? snp_vmpl() : 0 };
	static uint8_t bytes[NONCE_LEN + 3 * MANIFEST_MAX];

	memcpy(bytes, ask->nonce, NONCE_LEN);
	memcpy(bytes + NONCE_LEN, manifest, len);
	EVP_Digest(bytes, NONCE_LEN + len, req.report_data, NULL, EVP_sha512(), NULL);
	snp_report(&req, 0, rsp);
	return !rsp->status;
}

/* behind the answer: report, manifest, certificates */
static void deliver(struct answer *reply, const struct snp_report_rsp *rsp,
		    const uint8_t *manifest, const uint8_t *certs)
{
	struct fw_svsm_answer *out = (struct fw_svsm_answer *)reply->data;
	uint8_t *to = (uint8_t *)(out + 1);

	out->report_len = SNP_REPORT_LEN;
	out->manifest_len = (uint32_t)out->rcx;
	out->certs_len = (uint32_t)out->rdx;
	memcpy(to, rsp->report, out->report_len);
	to += out->report_len;
	memcpy(to, manifest, out->manifest_len);
	to += out->manifest_len;
	if (fault(&faults.swap))
		to[-1] ^= 1;
	memcpy(to, certs, out->certs_len);
	reply->len += out->report_len + out->manifest_len + out->certs_len;
}

/* RAX; the lengths in the registers are those of what is there, or would be */
static uint64_t attest(struct fwd *fwd, const struct fw_svsm_attest *ask, struct answer *reply,
		       uint64_t now)
{
	static _Alignas(8) uint8_t manifest[3 * MANIFEST_MAX];
	static uint8_t certs[FW_MAX_CERT_PAGES * FW_PAGE];
	struct fw_svsm_answer *out = (struct fw_svsm_answer *)reply->data;
	uint32_t len = make_manifest(fwd, ask, manifest);
	struct snp_report_rsp rsp;

	if (!len)
		return SVSM_ERR_INVALID_PARAMETER;
	out->rcx = len;
	out->rdx = ask->certs_len ? snp_cert_table(certs, sizeof(certs)) : 0;
	out->r8 = SNP_REPORT_LEN;
	if (out->rcx > ask->manifest_len || out->rdx > ask->certs_len ||
	    out->r8 > ask->report_len)
		return SVSM_ERR_INVALID_PARAMETER;
	reply->delay_ns = model_delay(MODEL_REPORT, now);
	reply->flags = model_flags();
	if (!make_report(ask, manifest, len, &rsp))
		return SVSM_FAIL_SNP_ATTESTATION;
	deliver(reply, &rsp, manifest, certs);
	attested++;
	return SVSM_SUCCESS;
}

static void lie(struct fw_svsm_answer *out)
{
	__u64 *const registers[] = { &out->rcx, &out->rdx, &out->r8 };

	if (!fault(&faults.lie_n))
		return;
	*registers[faults.liar] = faults.lie;
	faults.lie += faults.lie_step;
}

void svsm_attest(struct fwd *fwd, const struct fw_svsm_attest *ask, struct answer *reply,
		 uint64_t now)
{
	struct fw_svsm_answer *out = (struct fw_svsm_answer *)reply->data;

	*out = (struct fw_svsm_answer){
		.rax = ask->rax, .rcx = ask->rcx, .rdx = ask->rdx, .r8 = ask->r8,
	};
	reply->len = sizeof(*out);
	calls++;
	/* at VMPL 0 there is the guest */
	if (!snp_vmpl() || fault(&faults.pending)) {
		out->pending = 1;
		return;
	}
	out->rax = refuse(ask, now);
	if (out->rax == SVSM_SUCCESS)
		out->rax = attest(fwd, ask, reply, now);
	lie(out);
}

void svsm_status(FILE *out)
{
	fprintf(out, "svsm_calls=%" PRIu64 "\nsvsm_attested=%" PRIu64 "\n", calls, attested);
}
