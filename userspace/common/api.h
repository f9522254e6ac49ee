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

/* The size of a struct whose last field this was: what callers of a version have */
#define CVM_STRUCT_UP_TO(type, field) \
	((offsetof(type, field) + sizeof(((type *)NULL)->field) + _Alignof(type) - 1) & \
	 ~(_Alignof(type) - 1))

/* What programs of the first version have, on LP64: it stays so whatever is added. */
#define CVM_STRUCT_FROZEN(type, size, bytes) \
	_Static_assert(sizeof(void *) != 8 || (size) == (bytes), \
		       #type ": the first version had " #bytes " bytes")

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
