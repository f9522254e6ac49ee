/* SPDX-License-Identifier: GPL-2.0-only */
/* for kernels that have it elsewhere */
#ifndef CVM_COMPAT_UNALIGNED_H
#define CVM_COMPAT_UNALIGNED_H

#include <asm/unaligned.h>

#endif /* CVM_COMPAT_UNALIGNED_H */
