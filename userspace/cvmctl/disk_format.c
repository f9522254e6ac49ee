// SPDX-License-Identifier: MIT
/*
 * cvmctl disk format. All that can fail before the device is touched is tried before:
 * the place of the record, and the firmware. The record gets its name last, when the
 * disk has been open once.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "disk.h"
#include "keys/secret.h"

/*
 * A measurement of the firmware alone is everybody's who runs the same: the disk's key
 * would be theirs. A secret of a TPM beside it makes the difference, unless the TPM is the
 * host's: it is the host who boots something else under that firmware.
 */
static int check_system(const struct disk_options *options)
{
	if (options->from == CVM_FROM_TPM)
		return check_seal("disk format", options->tpm, options->accept.pcrs);
	if (options->system == SYSTEM_UNSAID)
		return usage_error("disk format: say what the launch measurement covers: --system measured or firmware");
	if (options->system == SYSTEM_MEASURED)
		return 0;
	if (options->from == CVM_FROM_BOTH)
		return check_seal("disk format", options->tpm, options->accept.pcrs);
	return fail(EXIT_NOT_SUPPORTED, "--system firmware: whoever runs the same firmware on this chip derives the same key, whatever kernel he boots; measure kernel, initrd and command line at launch too, or mix a secret in of a TPM that is not the host's (--from both --tpm trusted)");
}

/* Nothing that anybody may want is overwritten. */
static int check_free(const struct disk_options *options, const struct cvm_block *block)
{
	struct cvm_error error;
	struct stat st;
	int rc;

	if (!lstat(options->record, &st))
		return fail(EXIT_FAILED, "%s: is there already, and may hold a disk's only key: choose another file, or remove it",
			    options->record);
	if (options->recovery && !lstat(options->recovery, &st))
		return fail(EXIT_FAILED, "%s: is there already: choose another file, or remove it",
			    options->recovery);
	rc = options->force ? 1 : cvm_block_blank(block, &error);
	if (rc < 0)
		return fail_key(rc, options->device, &error);
	return rc ? 0 : fail(EXIT_FAILED, "%s: is not blank; with --force what is on it is lost",
			     options->device);
}

/* That the disk can be opened; and dm-integrity knows no tags of what was never written. */
static int write_disk(const struct disk_options *options, struct cvm_block *block,
		      const struct cvm_key_record *record, struct cvm_data_key *key)
{
	struct cvm_error error;
	int rc = cvm_disk_attach(options->name, block, record, key, false, &error);

	if (rc)
		return fail_key(rc, options->device, &error);
	rc = cvm_disk_zero(options->name, record, &error);
	if (rc) {
		cvm_disk_detach(options->name, NULL);
		return fail_key(rc, NULL, &error);
	}
	rc = cvm_disk_detach(options->name, &error);
	return rc ? fail_key(rc, NULL, &error) : 0;
}

/* @record: out, but for where it is known already how large the disk is */
static int make(const struct disk_options *options, struct cvm_block *block,
		const struct cvm_key_door *door, const char *draft, struct draft *recovery,
		struct cvm_key_record *record, struct cvm_data_key *key, struct cvm_error *error)
{
	__cleanup(cvm_luks_drop) struct cvm_luks luks = { .fd = -1 };
	int rc = cvm_record_make(record, door, options->name, key, error);

	if (!rc && options->luks)
		rc = disk_make_luks(options, key, &luks, recovery, record, error);
	if (!rc)
		rc = cvm_record_write(draft, record, NULL, error);
	if (!rc)
		rc = cvm_disk_layout(options->name, block, record->cipher, &record->sectors, error);
	if (!rc && options->luks)
		rc = disk_write_luks(options, &luks, block, error);
	/* once more, of the disk as it is now */
	if (!rc)
		rc = cvm_record_make(record, door, options->name, key, error);
	return rc ? rc : cvm_record_write(draft, record, NULL, error);
}

static int format(const struct disk_options *options, struct cvm_block *block,
		  const struct cvm_key_door *door)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_data_key struct cvm_data_key key = { 0 };
	__cleanup_draft struct draft draft = { "" }, recovery = { "" };
	struct cvm_key_record record = {
		.cipher = options->luks ? CVM_DISK_LUKS2 :
			  options->integrity ? CVM_DISK_XTS_HMAC : CVM_DISK_XTS,
		.sectors = CVM_DISK_ALIGN,
		.sealed.pcrs = options->accept.pcrs,
	};
	struct cvm_error error;
	int rc = name_draft(options->record, &draft);

	if (rc)
		return rc;
	if (options->luks)
		cvm_secret_begin(&time);
	strcpy(record.label, options->label);
	cvm_key_inputs_newest(&record.inputs, options->accept.root,
			      options->mix & cvm_key_door_mix(door), &door->facts);
	/* one that is named, and is not known, is not left out without a word */
	rc = cvm_key_door_check(door, options->accept.mix, &error);
	if (!rc)
		rc = make(options, block, door, draft.path, &recovery, &record, &key, &error);
	if (rc)
		return fail_key(rc, options->device, &error);
	rc = write_disk(options, block, &record, &key);
	if (!rc)
		rc = place_draft(&draft, options->record, options->name);
	/* the disk is there, if under another name */
	if (!draft.path[0])
		recovery.path[0] = '\0';
	if (rc)
		return rc;
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
		rc = open_disk_door(&door, options->from);
	return rc ? rc : format(options, &block, &door);
}
