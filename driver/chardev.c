// SPDX-License-Identifier: GPL-2.0-only
/*
 * The nodes under /dev/cvm. Only this file and its siblings chardev_*.c touch
 * user memory: never with a lock of the core held, and before or after the
 * hardware is asked, never during. uapi/linux/cvm_guest.h is the manual.
 */
#include <linux/capability.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/mm.h>
#include <linux/poll.h>
#include <linux/uaccess.h>
#include <linux/user_namespace.h>

#include "abi/drop_in.h"
#include "chardev.h"
#include "platform.h"
#include "session.h"
#include <uapi/linux/cvm_guest_key.h>

/* Lengths of the structs when they were first published */
#define INFO_SIZE_V1	64
#define CANCEL_SIZE_V1	16
#define SCOPE_SIZE_V1	264

static_assert(sizeof(struct cvm_info) == INFO_SIZE_V1);
static_assert(sizeof(struct cvm_cancel) == CANCEL_SIZE_V1);
static_assert(sizeof(struct cvm_set_scope) == SCOPE_SIZE_V1);

int cvm_check_size(u32 size, u32 first_published)
{
	if (size < first_published)
		return -EINVAL;
	return size > PAGE_SIZE ? -E2BIG : 0;
}

/*
 * Of both: a file that root opened speaks for root only while root uses it,
 * and one that somebody else opened does not because root was made to use it.
 * Not to have the capability is no offence here: most callers do not, and the
 * audit log is not to have a line for each of their requests.
 */
bool cvm_privileged(const struct file *file)
{
	return ns_capable_noaudit(&init_user_ns, CAP_SYS_ADMIN) &&
	       file_ns_capable(file, &init_user_ns, CAP_SYS_ADMIN);
}

static u32 scope_of(struct file *file)
{
	const struct cvm_session *session = file->private_data;

	if (session->node != CVM_NODE_BATCH)
		return 0;
	if (READ_ONCE(session->labelled))
		return CVM_SCOPE_LABEL;
	return cvm_privileged(file) ? CVM_SCOPE_PRIVILEGED :
				      CVM_SCOPE_UNPRIVILEGED;
}

static u32 kinds_of(const struct cvm_session *session)
{
	switch (session->node) {
	case CVM_NODE_BATCH:
		return BIT(CVM_KIND_BATCH);
	case CVM_NODE_KEY:
		return cvm_platform->kinds & BIT(CVM_KIND_KEY);
	default:
		return cvm_platform->kinds & CVM_REPORT_KINDS;
	}
}

static void fill_info(struct cvm_info *info, struct file *file)
{
	const struct cvm_platform *p = cvm_platform;
	const struct cvm_session *session = file->private_data;

	*info = (struct cvm_info) {
		.abi_version = CVM_ABI_VERSION,
		.platform = p->id,
		.channel = p->channel(),
		.kinds = kinds_of(session),
		.vmpl = p->vmpl ? p->vmpl() : 0,
		.max_requests = CVM_MAX_REQUESTS,
		.max_evidence = p->max_evidence,
		.max_certs = p->max_certs,
		.default_timeout_ms = CVM_DEFAULT_TIMEOUT_MS,
		.max_timeout_ms = CVM_MAX_TIMEOUT_MS,
		.max_inflight = p->max_inflight(),
		.scope = scope_of(file),
		.max_leaves = session->node == CVM_NODE_BATCH ? CVM_MAX_LEAVES : 0,
		.max_record = ALIGN(sizeof(struct cvm_record) +
				    p->max_evidence + p->max_certs +
				    CVM_PROOF_MAX, 8),
	};
}

static long ioctl_info(struct file *file, struct cvm_info __user *uinfo)
{
	struct cvm_info info;
	u32 size;
	int ret;

	if (get_user(size, &uinfo->size))
		return -EFAULT;
	ret = cvm_check_size(size, INFO_SIZE_V1);
	if (ret)
		return ret;

	fill_info(&info, file);
	info.size = min_t(size_t, size, sizeof(info));
	return copy_to_user(uinfo, &info, info.size) ? -EFAULT : 0;
}

static long ioctl_cancel(struct file *file, struct cvm_cancel __user *ucancel)
{
	struct cvm_cancel cancel;
	u32 size;
	int ret;

	if (get_user(size, &ucancel->size))
		return -EFAULT;
	ret = cvm_check_size(size, CANCEL_SIZE_V1);
	if (ret)
		return ret;
	ret = copy_struct_from_user(&cancel, sizeof(cancel), ucancel, size);
	if (ret)
		return ret;

	cancel.cancelled = cvm_session_cancel(file->private_data,
					      cancel.cookie);
	return put_user(cancel.cancelled, &ucancel->cancelled) ? -EFAULT : 0;
}

static long ioctl_set_scope(struct file *file,
			    struct cvm_set_scope __user *uscope)
{
	struct cvm_set_scope scope;
	u32 size;
	int ret;

	if (get_user(size, &uscope->size))
		return -EFAULT;
	ret = cvm_check_size(size, SCOPE_SIZE_V1);
	if (ret)
		return ret;
	ret = copy_struct_from_user(&scope, sizeof(scope), uscope, size);
	if (ret)
		return ret;

	if (!scope.label_len || scope.label_len > CVM_MAX_LABEL ||
	    memchr_inv(scope.label + scope.label_len, 0,
		       sizeof(scope.label) - scope.label_len))
		return -EINVAL;
	if (!cvm_privileged(file))
		return -EPERM;
	return cvm_session_set_label(file->private_data, scope.label,
				     scope.label_len);
}

static long cvm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct cvm_session *session = file->private_data;
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case CVM_INFO:
		return ioctl_info(file, p);
	case CVM_ISSUE:
		return cvm_ioctl_issue(file, p);
	case CVM_SUBMIT:
		return cvm_ioctl_submit(file, p);
	case CVM_CANCEL:
		return ioctl_cancel(file, p);
	case CVM_SET_SCOPE:
		return session->node == CVM_NODE_BATCH ?
			ioctl_set_scope(file, p) : -ENOTTY;
	case CVM_EXTEND_RTMR:
		return session->node == CVM_NODE_REPORT ?
			cvm_ioctl_extend_rtmr(file, p) : -ENOTTY;
	default:
		return -ENOTTY;
	}
}

/* no caller of this node leaves anything behind to be read or waited for */
static long key_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *p = (void __user *)arg;

	switch (cmd) {
	case CVM_INFO:
		return ioctl_info(file, p);
	case CVM_DERIVE:
		return cvm_ioctl_derive(file, p);
	default:
		return -ENOTTY;
	}
}

/*
 * Under the lock that misc_register() and an open() of any misc device take. A
 * module that fails to start goes, whoever has a file of it: so nobody gets one
 * before nothing can fail any more.
 */
static bool open_to_all;

int cvm_open_node(struct file *file, enum cvm_node node)
{
	struct cvm_session *session;

	if (!READ_ONCE(open_to_all))
		return -ENODEV;
	session = cvm_session_alloc(node);
	if (!session)
		return -ENOMEM;
	file->private_data = session;
	return 0;
}

static int open_node(struct inode *inode, struct file *file,
		     enum cvm_node node)
{
	int ret = cvm_open_node(file, node);

	if (ret)
		return ret;
	/* a read that finds no record returns -EAGAIN without sleeping */
	file->f_mode |= FMODE_NOWAIT;
	return stream_open(inode, file);
}

static int report_open(struct inode *inode, struct file *file)
{
	return open_node(inode, file, CVM_NODE_REPORT);
}

static int batch_open(struct inode *inode, struct file *file)
{
	return open_node(inode, file, CVM_NODE_BATCH);
}

static int key_open(struct inode *inode, struct file *file)
{
	return open_node(inode, file, CVM_NODE_KEY);
}

int cvm_release_node(struct inode *inode, struct file *file)
{
	cvm_session_close(file->private_data);
	return 0;
}

#define CVM_FOPS(_open)						\
{								\
	.owner = THIS_MODULE,					\
	.open = _open,						\
	.release = cvm_release_node,				\
	.read_iter = cvm_read_iter,				\
	.poll = cvm_poll,					\
	.unlocked_ioctl = cvm_ioctl,				\
	.compat_ioctl = compat_ptr_ioctl,			\
}

static const struct file_operations report_fops = CVM_FOPS(report_open);
static const struct file_operations batch_fops = CVM_FOPS(batch_open);

static const struct file_operations key_fops = {
	.owner = THIS_MODULE,
	.open = key_open,
	.release = cvm_release_node,
	.unlocked_ioctl = key_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice nodes[] = {
	[CVM_NODE_REPORT] = {
		.minor = MISC_DYNAMIC_MINOR,
		.name = "cvm_report",
		.nodename = "cvm/report",
		.mode = 0600,
		.fops = &report_fops,
	},
	[CVM_NODE_BATCH] = {
		.minor = MISC_DYNAMIC_MINOR,
		.name = "cvm_batch",
		.nodename = "cvm/batch",
		.mode = 0660,
		.fops = &batch_fops,
	},
	[CVM_NODE_KEY] = {
		.minor = MISC_DYNAMIC_MINOR,
		.name = "cvm_key",
		.nodename = "cvm/key",
		.mode = 0600,
		.fops = &key_fops,
	},
};

static void deregister(int n)
{
	while (n--)
		misc_deregister(&nodes[n]);
}

int cvm_chardev_register(void)
{
	int i, ret;

	nodes[CVM_NODE_REPORT].groups = cvm_stats_groups(cvm_platform);
	for (i = 0; i < ARRAY_SIZE(nodes); i++) {
		ret = misc_register(&nodes[i]);
		if (ret) {
			deregister(i);
			return ret;
		}
	}
	WRITE_ONCE(open_to_all, true);
	/* which can do without it */
	cvm_drop_in_register(nodes[CVM_NODE_REPORT].this_device);
	return 0;
}

void cvm_chardev_unregister(void)
{
	cvm_drop_in_unregister();
	deregister(ARRAY_SIZE(nodes));
}
