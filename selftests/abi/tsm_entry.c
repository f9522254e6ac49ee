// SPDX-License-Identifier: GPL-2.0
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tsm_entry.h"

#define REPORTS	"/sys/kernel/config/tsm/report"
#define CONTROL	"/sys/kernel/cvm_platform_sim/control"

#define SNP_LEN		1184
#define SNP_DATA	0x50
#define QUOTE_DATA	(48 + 520)	/* of version 4 */

void say(const char *format, ...)
{
	va_list values;

	va_start(values, format);
	vprintf(format, values);
	va_end(values);
	putchar('\n');
	fflush(stdout);
}

const char *outcome(int err)
{
	return err ? strerrorname_np(err) : "done";
}

int make(const char *name)
{
	char path[256];
	int dir;

	snprintf(path, sizeof(path), REPORTS "/%s", name);
	if (mkdir(path, 0700))
		return -errno;
	dir = open(path, O_RDONLY | O_DIRECTORY);
	return dir < 0 ? -errno : dir;
}

int drop(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), REPORTS "/%s", name);
	return rmdir(path) ? errno : 0;
}

int put(int dir, const char *name, const void *data, size_t len)
{
	int fd = openat(dir, name, O_WRONLY), err = 0;

	if (fd < 0)
		return errno;
	if (write(fd, data, len) < 0)
		err = errno;
	if (close(fd) && !err)
		err = errno;
	return err;
}

long get(int dir, const char *name, void *data, size_t piece)
{
	int fd = openat(dir, name, O_RDONLY);
	long len = 0, got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, (char *)data + len, piece)) > 0)
		len += got;
	if (got < 0)
		len = -errno;
	close(fd);
	return len;
}

void say_text(int dir, const char *name)
{
	char text[256] = "";
	long len = get(dir, name, text, sizeof(text) - 1);

	text[strcspn(text, "\n")] = '\0';
	say("%s: %s", name, len < 0 ? outcome((int)-len) : text);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

void list(const char *name)
{
	struct dirent **found;
	char path[512];
	struct stat st;
	int count;

	snprintf(path, sizeof(path), REPORTS "/%s", name);
	count = scandir(path, &found, NULL, by_name);
	for (int i = 0; i < count; i++) {
		snprintf(path, sizeof(path), REPORTS "/%s/%s", name, found[i]->d_name);
		if (found[i]->d_name[0] != '.' && !stat(path, &st))
			say("file %s: %o, %ld bytes, uid %u, gid %u", found[i]->d_name,
			    st.st_mode, (long)st.st_size, st.st_uid, st.st_gid);
		free(found[i]);
	}
	free(found);
}

void tell(const char *line)
{
	int fd = open(CONTROL, O_WRONLY);

	if (fd < 0 || write(fd, line, strlen(line)) < 0)
		say("%s: %s", line, outcome(errno));
	close(fd);
}

void fill(unsigned char data[64], int seed)
{
	for (int i = 0; i < 64; i++)
		data[i] = (unsigned char)(seed + 3 * i);
}

bool carries(const unsigned char *blob, long len, const unsigned char data[64])
{
	size_t at = len == SNP_LEN ? SNP_DATA : QUOTE_DATA;

	return len >= SNP_LEN && !memcmp(blob + at, data, 64);
}
