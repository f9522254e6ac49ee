// SPDX-License-Identifier: GPL-2.0-only
/*
 * SEV-SNP at the kernel's own VMPL: requests in, attestation reports and derived
 * keys out; and, above VMPL 0, what the SVSM there says of its services.
 */
#include <linux/cc_platform.h>
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/sysfs.h>

#include <asm/sev.h>

#include "../platform.h"
#include "snp_certs.h"
#include "snp_channel.h"
#include "snp_device.h"
#include "snp_key.h"
#include "snp_raw.h"
#include "snp_svsm.h"

static int vmpck = -1;
module_param(vmpck, int, 0444);
MODULE_PARM_DESC(vmpck, "SNP: VMPCK to talk to the firmware with, 0 to 3; -1: that of the kernel's VMPL (default)");

/* take_answer(): another message, for the certificates, or now for the key */
#define ASK_AGAIN	1

/* one report, and at most two more to get certificates that fit it */
#define MAX_MESSAGES	3

static struct {
	struct cvm_req *req;
	struct cvm_snp_msg msg;
	struct cvm_snp_report_req ask;
	struct cvm_snp_key_req key;
	unsigned int messages;
	bool proving;	/* a key is in hand, a report is to say that it is the chip's */
	bool orphan;	/* a message for certificates that nobody waits for */
} cur;

static bool snp_detect(void)
{
	return cc_platform_has(CC_ATTR_GUEST_SEV_SNP);
}

/* a VMPCK speaks for its own VMPL and those below, whatever ours is */
static u32 snp_floor(void)
{
	return max_t(u32, snp_vmpl, vmpck);
}

static int snp_check(const struct cvm_req *req)
{
	if (req->kind != CVM_KIND_SNP_REPORT && req->kind != CVM_KIND_KEY)
		return -EOPNOTSUPP;
	if (req->service)
		return cvm_svsm_present() ? 0 : -EOPNOTSUPP;
	if (req->vmpl < snp_floor() || req->vmpl >= CVM_SNP_VMPLS)
		return -EINVAL;
	if (req->key_sel > CVM_KEY_VLEK)
		return -EINVAL;
	return 0;
}

static unsigned int snp_room(u32 kind)
{
	return (kind == CVM_KIND_SNP_REPORT || kind == CVM_KIND_KEY) && !cur.req &&
	       !cur.orphan;
}

static ktime_t snp_ready(u32 kind)
{
	return cvm_snp_channel_ready();
}

static void settle(int result)
{
	struct cvm_req *req = cur.req;

	cur.req = NULL;
	memzero_explicit(cur.msg.response, CVM_SNP_PAYLOAD);
	cvm_req_finish(req, result);
}

/*
 * 0, -ENOMEM, or ASK_AGAIN when the certificates that fit are to be had. While
 * the host throttles they are not: the next message could take as long as it
 * likes, and a report in hand does not wait for it. The table that does not
 * fit is dropped, so that whoever asks next asks for the right one at once.
 */
static int take_certs(const struct cvm_snp_report *report)
{
	bool better = !cur.msg.certs || cur.msg.wants_pages;
	int err;

	if (!(cur.req->flags & CVM_REQ_CERTS))
		return 0;
	if (cur.msg.table) {
		err = cvm_snp_certs_learn(report, cur.msg.table, cur.msg.table_len);
		if (!err)
			cvm_snp_certs_give(cur.req);
		return err;
	}
	if (cvm_snp_certs_fit(report)) {
		cvm_snp_certs_give(cur.req);
		return 0;
	}
	cvm_snp_certs_forget();
	if (better && cur.messages < MAX_MESSAGES && cvm_req_wanted(cur.req) &&
	    !cvm_snp_channel_throttled())
		return ASK_AGAIN;
	return 0;
}

/* @err: what the answer's check said, and its status */
static int note_check(int err, u32 status)
{
	cur.req->status = err == -EIO ? status : cur.msg.info;
	if (err == -EBADMSG)
		cvm_count(rejected);
	return err;
}

/* what outlives a message that brings no more: a report, never half a key */
static bool report_in_hand(void)
{
	return cur.req->kind != CVM_KIND_KEY && cur.req->evidence;
}

/* the caller's own message has its answer, not one that was sent before it */
static bool raw_answered(void)
{
	u8 type = cur.req->kind == CVM_KIND_KEY ? CVM_SNP_KEY_REQ : CVM_SNP_REPORT_REQ;

	return cur.req->raw && cur.msg.type == type;
}

static int take_raw(void)
{
	const struct cvm_snp_report *report = NULL;
	int err = cvm_snp_raw_check(cur.req, &cur.msg, &cur.ask, &report);

	if (note_check(err, 0))
		return err;
	if (report)
		cvm_snp_key_learn(&cur.ask, report);
	/* nobody is left to use it */
	if (!cvm_req_wanted(cur.req))
		return -ECANCELED;
	return cvm_snp_raw_take(cur.req, &cur.msg);
}

static int take_key(void)
{
	struct cvm_req *req = cur.req;
	const u8 *key;
	u32 status;
	int err;

	err = cvm_snp_key_check(cur.msg.response, cur.msg.response_len, &key,
				&status);
	if (note_check(err, status))
		return err;
	/* nobody is left to use it */
	if (!cvm_req_wanted(req))
		return -ECANCELED;
	req->evidence = cvm_req_memory(req, CVM_SNP_KEY_LEN);
	if (!req->evidence)
		return -ENOMEM;
	memcpy(req->evidence, key, CVM_SNP_KEY_LEN);
	req->evidence_len = CVM_SNP_KEY_LEN;
	cur.proving = cvm_snp_key_doubtful(&cur.key);
	return cur.proving ? ASK_AGAIN : 0;
}

/* a report that was asked for because of a key: before it, or after it */
static int take_key_report(void)
{
	if (!cvm_req_wanted(cur.req))
		return -ECANCELED;
	if (!cur.proving)
		return ASK_AGAIN;
	return cvm_snp_key_of_chip() ? 0 : note_check(-EBADMSG, 0);
}

static int take_answer(void)
{
	const struct cvm_snp_report *report;
	struct cvm_req *req = cur.req;
	u32 status;
	int err;

	if (raw_answered())
		return take_raw();
	if (cur.msg.type == CVM_SNP_KEY_REQ)
		return take_key();
	err = cvm_snp_report_check(&cur.ask, cur.msg.response, cur.msg.response_len,
				   &report, &status);
	if (note_check(err, status))
		return err;
	cvm_snp_key_learn(&cur.ask, report);
	if (req->kind == CVM_KIND_KEY)
		return take_key_report();

	if (!req->evidence)
		req->evidence = cvm_req_memory(req, sizeof(*report));
	if (!req->evidence)
		return -ENOMEM;
	memcpy(req->evidence, report, sizeof(*report));
	req->evidence_len = sizeof(*report);
	return take_certs(report);
}

static int send_key(void)
{
	int len = cvm_snp_key_ask(cur.req, &cur.key, &cur.msg.version);

	if (len < 0)
		return len;
	cur.msg.type = CVM_SNP_KEY_REQ;
	cur.msg.request = &cur.key;
	cur.msg.request_len = len;
	cur.msg.certs = false;
	cur.msg.brief = false;
	return cvm_snp_channel_send(&cur.msg);
}

static int send(bool certs)
{
	cur.msg.type = CVM_SNP_REPORT_REQ;
	cur.msg.version = CVM_SNP_REPORT_REQ_V1;
	cur.msg.request = &cur.ask;
	cur.msg.request_len = sizeof(cur.ask);
	cur.msg.certs = certs;
	cur.msg.exact = cur.req->raw;
	cur.msg.pages = cur.req->raw ? cur.req->raw->pages : 0;
	/* whoever has a report waits for certificates, but for no host */
	cur.msg.brief = report_in_hand();
	cur.messages++;
	return cvm_snp_channel_send(&cur.msg);
}

/* the certificates come too late for those who wanted them: for others, then */
static void finish_orphan(int err)
{
	const struct cvm_snp_report *report;
	u32 status;

	if (err == -EAGAIN)
		return;
	cur.orphan = false;
	if (!err && cur.msg.table &&
	    !cvm_snp_report_check(&cur.ask, cur.msg.response, cur.msg.response_len,
				  &report, &status))
		cvm_snp_certs_learn(report, cur.msg.table, cur.msg.table_len);
	memzero_explicit(cur.msg.response, CVM_SNP_PAYLOAD);
}

static int send_next(void)
{
	if (cur.req->kind != CVM_KIND_KEY)
		return send(true);
	return cur.proving ? send(false) : send_key();
}

/* @err: what became of the message in hand */
static void advance(int err)
{
	for (;;) {
		if (err == -EAGAIN && !report_in_hand())
			return;
		if (err == -EAGAIN) {
			cur.orphan = true;
			break;
		}
		cur.req->status = cur.msg.info;
		if (!err)
			err = take_answer();
		if (err != ASK_AGAIN)
			break;
		err = send_next();
	}
	/* the key died of this answer, which its caller tells from a key that was dead */
	if (cur.req->raw && err == -ENOKEY && cur.msg.spoilt)
		err = -EBADMSG;
	settle(report_in_hand() ? 0 : err);
}

static void snp_issue(struct cvm_req *req)
{
	cur.req = req;
	cur.messages = 0;
	cur.proving = false;
	cur.ask = (struct cvm_snp_report_req){
		.vmpl = req->vmpl,
		.key_sel = req->key_sel,
	};
	memcpy(cur.ask.report_data, req->report_data, sizeof(cur.ask.report_data));
	if (req->service) {
		settle(cvm_svsm_attest(req));
		return;
	}
	/* before the first key a report, of which nobody gets anything */
	if (req->kind == CVM_KIND_KEY) {
		advance(cvm_snp_key_ready(req) ? send_key() : send(false));
		return;
	}
	if (req->raw) {
		memcpy(&cur.ask, req->raw->body, sizeof(cur.ask));
		advance(send(req->raw->certs));
		return;
	}
	/* a plain report first where the certificates are likely to be known */
	advance(send((req->flags & CVM_REQ_CERTS) && !cvm_snp_certs_cached()));
}

static ktime_t snp_poll(void)
{
	if (!ktime_before(ktime_get(), cvm_snp_channel_next())) {
		if (cur.orphan)
			finish_orphan(cvm_snp_channel_try());
		else if (cur.req)
			advance(cvm_snp_channel_try());
	}
	return cvm_snp_channel_next();
}

/*
 * Whoever uses this VMPCK next goes on from the counter in the secrets page.
 * With a message of ours unanswered the firmware is not there yet and would
 * refuse, so the key is of no use to anybody: better seen to be gone.
 */
static void snp_drain(void)
{
	ktime_t end = ktime_add_ms(ktime_get(), CVM_DRAIN_MS);
	s64 ms;

	while ((cur.req || cur.orphan) && !cvm_snp_channel_stalled() &&
	       ktime_before(ktime_get(), end)) {
		ms = ktime_ms_delta(min(cvm_snp_channel_next(), end), ktime_get());
		if (ms > 0)
			msleep(ms);
		snp_poll();
	}
	if (!cur.req && !cur.orphan)
		return;
	cvm_snp_channel_kill("the host left a message unanswered when the driver ended");
	cur.orphan = false;
	if (cur.req)
		settle(-ECANCELED);
}

static void *snp_buffer(void)
{
	cur.msg = (struct cvm_snp_msg){
		.response = kzalloc(CVM_SNP_PAYLOAD, GFP_KERNEL),
	};
	return cur.msg.response;
}

static int choose_vmpck(void)
{
	if (vmpck == -1)
		vmpck = snp_vmpl;
	/* two that count messages under one key would use one IV twice */
	if (vmpck >= 0 && vmpck < snp_vmpl) {
		pr_err("snp: vmpck=%d: the kernel is at VMPL %d, and VMPCKs below that are the SVSM's\n",
		       vmpck, snp_vmpl);
		return -EINVAL;
	}
	if (vmpck >= 0 && vmpck < CVM_SNP_VMPCKS)
		return 0;
	pr_err("snp: vmpck=%d: there are VMPCKs 0 to %d\n", vmpck, CVM_SNP_VMPCKS - 1);
	return -EINVAL;
}

/* what to do about it, in one line */
static int say_why(int err)
{
	switch (err) {
	case -ENOKEY:
		pr_err("snp: VMPCK%d is empty, wiped since boot or never given: reboot, or load with another vmpck=\n",
		       vmpck);
		break;
	case -ELIBACC:
		pr_err("snp: this kernel has no gcm(aes): modprobe gcm, then load this module again\n");
		break;
	default:
		pr_err("snp: no channel to the firmware with VMPCK%d (error %d): see what the kernel logged before\n",
		       vmpck, err);
	}
	return err;
}

static int snp_start(void)
{
	struct platform_device *pdev;
	int err = choose_vmpck();

	if (err)
		return err;
	pdev = cvm_snp_device_claim();
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);
	err = snp_buffer() ? cvm_snp_channel_open(pdev, vmpck) : -ENOMEM;
	if (err) {
		kfree_sensitive(cur.msg.response);
		cvm_snp_device_release();
		return say_why(err);
	}
	cvm_svsm_start();
	return 0;
}

static void snp_stop(void)
{
	cvm_svsm_stop();
	cvm_snp_channel_close();
	cvm_snp_certs_forget();
	cvm_snp_key_forget();
	kfree_sensitive(cur.msg.response);
	cvm_snp_device_release();
}

static u32 snp_max_inflight(void)
{
	return 1;
}

static ssize_t vmpck_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%d\n", vmpck);
}
static DEVICE_ATTR_RO(vmpck);

/* whose message layer: "own", "kernel, patient", "kernel" */
static ssize_t layer_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", cvm_snp_layer_name);
}
static DEVICE_ATTR_RO(layer);

static struct attribute *const attrs[] = {
	&dev_attr_vmpck.attr,
	&dev_attr_layer.attr,
	NULL
};

const struct cvm_platform cvm_snp = {
	.name = "snp",
	.id = CVM_PLATFORM_SNP,
	.kinds = BIT(CVM_KIND_SNP_REPORT) | BIT(CVM_KIND_KEY),
	.batch_kind = CVM_KIND_SNP_REPORT,
	.max_evidence = CVM_SNP_REPORT_SIZE,
	.max_certs = CVM_SNP_CERT_PAGES_MAX * CVM_SNP_PAGE,
	.attrs = attrs,
	.detect = snp_detect,
	.start = snp_start,
	.stop = snp_stop,
	.check = snp_check,
	.room = snp_room,
	.ready = snp_ready,
	.issue = snp_issue,
	.poll = snp_poll,
	.leave = cvm_snp_layer_leave,
	.drain = snp_drain,
	.channel = cvm_snp_channel_state,
	.vmpl = snp_floor,
	.services = cvm_svsm_present,
	.max_inflight = snp_max_inflight,
};
