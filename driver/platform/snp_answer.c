// SPDX-License-Identifier: GPL-2.0-only
/*
 * The table of host answers, and the checks of what an answer carries.
 *
 * One rule is behind every row: a message that may have reached the firmware
 * is repeated as the same ciphertext or not at all, since its IV is its
 * sequence number. The firmware takes a sequence number once, so repeating is
 * harmless: a second copy is refused, never answered differently.
 */
#include "snp_answer.h"

/*
 * The firmware's own refusal of the command: it consumed no sequence number
 * if the host tells the truth, and the same bytes may then succeed. If it
 * lies, or the error is for good (a counter out of step), every repetition
 * fails as well, and no later message can succeed either. A platform whose
 * firmware is being updated takes about a second.
 */
static enum cvm_snp_verdict judge_firmware(struct cvm_snp_tally *tally)
{
	return ++tally->fw_errors < CVM_SNP_MAX_FW_ERRORS ? CVM_SNP_AGAIN : CVM_SNP_HOPELESS;
}

/*
 * The exit itself failed, so nobody knows whether the firmware saw the
 * message. A few repetitions outlast a passing fault; a host without guest
 * requests fails them all.
 */
static enum cvm_snp_verdict judge_ghcb(struct cvm_snp_tally *tally)
{
	return ++tally->ghcb_errors < CVM_SNP_MAX_GHCB_ERRORS ? CVM_SNP_AGAIN : CVM_SNP_HOPELESS;
}

static bool may_grow(const struct cvm_snp_tally *tally,
		     const struct cvm_snp_call *call, __u32 offered)
{
	return !tally->grown && call->pages > offered &&
	       call->pages <= CVM_SNP_CERT_PAGES_MAX;
}

/*
 * What the VMM said before it called the firmware. It may say so for as long
 * as it likes: callers have deadlines, and the message keeps.
 */
static enum cvm_snp_verdict judge_vmm(struct cvm_snp_tally *tally,
				      const struct cvm_snp_call *call, __u32 offered)
{
	__u32 vmm = CVM_SNP_VMM(call->info);

	if (vmm == CVM_SNP_VMM_BUSY)
		return CVM_SNP_LATER;
	if (!call->extended)
		return CVM_SNP_AGAIN;
	if (vmm == CVM_SNP_VMM_INVALID_LEN && may_grow(tally, call, offered)) {
		tally->grown = true;
		return CVM_SNP_GROW;
	}
	/* evidence is worth more than certificates, which can come elsewhere from */
	return CVM_SNP_PLAIN;
}

enum cvm_snp_verdict cvm_snp_judge(struct cvm_snp_tally *tally,
				   const struct cvm_snp_call *call, __u32 offered)
{
	__u32 fw = CVM_SNP_FW(call->info);

	if (call->result > 0)
		return judge_ghcb(tally);
	if (!call->result)
		return CVM_SNP_ANSWERED;
	if (fw && fw != CVM_SNP_FW_NOT_CALLED)
		return judge_firmware(tally);
	return judge_vmm(tally, call, offered);
}

/* a quarter of jitter, so that VMs throttled together do not return together */
unsigned int cvm_snp_backoff(unsigned int pauses, __u32 random)
{
	unsigned int most = CVM_SNP_BACKOFF_MAX_MS * 4 / 5;
	unsigned int ms = CVM_SNP_BACKOFF_MIN_MS;

	while (pauses-- && ms < most)
		ms *= 2;
	if (ms > most)
		ms = most;
	return ms + random % (ms / 4 + 1);
}

void cvm_snp_hdr_make(struct cvm_snp_hdr *hdr, __u64 seqno, unsigned int vmpck,
		      __u8 type, __u8 version, __u16 size)
{
	memset(hdr, 0, sizeof(*hdr));
	hdr->seqno = seqno;
	hdr->algo = CVM_SNP_AES_256_GCM;
	hdr->hdr_version = CVM_SNP_HDR_VERSION;
	hdr->hdr_size = sizeof(*hdr);
	hdr->type = type;
	hdr->version = version;
	hdr->size = size;
	hdr->vmpck = vmpck;
}

int cvm_snp_hdr_check(const struct cvm_snp_hdr *req, const struct cvm_snp_hdr *rsp,
		      size_t room)
{
	/* the sequence number first: it is what tells an old answer from ours */
	if (rsp->seqno != req->seqno + 1)
		return -EBADMSG;
	if (rsp->algo != CVM_SNP_AES_256_GCM ||
	    rsp->hdr_version != CVM_SNP_HDR_VERSION ||
	    rsp->hdr_size != sizeof(*rsp))
		return -EBADMSG;
	if (rsp->type != req->type + 1 || rsp->version != req->version)
		return -EBADMSG;
	if (!rsp->size || rsp->size > room || rsp->size > CVM_SNP_PAYLOAD)
		return -EBADMSG;
	return 0;
}

int cvm_snp_report_check(const struct cvm_snp_report_req *req, const void *rsp,
			 size_t len, const struct cvm_snp_report **report,
			 __u32 *status)
{
	const struct cvm_snp_report_rsp *msg = rsp;
	const struct cvm_snp_report *r;

	*status = 0;
	if (len < offsetof(struct cvm_snp_report_rsp, report))
		return -EBADMSG;
	if (msg->status) {
		*status = msg->status;
		return -EIO;
	}
	if (len < sizeof(*msg) || msg->report_size != sizeof(*r))
		return -EBADMSG;

	r = (const struct cvm_snp_report *)msg->report;
	/*
	 * Version 2 is the oldest of released firmware. A newer one than we
	 * know keeps these fields where they are, and is the verifier's to judge.
	 */
	if (r->version < 2 || r->vmpl != req->vmpl ||
	    memcmp(r->report_data, req->report_data, sizeof(r->report_data)))
		return -EBADMSG;
	*report = r;
	return 0;
}

int cvm_snp_key_check(const void *rsp, size_t len, const __u8 **key,
		      __u32 *status)
{
	const struct cvm_snp_key_rsp *msg = rsp;
	size_t i;

	*status = 0;
	if (len < offsetof(struct cvm_snp_key_rsp, key))
		return -EBADMSG;
	if (msg->status) {
		*status = msg->status;
		return -EIO;
	}
	if (len < sizeof(*msg))
		return -EBADMSG;

	/* no firmware derives it, and whoever seals with it has sealed nothing */
	for (i = 0; i < sizeof(msg->key) && !msg->key[i]; i++)
		;
	if (i == sizeof(msg->key))
		return -EBADMSG;
	*key = msg->key;
	return 0;
}

/*
 * Entries up to one of zeros. The host wrote this: offsets and lengths only
 * decide how much of @table, which is ours, is handed on.
 */
size_t cvm_snp_certs_len(const void *table, size_t size)
{
	static const struct cvm_snp_cert_entry end;
	const struct cvm_snp_cert_entry *entry = table;
	size_t i, len = 0;

	for (i = 0; i < size / sizeof(*entry); i++) {
		__u64 last = (__u64)entry[i].offset + entry[i].length;
		size_t past = (i + 2) * sizeof(*entry);

		if (!memcmp(&entry[i], &end, sizeof(end)))
			break;
		if (past > len)
			len = past;
		if (last > len)
			len = last < size ? last : size;
	}
	return len < size ? len : size;
}
