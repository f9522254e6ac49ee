// SPDX-License-Identifier: GPL-2.0
/* Hexadecimal text and whole files: userspace/common. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "tap.h"

static const struct {
	const char *text;
	int rc;
	size_t len;
	size_t where;
} hex[] = {
	{ "", 0, 0, 0 },
	{ "00", 0, 1, 0 },
	{ "DEADbeef", 0, 4, 0 },
	{ "0", -EINVAL, 0, 1 },
	{ "abc", -EINVAL, 0, 3 },
	{ "0x00", -EINVAL, 0, 1 },
	{ "00 11", -EINVAL, 0, 2 },
	{ "00g1", -EINVAL, 0, 2 },
	{ "001\xc3\xa4", -EINVAL, 0, 3 },
	{ "0011223344", -EMSGSIZE, 5, 0 },
};

static void test_hex(void)
{
	uint8_t bytes[4];
	char text[9];

	for (size_t i = 0; i < ARRAY_SIZE(hex); i++) {
		size_t len = 0, where = 0;
		int rc = cvm_hex_decode(hex[i].text, bytes, sizeof(bytes), &len, &where);

		check(rc == hex[i].rc && len == hex[i].len && where == hex[i].where,
		      "hex '%s'", hex[i].text);
	}
	cvm_hex_encode("\xde\xad\xbe\xef", 4, text);
	check(!strcmp(text, "deadbeef"), "bytes to hex");
	check(cvm_le16("\x01\x02") == 0x0201 && cvm_le32("\x01\x02\x03\xf4") == 0xf4030201 &&
	      cvm_le64("\x01\x02\x03\x04\x05\x06\x07\xf8") == 0xf807060504030201,
	      "little-endian fields");
}

static bool holds(const char *path, const char *want)
{
	__cleanup_free char *data = NULL;
	size_t len;

	return !cvm_read_file(path, 100, (void **)&data, &len) && len == strlen(want) &&
	       !strcmp(data, want);
}

static void test_read(void)
{
	__cleanup_free char *data = NULL;
	const char *path = tap_path("/read");
	char big[10000];
	size_t len;

	memset(big, 'x', sizeof(big));
	tap_write(path, big, sizeof(big));
	check_is(cvm_read_file(path, sizeof(big) - 1, (void **)&data, &len), -EFBIG,
		 "a file that is one byte too long");
	check(!cvm_read_file(path, sizeof(big), (void **)&data, &len) && len == sizeof(big) &&
	      !memcmp(data, big, len) && !data[len], "a file that just fits");
	check_is(cvm_read_file("/dev/zero", 5000, (void **)&data, &len), -EFBIG,
		 "a file without an end");
	check_is(cvm_read_file(tap_path("/none"), 10, (void **)&data, &len), -ENOENT,
		 "a file that is not there");
	check_is(cvm_read_file(tap_dir, 10, (void **)&data, &len), -EISDIR, "a directory");
}

static void test_write(void)
{
	const char *path = tap_path("/write"), *link = tap_path("/link");
	struct stat st;
	int fd;

	umask(022);
	check(!cvm_write_file(path, "one", 3, 0666) && holds(path, "one"), "a new file");
	check(!stat(path, &st) && (st.st_mode & 0777) == 0644, "its mode heeds the umask");
	/* whoever has the old file open goes on reading the old contents */
	fd = open(path, O_RDONLY);
	check(!cvm_write_file(path, "second", 6, 0666) && holds(path, "second"), "replaced");
	check(!fstat(fd, &st) && st.st_size == 3 && !st.st_nlink, "not overwritten in place");
	close(fd);
	check(!symlink("write", link) && !cvm_write_file(link, "three", 5, 0666) &&
	      holds(path, "three") && !lstat(link, &st) && S_ISLNK(st.st_mode),
	      "what a symbolic link points to is replaced, the link stays");
	check(!cvm_write_file("/dev/null", "x", 1, 0666) && !stat("/dev/null", &st) &&
	      S_ISCHR(st.st_mode), "a device is written to, not replaced");
	check_is(cvm_write_file("/dev/full", "x", 1, 0666), -ENOSPC, "a full device");
	check_is(cvm_write_file("/nonexistent/x", "x", 1, 0666), -ENOENT, "a directory that is not there");
	check_is(cvm_write_file(tap_dir, "x", 1, 0666), -EISDIR, "a directory cannot be written");
	check(!cvm_write_file(tap_path("/empty"), "", 0, 0666) && holds(tap_path("/empty"), ""),
	      "nothing at all");
}

int main(void)
{
	tap_make_dir();
	test_hex();
	test_read();
	test_write();
	return tap_end();
}
