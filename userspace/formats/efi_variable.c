// SPDX-License-Identifier: MIT
#include "efi_variable.h"

#define HEAD	32	/* the GUID, and two lengths of 8 bytes: in characters, and in bytes */

/* as they are stored: EFI_GLOBAL_VARIABLE, EFI_IMAGE_SECURITY_DATABASE_GUID */
static const uint8_t global[16] = {
	0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11,
	0xaa, 0x0d, 0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c,
};
static const uint8_t images[16] = {
	0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45,
	0xa3, 0xbc, 0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f,
};

static const struct {
	const uint8_t *guid;
	const char *name;
} variables[CVM_BOOT_VARIABLES] = {
	[CVM_BOOT_SECURE_BOOT] = { global, "SecureBoot" },
	[CVM_BOOT_PK] = { global, "PK" },
	[CVM_BOOT_KEK] = { global, "KEK" },
	[CVM_BOOT_DB] = { images, "db" },
	[CVM_BOOT_DBX] = { images, "dbx" },
};

int cvm_efi_variable_parse(const void *data, size_t len, struct cvm_efi_variable *variable,
			   struct cvm_format_error *err)
{
	const uint8_t *p = data;
	uint64_t characters, bytes;

	*variable = (struct cvm_efi_variable){ 0 };
	if (len < HEAD)
		return cvm_format_short(err, len, "UEFI_VARIABLE_DATA", "32 bytes of its head");
	characters = cvm_le64(p + 16);
	if (characters > (len - HEAD) / 2)
		return cvm_format_bad(err, 16, "UnicodeNameLength", "no more than there is",
				      characters);
	bytes = cvm_le64(p + 24);
	/* nothing may be behind it that is hashed, and read by nobody */
	if (bytes != len - HEAD - 2 * characters)
		return cvm_format_bad(err, 24, "VariableDataLength", "the rest of the event",
				      bytes);
	variable->guid = p;
	variable->name = (struct cvm_span){ p + HEAD, 2 * (size_t)characters };
	variable->data = (struct cvm_span){ p + HEAD + 2 * characters, (size_t)bytes };
	return 0;
}

static bool has_name(const struct cvm_span *name, const char *text)
{
	if (name->len != 2 * strlen(text))
		return false;
	for (size_t i = 0; text[i]; i++)
		if (cvm_le16(name->data + 2 * i) != (uint8_t)text[i])
			return false;
	return true;
}

enum cvm_boot_variable cvm_boot_variable_of(const struct cvm_efi_variable *variable)
{
	enum cvm_boot_variable i = 0;

	while (i < CVM_BOOT_VARIABLES && (memcmp(variable->guid, variables[i].guid, 16) ||
					  !has_name(&variable->name, variables[i].name)))
		i++;
	return i;
}

const char *cvm_boot_variable_name(enum cvm_boot_variable variable)
{
	return variable < CVM_BOOT_VARIABLES ? variables[variable].name : "unknown";
}
