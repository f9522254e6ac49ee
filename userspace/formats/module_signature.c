// SPDX-License-Identifier: MIT
#include "module_signature.h"

#define MARKER		"~Module signature appended~\n"
#define MARKER_LEN	(sizeof(MARKER) - 1)
#define TRAILER_SIZE	12	/* struct module_signature */
#define ID_PKCS7	2

int cvm_module_signature_parse(const void *data, size_t len,
			       struct cvm_module_signature *signature,
			       struct cvm_format_error *err)
{
	const uint8_t *p = data;
	size_t end, size;

	*signature = (struct cvm_module_signature){ .content = { p, len } };
	if (len < MARKER_LEN || memcmp(p + len - MARKER_LEN, MARKER, MARKER_LEN))
		return 0;
	end = len - MARKER_LEN;
	if (end < TRAILER_SIZE)
		return cvm_format_short(err, end, "module signature", "a trailer of 12 bytes");
	end -= TRAILER_SIZE;
	/* the only number here that is in network order */
	size = (size_t)p[end + 8] << 24 | (size_t)p[end + 9] << 16 | (size_t)p[end + 10] << 8 |
	       p[end + 11];
	if (p[end + 2] != ID_PKCS7) {
		cvm_format_bad(err, end + 2, "module signature's kind", "2, PKCS#7", p[end + 2]);
		return -EPROTONOSUPPORT;
	}
	if (!size || size > end)
		return cvm_format_bad(err, end + 8, "module signature's length",
				      "a length within the module", size);
	signature->content.len = end - size;
	signature->pkcs7 = (struct cvm_span){ p + end - size, size };
	return 0;
}
