// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "base64url.h"
#include "cleanup.h"

/* What OpenSSL reads: the other two characters, and padding; NULL: not the alphabet */
static char *to_base64(const char *text, size_t len, size_t padded)
{
	char *copy = malloc(padded + 1);

	for (size_t i = 0; copy && i < len; i++) {
		copy[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
		if (strchr("+/=", text[i])) {
			free(copy);
			return NULL;
		}
	}
	if (copy)
		memset(copy + len, '=', padded - len);
	return copy;
}

long cvm_base64url_decode(const char *text, size_t len, uint8_t *out, size_t size)
{
	size_t padded = (len + 3) / 4 * 4, bytes = len / 4 * 3 + (len % 4 ? len % 4 - 1 : 0);
	__cleanup_free char *base64 = NULL;
	__cleanup_free uint8_t *decoded = NULL;

	if (len % 4 == 1 || len > INT_MAX / 2 || bytes > size)
		return -EINVAL;
	base64 = to_base64(text, len, padded);
	/* it writes three bytes of each four characters, padding or not */
	decoded = malloc(padded / 4 * 3 + 1);
	if (!base64 || !decoded ||
	    EVP_DecodeBlock(decoded, (const unsigned char *)base64, (int)padded) !=
	    (int)(padded / 4 * 3))
		return -EINVAL;
	memcpy(out, decoded, bytes);
	return (long)bytes;
}

long cvm_base64_decode(const char *text, uint8_t *out, size_t size)
{
	size_t digits = strcspn(text, "=");
	__cleanup_free char *copy = strndup(text, digits);

	if (!copy || strspn(text + digits, "=") != strlen(text + digits) ||
	    strlen(text + digits) > 2)
		return -EINVAL;
	for (char *p = copy; *p; p++)
		*p = *p == '+' ? '-' : *p == '/' ? '_' : *p;
	return cvm_base64url_decode(copy, digits, out, size);
}
