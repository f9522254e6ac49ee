// SPDX-License-Identifier: GPL-2.0-only
/*
 * /dev/tdx_guest: TDREPORTs, and in sysfs the measurement registers, where clients
 * look for them. Quotes have never been this node's.
 */
#include <linux/cleanup.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <linux/uaccess.h>
#include <uapi/linux/tdx-guest.h>

#include "../chardev.h"
#include "../direct.h"
#include "../limits.h"
#include "../platform.h"
#include "drop_in.h"
#include "measurements.h"

static_assert(TDX_REPORTDATA_LEN == CVM_REPORT_DATA_SIZE);

static int give(const struct cvm_req *req, void __user *to)
{
	if (req->evidence_len != TDX_REPORT_LEN)
		return -EIO;
	return copy_to_user(to, req->evidence, TDX_REPORT_LEN) ? -EFAULT : 0;
}

static int get_report0(struct file *file, struct tdx_report_req __user *ureq)
{
	struct cvm_req *req __free(cvm_direct) = NULL;
	u8 data[TDX_REPORTDATA_LEN];
	int ret;

	if (copy_from_user(data, ureq->reportdata, sizeof(data)))
		return -EFAULT;
	req = cvm_drop_in_request(file, CVM_KIND_TDREPORT);
	if (IS_ERR(req))
		return PTR_ERR(req);
	memcpy(req->report_data, data, sizeof(data));
	ret = cvm_direct_ask(req, CVM_DROP_IN_TIMEOUT_MS) ?: give(req, ureq->tdreport);
	/* that the TDX module's answer was no good is all that this node can say */
	return ret == -EBADMSG ? -EIO : ret;
}

static long tdx_guest_ioctl(struct file *file, unsigned int cmd, unsigned long address)
{
	if (cmd != TDX_CMD_GET_REPORT0)
		return -ENOTTY;
	return get_report0(file, (struct tdx_report_req __user *)address);
}

static const struct file_operations fops = {
	.owner = THIS_MODULE,
	.open = cvm_drop_in_open,
	.release = cvm_release_node,
	.unlocked_ioctl = tdx_guest_ioctl,
};

static const struct attribute_group *groups[] = {
	CVM_MEASUREMENTS,
	NULL
};

/* without a mode: 0600, root's */
struct miscdevice cvm_tdx_guest = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "tdx_guest",
	.fops = &fops,
	.groups = groups,
};
