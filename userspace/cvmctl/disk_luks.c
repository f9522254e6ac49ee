// SPDX-License-Identifier: MIT
/* cvmctl disk format --luks: the header, with the record's key slot and perhaps another. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

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

static int make_header(const struct disk_options *options, const struct cvm_luks *luks,
		       const struct cvm_data_key *key, struct cvm_error *error)
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
	if (!rc && options->recovery &&
	    output_secret(options->recovery, passphrase[1], CVM_LUKS_PASSPHRASE))
		rc = cvm_set_error(error, -EIO, "without its recovery passphrase the disk is not made");
	return rc;
}

int disk_make_luks(const struct disk_options *options, const struct cvm_data_key *key,
		   struct cvm_luks *luks, struct cvm_key_record *record, struct cvm_error *error)
{
	int rc = cvm_luks_new(luks, error);

	if (!rc)
		rc = make_header(options, luks, key, error);
	return rc ? rc : cvm_luks_digest(luks, record->blob + CVM_LUKS_WRAPPED, error);
}

int disk_write_luks(const struct disk_options *options, const struct cvm_luks *luks,
		    struct cvm_block *block, struct cvm_error *error)
{
	int rc = cvm_block_open(options->device, false, block, error);

	return rc ? rc : cvm_luks_write(luks, block, error);
}
