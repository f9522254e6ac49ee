// SPDX-License-Identifier: MIT
/*
 * free() leaves what it is given as it is, and libtss2-esys gives it the keys of its
 * sessions: whoever has recorded what went between TPM and process, and finds such a key
 * in memory later, has the secret. So all that is free is allocated, wiped, and freed.
 *
 * The allocator, glibc's, takes what it has before it asks for more: for each size what
 * it keeps in a list of that size alone, and then whatever is free, of which it may move
 * some into such a list. So that is had first, in the least of sizes, until the heap
 * grows; then nothing is left but in those lists, each of which ends where a chunk is
 * behind the end that the heap had. For a process of one thread: others have heaps of
 * their own.
 */
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "secret.h"

/* sizes of chunks, and what of them is the caller's */
#define LEAST		24U
#define STEP		16U
#define MOST_LISTED	1032U

/* 8 MiB of the least; where there is more, it is given up */
#define MAX_CHUNKS	(256U << 10)

struct chunk {
	struct chunk *next;
};

/* NULL: there is no more */
static const void *take(struct chunk **all, size_t size)
{
	struct chunk *chunk = malloc(size);

	if (!chunk)
		return NULL;
	OPENSSL_cleanse(chunk, malloc_usable_size(chunk));
	chunk->next = *all;
	*all = chunk;
	return chunk;
}

static void give_back(struct chunk *all)
{
	struct chunk *next;

	for (; all; all = next) {
		next = all->next;
		free(all);
	}
}

/* Another allocator's heap ends elsewhere, and a sanitizer's keeps what is freed. */
#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
static bool is_known(void)
{
	return true;
}
#else
static bool is_known(void)
{
	return false;
}
#endif

void cvm_secret_heap(void)
{
	const char *end = sbrk(0), *chunk = end;
	struct chunk *all = NULL;
	unsigned int left = is_known() ? MAX_CHUNKS : 0;

	while (left && chunk && sbrk(0) == end)
		left--, chunk = take(&all, LEAST);
	for (size_t size = LEAST; size <= MOST_LISTED; size += STEP)
		for (chunk = NULL; left && (!chunk || chunk < end); left--) {
			chunk = take(&all, size);
			if (!chunk)
				break;
		}
	give_back(all);
}
