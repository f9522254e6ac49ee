// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/sev-guest: a caller's message goes to the firmware as it is, and the
 * answer comes back as it is. What the driver itself says, it says in the
 * kernel's words: in exitinfo2, which is written unless it is 0, and in errno.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/uaccess.h>
#include <uapi/linux/cvm_guest_key.h>
#include <uapi/linux/sev-guest.h>

#include "../chardev.h"
#include "../direct.h"
#include "../limits.h"
#include "../platform.h"
#include "../platform/snp_answer.h"
#include "../platform/snp_wire.h"
#include "drop_in.h"

/* exitinfo2 of a call that the host has not seen */
#define NOT_ASKED	0xff

/* the largest certificate table that is taken */
#define MAX_CERTS	SZ_16K

#define VMM_ERROR(code)	((u64)(code) << 32)

static_assert(sizeof(struct snp_report_req) == sizeof(struct cvm_snp_report_req));
static_assert(sizeof(struct snp_derived_key_req) == CVM_SNP_KEY_REQ_V1_SIZE);
static_assert(sizeof(struct snp_derived_key_resp) == sizeof(struct cvm_snp_key_rsp));
static_assert(sizeof(struct cvm_snp_report_req) <= CVM_RAW_MAX);
/* the channel offers the host no more */
static_assert(MAX_CERTS <= CVM_SNP_CERT_PAGES * CVM_SNP_PAGE);

static struct cvm_req *make_request(struct file *file, u32 kind,
				    const struct snp_guest_request_ioctl *arg,
				    const void *body, u32 len)
{
	struct cvm_req *req = cvm_drop_in_request(file, kind);

	if (IS_ERR(req))
		return req;
	req->raw = kzalloc(sizeof(*req->raw), GFP_KERNEL_ACCOUNT);
	if (!req->raw) {
		cvm_req_leave(req);
		return ERR_PTR(-ENOMEM);
	}
	req->raw->version = arg->msg_version;
	req->raw->len = len;
	memcpy(req->raw->body, body, len);
	return req;
}

/*
 * A message of a version that the firmware does not know, or with bits that its
 * ABI reserves, may be refused by it in these words; that is then repeated as one
 * that the host has spoilt, until it is the last one on this channel, which is
 * everybody's. So it is not sent.
 */
static int unknown_message(struct snp_guest_request_ioctl *arg)
{
	arg->exitinfo2 = CVM_SNP_FW_INVALID_PARAM;
	return -EIO;
}

/* the channel is dead, and this was its last message, or came after it */
static int no_key(const struct cvm_req *req, struct snp_guest_request_ioctl *arg)
{
	arg->exitinfo2 = req->status;
	return req->status ? -EIO : -ENOTTY;
}

/* 0: there is an answer, whatever it says */
static int ask(struct cvm_req *req, struct snp_guest_request_ioctl *arg)
{
	int ret = cvm_direct_ask(req, CVM_DROP_IN_TIMEOUT_MS);

	switch (ret) {
	case 0:
		if (!req->raw->short_of_pages) {
			arg->exitinfo2 = 0;
			return 0;
		}
		arg->exitinfo2 = VMM_ERROR(CVM_SNP_VMM_INVALID_LEN);
		return -EIO;
	case -ENOKEY:
		return no_key(req, arg);
	case -EBADMSG:
		arg->exitinfo2 = 0;
		return ret;
	case -ETIMEDOUT:
		arg->exitinfo2 = VMM_ERROR(CVM_SNP_VMM_BUSY);
		return ret;
	case -EOPNOTSUPP:
		return unknown_message(arg);
	default:
		return ret;
	}
}

/* the answer, and zeros up to what the caller has room for */
static int give(const struct cvm_req *req, u64 address, u32 room)
{
	void __user *to = u64_to_user_ptr(address);
	u32 len = min(req->evidence_len, room);

	if (copy_to_user(to, req->evidence, len) || clear_user(to + len, room - len))
		return -EFAULT;
	return 0;
}

static bool report_known(const struct cvm_snp_report_req *body, u8 version)
{
	return version == CVM_SNP_REPORT_REQ_V1 && !(body->key_sel & ~CVM_SNP_KEY_SEL) &&
	       !memchr_inv(body->reserved, 0, sizeof(body->reserved));
}

static bool key_known(const struct cvm_snp_key_req *body, u8 version)
{
	u64 fields = version == CVM_SNP_KEY_REQ_V2 ? CVM_MIX_ALL :
						     CVM_MIX_ALL & ~CVM_MIX_LAUNCH_MIT;

	return version <= CVM_SNP_KEY_REQ_V2 && !body->reserved &&
	       !(body->root_key_select & ~CVM_SNP_ROOT_BITS) &&
	       !(body->guest_field_select & ~fields);
}

static int check_report(const struct snp_report_req *ureq,
			struct snp_guest_request_ioctl *arg)
{
	struct cvm_snp_report_req body;

	memcpy(&body, ureq, sizeof(body));
	return report_known(&body, arg->msg_version) ? 0 : unknown_message(arg);
}

static int get_report(struct file *file, struct snp_guest_request_ioctl *arg)
{
	struct cvm_req *req __free(cvm_direct) = NULL;
	struct snp_report_req ureq;
	int ret;

	if (copy_from_user(&ureq, u64_to_user_ptr(arg->req_data), sizeof(ureq)))
		return -EFAULT;
	ret = check_report(&ureq, arg);
	if (ret)
		return ret;
	req = make_request(file, CVM_KIND_SNP_REPORT, arg, &ureq, sizeof(ureq));
	if (IS_ERR(req))
		return PTR_ERR(req);
	return ask(req, arg) ?:
	       give(req, arg->resp_data, sizeof(struct snp_report_resp));
}

static int get_derived_key(struct file *file, struct snp_guest_request_ioctl *arg)
{
	struct cvm_req *req __free(cvm_direct) = NULL;
	struct cvm_snp_key_req ureq;
	size_t len = arg->msg_version == CVM_SNP_KEY_REQ_V2 ?
		     sizeof(ureq) : CVM_SNP_KEY_REQ_V1_SIZE;

	if (copy_from_user(&ureq, u64_to_user_ptr(arg->req_data), len))
		return -EFAULT;
	if (!key_known(&ureq, arg->msg_version))
		return unknown_message(arg);
	req = make_request(file, CVM_KIND_KEY, arg, &ureq, len);
	if (IS_ERR(req))
		return PTR_ERR(req);
	return ask(req, arg) ?:
	       give(req, arg->resp_data, sizeof(struct snp_derived_key_resp));
}

/* nothing at all: the caller wants none, and learns how many there are */
static bool wants_certs(const struct snp_ext_report_req *ureq)
{
	return ureq->certs_len && ureq->certs_address;
}

static int check_certs(const struct snp_ext_report_req *ureq)
{
	if (!wants_certs(ureq))
		return 0;
	if (ureq->certs_len > MAX_CERTS || !IS_ALIGNED(ureq->certs_len, PAGE_SIZE))
		return -EINVAL;
	return access_ok(u64_to_user_ptr(ureq->certs_address), ureq->certs_len) ?
		0 : -EFAULT;
}

static int give_certs(const struct cvm_req *req, const struct snp_ext_report_req *ureq)
{
	void __user *to = u64_to_user_ptr(ureq->certs_address);
	u32 len = min(cvm_req_certs_len(req), ureq->certs_len);

	if (!wants_certs(ureq))
		return 0;
	if (copy_to_user(to, cvm_req_certs(req), len) ||
	    clear_user(to + len, ureq->certs_len - len))
		return -EFAULT;
	return 0;
}

/*
 * How many pages the host last wanted. Programs ask that first, and then for a
 * report: where a host lets few messages through, half of them would be for this.
 */
static DEFINE_SPINLOCK(wish_lock);
static u32 wish;
static ktime_t wish_ends;

/* one that nobody can meet may have been a mistake, and is not remembered */
static void learn_wish(u32 pages)
{
	if (pages > MAX_CERTS / PAGE_SIZE)
		return;
	guard(spinlock)(&wish_lock);
	wish = pages;
	wish_ends = ktime_add_ms(ktime_get(), CVM_CERTS_AGE_MS);
}

/* 0: as far as is known @pages are enough */
static u32 known_wish(u32 pages)
{
	guard(spinlock)(&wish_lock);
	return pages < wish && ktime_before(ktime_get(), wish_ends) ? wish : 0;
}

/* the host wants more pages: how many goes to where the request was */
static int give_wish(u32 pages, struct snp_ext_report_req *ureq,
		     struct snp_guest_request_ioctl *arg)
{
	arg->exitinfo2 = VMM_ERROR(CVM_SNP_VMM_INVALID_LEN);
	ureq->certs_len = pages << PAGE_SHIFT;
	return copy_to_user(u64_to_user_ptr(arg->req_data), ureq, sizeof(*ureq)) ?
		-EFAULT : -EIO;
}

/* 0: there is an answer, perhaps with certificates */
static int ask_ext(struct cvm_req *req, struct snp_ext_report_req *ureq,
		   struct snp_guest_request_ioctl *arg)
{
	int ret = ask(req, arg);

	if (arg->exitinfo2 == VMM_ERROR(CVM_SNP_VMM_INVALID_LEN)) {
		learn_wish(req->raw->pages);
		return give_wish(req->raw->pages, ureq, arg);
	}
	/* the host has none any more: whoever has no room for any may be right */
	if (!ret && !cvm_snp_certs_len(cvm_req_certs(req), cvm_req_certs_len(req)))
		learn_wish(0);
	return ret;
}

static int get_ext_report(struct file *file, struct snp_guest_request_ioctl *arg)
{
	struct cvm_req *req __free(cvm_direct) = NULL;
	struct snp_ext_report_req ureq;
	u32 pages, known;
	int ret;

	if (copy_from_user(&ureq, u64_to_user_ptr(arg->req_data), sizeof(ureq)))
		return -EFAULT;
	ret = check_certs(&ureq) ?: check_report(&ureq.data, arg);
	if (ret)
		return ret;
	pages = wants_certs(&ureq) ? ureq.certs_len >> PAGE_SHIFT : 0;
	known = known_wish(pages);
	if (known)
		return give_wish(known, &ureq, arg);
	req = make_request(file, CVM_KIND_SNP_REPORT, arg, &ureq.data, sizeof(ureq.data));
	if (IS_ERR(req))
		return PTR_ERR(req);
	req->raw->certs = true;
	req->raw->pages = pages;

	return ask_ext(req, &ureq, arg) ?: give_certs(req, &ureq) ?:
	       give(req, arg->resp_data, sizeof(struct snp_report_resp));
}

static int get(struct file *file, unsigned int cmd, struct snp_guest_request_ioctl *arg)
{
	bool given = arg->req_data && arg->resp_data;

	switch (cmd) {
	case SNP_GET_REPORT:
		return given ? get_report(file, arg) : -EINVAL;
	case SNP_GET_DERIVED_KEY:
		return given ? get_derived_key(file, arg) : -EINVAL;
	case SNP_GET_EXT_REPORT:
		return given ? get_ext_report(file, arg) : -EINVAL;
	default:
		return -ENOTTY;
	}
}

static long sev_guest_ioctl(struct file *file, unsigned int cmd, unsigned long address)
{
	void __user *uarg = (void __user *)address;
	struct snp_guest_request_ioctl arg;
	int ret;

	if (copy_from_user(&arg, uarg, sizeof(arg)))
		return -EFAULT;
	if (!arg.msg_version)
		return -EINVAL;
	if (cvm_platform->channel() == CVM_CHANNEL_DEAD)
		return -ENOTTY;
	arg.exitinfo2 = NOT_ASKED;
	ret = get(file, cmd, &arg);
	if (arg.exitinfo2 && copy_to_user(uarg, &arg, sizeof(arg)))
		return -EFAULT;
	return ret;
}

/* its struct is another for 32-bit programs, which get -ENOTTY */
static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = cvm_drop_in_open,
	.release = cvm_release_node,
	.unlocked_ioctl = sev_guest_ioctl,
};

/* without a mode: 0600, root's */
struct miscdevice cvm_sev_guest = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "sev-guest",
	.fops = &fops,
};
