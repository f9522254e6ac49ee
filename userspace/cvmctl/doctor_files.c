// SPDX-License-Identifier: MIT
/* Files of the machine under examination, which may be below a folder. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor.h"

/* a module with its debugging information */
#define FILE_MAX	(64U << 20)

const char *doctor_path(const struct doctor *d, char *path, const char *format, ...)
{
	int used = snprintf(path, PATH_MAX, "%s", d->root);
	va_list values;

	va_start(values, format);
	if (used < PATH_MAX)
		used += vsnprintf(path + used, (size_t)(PATH_MAX - used), format, values);
	va_end(values);
	/* a name cut short would be another file's */
	if (used >= PATH_MAX)
		path[0] = '\0';
	return path;
}

bool doctor_exists(const struct doctor *d, const char *path)
{
	char full[PATH_MAX];

	return !access(doctor_path(d, full, "%s", path), F_OK);
}

void *doctor_contents(const struct doctor *d, const char *path, size_t *len)
{
	char full[PATH_MAX];
	void *data;

	if (cvm_read_file(doctor_path(d, full, "%s", path), FILE_MAX, &data, len))
		return NULL;
	return data;
}

char *doctor_line(const struct doctor *d, const char *path)
{
	size_t len;
	char *text = doctor_contents(d, path, &len);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

bool doctor_word(const struct doctor *d, const char *path, const char *word)
{
	size_t len;
	__cleanup_free char *text = doctor_contents(d, path, &len);
	char *state, *at;

	if (!text)
		return false;
	for (at = strtok_r(text, " \t\n", &state); at; at = strtok_r(NULL, " \t\n", &state))
		if (!strcmp(at, word))
			return true;
	return false;
}
