/* SPDX-License-Identifier: GPL-2.0-only OR MIT */
#ifndef CVM_SHA384_H
#define CVM_SHA384_H

#include <linux/types.h>
#ifndef __KERNEL__
#include <stddef.h>
#endif

/* cannot fail; in the driver: from any context that is not an interrupt's */
void cvm_sha384(const void *data, size_t len, __u8 *hash);

#ifdef __KERNEL__
/* before the first cvm_sha384(); 0 or a negative errno */
int cvm_sha384_init(void);
void cvm_sha384_exit(void);
#endif

#endif /* CVM_SHA384_H */
