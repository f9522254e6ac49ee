/* SPDX-License-Identifier: MIT */
/* The tables of disks: what the kernel is asked for, and what it is compared with. */
#ifndef CVM_DISK_TABLE_H
#define CVM_DISK_TABLE_H

#include "disk.h"
#include "dm.h"

/* HMAC-SHA-256, whole */
#define CVM_DISK_TAG	32

/* dm-crypt on @below, from its sector @start on, with the key of the name @key */
void cvm_crypt_table(struct cvm_dm *table, enum cvm_disk_cipher cipher, const char *key,
		     dev_t below, uint64_t start, uint64_t sectors);

/* dm-integrity on @below, which keeps a tag for each sector and knows nothing of it */
void cvm_integrity_table(struct cvm_dm *table, dev_t below, uint64_t sectors);

/* Is @live what @asked asks for */
bool cvm_crypt_same(const struct cvm_dm *live, const struct cvm_dm *asked);
bool cvm_integrity_same(const struct cvm_dm *live, const struct cvm_dm *asked);

/* The device that a live table is on, whichever; 0: none that can be read. */
dev_t cvm_crypt_below(const struct cvm_dm *live);
dev_t cvm_integrity_below(const struct cvm_dm *live);

#endif /* CVM_DISK_TABLE_H */
