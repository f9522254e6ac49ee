/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The buffer for a TPM command: newer kernels have it in one piece of memory,
 * older ones a page beside it.
 */
#ifndef CVM_COMPAT_TPM_BUF_H
#define CVM_COMPAT_TPM_BUF_H

#include <linux/slab.h>
#include <linux/tpm.h>

#ifdef CVM_COMPAT_TPM_BUF_PAGE
static inline struct tpm_buf *cvm_tpm_buf_alloc(void)
{
	struct tpm_buf *buf = kzalloc(sizeof(*buf), GFP_KERNEL);

	if (buf && !tpm_buf_init(buf, TPM2_ST_SESSIONS, 0))
		return buf;
	kfree(buf);
	return NULL;
}

static inline void cvm_tpm_buf_free(struct tpm_buf *buf)
{
	if (buf)
		tpm_buf_destroy(buf);
	kfree(buf);
}

#else
static inline struct tpm_buf *cvm_tpm_buf_alloc(void)
{
	struct tpm_buf *buf = kzalloc(TPM_BUFSIZE, GFP_KERNEL);

	if (buf)
		tpm_buf_init(buf, TPM_BUFSIZE);
	return buf;
}

static inline void cvm_tpm_buf_free(struct tpm_buf *buf)
{
	kfree(buf);
}
#endif

#endif /* CVM_COMPAT_TPM_BUF_H */
