// SPDX-License-Identifier: GPL-2.0
/*
 * Guest messages: authenticated, in sequence, under one of four keys. The
 * firmware counts the messages of each VMPCK; a request must carry the count
 * plus one, its answer carries the count plus two. A request that is refused
 * here leaves the count as it was.
 */
#include <inttypes.h>
#include <string.h>
#include <openssl/crypto.h>

#include "cleanup.h"
#include "snp.h"

#define AAD_OFFSET	0x30	/* from algo to the end of the header */
#define AAD_LEN		(sizeof(struct snp_msg_hdr) - AAD_OFFSET)
#define TAG_LEN		16

static uint8_t vmpck[SNP_VMPCKS][32];
static uint64_t count[SNP_VMPCKS];
static uint64_t answered, refused;

struct snp_faults snp_faults = { .bad_size_value = 0xffff };

void snp_msg_init(struct fwd *fwd)
{
	char info[] = "VMPCK0";
	unsigned int i;

	for (i = 0; i < SNP_VMPCKS; i++, info[5]++)
		fwd_derive(fwd->boot_secret, info, vmpck[i], sizeof(vmpck[i]));
}

/* as the firmware writes it at launch, seen from the guest's VMPL */
void snp_secrets(uint8_t page[FW_PAGE])
{
	const uint32_t version = 3, eax = 0xa20f10;
	unsigned int i;

	memset(page, 0, FW_PAGE);
	memcpy(page, &version, sizeof(version));
	memcpy(page + 8, &eax, sizeof(eax));
	for (i = snp_vmpl(); i < SNP_VMPCKS; i++)
		memcpy(page + 0x20 + 32 * i, vmpck[i], 32);
	/* the guest counts on from here, in 32 bits */
	for (i = 0; i < SNP_VMPCKS; i++)
		memcpy(page + 0xa0 + 4 * i, &count[i], 4);
}

static void set_iv(uint8_t iv[12], uint64_t seqno)
{
	memset(iv, 0, 12);
	memcpy(iv, &seqno, sizeof(seqno));
}

/* true: out holds the plaintext of a message that is authentic */
static bool open_msg(const struct snp_msg *msg, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx __clean(cipher_ctx) = EVP_CIPHER_CTX_new();
	const struct snp_msg_hdr *hdr = &msg->hdr;
	uint8_t iv[12];
	int len;

	set_iv(iv, hdr->seqno);
	return ctx &&
	       EVP_DecryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, vmpck[hdr->vmpck], iv) &&
	       EVP_DecryptUpdate(ctx, NULL, &len, (const uint8_t *)hdr + AAD_OFFSET, AAD_LEN) &&
	       EVP_DecryptUpdate(ctx, out, &len, msg->payload, hdr->size) &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_LEN, (void *)hdr->authtag) &&
	       EVP_DecryptFinal_ex(ctx, out + len, &len) > 0;
}

/* len: of the plaintext; hdr->size may lie about it */
static bool seal_msg(struct snp_msg *msg, const void *plain, int len)
{
	EVP_CIPHER_CTX *ctx __clean(cipher_ctx) = EVP_CIPHER_CTX_new();
	struct snp_msg_hdr *hdr = &msg->hdr;
	uint8_t iv[12];
	int n;

	set_iv(iv, hdr->seqno);
	return ctx &&
	       EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, vmpck[hdr->vmpck], iv) &&
	       EVP_EncryptUpdate(ctx, NULL, &n, (const uint8_t *)hdr + AAD_OFFSET, AAD_LEN) &&
	       EVP_EncryptUpdate(ctx, msg->payload, &n, plain, len) &&
	       EVP_EncryptFinal_ex(ctx, msg->payload + n, &n) > 0 &&
	       EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_LEN, hdr->authtag);
}

static bool all_zero(const uint8_t *bytes, size_t len)
{
	while (len--)
		if (*bytes++)
			return false;
	return true;
}

static bool header_ok(const struct snp_msg_hdr *hdr)
{
	return hdr->algo == 1 && hdr->hdr_version == 1 && hdr->hdr_size == sizeof(*hdr) &&
	       hdr->vmpck < SNP_VMPCKS && hdr->size <= sizeof(((struct snp_msg *)0)->payload) &&
	       all_zero(hdr->authtag + TAG_LEN, sizeof(hdr->authtag) - TAG_LEN) &&
	       all_zero(hdr->reserved1, sizeof(hdr->reserved1)) && !hdr->reserved2 &&
	       all_zero(hdr->reserved3, sizeof(hdr->reserved3));
}

static uint32_t check_in(const struct snp_msg *req, uint8_t *plain)
{
	const struct snp_msg_hdr *hdr = &req->hdr;

	if (!header_ok(hdr))
		return SNP_INVALID_PARAM;
	/* the answer needs a number, too */
	if (hdr->seqno != count[hdr->vmpck] + 1 || count[hdr->vmpck] > UINT64_MAX - 2)
		return SNP_AEAD_OFLOW;
	return open_msg(req, plain) ? SNP_OK : SNP_BAD_MEASUREMENT;
}

union body {
	struct snp_report_rsp report;
	struct snp_key_rsp key;
};

/* the two messages that Linux sends; the length of the answer, or 0 and *error */
static int dispatch(struct fwd *fwd, const struct snp_msg_hdr *hdr, const uint8_t *plain,
		    union body *body, uint32_t *error)
{
	struct snp_report_req report_req;
	struct snp_key_req key_req = { 0 };
	bool key = hdr->type == SNP_MSG_KEY_REQ;
	size_t size = hdr->type == SNP_MSG_REPORT_REQ ? sizeof(report_req) :
		      hdr->version == 1 ? offsetof(struct snp_key_req, launch_mit_vector) :
		      sizeof(key_req);

	*error = SNP_INVALID_PARAM;
	if ((!key && hdr->type != SNP_MSG_REPORT_REQ) || !hdr->version ||
	    hdr->version > (key ? snp.key_version : 1))
		return 0;
	*error = SNP_INVALID_LEN;
	if (hdr->size != size)
		return 0;
	memset(body, 0, sizeof(*body));
	*error = SNP_OK;
	if (key) {
		memcpy(&key_req, plain, size);
		snp_derive_key(fwd, &key_req, hdr->version, hdr->vmpck, &body->key);
		OPENSSL_cleanse(&key_req, sizeof(key_req));
		return sizeof(body->key);
	}
	memcpy(&report_req, plain, size);
	snp_report(&report_req, hdr->vmpck, &body->report);
	return sizeof(body->report);
}

/*
 * A firmware that lies, so its tag is right: the guest must look at each
 * field. The sequence number alone is changed afterwards, because it is not
 * authenticated but as the IV: a guest that skips the comparison would accept.
 */
static void lie_before(struct snp_msg_hdr *hdr)
{
	if (fault(&snp_faults.bad_type))
		hdr->type ^= 2;
	if (fault(&snp_faults.bad_version))
		hdr->version ^= 3;
	if (fault(&snp_faults.bad_size))
		hdr->size = (uint16_t)snp_faults.bad_size_value;
}

static void lie_after(struct snp_msg *rsp)
{
	if (fault(&snp_faults.bad_seq))
		rsp->hdr.seqno += 2;
	if (fault(&snp_faults.bad_tag))
		rsp->hdr.authtag[0] ^= 1;
}

static uint32_t respond(struct fwd *fwd, const struct snp_msg_hdr *req, const void *plain,
			int len, struct snp_msg *rsp)
{
	struct snp_msg_hdr *hdr = &rsp->hdr;

	memset(rsp, 0, sizeof(*rsp));
	*hdr = (struct snp_msg_hdr){
		.seqno = req->seqno + 1, .algo = 1, .hdr_version = 1,
		.hdr_size = sizeof(*hdr), .type = req->type + 1, .version = req->version,
		.size = (uint16_t)len, .vmpck = req->vmpck,
	};
	lie_before(hdr);
	if (!seal_msg(rsp, plain, len))
		return SNP_BAD_MEASUREMENT;
	count[req->vmpck] += 2;
	ivlog_message(fwd, req->vmpck, hdr->seqno, (uint8_t *)hdr + AAD_OFFSET,
		      AAD_LEN + (size_t)len);
	lie_after(rsp);
	return SNP_OK;
}

uint32_t snp_guest_message(struct fwd *fwd, const struct snp_msg *req, struct snp_msg *rsp)
{
	static uint8_t plain[sizeof(req->payload) + TAG_LEN];
	union body body;
	uint32_t error = check_in(req, plain);
	int len;

	if (!error) {
		len = dispatch(fwd, &req->hdr, plain, &body, &error);
		if (len)
			error = respond(fwd, &req->hdr, &body, len, rsp);
	}
	OPENSSL_cleanse(plain, sizeof(plain));
	OPENSSL_cleanse(&body, sizeof(body));
	*(error ? &refused : &answered) += 1;
	return error;
}

void snp_msg_seen(struct fwd *fwd, const struct snp_msg *req)
{
	size_t len = req->hdr.size <= sizeof(req->payload) ? req->hdr.size : sizeof(req->payload);

	if (req->hdr.vmpck < SNP_VMPCKS)
		ivlog_message(fwd, req->hdr.vmpck, req->hdr.seqno,
			      (const uint8_t *)&req->hdr + AAD_OFFSET, AAD_LEN + len);
}

void snp_msg_preset(uint64_t messages)
{
	unsigned int i;

	for (i = 0; i < SNP_VMPCKS; i++)
		count[i] = messages;
}

void snp_msg_status(FILE *out)
{
	unsigned int i;

	for (i = 0; i < SNP_VMPCKS; i++)
		fprintf(out, "msg_count_%u=%" PRIu64 "\n", i, count[i]);
	fprintf(out, "fw_answered=%" PRIu64 "\nfw_refused=%" PRIu64 "\n", answered, refused);
}
