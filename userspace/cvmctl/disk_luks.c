// SPDX-License-Identifier: MIT
/* cvmctl disk format --luks: the header, with the record's key slot and perhaps another. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "disk.h"
#include "keys/secret.h"

#define RECOVERY	32

/* as digits, which people can copy: as many as a passphrase has bytes */
static int make_recovery(uint8_t passphrase[CVM_LUKS_PASSPHRASE], struct cvm_error *error)
{
	__cleanup_secret struct cvm_secret random;
	char digits[2 * RECOVERY + 1];

	if (getrandom(random.bytes, RECOVERY, 0) != RECOVERY)
		return cvm_set_error(error, -EIO, "no random numbers");
	cvm_hex_encode(random.bytes, RECOVERY, digits);
	memcpy(passphrase, digits, CVM_LUKS_PASSPHRASE);
	OPENSSL_cleanse(digits, sizeof(digits));
	return 0;
}

_Static_assert(2 * RECOVERY == CVM_LUKS_PASSPHRASE, "it is as long as the other one");
_Static_assert(2 * CVM_LUKS_PASSPHRASE <= CVM_SECRET_MAX, "both have room in one");

/* @file: out: it is there, unless it went to the standard output */
static int write_recovery(const char *path, const uint8_t passphrase[CVM_LUKS_PASSPHRASE],
			  struct draft *file, struct cvm_error *error)
{
	__cleanup_fd int fd = -1;

	if (output_secret(path, passphrase, CVM_LUKS_PASSPHRASE))
		return cvm_set_error(error, -EIO, "without its recovery passphrase the disk is not made");
	if (!strcmp(path, "-"))
		return 0;
	snprintf(file->path, sizeof(file->path), "%s", path);
	/* and its name: all of the file system, since that is done once in a disk's life */
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || syncfs(fd))
		return cvm_path_error(error, -errno, path, "write");
	return 0;
}

static int make_header(const struct disk_options *options, const struct cvm_luks *luks,
		       const struct cvm_data_key *key, struct draft *file,
		       struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_secret struct cvm_secret both;
	uint8_t (*passphrase)[CVM_LUKS_PASSPHRASE] = (void *)both.bytes;
	int rc = 0;

	cvm_secret_begin(&time);
	memcpy(passphrase[0], key->passphrase, CVM_LUKS_PASSPHRASE);
	if (options->recovery)
		rc = make_recovery(passphrase[1], error);
	if (!rc)
		rc = cvm_luks_format(luks, passphrase, options->recovery ? 2 : 1, error);
	/* before there is a disk that it opens */
	if (!rc && options->recovery)
		rc = write_recovery(options->recovery, passphrase[1], file, error);
	return rc;
}

int disk_make_luks(const struct disk_options *options, const struct cvm_data_key *key,
		   struct cvm_luks *luks, struct draft *file, struct cvm_key_record *record,
		   struct cvm_error *error)
{
	int rc = cvm_luks_new(luks, error);

	if (!rc)
		rc = make_header(options, luks, key, file, error);
	return rc ? rc : cvm_luks_digest(luks, record->blob + CVM_LUKS_WRAPPED, error);
}

int disk_write_luks(const struct disk_options *options, const struct cvm_luks *luks,
		    struct cvm_block *block, struct cvm_error *error)
{
	const dev_t device = block->device;
	int rc = cvm_block_open(options->device, false, block, error);

	/* that one was blank, or --force was said of it */
	if (!rc && block->device != device)
		rc = cvm_set_error(error, -ENODEV, "is another device than it was a moment ago");
	return rc ? rc : cvm_luks_write(luks, block, error);
}
