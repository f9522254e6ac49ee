/* SPDX-License-Identifier: MIT */
/*
 * What UEFI's variables db and dbx, and shim's MokListRT, hold: a row of
 * EFI_SIGNATURE_LIST (UEFI Specification 2.10, section 32.4.1). The firmware of a
 * confidential VM may be the host's, and so may its variables.
 */
#ifndef CVM_EFI_LIST_H
#define CVM_EFI_LIST_H

#include "format.h"

#define CVM_EFI_CERTS_MAX	64	/* firmware of real machines has 1 to 10 */

/* the X.509 certificates (DER, not checked); what else is listed is passed over */
struct cvm_efi_list {
	size_t count;
	struct cvm_span cert[CVM_EFI_CERTS_MAX];
};

int cvm_efi_list_parse(const void *data, size_t len, struct cvm_efi_list *list,
		       struct cvm_format_error *err);

#endif /* CVM_EFI_LIST_H */
