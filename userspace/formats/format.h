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

#include "../common/format_error.h"
#include "../common/util.h"

/* Points into the parsed input, which must outlive it. */
struct cvm_span {
	const uint8_t *data;
	size_t len;
};

#endif /* CVM_FORMAT_H */
