// SPDX-License-Identifier: MIT
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "format_error.h"

const char *cvm_format_error_text(const struct cvm_format_error *err,
				  char *buf, size_t size)
{
	if (err->has_found)
		snprintf(buf, size,
			 "offset 0x%zx: %s is 0x%" PRIx64 ", expected %s",
			 err->offset, err->field, err->found, err->expected);
	else
		snprintf(buf, size,
			 "the input ends at offset 0x%zx, within %s: expected %s",
			 err->offset, err->field, err->expected);
	return buf;
}

int cvm_format_short(struct cvm_format_error *err, size_t offset,
		     const char *field, const char *expected)
{
	*err = (struct cvm_format_error){
		.offset = offset, .field = field, .expected = expected,
	};
	return -EBADMSG;
}

int cvm_format_bad(struct cvm_format_error *err, size_t offset,
		   const char *field, const char *expected, uint64_t found)
{
	*err = (struct cvm_format_error){
		.offset = offset, .field = field, .expected = expected,
		.found = found, .has_found = true,
	};
	return -EBADMSG;
}
