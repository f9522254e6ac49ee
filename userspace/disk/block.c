// SPDX-License-Identifier: MIT
/* The block devices that disks are on. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "disk.h"

bool cvm_disk_name_valid(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");

	/* "." and ".." name directories, not nodes; one node is device-mapper's own */
	return len && !name[len] && len <= CVM_DISK_MAX_NAME && name[0] != '.' &&
	       strcmp(name, "control") != 0;
}

int cvm_block_open(const char *path, bool read_only, struct cvm_block *block,
		   struct cvm_error *error)
{
	struct stat st;
	uint64_t bytes;

	/* O_EXCL means something to block devices alone; nothing else is waited for */
	block->fd = open(path, (read_only ? O_RDONLY : O_RDWR) | O_EXCL | O_NONBLOCK | O_CLOEXEC);
	if (block->fd < 0 && errno == EBUSY)
		return cvm_set_error(error, -EBUSY, "%s: is in use: mounted, or part of another device",
				     path);
	if (block->fd < 0 || fstat(block->fd, &st))
		return cvm_path_error(error, -errno, path, "open");
	if (!S_ISBLK(st.st_mode))
		return cvm_set_error(error, -ENOTBLK, "%s: is no block device; a file needs a loop device (losetup)",
				     path);
	if (ioctl(block->fd, BLKGETSIZE64, &bytes))
		return cvm_path_error(error, -errno, path, "open");
	block->device = st.st_rdev;
	block->sectors = bytes / 512;
	return 0;
}

void cvm_block_close(struct cvm_block *block)
{
	if (block->fd >= 0)
		close(block->fd);
	block->fd = -1;
}

/* @head, of @head_len, and then zeros */
static int holds(int fd, uint64_t from, size_t len, const void *head, size_t head_len)
{
	__cleanup_free uint8_t *data = malloc(len);
	ssize_t got;

	if (!data)
		return -ENOMEM;
	got = pread(fd, data, len, (off_t)from);
	if (got < 0)
		return -errno;
	if ((size_t)got != len)
		return -EIO;
	return head_len <= len && !memcmp(data, head, head_len) &&
	       cvm_is_zero(data + head_len, len - head_len);
}

int cvm_block_holds(const struct cvm_block *block, const void *head, size_t head_len,
		    struct cvm_error *error)
{
	uint64_t bytes = block->sectors * 512;
	size_t len = bytes < CVM_DISK_END ? (size_t)bytes : CVM_DISK_END;
	int rc = holds(block->fd, 0, len, head, head_len);

	if (rc == 1)
		rc = holds(block->fd, bytes - len, len, "", 0);
	return rc < 0 ? cvm_set_error(error, rc, "the device cannot be read: %s", strerror(-rc)) : rc;
}

int cvm_block_blank(const struct cvm_block *block, struct cvm_error *error)
{
	return cvm_block_holds(block, "", 0, error);
}

static int write_at(int fd, const void *data, size_t len, uint64_t from)
{
	ssize_t put = pwrite(fd, data, len, (off_t)from);

	if (put < 0)
		return -errno;
	return (size_t)put == len ? 0 : -EIO;
}

int cvm_zero_ends(int fd, uint64_t bytes)
{
	__cleanup_free void *zeros = calloc(1, CVM_DISK_END);
	size_t len = bytes < CVM_DISK_END ? (size_t)bytes : CVM_DISK_END;
	int rc = zeros ? write_at(fd, zeros, len, 0) : -ENOMEM;

	if (!rc)
		rc = write_at(fd, zeros, len, bytes - len);
	return !rc && fsync(fd) ? -errno : rc;
}

int cvm_block_wipe(const struct cvm_block *block, struct cvm_error *error)
{
	int rc = cvm_zero_ends(block->fd, block->sectors * 512);

	return rc ? cvm_set_error(error, rc, "the device cannot be written: %s", strerror(-rc)) : 0;
}
