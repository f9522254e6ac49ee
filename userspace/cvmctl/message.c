// SPDX-License-Identifier: MIT
/* What went wrong: one line on stderr. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "cvmctl.h"

static void print_message(const char *format, va_list values, const char *end)
{
	/* what was printed before belongs before it */
	fflush(stdout);
	fprintf(stderr, "cvmctl%s%s: ", command_name ? " " : "", command_name ? command_name : "");
	vfprintf(stderr, format, values);
	fprintf(stderr, "%s\n", end);
}

int fail(int status, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	print_message(format, values, "");
	va_end(values);
	return status;
}

void note(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	print_message(format, values, "");
	va_end(values);
}

int usage_error(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	print_message(format, values, "; see --help");
	va_end(values);
	return EXIT_USAGE;
}

int fail_library(int rc, const struct cvm_error *error)
{
	int status = EXIT_FAILED;

	if (rc == -EOPNOTSUPP || rc == -ENODEV)
		status = EXIT_NOT_SUPPORTED;
	return fail(status, "%s", error->text);
}
