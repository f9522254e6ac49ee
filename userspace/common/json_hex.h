/* SPDX-License-Identifier: MIT */
#ifndef CVM_COMMON_JSON_HEX_H
#define CVM_COMMON_JSON_HEX_H

#include <jansson.h>

/* A string of hexadecimal digits; NULL: no memory */
json_t *cvm_json_of_hex(const void *data, size_t len);

#endif /* CVM_COMMON_JSON_HEX_H */
