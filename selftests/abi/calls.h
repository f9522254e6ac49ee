/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Calls of a device node, the same for whoever serves it: made by a generator of
 * numbers that begins with the same one, in memory of every kind, and told as
 * lines that two drivers' can be compared by:
 *
 *	NUMBER CLASS WHAT => RESULT | WHAT IS IN MEMORY AFTER IT
 *
 * What a line says before "=>" is what was asked.
 */
#ifndef ABI_CALLS_H
#define ABI_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PAGE	4096

/* where a struct lies */
enum place {
	VALID,		/* in the middle of writable pages */
	EDGE,		/* its last byte is the last of them */
	CROSSING,	/* its second half is in no memory */
	READ_ONLY,
	UNMAPPED,
	NOWHERE,	/* NULL */
	KERNEL,		/* an address of the kernel's */
	PLACES
};

/* pages that end where there is no memory, and read-only ones */
struct arena {
	uint8_t *pages;
	uint8_t *fixed;
	size_t size;
};

void arena_make(struct arena *arena, unsigned int pages);
/* fills all of it with @fill */
void arena_fill(struct arena *arena, uint8_t fill);
/* where @len bytes lie; a copy of @bytes is there, or NULL: nothing new */
void *arena_place(struct arena *arena, enum place place, const void *bytes, size_t len);
/* of the writable pages, but for @mask_len bytes from @mask on, which may be anywhere */
uint64_t arena_hash(const struct arena *arena, const void *mask, size_t mask_len);

const char *place_name(enum place place);
/* most are valid */
enum place place_any(void);
/* no byte of it can be read */
bool place_is_void(enum place place);

void random_start(uint64_t seed);
uint64_t random_number(void);
uint32_t random_below(uint32_t end);
/* once in @n times */
bool once_in(uint32_t n);
void random_bytes(void *out, size_t len);

/* "ok", or the errno's name */
const char *result_name(int ret);

/* the next line's number */
unsigned int call_number(void);

/* one line each: opening it in other ways, and what else is done with files */
void file_calls(const char *node);

#endif /* ABI_CALLS_H */
