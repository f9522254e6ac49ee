/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_SNP_PAGES_H
#define CVM_SNP_PAGES_H

/*
 * Pages that the host may read and write, in the linear mapping, zeroed; NULL
 * if there are none. @pages: a power of two.
 */
void *cvm_snp_share(unsigned int pages);
void cvm_snp_unshare(void *shared, unsigned int pages);

#endif /* CVM_SNP_PAGES_H */
