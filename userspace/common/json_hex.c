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
	return json_stringn_nocheck(text, 2 * len);
}

/* padded; for free(); NULL: no memory, or too long */
static char *encode(const void *data, size_t len)
{
	char *text = len > INT_MAX / 2 ? NULL : malloc(4 * ((len + 2) / 3) + 1);

	if (text)
		EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	return text;
}

json_t *cvm_json_of_base64(const void *data, size_t len)
{
	__cleanup_free char *text = encode(data, len);

	return text ? json_string(text) : NULL;
}

json_t *cvm_json_of_base64url(const void *data, size_t len, bool padded)
{
	__cleanup_free char *text = encode(data, len);

	if (!text)
		return NULL;
	if (!padded)
		text[strcspn(text, "=")] = '\0';
	for (char *p = text; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	return json_string_nocheck(text);
}
