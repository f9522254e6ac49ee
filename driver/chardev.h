/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_CHARDEV_H
#define CVM_CHARDEV_H

#include <linux/bits.h>
#include <linux/poll.h>
#include <linux/types.h>

#include <uapi/linux/cvm_guest.h>

#include "session.h"

struct cvm_derive;
struct cvm_issue;
struct cvm_extend_rtmr;
struct file;
struct inode;
struct iov_iter;
struct kiocb;

int cvm_chardev_register(void);
void cvm_chardev_unregister(void);

/* Between chardev.c, its siblings and abi/ */

/* gives @file a session, or says why not; and the release of every node */
int cvm_open_node(struct file *file, enum cvm_node node);
int cvm_release_node(struct inode *inode, struct file *file);

/* what the report node gives, where the platform has it: evidence, and all */
#define CVM_DIRECT_KINDS	(BIT(CVM_KIND_SNP_REPORT) | BIT(CVM_KIND_TDREPORT) | \
				 BIT(CVM_KIND_TDX_QUOTE) | BIT(CVM_KIND_HCL_REPORT))

#define CVM_REPORT_KINDS	(CVM_DIRECT_KINDS | BIT(CVM_KIND_RTMR))

/* a struct's size as its user knows it: 0, -EINVAL or -E2BIG */
int cvm_check_size(u32 size, u32 first_published);
/* had opener and caller CAP_SYS_ADMIN in the initial user namespace? */
bool cvm_privileged(const struct file *file);

long cvm_ioctl_derive(struct file *file, struct cvm_derive __user *uderive);
long cvm_ioctl_extend_rtmr(struct file *file,
			   struct cvm_extend_rtmr __user *uextend);
long cvm_ioctl_issue(struct file *file, struct cvm_issue __user *uissue);
long cvm_ioctl_submit(struct file *file, struct cvm_issue __user *uissue);
ssize_t cvm_read_iter(struct kiocb *iocb, struct iov_iter *to);
__poll_t cvm_poll(struct file *file, poll_table *table);

#endif /* CVM_CHARDEV_H */
