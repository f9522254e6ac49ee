/* SPDX-License-Identifier: MIT */
/*
 * What the library and cvmctl both need and libc does not have. Functions
 * return 0 or a negative errno and print nothing.
 */
#ifndef CVM_COMMON_UTIL_H
#define CVM_COMMON_UTIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Little-endian fields at any alignment. */
static inline uint16_t cvm_le16(const void *field)
{
	const uint8_t *p = field;

	return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t cvm_le32(const void *field)
{
	const uint8_t *p = field;

	return cvm_le16(p) | (uint32_t)cvm_le16(p + 2) << 16;
}

static inline uint64_t cvm_le64(const void *field)
{
	const uint8_t *p = field;

	return cvm_le32(p) | (uint64_t)cvm_le32(p + 4) << 32;
}

bool cvm_is_zero(const void *data, size_t len);

/**
 * cvm_hex_decode() - bytes from a string of hexadecimal digits
 * @text: digits only, of either case
 * @out: where the bytes go
 * @size: bytes at @out
 * @len: out: bytes that @text stands for, also with -EMSGSIZE
 * @where: out: with -EINVAL the offset of the first character in @text that
 *	is no digit, or of the end where a digit is missing
 *
 * Return: 0; -EINVAL: not hexadecimal; -EMSGSIZE: more than @size bytes.
 */
int cvm_hex_decode(const char *text, void *out, size_t size, size_t *len, size_t *where);

/* @text takes 2 * @len + 1 characters */
void cvm_hex_encode(const void *data, size_t len, char *text);

/**
 * cvm_read_fd() - everything up to the end of a file
 * @fd: read from its position
 * @max: bytes; a longer file is refused, so that no file costs more memory
 * @data: out: the contents, one zero byte behind them; the caller frees it
 * @len: out: bytes, without that zero byte
 *
 * Return: 0; -EFBIG: more than @max bytes; or the errno of read().
 */
int cvm_read_fd(int fd, size_t max, void **data, size_t *len);

/* As cvm_read_fd(), for the file at @path. */
int cvm_read_file(const char *path, size_t max, void **data, size_t *len);

/* All of @data, whatever the number of write() calls. */
int cvm_write_fd(int fd, const void *data, size_t len);

/**
 * cvm_write_file() - replace a file's contents, all or nothing
 * @path: a new or regular file is replaced by rename(), so that nobody ever
 *	reads half of it; anything else (a terminal, a pipe, /dev/null) is
 *	written to
 * @data: contents
 * @len: bytes
 * @mode: of a new file, before the umask
 *
 * Return: 0 or the errno of the call that failed; then @path is unchanged.
 */
int cvm_write_file(const char *path, const void *data, size_t len, mode_t mode);

#endif /* CVM_COMMON_UTIL_H */
