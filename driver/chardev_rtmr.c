// SPDX-License-Identifier: GPL-2.0-only
/*
 * CVM_EXTEND_RTMR: a measurement register of the VM, extended.
 */
#include <linux/fs.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "chardev.h"
#include "direct.h"
#include "limits.h"

/* Length of the struct when it was first published */
#define EXTEND_SIZE_V1	64

static_assert(sizeof(struct cvm_extend_rtmr) == EXTEND_SIZE_V1);

static int read_extend(struct cvm_extend_rtmr *extend,
		       struct cvm_extend_rtmr __user *uextend)
{
	u32 size, ms;
	int ret;

	if (get_user(size, &uextend->size))
		return -EFAULT;
	ret = cvm_check_size(size, EXTEND_SIZE_V1);
	if (ret)
		return ret;
	ret = copy_struct_from_user(extend, sizeof(*extend), uextend, size);
	if (ret)
		return ret;
	ms = extend->timeout_ms ?: CVM_DEFAULT_TIMEOUT_MS;
	extend->timeout_ms = min_t(u32, ms, CVM_MAX_TIMEOUT_MS);
	return extend->flags ? -EINVAL : 0;
}

long cvm_ioctl_extend_rtmr(struct file *file,
			   struct cvm_extend_rtmr __user *uextend)
{
	struct cvm_req *req __free(cvm_direct) = NULL;
	struct cvm_extend_rtmr extend;
	int ret;

	/* whoever may only ask what the VM is does not change it */
	if (!(file->f_mode & FMODE_WRITE))
		return -EBADF;
	ret = read_extend(&extend, uextend);
	if (ret)
		return ret;
	req = cvm_req_alloc(file->private_data);
	if (IS_ERR(req))
		return PTR_ERR(req);

	req->kind = CVM_KIND_RTMR;
	req->rtmr.index = extend.index;
	memcpy(req->rtmr.digest, extend.digest, sizeof(req->rtmr.digest));
	return cvm_rtmr_extend(req, extend.timeout_ms);
}
