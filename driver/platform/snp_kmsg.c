// SPDX-License-Identifier: GPL-2.0-only
/*
 * The message layer where the kernel has its own (snp_send_guest_request).
 *
 * That one sleeps 2 s when the host throttles, and wipes the VMPCK when the
 * host throttles for 60 s or answers anything but success. It is made patient
 * from outside: a timer ends its sleeps, and what it wipes is a copy. With key
 * and counter restored it makes the same ciphertext of the same plaintext, so
 * a message that it gave up goes on where it was.
 */
#ifdef CVM_HAVE_SNP_DESC
#include <crypto/aes-gcm.h>
#endif
#include <linux/err.h>
#include <linux/hrtimer.h>
#include <linux/platform_device.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <uapi/linux/sev-guest.h>

#include <asm/sev.h>
#include <asm/svm.h>

#include "../limits.h"
#include "snp_channel.h"

const bool cvm_snp_layer_loud = true;

/* the kernel's layer wants room for the tag beside the plaintext */
#define RESPONSE_SIZE	(CVM_SNP_PAYLOAD + CVM_SNP_TAG_LEN)

static struct {
	struct snp_msg_desc *desc;
	unsigned int vmpck;
	u8 *response;		/* plaintext of RESPONSE_SIZE bytes */
	size_t len;		/* of it; 0: what came was no answer */
	struct snp_guest_req *req;	/* in the kernel's layer now */
	struct hrtimer timer;
	struct task_struct *worker;
	unsigned int pauses;
	u64 asked;		/* when @req went out, the last time */
	u64 leave_by;		/* ktime_get_ns(), 0: no hurry */
	bool brief;		/* leave at the first refusal */
	bool cut;		/* @req was made to end */
	/* where the kernel's layer has its key and counter */
	u8 key[CVM_SNP_VMPCK_LEN];
	u32 counter;
	u64 seqno;		/* the last one the firmware has answered to */
} layer;

#ifdef CVM_HAVE_SNP_DESC

const char cvm_snp_layer_name[] = "kernel, patient";
static const bool patient = true;

static struct cvm_snp_secrets *secrets(void)
{
	return (struct cvm_snp_secrets *)layer.desc->secrets;
}

/* key and counter as they were before the message was first sent */
static void restore(void)
{
	memcpy(layer.key, secrets()->vmpck[layer.vmpck], sizeof(layer.key));
	layer.counter = layer.seqno;
	layer.desc->vmpck = layer.key;
	layer.desc->os_area_msg_seqno = &layer.counter;
}

static void take_over(void)
{
	layer.seqno = READ_ONCE(secrets()->seqno[layer.vmpck]);
	restore();
}

static int write_ahead(void)
{
	if (layer.seqno >= U32_MAX - 2)
		return -EOVERFLOW;
	/*
	 * No driver that comes after us, by unload, kexec or crash, may find a
	 * counter that lets it use this IV for another plaintext.
	 */
	WRITE_ONCE(secrets()->seqno[layer.vmpck], layer.seqno + 2);
	wmb();
	return 0;
}

static const struct cvm_snp_hdr *request_hdr(void)
{
	return (const struct cvm_snp_hdr *)&layer.desc->secret_request.hdr;
}

/* the layer has decrypted; what it did not check of its private copy */
static void note_answer(void)
{
	const struct cvm_snp_hdr *hdr =
		(const struct cvm_snp_hdr *)&layer.desc->secret_response.hdr;

	if (!cvm_snp_hdr_check(request_hdr(), hdr, CVM_SNP_PAYLOAD))
		layer.len = hdr->size;
}

/*
 * Told to send more pages, the layer sends the plain form to get past the
 * sequence number, and drops the answer without a look. It is ours to open,
 * and only an answer of the firmware's own opens.
 */
static bool open_dropped(void)
{
	struct cvm_snp_page *page = (struct cvm_snp_page *)&layer.desc->secret_response;
	u8 iv[CVM_SNP_IV_LEN] = {};

	/* the one read of what the host wrote */
	memcpy(page, layer.desc->response, sizeof(*page));
	if (cvm_snp_hdr_check(request_hdr(), &page->hdr, CVM_SNP_PAYLOAD))
		return false;
	memcpy(iv, &page->hdr.seqno, sizeof(page->hdr.seqno));
	if (aes_gcm_decrypt(layer.response, page->payload, page->hdr.size,
			    page->hdr.tag, &page->hdr.algo, CVM_SNP_AAD_LEN, iv,
			    layer.desc->gcm_key))
		return false;
	layer.len = page->hdr.size;
	return true;
}

static void wipe(void)
{
	memzero_explicit(secrets()->vmpck[layer.vmpck], CVM_SNP_VMPCK_LEN);
	wmb();
	memzero_explicit(layer.key, sizeof(layer.key));
	memzero_explicit(layer.desc->gcm_key, sizeof(*layer.desc->gcm_key));
}

#else /* the descriptor is not as we know it: the kernel's behaviour it is */

const char cvm_snp_layer_name[] = "kernel";
static const bool patient;

static void restore(void) { }
static void take_over(void) { }
static int write_ahead(void) { return 0; }
static void note_answer(void) { layer.len = CVM_SNP_PAYLOAD; }
static bool open_dropped(void) { return false; }
static void wipe(void) { }

#endif

/*
 * The module leaves, or somebody would wait for less than this message, and the
 * layer would go on for up to 60 s. It reads the
 * exit code afresh for each try: asked for the hypervisor's features, which is
 * no guest request and touches no page, an honest host answers something else
 * than "busy", and that ends it. Another one can hold us for those 60 s.
 */
static void cut_short(u64 now)
{
	u64 leave_by = READ_ONCE(layer.leave_by);

	if (!layer.brief && (!leave_by || now < leave_by))
		return;
	layer.cut = true;
	WRITE_ONCE(layer.req->exit_code, SVM_VMGEXIT_HV_FEATURES);
}

void cvm_snp_layer_leave(void)
{
	WRITE_ONCE(layer.leave_by, ktime_get_ns() + CVM_DRAIN_MS * NSEC_PER_MSEC);
}

/*
 * Ends the layer's sleep, and no other: of all it does only that sleep is a
 * killable one.
 */
static enum hrtimer_restart end_sleep(struct hrtimer *timer)
{
	u64 now = ktime_get_ns();

	if (READ_ONCE(layer.worker->__state) & TASK_WAKEKILL) {
		cut_short(now);
		cvm_snp_throttled(layer.asked);
		layer.pauses++;
		layer.asked = now;
		wake_up_process(layer.worker);
	}
	hrtimer_forward_now(timer, ns_to_ktime(cvm_snp_retry_in(now, layer.pauses)));
	return HRTIMER_RESTART;
}

int cvm_snp_layer_seal(const struct cvm_snp_msg *msg)
{
	/* sealed by the first issue; nothing else is sealed in between */
	return write_ahead();
}

static int send(struct snp_guest_req *req, bool brief)
{
	int ret;

	layer.req = req;
	layer.worker = current;
	layer.pauses = 0;
	layer.brief = brief;
	layer.cut = false;
	layer.asked = ktime_get_ns();
	hrtimer_start(&layer.timer, ns_to_ktime(cvm_snp_retry_in(layer.asked, 0)),
		      HRTIMER_MODE_REL);
	ret = snp_send_guest_request(layer.desc, req);
	hrtimer_cancel(&layer.timer);
	return ret;
}

void cvm_snp_layer_issue(struct cvm_snp_msg *msg, struct cvm_snp_call *call)
{
	struct snp_guest_req req = {
		.req_buf = (void *)msg->request,
		.req_sz = msg->request_len,
		.resp_buf = layer.response,
		.resp_sz = RESPONSE_SIZE,
		.exit_code = call->extended ? SVM_VMGEXIT_EXT_GUEST_REQUEST :
					      SVM_VMGEXIT_GUEST_REQUEST,
		.exitinfo2 = CVM_SNP_FW_NOT_CALLED,
		.vmpck_id = layer.vmpck,
		.msg_version = msg->version,
		.msg_type = msg->type,
		.input.data_npages = call->extended ? call->pages : 0,
		.certs_data = call->extended ? call->certs : NULL,
	};
	bool dropped;
	int ret;

	restore();
	layer.len = 0;
	memset(layer.response, 0, RESPONSE_SIZE);
	ret = send(&req, msg->brief);
	/* cut while the plain form was throttled, it has no answer to open */
	dropped = ret == -EIO && call->extended && !layer.cut &&
		  req.exitinfo2 == SNP_GUEST_VMM_ERR(CVM_SNP_VMM_INVALID_LEN);

	call->result = ret;
	call->info = req.exitinfo2;
	call->asked = layer.asked;
	if (!ret) {
		note_answer();
	} else if (dropped) {
		call->pages = req.input.data_npages;
		if (open_dropped()) {
			call->result = 0;
			call->extended = false;
		}
	} else if (ret == -ETIMEDOUT || layer.cut) {
		call->result = -EAGAIN;
		call->blocked = !msg->brief;
		call->info = SNP_GUEST_VMM_ERR(CVM_SNP_VMM_BUSY);
	} else if (ret == -EBADMSG && !req.exitinfo2) {
		/* answered, and not by the firmware: layer.len says so */
		call->result = 0;
	}
	/* its own behaviour: the key is gone, unless it merely wants more pages */
	if (!patient && CVM_SNP_VMM(call->info) != CVM_SNP_VMM_INVALID_LEN)
		call->result = 0;
}

int cvm_snp_layer_open(struct cvm_snp_msg *msg)
{
	if (!layer.len) {
		memzero_explicit(layer.response, RESPONSE_SIZE);
		return -EBADMSG;
	}
	memcpy(msg->response, layer.response, layer.len);
	msg->response_len = layer.len;
	memzero_explicit(layer.response, RESPONSE_SIZE);
	layer.seqno += 2;
	return 0;
}

void cvm_snp_layer_wipe(void)
{
	wipe();
}

int cvm_snp_layer_start(struct platform_device *pdev, unsigned int vmpck)
{
	int err;

	layer.vmpck = vmpck;
	hrtimer_setup(&layer.timer, end_sleep, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
	layer.response = kzalloc(RESPONSE_SIZE, GFP_KERNEL);
	if (!layer.response)
		return -ENOMEM;
	layer.desc = snp_msg_alloc();
	if (IS_ERR(layer.desc)) {
		err = PTR_ERR(layer.desc);
		layer.desc = NULL;
	} else {
		err = snp_msg_init(layer.desc, vmpck);
		/* the number has been checked: what else it refuses is an empty key */
		if (err == -EINVAL)
			err = -ENOKEY;
	}
	if (err) {
		cvm_snp_layer_stop();
		return err;
	}
	take_over();
	return 0;
}

void cvm_snp_layer_stop(void)
{
	snp_msg_free(layer.desc);
	kfree_sensitive(layer.response);
	memzero_explicit(&layer, sizeof(layer));
}
