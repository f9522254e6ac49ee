/* SPDX-License-Identifier: GPL-2.0 */
/*
 * TPM commands by the kernel's resource manager, as others on an Azure guest give
 * them; each returns the TPM's code, 0 for success, or UINT32_MAX.
 */
#ifndef DRIVER_TPM_H
#define DRIVER_TPM_H

#include <stdint.h>

#define TPM_OWNER_ALL		0x00060006	/* the owner's, and its own, to read and write */
#define TPM_NO_OWNER_READ	0x00040006

/* the owner's index for user-data */
uint32_t tpm_define_input(uint32_t attributes, uint32_t size);
uint32_t tpm_undefine_input(void);
/* 64 times @byte */
uint32_t tpm_write_input(uint8_t byte);

/* the first bytes of the report: it may be made anew by that */
uint32_t tpm_read_report(void);

/* the owner's password, which is @was now */
uint32_t tpm_set_password(const char *was, const char *password);

/* into PCR 16, as one of many who measure */
uint32_t tpm_extend(void);

#endif /* DRIVER_TPM_H */
