/* SPDX-License-Identifier: MIT */
/* What the calls of the public interface share. */
#ifndef CVM_COMMON_API_H
#define CVM_COMMON_API_H

#include <stddef.h>

struct cvm_error;

/* Set @error (may be NULL), return @rc. */
int cvm_set_error(struct cvm_error *error, int rc, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

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
