/* SPDX-License-Identifier: MIT */
/*
 * As much of CBOR (RFC 8949) as evidence is wrapped in: integers, strings, arrays,
 * maps and tags, each of a length that is said before it. One head is read or written
 * at a time: nothing is allocated by what the input says of its own size, and nothing
 * calls itself.
 */
#ifndef CVM_CBOR_H
#define CVM_CBOR_H

#include "format.h"

#define CVM_CBOR_HEAD_MAX	9	/* bytes */

enum cvm_cbor_major {
	CVM_CBOR_UINT = 0,
	CVM_CBOR_NEGATIVE = 1,
	CVM_CBOR_BYTES = 2,
	CVM_CBOR_TEXT = 3,
	CVM_CBOR_ARRAY = 4,
	CVM_CBOR_MAP = 5,
	CVM_CBOR_TAG = 6,
};

/**
 * struct cvm_cbor - where a reader is
 * @in: all of the input
 * @at: offset of the next head
 */
struct cvm_cbor {
	struct cvm_span in;
	size_t at;
};

/**
 * struct cvm_cbor_item - what a head says
 * @major: enum cvm_cbor_major
 * @value: the number; how many bytes, elements or pairs there are; which tag
 * @string: the bytes of a string, else none
 */
struct cvm_cbor_item {
	uint8_t major;
	uint64_t value;
	struct cvm_span string;
};

/* The next head, and the whole string if it is one's. @field: what it is, for @err */
int cvm_cbor_next(struct cvm_cbor *from, const char *field, struct cvm_cbor_item *item,
		  struct cvm_format_error *err);

/* The shortest head there is, as deterministic encoding has it (RFC 8949, section 4.2.1),
 * at @out, which takes CVM_CBOR_HEAD_MAX bytes. Returns its length. */
size_t cvm_cbor_head(uint8_t *out, enum cvm_cbor_major major, uint64_t value);

#endif /* CVM_CBOR_H */
