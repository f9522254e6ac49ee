/* SPDX-License-Identifier: MIT */
/* Between vtpm_share.c, where members wait for each other, and the file that they share. */
#ifndef CVM_LIB_VTPM_SHARE_H
#define CVM_LIB_VTPM_SHARE_H

#include <fcntl.h>

#include "vtpm.h"

/* batches that are kept; the index is behind them */
#define CVM_SHARE_PLACES	8U
#define CVM_SHARE_INDEX_AT	(CVM_SHARE_PLACES * (64U << 10))

/**
 * struct cvm_share_index - where to look: one read for whoever comes
 * @done: another word whenever a maker is done, for futex()
 * @number: of all batches that were kept: the oldest is forgotten next
 * @tpm48: which batch is in which place, if that is whole
 * @end: nothing
 */
struct cvm_share_index {
	uint32_t done, number;
	uint8_t tpm48[CVM_SHARE_PLACES][CVM_TPM48_SIZE];
	uint32_t end;
};

/* That of @place, or memory; -1 with errno: there is none, or it is not this user's alone */
int cvm_share_file(const struct cvm_vtpm_place *place);

/* As it is, in a file that is long enough for it afterwards */
void cvm_share_index(int fd, struct cvm_share_index *index);

/* Its @done */
void cvm_share_mark(int fd, uint32_t done);

/* NULL: it is not there, or not whole */
struct cvm_azure *cvm_share_load(int fd, const struct cvm_share_index *index,
				 const struct cvm_share_key *key);

/* Who cannot write, by @deadline, leaves to the others to have it made themselves. */
void cvm_share_store(int fd, const struct cvm_share_key *key, const struct cvm_azure *azure,
		     const _Atomic int64_t *deadline);

/*
 * One byte of the file, where no data are: @how is F_WRLCK or F_UNLCK. Never waits: 0, -EAGAIN,
 * or why there are no locks here
 */
int cvm_share_lock(int fd, off_t at, short how);

#endif /* CVM_LIB_VTPM_SHARE_H */
