/* SPDX-License-Identifier: GPL-2.0 */
/* Where a secret is in this process: all memory of it that can be written. */
#ifndef KEYS_MEMORY_H
#define KEYS_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* What to look for; kept so that it is not found here. At most 64 bytes. */
void memory_learn(const void *secret, size_t len);

/* The same, of one that is not to be here at all: each byte of it comes XORed with @mask. */
void memory_learn_masked(const void *secret, size_t len, unsigned char mask);

/* Any 8 bytes of it; says on stdout where. */
bool memory_has(void);

/* false: under ASan, which keeps what was freed */
bool memory_can(void);

#endif /* KEYS_MEMORY_H */
