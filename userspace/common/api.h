/* SPDX-License-Identifier: MIT */
/* What the calls of the public interface share. */
#ifndef CVM_COMMON_API_H
#define CVM_COMMON_API_H

#include <stddef.h>

struct cvm_error;

/* Set @error (may be NULL), return @rc. */
int cvm_set_error(struct cvm_error *error, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* A path that cannot be opened, read, ... (@verb). */
int cvm_path_error(struct cvm_error *error, int rc, const char *path, const char *verb);

/* Bytes of a struct up to and with its field: what callers of a version have */
#define CVM_STRUCT_UP_TO(type, field) \
	(offsetof(type, field) + sizeof(((type *)NULL)->field))

/*
 * What programs of the first version have, on LP64: it stays so whatever is added.
 * No padding is behind the last field: nobody writes that, and a field that took
 * its place would be read from what happens to be there.
 */
#define CVM_STRUCT_FROZEN(type, size, bytes) \
	_Static_assert(sizeof(void *) != 8 || \
		       ((size) == (bytes) && !((size) % _Alignof(type))), \
		       #type ": the first version had " #bytes " bytes, none of them padding")

/**
 * cvm_struct_in() - take a struct of a caller that may be older or newer
 * @to: ours, filled in
 * @size: its size
 * @min: bytes of it that the first version had
 * @from: the caller's, which begins with its size
 *
 * Return: 0; -EINVAL: shorter than the first version; -E2BIG: it has fields
 * that are unknown here and not zero.
 */
int cvm_struct_in(void *to, size_t size, size_t min, const void *from);

#endif /* CVM_COMMON_API_H */
