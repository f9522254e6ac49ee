/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Results of a test program, in TAP: check() for each, and last
 * `return tap_end();`. A test that needs files gets a directory of its own.
 */
#ifndef TAP_H
#define TAP_H

#include <ftw.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static int tap_count, tap_failed;

__attribute__((format(printf, 2, 3), unused))
static bool check(bool good, const char *format, ...)
{
	va_list values;

	tap_count++;
	if (!good)
		tap_failed++;
	printf("%sok %d ", good ? "" : "not ", tap_count);
	va_start(values, format);
	vprintf(format, values);
	va_end(values);
	putchar('\n');
	fflush(stdout);
	return good;
}

__attribute__((unused))
static bool check_is(long got, long want, const char *what)
{
	bool good = check(got == want, "%s", what);

	if (!good)
		printf("# got %ld (%s), wanted %ld\n", got,
		       got < 0 ? strerror((int)-got) : "-", want);
	return good;
}

/* @text is one line that says @part. */
__attribute__((unused))
static bool check_says(const char *text, const char *part, const char *what)
{
	bool good = check(strstr(text, part) && !strchr(text, '\n'), "%s", what);

	if (!good)
		printf("# got '%s', wanted '%s' in it\n", text, part);
	return good;
}

/* The exit status */
static inline int tap_end(void)
{
	printf("1..%d\n", tap_count);
	return tap_failed ? 1 : 0;
}

__attribute__((unused))
static char tap_dir[] = "/tmp/cvm-test-XXXXXX";

static inline int tap_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static inline void tap_remove_dir(void)
{
	nftw(tap_dir, tap_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* Makes tap_dir, which goes when the program ends, and returns its path. */
static inline const char *tap_make_dir(void)
{
	if (!mkdtemp(tap_dir)) {
		printf("Bail out! no directory: %s\n", tap_dir);
		exit(1);
	}
	atexit(tap_remove_dir);
	return tap_dir;
}

/* @path in tap_dir, with every directory above it; good for three more calls */
static inline const char *tap_path(const char *path)
{
	static char full[4][4096];
	static int turn;
	char *name = full[turn++ % 4];

	snprintf(name, sizeof(full[0]), "%s%s", tap_dir, path);
	for (char *p = name + strlen(tap_dir) + 1; (p = strchr(p, '/')); p++) {
		*p = '\0';
		mkdir(name, 0755);
		*p = '/';
	}
	return name;
}

static inline void tap_write(const char *path, const void *data, size_t len)
{
	FILE *file = fopen(path, "w");

	if (!file || fwrite(data, 1, len, file) != len || fclose(file)) {
		printf("Bail out! cannot write %s\n", path);
		exit(1);
	}
}

#endif /* TAP_H */
