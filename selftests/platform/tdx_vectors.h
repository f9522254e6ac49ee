/* SPDX-License-Identifier: GPL-2.0 */
/* Real TDX evidence, where there is some: $CVM_VECTORS/tdx. */
#ifndef CVM_TDX_VECTORS_H
#define CVM_TDX_VECTORS_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "fw_client.h"

/* a whole file, free() it; NULL, and a skip is printed: there is none */
static inline uint8_t *vector(const char *name, size_t *len)
{
	const char *dir = getenv("CVM_VECTORS");
	const size_t room = 64 * 1024;
	uint8_t *bytes = malloc(room);
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/tdx/%s", dir && *dir ? dir : "../shared/vectors", name);
	file = fopen(path, "r");
	if (!file) {
		ok(true, "# SKIP no real evidence in %s", path);
		free(bytes);
		return NULL;
	}
	*len = fread(bytes, 1, room, file);
	fclose(file);
	return bytes;
}

#endif /* CVM_TDX_VECTORS_H */
