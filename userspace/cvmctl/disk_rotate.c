// SPDX-License-Identifier: MIT
/*
 * cvmctl disk rotate: the disk's key, wrapped by what can be derived now. A new
 * record is added beside the old one, read back and opened, and only then takes
 * its place, in one step: whenever it is killed, the record is the old one or the
 * new one, and either opens the disk. Where RECORD is a symbolic link, what it points
 * to is replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "disk.h"
#include "keys/secret.h"

/*
 * Two of them at a time would each replace what the other has made, and have the same
 * draft. @mine: out: what the record is like
 */
static int lock_record(const char *path, int *lock, struct stat *mine)
{
	struct stat now;

	*lock = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (*lock < 0)
		return fail(EXIT_FAILED, "%s: cannot open: %s", path, strerror(errno));
	if (flock(*lock, LOCK_EX | LOCK_NB))
		return errno == EWOULDBLOCK ?
			fail(EXIT_FAILED, "%s: is being rotated", path) :
			fail(EXIT_FAILED, "%s: cannot lock: %s", path, strerror(errno));
	/* it was replaced before it was locked */
	if (fstat(*lock, mine) || lstat(path, &now) || mine->st_ino != now.st_ino ||
	    mine->st_dev != now.st_dev)
		return fail(EXIT_FAILED, "%s: has just been rotated", path);
	return S_ISREG(mine->st_mode) ? 0 : fail(EXIT_FAILED, "%s: is no file", path);
}

/* A rotation only ever strengthens: what was not known when the disk was made is mixed in too. */
void disk_newest_inputs(const struct disk_options *options, const struct cvm_key_door *door,
			const struct cvm_key_inputs *old, struct cvm_key_inputs *in)
{
	cvm_key_inputs_newest(in, old->root, old->mix | (options->mix & cvm_key_door_mix(door)),
			      &door->facts);
}

static int add(const struct disk_options *options, const struct cvm_key_door *door,
	       const char *draft, const struct stat *like, struct cvm_key_record *record,
	       struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_data_key struct cvm_data_key key = { 0 };
	struct cvm_key_inputs old;
	int rc;

	cvm_secret_begin(&time);
	rc = cvm_record_unlock(record, &options->accept, door, options->name, &key, error);

	if (rc)
		return rc;
	old = record->inputs;
	disk_newest_inputs(options, door, &old, &record->inputs);
	rc = cvm_record_make(record, door, options->name, &key, error);
	return rc ? rc : cvm_record_write(draft, record, like, error);
}

/*
 * What is on the disk, not what we remember of it. It is what we have made, and its blob
 * is what the kernel made of the disk's key under this master: so it is the same key.
 */
static int verify(const struct disk_options *options, const struct cvm_key_door *door,
		  const char *draft, const struct cvm_key_record *made, struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_data_key struct cvm_data_key key = { 0 };
	struct cvm_key_record record;
	int rc = cvm_record_read(draft, &record, error);

	if (!rc && memcmp(&record, made, sizeof(record)))
		rc = cvm_set_error(error, -EIO, "%s: is not what was written", draft);
	if (rc)
		return rc;
	cvm_secret_begin(&time);
	return cvm_record_unlock(&record, &options->accept, door, options->name, &key, error);
}

static int rotate(const struct disk_options *options, const char *path,
		  const struct stat *like)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	struct cvm_key_record record;
	struct cvm_error error;
	char draft[PATH_MAX];
	uint64_t old_tcb;
	int rc = cvm_record_draft(path, "new", draft, &error);

	if (!rc)
		rc = cvm_record_read(path, &record, &error);
	if (rc)
		return fail_key(rc, NULL, &error);
	rc = open_disk_door(&door, options->from);
	if (rc)
		return rc;
	old_tcb = record.inputs.tcb;
	rc = add(options, &door, draft, like, &record, &error);
	if (!rc)
		rc = verify(options, &door, draft, &record, &error);
	if (!rc)
		rc = cvm_record_place(draft, path, true, &error);
	if (rc) {
		unlink(draft);
		return fail_key(rc, path, &error);
	}
	tell_door(&door);
	if (record.inputs.root == CVM_ROOT_TPM)
		printf("rotated: a new secret of the TPM\n");
	else
		printf("rotated: TCB %016llx, before %016llx\n",
		       (unsigned long long)record.inputs.tcb, (unsigned long long)old_tcb);
	return flush_output();
}

int disk_rotate(const struct disk_options *options)
{
	__cleanup_free char *path = realpath(options->record, NULL);
	__cleanup_fd int lock = -1;
	struct stat like;
	int rc;

	if (!path)
		return fail(EXIT_FAILED, "%s: cannot open: %s", options->record, strerror(errno));
	rc = lock_record(path, &lock, &like);
	return rc ? rc : rotate(options, path, &like);
}
