// SPDX-License-Identifier: MIT
/* Bytes, hexadecimal text and whole files. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "cleanup.h"
#include "util.h"

#define FIRST_READ	4096

bool cvm_is_zero(const void *data, size_t len)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

int cvm_hex_decode(const char *text, void *out, size_t size, size_t *len, size_t *where)
{
	uint8_t *bytes = out;
	size_t digits = 0;

	while (hex_digit(text[digits]) >= 0)
		digits++;
	if (text[digits] || digits % 2) {
		*where = digits;
		return -EINVAL;
	}
	*len = digits / 2;
	if (*len > size)
		return -EMSGSIZE;
	for (size_t i = 0; i < *len; i++)
		bytes[i] = (uint8_t)(hex_digit(text[2 * i]) << 4 | hex_digit(text[2 * i + 1]));
	return 0;
}

void cvm_hex_encode(const void *data, size_t len, char *text)
{
	static const char digits[] = "0123456789abcdef";
	const uint8_t *bytes = data;

	for (size_t i = 0; i < len; i++) {
		*text++ = digits[bytes[i] >> 4];
		*text++ = digits[bytes[i] & 15];
	}
	*text = '\0';
}

int cvm_read_fd(int fd, size_t max, void **data, size_t *len)
{
	__cleanup_free uint8_t *buffer = NULL;
	size_t size = 0, used = 0;

	for (;;) {
		ssize_t got;

		/* one byte more than allowed tells too long from just fits */
		if (used == size) {
			uint8_t *grown;

			size = size ? 2 * size : FIRST_READ;
			size = size > max + 1 ? max + 1 : size;
			grown = realloc(buffer, size + 1);
			if (!grown)
				return -ENOMEM;
			buffer = grown;
		}
		got = read(fd, buffer + used, size - used);
		if (got < 0)
			return -errno;
		if (!got)
			break;
		used += (size_t)got;
		if (used > max)
			return -EFBIG;
	}
	buffer[used] = '\0';
	*data = cvm_take_ptr(buffer);
	*len = used;
	return 0;
}

int cvm_read_file(const char *path, size_t max, void **data, size_t *len)
{
	__cleanup_fd int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : cvm_read_fd(fd, max, data, len);
}

int cvm_write_fd(int fd, const void *data, size_t len)
{
	const uint8_t *bytes = data;

	while (len) {
		ssize_t put = write(fd, bytes, len);

		if (put < 0 && errno != EINTR)
			return -errno;
		if (put > 0) {
			bytes += put;
			len -= (size_t)put;
		}
	}
	return 0;
}

static int write_in_place(const char *path, const void *data, size_t len)
{
	__cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);

	return fd < 0 ? -errno : cvm_write_fd(fd, data, len);
}

static int write_new(const char *path, const void *data, size_t len, mode_t mode)
{
	__cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	return fd < 0 ? -errno : cvm_write_fd(fd, data, len);
}

int cvm_write_file(const char *path, const void *data, size_t len, mode_t mode)
{
	__cleanup_free char *target = NULL;
	char fresh[PATH_MAX];
	struct stat st;
	int rc;

	if (!stat(path, &st) && !S_ISREG(st.st_mode))
		return write_in_place(path, data, len);
	/* what a symbolic link points to is replaced, not the link */
	target = realpath(path, NULL);
	/* a name that nobody else uses; one left over by a killed process is replaced */
	rc = snprintf(fresh, sizeof(fresh), "%s.%d~", target ? target : path, (int)getpid());
	if (rc >= (int)sizeof(fresh))
		return -ENAMETOOLONG;
	unlink(fresh);
	rc = write_new(fresh, data, len, mode);
	if (!rc && rename(fresh, target ? target : path))
		rc = -errno;
	if (rc)
		unlink(fresh);
	return rc;
}
