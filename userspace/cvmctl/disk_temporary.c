// SPDX-License-Identifier: MIT
/* cvmctl disk temporary: a disk for this boot, whose key is nowhere but in the kernel. */
#include <errno.h>
#include <keyutils.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/cleanup.h"
#include "disk.h"
#include "disk/temporary.h"
#include "keys/secret.h"

/* What it may lose: nothing, what an earlier boot has left, or what it was told to. */
static int check_free(const struct disk_options *options, const struct cvm_block *block)
{
	struct cvm_error error;
	int rc = options->force ? 1 : cvm_temporary_marked(block, &error);

	if (!rc)
		rc = cvm_block_blank(block, &error);
	if (rc < 0)
		return fail_key(rc, options->device, &error);
	return rc ? 0 : fail(EXIT_FAILED, "%s: is neither blank nor a temporary disk of an earlier boot; with --force what is on it is lost",
			     options->device);
}

static void forget_record(struct cvm_key_record *record)
{
	OPENSSL_cleanse(record, sizeof(*record));
}

#define __cleanup_record	__cleanup(forget_record)

/*
 * Under a key that the firmware derives from a salt which nobody keeps: salt and wrapped
 * key would open the disk again, here and in the next boot.
 */
static int derived_key(const struct disk_options *options, struct cvm_data_key *key)
{
	__cleanup_door struct cvm_key_door door = { .fd = -1 };
	__cleanup_record struct cvm_key_record record = { .cipher = CVM_DISK_XTS };
	struct cvm_error error;
	int rc = open_disk_door(&door, CVM_FROM_FIRMWARE);

	if (rc)
		return rc;
	snprintf(record.label, sizeof(record.label), "temporary %s", options->name);
	cvm_key_inputs_newest(&record.inputs, options->accept.root,
			      options->mix & cvm_key_door_mix(&door), &door.facts);
	rc = cvm_record_make(&record, &door, options->name, key, &error);
	if (rc)
		return fail_key(rc, options->device, &error);
	tell_door(&door);
	return 0;
}

/* The kernel makes the disk's key in any case; a random master is enough to have it made. */
static int random_key(const struct disk_options *options, struct cvm_data_key *key)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_secret struct cvm_secret secret = { 0 };
	__cleanup_disk_keys struct cvm_disk_keys keys = { 0 };
	struct cvm_error error;
	int rc = empty_session();

	if (rc)
		return rc;
	rc = cvm_secret_process(&error);
	if (rc)
		return fail_key(rc, NULL, &error);
	cvm_secret_begin(&time);
	if (getrandom(secret.bytes, CVM_MASTER_LEN, 0) != CVM_MASTER_LEN)
		return fail(EXIT_FAILED, "no random numbers");
	keys.master = add_key("user", "cvm:" CVM_MASTER_NAME, secret.bytes, CVM_MASTER_LEN,
			      KEY_SPEC_PROCESS_KEYRING);
	if (keys.master < 0) {
		keys.master = 0;
		return fail(EXIT_FAILED, "a key cannot be made: %s", strerror(errno));
	}
	rc = cvm_data_key_new(key, options->name, cvm_disk_key_len(CVM_DISK_XTS), &error);
	return rc ? fail_key(rc, options->device, &error) : 0;
}

int disk_temporary(const struct disk_options *options)
{
	__cleanup_block struct cvm_block block = { .fd = -1 };
	__cleanup_data_key struct cvm_data_key key = { 0 };
	struct cvm_error error;
	int rc = cvm_block_open(options->device, false, &block, &error);

	if (rc)
		return fail_key(rc, NULL, &error);
	rc = check_free(options, &block);
	if (!rc)
		rc = options->random ? random_key(options, &key) : derived_key(options, &key);
	if (rc)
		return rc;
	rc = cvm_temporary_attach(options->name, &block, &key, &error);
	return rc ? fail_key(rc, options->device, &error) : EXIT_DONE;
}
