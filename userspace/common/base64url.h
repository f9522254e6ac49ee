/* SPDX-License-Identifier: MIT */
#ifndef CVM_COMMON_BASE64URL_H
#define CVM_COMMON_BASE64URL_H

#include <stddef.h>
#include <stdint.h>

/*
 * Bytes of base64url without padding (RFC 4648, section 5), at most @size of
 * them, at @out. Returns their number, or -EINVAL: no such text, or too long.
 */
long cvm_base64url_decode(const char *text, size_t len, uint8_t *out, size_t size);

/* As that, of a string in either alphabet, padded or not. */
long cvm_base64_decode(const char *text, uint8_t *out, size_t size);

#endif /* CVM_COMMON_BASE64URL_H */
