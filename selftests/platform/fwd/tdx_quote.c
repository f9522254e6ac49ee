// SPDX-License-Identifier: GPL-2.0
/* The host's quoting service and its quoting enclave: from TDREPORT to quote. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/sha.h>

#include "cleanup.h"
#include "tdx_state.h"

/* the one quoting enclave that every DCAP quote is from */
static const uint8_t qe_vendor[16] = {
	0x93, 0x9a, 0x72, 0x33, 0xf7, 0x9c, 0x4c, 0xa9,
	0x94, 0x0a, 0x0d, 0xb3, 0x95, 0x7f, 0x06, 0x07,
};

/* header, longest body, length of the rest: Intel's service rounds up to it */
#define SIGNED_ROOM	(sizeof(struct quote_header) + sizeof(struct quote_body_head) + \
			 sizeof(struct quote_body) + sizeof(struct quote_body15) + 4)

/* what is the same in every quote; attestation: its private key */
static struct {
	struct tdx_pki pki;
	EVP_PKEY *attestation;
	uint8_t qe_id[16];
	struct quote_signature signature;
} qe;

static struct {
	uint64_t reports_refused, quotes, failed, stuck;
} counts;

int tdx_sign(EVP_PKEY *key, const void *data, size_t len, uint8_t raw[P256_RAW_LEN])
{
	EVP_MD_CTX *md __clean(md_ctx) = EVP_MD_CTX_new();
	ECDSA_SIG *sig __clean(ecdsa) = NULL;
	uint8_t der[80];
	const uint8_t *in = der;
	size_t der_len = sizeof(der);

	if (!md || EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, key) <= 0 ||
	    EVP_DigestSign(md, der, &der_len, data, len) <= 0)
		return -1;
	sig = d2i_ECDSA_SIG(NULL, &in, (long)der_len);
	if (!sig || BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32) != 32 ||
	    BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32) != 32)
		return -1;
	return 0;
}

static int public_key(EVP_PKEY *key, uint8_t raw[P256_RAW_LEN])
{
	uint8_t point[1 + P256_RAW_LEN];
	size_t len;

	if (EVP_PKEY_get_octet_string_param(key, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point),
					    &len) <= 0 || len != sizeof(point) || *point != 4)
		return -1;
	memcpy(raw, point + 1, P256_RAW_LEN);
	return 0;
}

void tdx_qe_signer(uint8_t mrsigner[32])
{
	static const char signer[] = "simulated signer";

	SHA256((const uint8_t *)signer, sizeof(signer), mrsigner);
}

/* report_data: the hash that binds the attestation key to the enclave */
static void fill_qe_report(struct qe_report *report, const uint8_t key[P256_RAW_LEN],
			   const uint8_t auth[QE_AUTH_LEN])
{
	static const char enclave[] = "simulated quoting enclave";
	uint8_t bound[P256_RAW_LEN + QE_AUTH_LEN];

	memset(report, 0, sizeof(*report));
	memcpy(report->cpusvn, tdx_config.pck_svn, sizeof(report->cpusvn));
	put_le(report->attributes, 0x15, 8);	/* initialised, 64-bit, provisioning key */
	put_le(report->attributes + 8, 0xe7, 8);
	SHA256((const uint8_t *)enclave, sizeof(enclave), report->mrenclave);
	tdx_qe_signer(report->mrsigner);
	put_le(report->isv_prod_id, 2, 2);	/* the TD quoting enclave */
	put_le(report->isv_svn, tdx_config.qe_svn, 2);
	memcpy(bound, key, P256_RAW_LEN);
	memcpy(bound + P256_RAW_LEN, auth, QE_AUTH_LEN);
	SHA256(bound, sizeof(bound), report->report_data);
}

static int fill_signature(struct quote_signature *sig, const struct tdx_pki *pki, EVP_PKEY *key)
{
	struct quote_certification *cert = &sig->certification;
	uint8_t i;

	memset(sig, 0, sizeof(*sig));
	if (public_key(key, sig->key))
		return -1;
	put_le(sig->head.type, CERT_DATA_QE_REPORT, 2);
	put_le(sig->head.size, sizeof(*cert) + pki->chain_len, 4);
	put_le(cert->auth_len, QE_AUTH_LEN, 2);
	for (i = 0; i < QE_AUTH_LEN; i++)
		cert->auth[i] = i;
	put_le(cert->chain.type, CERT_DATA_PCK_CHAIN, 2);
	put_le(cert->chain.size, pki->chain_len, 4);
	fill_qe_report(&cert->report, sig->key, cert->auth);
	return tdx_sign(pki->pck.key, &cert->report, sizeof(cert->report), cert->signature);
}

int tdx_quote_init(const struct fwd *fwd)
{
	static const char info[] = "tdx attestation key";
	struct tdx_pki pki = { 0 };

	if (!qe.attestation)
		qe.attestation = pki_key_derive(PKI_P256, fwd->chip_secret,
						sizeof(fwd->chip_secret), info, sizeof(info));
	fwd_derive(fwd->chip_secret, "tdx qe id", qe.qe_id, sizeof(qe.qe_id));
	if (!qe.attestation || tdx_pki_make(fwd, &pki))
		return -1;
	tdx_pki_free(&qe.pki);
	qe.pki = pki;
	if (!fill_signature(&qe.signature, &qe.pki, qe.attestation))
		return 0;
	fprintf(stderr, "cvm-fwd: OpenSSL cannot certify the attestation key\n");
	return -1;
}

static void fill_header(struct quote_header *header, unsigned int version)
{
	memset(header, 0, sizeof(*header));
	put_le(header->version, version, 2);
	put_le(header->key_type, KEY_TYPE_ECDSA_P256, 2);
	put_le(header->tee_type, REPORT_TYPE_TDX, 4);
	memcpy(header->qe_vendor, qe_vendor, sizeof(qe_vendor));
	memcpy(header->user_data, qe.qe_id, sizeof(qe.qe_id));
}

static void fill_body(struct quote_body *body, const struct tdreport *report)
{
	const struct tdinfo *td = &report->td;

	memcpy(body->tee_tcb_svn, report->tcb.tee_tcb_svn, sizeof(body->tee_tcb_svn));
	memcpy(body->mrseam, report->tcb.mrseam, TDX_HASH_LEN);
	memcpy(body->mrsignerseam, report->tcb.mrsignerseam, TDX_HASH_LEN);
	memcpy(body->seam_attributes, report->tcb.attributes, 8);
	memcpy(body->td_attributes, td->attributes, 8);
	memcpy(body->xfam, td->xfam, 8);
	memcpy(body->mrtd, td->mrtd, TDX_HASH_LEN);
	memcpy(body->mrconfigid, td->mrconfigid, TDX_HASH_LEN);
	memcpy(body->mrowner, td->mrowner, TDX_HASH_LEN);
	memcpy(body->mrownerconfig, td->mrownerconfig, TDX_HASH_LEN);
	memcpy(body->rtmr, td->rtmr, sizeof(body->rtmr));
	memcpy(body->report_data, report->mac.report_data, sizeof(body->report_data));
}

static void fill_body15(struct quote_body15 *body, const struct tdreport *report)
{
	memcpy(body->tee_tcb_svn2, report->tcb.tee_tcb_svn2, sizeof(body->tee_tcb_svn2));
	memcpy(body->mrservicetd, report->td.servtd_hash, TDX_HASH_LEN);
}

/* header and body, which are signed: their length */
static size_t fill_signed(uint8_t *out, const struct tdreport *report)
{
	bool v5 = tdx_config.quote_version == QUOTE_V5;
	bool td15 = v5 && tdx_config.td_version == TD_15;
	size_t size = sizeof(struct quote_body) + (td15 ? sizeof(struct quote_body15) : 0);
	size_t at = sizeof(struct quote_header);

	fill_header((struct quote_header *)out, v5 ? 5 : 4);
	if (v5) {
		struct quote_body_head *head = (struct quote_body_head *)(out + at);

		put_le(head->type, td15 ? BODY_TD15 : BODY_TD10, 2);
		put_le(head->size, size, 4);
		at += sizeof(*head);
	}
	fill_body((struct quote_body *)(out + at), report);
	if (td15)
		fill_body15((struct quote_body15 *)(out + at + sizeof(struct quote_body)), report);
	return at + size;
}

/* -> its length, 0: it cannot be made */
static size_t make_quote(uint8_t *out, const struct tdreport *report)
{
	size_t rest = sizeof(qe.signature) + qe.pki.chain_len, at = fill_signed(out, report);
	struct quote_signature *sig = (struct quote_signature *)(out + at + 4);

	put_le(out + at, rest, 4);
	memcpy(sig, &qe.signature, sizeof(*sig));
	memcpy(sig + 1, qe.pki.chain, qe.pki.chain_len);
	if (tdx_sign(qe.attestation, out, at, sig->signature))
		return 0;
	/* zeros after a body shorter than the longest, as real quotes have them */
	memset(out + at + 4 + rest, 0, SIGNED_ROOM - at - 4);
	return SIGNED_ROOM + rest;
}

static uint64_t quote(const struct tdreport *given, struct answer *reply)
{
	struct tdreport report = *given;
	uint32_t lie = tdx_faults.quote_out_len;
	size_t room = 0, len;

	if (fault(&tdx_faults.quote_status_n))
		return tdx_faults.quote_status;
	if (!tdx_report_genuine(&report)) {
		counts.reports_refused++;
		return GET_QUOTE_ERROR;
	}
	if (fault(&tdx_faults.quote_bad_data_n))
		report.mac.report_data[0] ^= 1;
	if (fault(&tdx_faults.quote_out_len_n)) {
		reply->flags |= FW_OUT_LEN;
		room = sizeof(lie);
		memcpy(reply->data, &lie, room);
	}
	if (tdx_faults.early_success)
		reply->flags |= FW_EARLY;
	len = make_quote(reply->data + room, &report);
	if (!len)
		return GET_QUOTE_ERROR;
	reply->len = (uint32_t)(room + len);
	counts.quotes++;
	return GET_QUOTE_SUCCESS;
}

void tdx_quote(struct fwd *fwd, const uint8_t tdreport[1024], struct answer *reply,
	       uint64_t now_ns)
{
	if (fault(&tdx_faults.stuck_n)) {
		counts.stuck++;
		reply->never = true;
		return;
	}
	if (model_busy(now_ns)) {
		reply->status = GET_QUOTE_UNAVAILABLE;
		return;
	}
	reply->delay_ns = model_delay(MODEL_QUOTE, now_ns);
	reply->status = quote((const struct tdreport *)tdreport, reply);
	counts.failed += reply->status != GET_QUOTE_SUCCESS;
}

/* a program's: it has neither a buffer for an in-flight status nor a TDREPORT */
void tdx_sim_quote(struct fwd *fwd, const uint8_t report_data[64], struct answer *reply,
		   uint64_t now_ns)
{
	struct tdreport report;

	if (tdx_report_make(report_data, &report)) {
		reply->status = EIO;
		return;
	}
	tdx_quote(fwd, (const uint8_t *)&report, reply, now_ns);
	if (reply->flags & FW_OUT_LEN) {
		reply->len -= sizeof(uint32_t);
		memmove(reply->data, reply->data + sizeof(uint32_t), reply->len);
	}
	reply->flags = 0;
	if (reply->status)
		reply->status = reply->status == GET_QUOTE_UNAVAILABLE ? EBUSY : EIO;
}

void tdx_status(FILE *out)
{
	static const char *const td[] = { "10", "15" };

	fprintf(out, "quote_version=%u\ntd_version=%s\nmax_quotes=%u\nquotes=%" PRIu64
		"\nquotes_failed=%" PRIu64 "\nquotes_stuck=%" PRIu64
		"\ntdreports_refused=%" PRIu64 "\n",
		tdx_config.quote_version == QUOTE_V5 ? 5 : 4, td[tdx_config.td_version],
		tdx_config.max_quotes, counts.quotes, counts.failed, counts.stuck,
		counts.reports_refused);
}
