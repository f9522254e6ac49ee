/* SPDX-License-Identifier: MIT */
#ifndef CVM_COMMON_JSON_HEX_H
#define CVM_COMMON_JSON_HEX_H

#include <jansson.h>
#include <stdbool.h>

/* A string of hexadecimal digits; NULL: no memory */
json_t *cvm_json_of_hex(const void *data, size_t len);

/* Of base64 (RFC 4648, section 4), padded; NULL: no memory, or too long */
json_t *cvm_json_of_base64(const void *data, size_t len);

/* Of base64url (RFC 4648, section 5), padded or not; NULL: no memory, or too long */
json_t *cvm_json_of_base64url(const void *data, size_t len, bool padded);

#endif /* CVM_COMMON_JSON_HEX_H */
