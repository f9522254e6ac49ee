/* SPDX-License-Identifier: MIT */
#ifndef CVM_COMMON_TPM_ERROR_H
#define CVM_COMMON_TPM_ERROR_H

#include <tss2/tss2_common.h>
#include <tss2/tss2_tpm2_types.h>

struct cvm_error;

/* Says what @rc means. Returns a negative errno; 0 where @rc is no failure. */
int cvm_tpm_error(struct cvm_error *error, TSS2_RC rc, const char *what);

/* The code of a TPM alone: without the layer, and without which parameter it was. */
TSS2_RC cvm_tpm_code(TSS2_RC rc);

#endif /* CVM_COMMON_TPM_ERROR_H */
