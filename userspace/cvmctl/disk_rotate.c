// SPDX-License-Identifier: MIT
/*
 * cvmctl disk rotate: the disk's key, wrapped by what can be derived now. A new
 * record is added beside the old one, read back and opened, and only then takes
 * its place, in one step: whenever it is killed, the record is the old one or the
 * new one, and either opens the disk.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "disk.h"

/* Two of them at a time would each replace what the other has made. */
static int lock_record(const char *path, int *lock)
{
	struct stat mine, now;

	*lock = open(path, O_RDONLY | O_CLOEXEC);
	if (*lock < 0)
		return fail(EXIT_FAILED, "%s: cannot open: %s", path, strerror(errno));
	if (flock(*lock, LOCK_EX | LOCK_NB))
		return fail(EXIT_FAILED, "%s: is being rotated", path);
	/* it was replaced before it was locked */
	if (fstat(*lock, &mine) || stat(path, &now) || mine.st_ino != now.st_ino)
		return fail(EXIT_FAILED, "%s: has just been rotated", path);
	return 0;
}

/* A rotation only ever strengthens: what was not known when the disk was made is mixed in too. */
void disk_newest_inputs(const struct disk_options *options, const struct cvm_key_door *door,
			const struct cvm_key_inputs *old, struct cvm_key_inputs *in)
{
	cvm_key_inputs_newest(in, old->root, old->mix | (options->mix & cvm_key_door_mix(door)),
			      &door->facts);
}

static int add(const struct disk_options *options, const struct cvm_key_door *door,
	       const char *path, struct cvm_key_record *record, struct cvm_error *error)
{
	__cleanup_data_key struct cvm_data_key key = { 0 };
	struct cvm_key_inputs old;
	int rc = cvm_record_unlock(record, &options->accept, door, options->name, &key, error);

	if (rc)
		return rc;
	old = record->inputs;
	disk_newest_inputs(options, door, &old, &record->inputs);
	rc = cvm_record_make(record, door, options->name, &key, error);
	return rc ? rc : cvm_record_write(path, record, error);
}

/* What is on the disk, not what we remember of it. */
static int verify(const struct disk_options *options, const struct cvm_key_door *door,
		  const char *path, struct cvm_error *error)
{
	__cleanup_data_key struct cvm_data_key key = { 0 };
	struct cvm_key_record record;
	int rc = cvm_record_read(path, &record, error);

	return rc ? rc : cvm_record_unlock(&record, &options->accept, door, options->name, &key,
					   error);
}

int disk_rotate(const struct disk_options *options)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	__cleanup_fd int lock = -1;
	struct cvm_key_record record;
	struct cvm_error error;
	char fresh[PATH_MAX];
	uint64_t old_tcb;
	int rc = lock_record(options->record, &lock);

	if (rc)
		return rc;
	if (snprintf(fresh, sizeof(fresh), "%s.new", options->record) >= PATH_MAX)
		return fail(EXIT_FAILED, "%s: %s", options->record, strerror(ENAMETOOLONG));
	rc = cvm_record_read(options->record, &record, &error);
	if (rc)
		return fail_key(rc, NULL, &error);
	rc = open_disk_door(&door);
	if (rc)
		return rc;
	old_tcb = record.inputs.tcb;
	rc = add(options, &door, fresh, &record, &error);
	if (!rc)
		rc = verify(options, &door, fresh, &error);
	if (!rc)
		rc = cvm_record_replace(fresh, options->record, &error);
	if (rc)
		return fail_key(rc, options->record, &error);
	tell_door(&door);
	printf("rotated: TCB %016llx, before %016llx\n", (unsigned long long)record.inputs.tcb,
	       (unsigned long long)old_tcb);
	return flush_output();
}
