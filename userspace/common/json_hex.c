// SPDX-License-Identifier: MIT
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
