// SPDX-License-Identifier: MIT
/* cvmctl disk open and close: deriving and loading are in one process. */
#include <errno.h>

#include "common/cleanup.h"
#include "disk.h"
#include "disk/temporary.h"
#include "keys/secret.h"

int disk_open(const struct disk_options *options)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	__cleanup_block struct cvm_block block = { .fd = -1 };
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_data_key struct cvm_data_key key = { 0 };
	struct cvm_key_record record;
	struct cvm_error error;
	int rc = cvm_record_read(options->record, &record, &error);

	if (!rc)
		rc = cvm_block_open(options->device, options->read_only, &block, &error);
	if (rc)
		return fail_key(rc, NULL, &error);
	rc = open_disk_door(&door, options->from);
	if (rc)
		return rc;
	if (record.cipher == CVM_DISK_LUKS2)
		cvm_secret_begin(&time);
	rc = cvm_record_unlock(&record, &options->accept, &door, options->name, &key, &error);
	if (rc)
		return fail_key(rc, options->record, &error);
	rc = cvm_disk_attach(options->name, &block, &record, &key, options->read_only, &error);
	if (rc)
		return fail_key(rc, options->device, &error);
	tell_door(&door);
	return EXIT_DONE;
}

int disk_close(const struct disk_options *options)
{
	struct cvm_error error;
	int rc = cvm_temporary_detach(options->name, &error);

	/* for units, which close what they may have opened */
	if (rc == -ENOENT && options->temporary)
		return EXIT_DONE;
	if ((rc == -ENOENT || rc == -EEXIST) && !options->temporary)
		rc = cvm_disk_detach(options->name, &error);
	return rc ? fail_key(rc, NULL, &error) : EXIT_DONE;
}
