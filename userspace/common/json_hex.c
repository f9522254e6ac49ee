// SPDX-License-Identifier: MIT
#include <limits.h>
#include <openssl/evp.h>
#include <string.h>

#include "cleanup.h"
#include "json_hex.h"
#include "util.h"

json_t *cvm_json_of_hex(const void *data, size_t len)
{
	__cleanup_free char *text = malloc(2 * len + 1);

	if (!text)
		return NULL;
	cvm_hex_encode(data, len, text);
	return json_stringn(text, 2 * len);
}

json_t *cvm_json_of_base64url(const void *data, size_t len, bool padded)
{
	__cleanup_free char *text = len > INT_MAX / 2 ? NULL : malloc(4 * ((len + 2) / 3) + 1);

	if (!text)
		return NULL;
	EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	if (!padded)
		text[strcspn(text, "=")] = '\0';
	for (char *p = text; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	return json_string(text);
}
