/* SPDX-License-Identifier: GPL-2.0 */
#ifndef MISUSE_H
#define MISUSE_H

#include <linux/types.h>

struct misuse_case {
	const char *name;
	int (*run)(void);
};

extern const struct misuse_case misuse_pages[], misuse_snp[], misuse_svsm[], misuse_tdx[];

/* a function of the kernel that modules are not given */
void *misuse_function(const char *name);

/* one page, shared with the host; and back */
void *misuse_share(void);
void misuse_unshare(void *page);

#endif /* MISUSE_H */
