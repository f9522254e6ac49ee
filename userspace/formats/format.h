/* SPDX-License-Identifier: MIT */
/*
 * What the parsers of this folder share: bytes in, structs out, no allocation,
 * no I/O. Every input is hostile: a parser reads nothing that it has not
 * checked to be there, and says where and why it stopped.
 *
 * A parser returns 0; -EBADMSG for input that is malformed; -EPROTONOSUPPORT
 * for a version or kind that it does not know, and then the version is filled
 * in and what comes after it is zero: nothing more is certain.
 */
#ifndef CVM_FORMAT_H
#define CVM_FORMAT_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../common/util.h"

/* Points into the parsed input, which must outlive it. */
struct cvm_span {
	const uint8_t *data;
	size_t len;
};

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

#endif /* CVM_FORMAT_H */
