// SPDX-License-Identifier: GPL-2.0-only
#include <linux/device.h>
#include <linux/device/class.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

#include "../chardev.h"
#include "../platform.h"
#include "../request.h"
#include "drop_in.h"

static bool drop_in = true;
module_param(drop_in, bool, 0444);
MODULE_PARM_DESC(drop_in, "the node of the kernel's own driver as well, /dev/sev-guest or /dev/tdx_guest; reads N where there is none of ours (default Y)");

static struct miscdevice *node;

static struct miscdevice *node_of_platform(void)
{
	switch (cvm_platform->id) {
#ifdef CVM_HAVE_SNP
	case CVM_PLATFORM_SNP:
		return &cvm_sev_guest;
#endif
#ifdef CVM_HAVE_TDX
	case CVM_PLATFORM_TDX:
		return &cvm_tdx_guest;
#endif
	default:
		return NULL;
	}
}

/*
 * Looked up before, since the kernel logs a call trace when a name is taken. The
 * class is asked for by a device of it: not every kernel exports it.
 */
static int register_node(struct miscdevice *misc, struct device *sibling)
{
	struct device *owner = class_find_device_by_name(sibling->class, misc->name);

	put_device(owner);
	return owner ? -EEXIST : misc_register(misc);
}

void cvm_drop_in_register(struct device *sibling)
{
	struct miscdevice *misc = node_of_platform();
	int err;

	drop_in = drop_in && misc;
	if (!drop_in)
		return;
	err = register_node(misc, sibling);
	if (!err) {
		node = misc;
		return;
	}
	drop_in = false;
	if (err == -EEXIST)
		pr_warn("/dev/%s is not ours: programs that open it get whatever has that name\n",
			misc->name);
	else
		pr_warn("there is no /dev/%s (error %d)\n", misc->name, err);
}

void cvm_drop_in_unregister(void)
{
	if (node)
		misc_deregister(node);
}

int cvm_drop_in_open(struct inode *inode, struct file *file)
{
	return cvm_open_node(file, CVM_NODE_DROP_IN);
}

struct cvm_req *cvm_drop_in_request(struct file *file, u32 kind)
{
	struct cvm_req *req = cvm_req_alloc(file->private_data);

	if (IS_ERR(req))
		return req;
	req->kind = kind;
	req->vmpl = cvm_platform->vmpl ? cvm_platform->vmpl() : 0;
	return req;
}
