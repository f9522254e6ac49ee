/* SPDX-License-Identifier: MIT */
/*
 * UEFI_VARIABLE_DATA, which is what measuring a variable hashes ("TCG PC Client Platform
 * Firmware Profile", section 10.2.6), and which variables Secure Boot is made of.
 */
#ifndef CVM_EFI_VARIABLE_H
#define CVM_EFI_VARIABLE_H

#include "format.h"

/**
 * struct cvm_efi_variable - a variable as it was measured
 * @guid: VariableName, 16 bytes as they are stored
 * @name: UnicodeName, UTF-16, not terminated
 * @data: VariableData
 */
struct cvm_efi_variable {
	const uint8_t *guid;
	struct cvm_span name;
	struct cvm_span data;
};

int cvm_efi_variable_parse(const void *data, size_t len, struct cvm_efi_variable *variable,
			   struct cvm_format_error *err);

enum cvm_boot_variable {
	CVM_BOOT_SECURE_BOOT,
	CVM_BOOT_PK,
	CVM_BOOT_KEK,
	CVM_BOOT_DB,
	CVM_BOOT_DBX,
	CVM_BOOT_VARIABLES,
};

/* By GUID and name; CVM_BOOT_VARIABLES: another one */
enum cvm_boot_variable cvm_boot_variable_of(const struct cvm_efi_variable *variable);

/* "SecureBoot", "PK", "KEK", "db", "dbx" */
const char *cvm_boot_variable_name(enum cvm_boot_variable variable);

#endif /* CVM_EFI_VARIABLE_H */
