// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cvmguest.h>

#include "api.h"
#include "util.h"

int cvm_set_error(struct cvm_error *error, int rc, const char *format, ...)
{
	va_list values;

	if (!error)
		return rc;
	error->platform_status = 0;
	va_start(values, format);
	vsnprintf(error->text, sizeof(error->text), format, values);
	va_end(values);
	return rc;
}

int cvm_path_error(struct cvm_error *error, int rc, const char *path, const char *verb)
{
	const char *advice = "";

	if (rc == -EACCES || rc == -EPERM)
		advice = "; run as root, or have the administrator give you access";
	return cvm_set_error(error, rc, "%s: cannot %s: %s%s", path, verb, strerror(-rc), advice);
}

int cvm_struct_in(void *to, size_t size, size_t min, const void *from)
{
	size_t given = *(const size_t *)from;

	if (given < min)
		return -EINVAL;
	if (given > size && !cvm_is_zero((const uint8_t *)from + size, given - size))
		return -E2BIG;
	memset(to, 0, size);
	memcpy(to, from, given < size ? given : size);
	return 0;
}
