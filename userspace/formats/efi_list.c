// SPDX-License-Identifier: MIT
#include "efi_list.h"

#define LIST_HEADER	28	/* type, and three sizes */
#define OWNER_SIZE	16	/* before each entry's own bytes */

/* EFI_CERT_X509_GUID, as it is stored */
static const uint8_t x509[16] = {
	0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a,
	0x87, 0xb5, 0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72,
};

static int take_certs(const uint8_t *entry, size_t size, size_t count, size_t at,
		      struct cvm_efi_list *list, struct cvm_format_error *err)
{
	for (size_t i = 0; i < count; i++, entry += size) {
		if (list->count == CVM_EFI_CERTS_MAX)
			return cvm_format_bad(err, at, "signature lists",
					      "at most 64 certificates", list->count + 1);
		list->cert[list->count++] =
			(struct cvm_span){ entry + OWNER_SIZE, size - OWNER_SIZE };
	}
	return 0;
}

/* @p: a list, of which its header and then all its @size bytes are there */
static int parse_list(const uint8_t *p, size_t size, size_t at, struct cvm_efi_list *list,
		      struct cvm_format_error *err)
{
	size_t header = cvm_le32(p + 20), entry = cvm_le32(p + 24);

	if (header > size - LIST_HEADER)
		return cvm_format_bad(err, at + 20, "signature header size",
				      "a size within the list", header);
	size -= LIST_HEADER + header;
	if (entry <= OWNER_SIZE || size % entry)
		return cvm_format_bad(err, at + 24, "signature size",
				      "a part of the list that is more than an owner", entry);
	if (memcmp(p, x509, sizeof(x509)))
		return 0;
	return take_certs(p + LIST_HEADER + header, entry, size / entry, at, list, err);
}

int cvm_efi_list_parse(const void *data, size_t len, struct cvm_efi_list *list,
		       struct cvm_format_error *err)
{
	const uint8_t *p = data;
	size_t at, size;
	int ret;

	list->count = 0;
	for (at = 0; at < len; at += size) {
		if (len - at < LIST_HEADER)
			return cvm_format_short(err, len, "signature list", "a header of 28 bytes");
		size = cvm_le32(p + at + 16);
		if (size < LIST_HEADER || size > len - at)
			return cvm_format_bad(err, at + 16, "signature list size",
					      "its header and no more than there is", size);
		ret = parse_list(p + at, size, at, list, err);
		if (ret)
			return ret;
	}
	return 0;
}
