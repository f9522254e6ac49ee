// SPDX-License-Identifier: MIT
/* cvmctl disk format */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "disk.h"

/*
 * A measurement of the firmware alone is everybody's who runs the same: the disk's key
 * would be theirs. A secret of a TPM beside it would make a difference; there is no
 * such yet.
 */
static int check_system(const struct disk_options *options)
{
	if (options->system == SYSTEM_UNSAID)
		return usage_error("disk format: say what the launch measurement covers: --system measured or firmware");
	return options->system == SYSTEM_MEASURED ? 0 :
		fail(EXIT_NOT_SUPPORTED, "--system firmware: whoever runs the same firmware on this chip derives the same key, whatever kernel he boots; measure kernel, initrd and command line at launch too");
}

/* Nothing that anybody may want is overwritten. */
static int check_free(const struct disk_options *options, const struct cvm_block *block)
{
	struct cvm_error error;
	int rc;

	if (!access(options->record, F_OK))
		return fail(EXIT_FAILED, "%s: is there already, and may hold a disk's only key: choose another file, or remove it",
			    options->record);
	rc = options->force ? 1 : cvm_block_blank(block, &error);
	if (rc < 0)
		return fail_key(rc, options->device, &error);
	return rc ? 0 : fail(EXIT_FAILED, "%s: is not blank; with --force what is on it is lost",
			     options->device);
}

/* dm-integrity knows no tags of what has never been written */
static int write_tags(const struct disk_options *options, const struct cvm_key_record *record,
		      const struct cvm_data_key *key)
{
	__cleanup_block struct cvm_block block = { .fd = -1 };
	struct cvm_error error;
	int rc = cvm_block_open(options->device, false, &block, &error);

	if (!rc)
		rc = cvm_disk_attach(options->name, &block, record, key, false, &error);
	if (rc)
		return fail_key(rc, options->device, &error);
	rc = cvm_disk_zero(options->name, &error);
	if (rc) {
		cvm_disk_detach(options->name, NULL);
		return fail_key(rc, NULL, &error);
	}
	rc = cvm_disk_detach(options->name, &error);
	return rc ? fail_key(rc, NULL, &error) : 0;
}

static int make(const struct disk_options *options, struct cvm_block *block,
		const struct cvm_key_door *door)
{
	__cleanup_data_key struct cvm_data_key key = { 0 };
	struct cvm_key_record record = {
		.cipher = options->integrity ? CVM_DISK_XTS_HMAC : CVM_DISK_XTS,
	};
	struct cvm_error error;
	int rc;

	strcpy(record.label, options->label);
	cvm_key_inputs_newest(&record.inputs, options->accept.root,
			      options->mix & cvm_key_door_mix(door), &door->facts);
	/* one that is named, and is not known, is not left out without a word */
	rc = cvm_key_door_check(door, options->accept.mix, &error);
	if (!rc)
		rc = cvm_disk_layout(options->name, block, record.cipher, &record.sectors, &error);
	if (!rc)
		rc = cvm_record_make(&record, door, options->name, &key, &error);
	if (rc)
		return fail_key(rc, options->device, &error);
	rc = options->integrity ? write_tags(options, &record, &key) : 0;
	if (rc)
		return rc;
	rc = cvm_record_write(options->record, &record, &error);
	if (rc)
		return fail_key(rc, NULL, &error);
	tell_door(door);
	return EXIT_DONE;
}

int disk_format(const struct disk_options *options)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	__cleanup_block struct cvm_block block = { .fd = -1 };
	struct cvm_error error;
	int rc = check_system(options);

	if (rc)
		return rc;
	rc = cvm_block_open(options->device, false, &block, &error);
	if (rc)
		return fail_key(rc, NULL, &error);
	rc = check_free(options, &block);
	if (!rc)
		rc = open_disk_door(&door);
	return rc ? rc : make(options, &block, &door);
}
