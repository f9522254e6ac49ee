/* SPDX-License-Identifier: MIT */
/* How a parser says where it stopped, and that in words. */
#ifndef CVM_COMMON_FORMAT_ERROR_H
#define CVM_COMMON_FORMAT_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * struct cvm_format_error - where a parser stopped
 * @offset: bytes from the start of the input
 * @field: its name in the specification
 * @expected: what should have been there
 * @found: the value that was there, if @has_found
 * @has_found: false where the input ended before the field did
 */
struct cvm_format_error {
	size_t offset;
	const char *field;
	const char *expected;
	uint64_t found;
	bool has_found;
};

/* One line of text, always terminated; returns @buf. */
const char *cvm_format_error_text(const struct cvm_format_error *err,
				  char *buf, size_t size);

/* Both fill in @err and return the error that they are named for. */
int cvm_format_short(struct cvm_format_error *err, size_t offset,
		     const char *field, const char *expected);
int cvm_format_bad(struct cvm_format_error *err, size_t offset,
		   const char *field, const char *expected, uint64_t found);

#endif /* CVM_COMMON_FORMAT_ERROR_H */
