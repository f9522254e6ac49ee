// SPDX-License-Identifier: MIT
/*
 * Records as files. A record may be a disk's only key: none is replaced but by
 * cvm_record_place() with @replace, and a power cut leaves the old one or the new one.
 */
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

int cvm_record_draft(const char *path, const char *suffix, char draft[PATH_MAX],
		     struct cvm_error *error)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	int len = snprintf(draft, PATH_MAX, "%.*s.%s.cvmctl-%s", (int)(base - path), path, base,
			   suffix);

	return len < PATH_MAX ? 0 : cvm_path_error(error, -ENAMETOOLONG, path, "write");
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

/* a file system without owners has none to give */
static int make_like(int fd, const struct stat *like)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	if ((st.st_uid != like->st_uid || st.st_gid != like->st_gid) &&
	    fchown(fd, like->st_uid, like->st_gid))
		return -errno;
	return st.st_mode != like->st_mode && fchmod(fd, like->st_mode & 07777) ? -errno : 0;
}

static int write_synced(const char *path, const char *text, const struct stat *like)
{
	__cleanup_fd int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int rc;

	if (fd < 0)
		return -errno;
	rc = cvm_write_fd(fd, text, strlen(text));
	if (!rc && like)
		rc = make_like(fd, like);
	return !rc && fsync(fd) ? -errno : rc;
}

int cvm_record_write(const char *draft, const struct cvm_key_record *record,
		     const struct stat *like, struct cvm_error *error)
{
	__cleanup_free char *text = cvm_record_text(record);
	int rc;

	if (!text)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	unlink(draft);
	rc = write_synced(draft, text, like);
	if (!rc)
		return 0;
	unlink(draft);
	return cvm_path_error(error, rc, draft, "write");
}

/* for file systems that have no renameat2() but have links */
static int link_new(const char *from, const char *to)
{
	return link(from, to) || unlink(from) ? -errno : 0;
}

int cvm_record_place(const char *draft, const char *path, bool replace, struct cvm_error *error)
{
	int rc = 0;

	if (renameat2(AT_FDCWD, draft, AT_FDCWD, path, replace ? 0 : RENAME_NOREPLACE))
		rc = errno == EINVAL && !replace ? link_new(draft, path) : -errno;
	if (rc)
		return cvm_path_error(error, rc, path, replace ? "replace" : "make");
	rc = sync_directory_of(path);
	return rc ? cvm_set_error(error, rc, "%s: is in its place, but a power cut may take it back: its directory cannot be written to the disk: %s",
				  path, strerror(-rc)) : 0;
}
