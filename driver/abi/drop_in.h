/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The node of the kernel's own driver of this platform, served by ours: for
 * programs that were written for that one. What they see is that driver's
 * header and behaviour; Documentation/drop-in.rst lists what differs.
 *
 *	drop_in.c	registers the node, makes the requests of it
 *	sev_guest.c	/dev/sev-guest
 *	tdx_guest.c	/dev/tdx_guest
 */
#ifndef CVM_DROP_IN_H
#define CVM_DROP_IN_H

#include <linux/types.h>

struct cvm_req;
struct device;
struct file;
struct inode;
struct miscdevice;

/*
 * Where the name is another's there is no such node, and one message that says
 * so. @sibling: a misc device of ours
 */
void cvm_drop_in_register(struct device *sibling);
void cvm_drop_in_unregister(void);

/* Between drop_in.c and its siblings */

extern struct miscdevice cvm_sev_guest;
extern struct miscdevice cvm_tdx_guest;

int cvm_drop_in_open(struct inode *inode, struct file *file);

/* a request of @file, for cvm_direct_ask(), or an ERR_PTR() */
struct cvm_req *cvm_drop_in_request(struct file *file, u32 kind);

#endif /* CVM_DROP_IN_H */
