/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The paravisor's TPM, as far as it gives reports. Between hold and release nobody
 * else in this VM has a word with it: the kernel's TPM users take turns for
 * single commands, and ours stay together.
 *
 * Functions return 0; a TPM return code, which is positive; or a negative errno.
 */
#ifndef CVM_AZURE_TPM_H
#define CVM_AZURE_TPM_H

#include <linux/types.h>

/* NV indices: the report, and what the next one is asked for with */
#define CVM_TPM_REPORT		0x01400001
#define CVM_TPM_INPUT		0x01400002
#define CVM_TPM_INPUT_SIZE	64

/* attributes of an index (TPMA_NV) */
#define CVM_TPM_OWNERWRITE	(1U << 1)
#define CVM_TPM_OWNERREAD	(1U << 17)
#define CVM_TPM_WRITTEN		(1U << 29)

/* TPM return codes, as they come with a handle, a session or a parameter */
#define CVM_TPM_NV_RANGE	0x146
#define CVM_TPM_NV_AUTHORIZATION 0x149
#define CVM_TPM_NO_INDEX	0x18b	/* or 28bh */
#define CVM_TPM_BAD_AUTH	0x9a2
#define CVM_TPM_AUTH_FAIL	0x98e

/* -ENODEV: no TPM 2.0 */
int cvm_tpm_find(void);
void cvm_tpm_forget(void);

/* -ENODEV: it is gone, and its driver may be bound again */
int cvm_tpm_hold(void);
void cvm_tpm_release(void);

int cvm_tpm_public(u32 index, u32 *attributes, u32 *size);
int cvm_tpm_define_input(void);
int cvm_tpm_write_input(const u8 data[CVM_TPM_INPUT_SIZE]);

/* bytes @from up to @to of the report's index, to the same place of @report */
int cvm_tpm_read_report(u8 *report, u32 from, u32 to);

#endif /* CVM_AZURE_TPM_H */
