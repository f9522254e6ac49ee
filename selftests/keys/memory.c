// SPDX-License-Identifier: GPL-2.0
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "memory.h"

#define PART	8
#define MASK	0xa5

static uint8_t masked[64];
static size_t masked_len;

void memory_learn_masked(const void *secret, size_t len, unsigned char mask)
{
	const uint8_t *from = secret;

	masked_len = len;
	for (size_t i = 0; i < len; i++)
		masked[i] = (uint8_t)(from[i] ^ (mask ^ MASK));
}

void memory_learn(const void *secret, size_t len)
{
	memory_learn_masked(secret, len, 0);
}

/* without a copy of it in a register that would go to the stack */
__attribute__((noinline))
static bool is_part(const volatile uint8_t *at, size_t part)
{
	for (size_t i = 0; i < PART; i++)
		if ((uint8_t)(at[i] ^ MASK) != masked[part + i])
			return false;
	return true;
}

static bool look(uintptr_t from, uintptr_t to, const char *name)
{
	for (uintptr_t at = from; at + PART <= to; at++)
		for (size_t part = 0; part + PART <= masked_len; part++)
			if (is_part((const volatile uint8_t *)at, part)) {
				printf("# found at %" PRIxPTR ", part %zu, of %s", at, part, name);
				return true;
			}
	return false;
}

bool memory_can(void)
{
#ifdef __SANITIZE_ADDRESS__
	return false;
#else
	return true;
#endif
}

bool memory_has(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512], rights[8];
	uintptr_t from, to;
	bool has = false;

	while (maps && fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s", &from, &to, rights) == 3 &&
		    !strncmp(rights, "rw", 2) && look(from, to, line))
			has = true;
	if (maps)
		fclose(maps);
	return has || !maps;
}
