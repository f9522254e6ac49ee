// SPDX-License-Identifier: MIT
/* Records as files: a power cut leaves the old one or the new one. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "record.h"

int cvm_record_read(const char *path, struct cvm_key_record *record, struct cvm_error *error)
{
	__cleanup_free char *text = NULL;
	struct cvm_error what;
	size_t len;
	int rc = cvm_read_file(path, CVM_RECORD_MAX_FILE, (void **)&text, &len);

	if (rc)
		return cvm_path_error(error, rc, path, "read");
	rc = cvm_record_parse(text, len, record, &what);
	return rc ? cvm_set_error(error, rc, "%s: %s", path, what.text) : 0;
}

/* the names in it are on the disk */
static int sync_directory_of(const char *path)
{
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof(copy), "%s", path) >= PATH_MAX)
		return -ENAMETOOLONG;
	__cleanup_fd int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) ? -errno : 0;
}

static int write_synced(const char *path, const char *text)
{
	__cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
				   0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = cvm_write_fd(fd, text, strlen(text));
	return !rc && fsync(fd) ? -errno : rc;
}

static int replace(const char *from, const char *to)
{
	return rename(from, to) ? -errno : sync_directory_of(to);
}

int cvm_record_write(const char *path, const struct cvm_key_record *record,
		     struct cvm_error *error)
{
	__cleanup_free char *text = cvm_record_text(record);
	char fresh[PATH_MAX];
	int rc;

	if (!text)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	if (snprintf(fresh, sizeof(fresh), "%s~", path) >= PATH_MAX)
		return cvm_path_error(error, -ENAMETOOLONG, path, "write");
	/* of a process that was killed */
	unlink(fresh);
	rc = write_synced(fresh, text);
	if (!rc)
		rc = replace(fresh, path);
	if (rc) {
		unlink(fresh);
		return cvm_path_error(error, rc, path, "write");
	}
	return 0;
}

int cvm_record_replace(const char *from, const char *to, struct cvm_error *error)
{
	int rc = replace(from, to);

	return rc ? cvm_path_error(error, rc, to, "replace") : 0;
}
