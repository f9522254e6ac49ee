// SPDX-License-Identifier: GPL-2.0
/* The TDX module: TDREPORT and RTMRs. */
#include <string.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "tdx_state.h"

/* the CPU's: new with every boot, and a TDREPORT of another boot is worthless */
static uint8_t mac_key[32];

void tdx_report_init(const struct fwd *fwd)
{
	fwd_derive(fwd->boot_secret, "tdreport mac", mac_key, sizeof(mac_key));
}

static bool hash(uint8_t out[TDX_HASH_LEN], const void *data, size_t len)
{
	return EVP_Digest(data, len, out, NULL, EVP_sha384(), NULL);
}

static bool authenticate(const struct reportmac *report, uint8_t mac[32])
{
	return HMAC(EVP_sha256(), mac_key, sizeof(mac_key), (const uint8_t *)report,
		    offsetof(struct reportmac, mac), mac, NULL);
}

static void fill_tcb(struct tee_tcb_info *tcb)
{
	const struct tdx_config *config = &tdx_config;
	bool td15 = config->td_version == TD_15;

	put_le(tcb->valid, td15 ? TCB_VALID_15 : TCB_VALID_10, 8);
	memcpy(tcb->tee_tcb_svn, config->tee_tcb_svn, sizeof(tcb->tee_tcb_svn));
	memcpy(tcb->mrseam, config->mrseam, TDX_HASH_LEN);
	memcpy(tcb->mrsignerseam, config->mrsignerseam, TDX_HASH_LEN);
	put_le(tcb->attributes, config->seam_attributes, 8);
	if (td15)
		memcpy(tcb->tee_tcb_svn2, config->tee_tcb_svn2, sizeof(tcb->tee_tcb_svn2));
}

static bool has_servtd(void)
{
	return tdx_config.tdreport_version == 1 && tdx_config.td_version == TD_15;
}

static void fill_td(struct tdinfo *td)
{
	const struct tdx_config *config = &tdx_config;

	put_le(td->attributes, config->td_attributes, 8);
	put_le(td->xfam, config->xfam, 8);
	memcpy(td->mrtd, config->mrtd, TDX_HASH_LEN);
	memcpy(td->mrconfigid, config->mrconfigid, TDX_HASH_LEN);
	memcpy(td->mrowner, config->mrowner, TDX_HASH_LEN);
	memcpy(td->mrownerconfig, config->mrownerconfig, TDX_HASH_LEN);
	memcpy(td->rtmr, config->rtmr, sizeof(td->rtmr));
	if (has_servtd())
		memcpy(td->servtd_hash, config->servtd_hash, TDX_HASH_LEN);
}

int tdx_report_make(const uint8_t report_data[64], struct tdreport *report)
{
	struct reportmac *mac = &report->mac;

	memset(report, 0, sizeof(*report));
	fill_tcb(&report->tcb);
	fill_td(&report->td);
	mac->type = REPORT_TYPE_TDX;
	mac->version = has_servtd();
	memcpy(mac->cpusvn, tdx_config.cpusvn, sizeof(mac->cpusvn));
	memcpy(mac->report_data, report_data, sizeof(mac->report_data));
	if (hash(mac->tee_tcb_info_hash, &report->tcb, sizeof(report->tcb)) &&
	    hash(mac->tee_info_hash, &report->td, sizeof(report->td)) &&
	    authenticate(mac, mac->mac))
		return 0;
	fprintf(stderr, "cvm-fwd: OpenSSL cannot make a TDREPORT\n");
	return -1;
}

/* what the quoting enclave asks the CPU, and then checks by itself */
bool tdx_report_genuine(const struct tdreport *report)
{
	const struct reportmac *mac = &report->mac;
	uint8_t want[32], tcb[TDX_HASH_LEN], td[TDX_HASH_LEN];

	return mac->type == REPORT_TYPE_TDX && authenticate(mac, want) &&
	       !CRYPTO_memcmp(want, mac->mac, sizeof(want)) &&
	       hash(tcb, &report->tcb, sizeof(report->tcb)) &&
	       hash(td, &report->td, sizeof(report->td)) &&
	       !memcmp(tcb, mac->tee_tcb_info_hash, sizeof(tcb)) &&
	       !memcmp(td, mac->tee_info_hash, sizeof(td));
}

void tdx_report(struct fwd *fwd, const uint8_t report_data[64], struct answer *reply,
		uint64_t now_ns)
{
	if (fault(&tdx_faults.report_busy_n)) {
		reply->status = TDX_OPERAND_BUSY;
		return;
	}
	if (tdx_report_make(report_data, (struct tdreport *)reply->data)) {
		reply->status = TDX_OPERAND_INVALID;
		return;
	}
	reply->len = sizeof(struct tdreport);
}

/* the module lets the guest extend all four; who uses which is convention */
void tdx_rtmr(struct fwd *fwd, uint32_t index, const uint8_t digest[48], struct answer *reply,
	      uint64_t now_ns)
{
	uint8_t both[2 * TDX_HASH_LEN];

	if (fault(&tdx_faults.report_busy_n)) {
		reply->status = TDX_OPERAND_BUSY;
		return;
	}
	if (index >= TDX_RTMRS) {
		reply->status = TDX_OPERAND_INVALID | 2;	/* RDX */
		return;
	}
	memcpy(both, tdx_config.rtmr[index], TDX_HASH_LEN);
	memcpy(both + TDX_HASH_LEN, digest, TDX_HASH_LEN);
	if (!hash(tdx_config.rtmr[index], both, sizeof(both)))
		reply->status = TDX_OPERAND_INVALID;
}
