// SPDX-License-Identifier: MIT
/*
 * free() leaves what it is given as it is, and libtss2-esys gives it the keys of its
 * sessions: whoever has recorded what went between TPM and process, and finds such a key
 * in memory later, has the secret. So all that is free is allocated, wiped, and freed.
 *
 * The allocator takes what it has before it asks for more: first, for each size, what it
 * keeps in a list of that size alone, seven chunks; then whatever is free. When the heap
 * grows nothing was left.
 */
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <unistd.h>

#include "secret.h"

/* sizes of chunks, and what of them is the caller's */
#define LEAST		24U
#define STEP		16U
#define MOST_LISTED	1032U
#define LISTED		7

/* where another allocator's heap does not end where the process's does */
#define MAX_CHUNKS	(256U << 10)

struct chunk {
	struct chunk *next;
};

static void take(struct chunk **all, size_t size)
{
	struct chunk *chunk = malloc(size);

	if (!chunk)
		return;
	OPENSSL_cleanse(chunk, malloc_usable_size(chunk));
	chunk->next = *all;
	*all = chunk;
}

static void give_back(struct chunk *all)
{
	struct chunk *next;

	for (; all; all = next) {
		next = all->next;
		free(all);
	}
}

void cvm_secret_heap(void)
{
	struct chunk *all = NULL;
	const void *end;

	for (size_t size = LEAST; size <= MOST_LISTED; size += STEP)
		for (int i = 0; i < LISTED; i++)
			take(&all, size);
	end = sbrk(0);
	for (unsigned int i = 0; i < MAX_CHUNKS && sbrk(0) == end; i++)
		take(&all, LEAST);
	give_back(all);
}
