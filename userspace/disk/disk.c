// SPDX-License-Identifier: MIT
/* Making, opening and closing disks. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "disk.h"
#include "keys/secret.h"
#include "luks.h"
#include "table.h"

#define ZEROS		(1U << 20)

/* room for "/dev/mapper/" or "+tags"; and for "CVM-DISK-" before it */
#define MAX_PART	(CVM_DISK_MAX_NAME + 16)
#define MAX_UUID	(MAX_PART + 16)

/* a character that no disk's name has: the tags of one disk are no other disk */
#define TAGS		"+tags"

static bool is_tags(const char *part)
{
	return strchr(part, TAGS[0]);
}

static void part_uuid(char uuid[MAX_UUID], const char *part)
{
	snprintf(uuid, MAX_UUID, "CVM-%s-%s", is_tags(part) ? "TAGS" : "DISK", part);
}

/* of the device that keeps the tags of the disk @name */
static void tags_part(char part[MAX_PART], const char *name)
{
	snprintf(part, MAX_PART, "%s" TAGS, name);
}

static int create_part(const char *part, struct cvm_dm *table, struct cvm_error *error)
{
	char uuid[MAX_UUID];

	part_uuid(uuid, part);
	return cvm_dm_create(part, uuid, table, is_tags(part), error);
}

/* @dm: out: the live table of a device of that name, which must be ours */
static int look_part(const char *part, struct cvm_dm *dm, struct cvm_error *error)
{
	char uuid[MAX_UUID];
	int rc = cvm_dm_table(part, dm, error);

	if (rc)
		return rc;
	if (!dm->exists)
		return cvm_set_error(error, -ENOENT, "%s: is not open", part);
	part_uuid(uuid, part);
	if (strcmp(dm->uuid, uuid))
		return cvm_set_error(error, -EEXIST, "%s: is a device-mapper device, but not a disk of cvmctl's",
				     part);
	return 0;
}

static int create_tags(const char *name, dev_t below, uint64_t sectors, bool read_only,
		       struct cvm_dm *table, struct cvm_error *error)
{
	char part[MAX_PART];
	struct cvm_dm live;
	int rc;

	tags_part(part, name);
	cvm_integrity_table(table, below, sectors);
	table->read_only = read_only;
	rc = create_part(part, table, error);
	if (rc)
		return rc;
	rc = look_part(part, &live, error);
	if (!rc && (!cvm_integrity_same(&live, table) || live.read_only != read_only))
		rc = cvm_set_error(error, -EBADMSG, "%s: the kernel has made another table: %s %s",
				   part, live.type, live.params);
	if (rc)
		cvm_dm_remove(part, NULL);
	return rc;
}

/* What fits beside tags and journal is known once the kernel has laid them out. */
static int layout_tags(const char *name, const struct cvm_block *block, uint64_t *sectors,
		       struct cvm_error *error)
{
	unsigned long long mismatches, provided = 0;
	char part[MAX_PART];
	struct cvm_dm table;
	int rc = create_tags(name, block->device, CVM_DISK_ALIGN, false, &table, error), gone;

	if (rc)
		return rc;
	tags_part(part, name);
	rc = cvm_dm_status(part, &table, error);
	if (!rc && sscanf(table.params, "%llu %llu", &mismatches, &provided) != 2)
		rc = cvm_set_error(error, -EBADMSG, "%s: an unknown kind of status: %s", part,
				   table.params);
	*sectors = provided;
	gone = cvm_dm_remove(part, rc ? NULL : error);
	return rc ? rc : gone;
}

uint64_t cvm_disk_start(enum cvm_disk_cipher cipher)
{
	return cipher == CVM_DISK_LUKS2 ? CVM_LUKS_HEADER / 512 : 0;
}

int cvm_disk_layout(const char *name, struct cvm_block *block, enum cvm_disk_cipher cipher,
		    uint64_t *sectors, struct cvm_error *error)
{
	/* a superblock of dm-integrity that is all zeros is made anew */
	int rc = cvm_block_wipe(block, error);

	cvm_block_close(block);
	*sectors = block->sectors - (block->sectors < cvm_disk_start(cipher) ? block->sectors :
				     cvm_disk_start(cipher));
	if (!rc && cipher == CVM_DISK_XTS_HMAC)
		rc = layout_tags(name, block, sectors, error);
	*sectors -= *sectors % CVM_DISK_ALIGN;
	if (!rc && !*sectors)
		rc = cvm_set_error(error, -ENOSPC, "the device is too small");
	if (!rc && *sectors > CVM_DISK_MAX_SECTORS)
		rc = cvm_set_error(error, -EFBIG, "the device has more than 2^48 sectors");
	return rc;
}

static void drop_tags(const char *name, enum cvm_disk_cipher cipher)
{
	char part[MAX_PART];

	tags_part(part, name);
	if (cipher == CVM_DISK_XTS_HMAC)
		cvm_dm_remove(part, NULL);
}

static int attach_crypt(const char *name, dev_t below, const struct cvm_key_record *record,
			const struct cvm_data_key *key, bool read_only, struct cvm_error *error)
{
	struct cvm_dm table, live;
	int rc;

	cvm_crypt_table(&table, record->cipher, key->name, below, cvm_disk_start(record->cipher),
			record->sectors);
	table.read_only = read_only;
	rc = create_part(name, &table, error);
	if (rc)
		return rc;
	rc = look_part(name, &live, error);
	if (!rc && (!cvm_crypt_same(&live, &table) || live.read_only != read_only))
		rc = cvm_set_error(error, -EBADMSG, "%s: the kernel has made another table: %s %s",
				   name, live.type, live.params);
	if (rc)
		cvm_dm_remove(name, NULL);
	return rc;
}

/* nothing of the copy is looked at before it is known whose it is */
static int read_header(const struct cvm_luks *luks, const struct cvm_block *block,
		       const struct cvm_key_record *record, struct cvm_error *error)
{
	uint8_t digest[CVM_LUKS_DIGEST];
	int rc = cvm_luks_read(luks, block, error);

	if (!rc)
		rc = cvm_luks_digest(luks, digest, error);
	if (!rc && memcmp(digest, record->blob + CVM_LUKS_WRAPPED, sizeof(digest)))
		rc = cvm_set_error(error, -EBADMSG, "the device's LUKS header is not the one that the record vouches for: it has been changed");
	return rc;
}

/* The volume key into this process's keyring. */
static int open_luks(const char *name, const struct cvm_block *block,
		     const struct cvm_key_record *record, struct cvm_data_key *key,
		     struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup(cvm_luks_drop) struct cvm_luks luks = { .fd = -1 };
	__cleanup_secret struct cvm_secret volume_key;
	int rc = cvm_luks_new(&luks, error);

	if (!rc)
		rc = read_header(&luks, block, record, error);
	if (rc)
		return rc;
	cvm_secret_begin(&time);
	rc = cvm_luks_open(&luks, key->passphrase, volume_key.bytes, error);
	return rc ? rc : cvm_data_key_give(key, name, volume_key.bytes, error);
}

int cvm_disk_attach(const char *name, struct cvm_block *block,
		    const struct cvm_key_record *record, struct cvm_data_key *key,
		    bool read_only, struct cvm_error *error)
{
	dev_t below = block->device;
	struct cvm_dm tags;
	int rc = 0;

	if (record->cipher == CVM_DISK_LUKS2)
		rc = open_luks(name, block, record, key, error);
	if (rc)
		return rc;
	if (block->sectors < record->sectors + cvm_disk_start(record->cipher))
		return cvm_set_error(error, -ENOSPC, "the device has %llu sectors, the disk %llu: it is another one, or has been cut",
				     (unsigned long long)block->sectors,
				     (unsigned long long)record->sectors);
	cvm_block_close(block);
	if (record->cipher == CVM_DISK_XTS_HMAC) {
		rc = create_tags(name, below, record->sectors, read_only, &tags, error);
		below = tags.device;
	}
	if (rc)
		return rc;
	rc = attach_crypt(name, below, record, key, read_only, error);
	if (rc)
		drop_tags(name, record->cipher);
	return rc;
}

int cvm_disk_detach(const char *name, struct cvm_error *error)
{
	struct cvm_error why;
	char part[MAX_PART];
	struct cvm_dm live;
	int rc = look_part(name, &live, error), tags;

	/* what a close that was killed has left is closed too */
	if (rc && rc != -ENOENT)
		return rc;
	if (!rc)
		rc = cvm_dm_remove(name, error);
	if (rc && rc != -ENOENT)
		return rc;
	tags_part(part, name);
	tags = look_part(part, &live, &why);
	/* a plain disk has none, and somebody else's are not its */
	if (tags == -ENOENT || tags == -EEXIST)
		return rc;
	return tags ? cvm_set_error(error, tags, "%s", why.text) : cvm_dm_remove(part, error);
}

static int check_tags(const char *name, dev_t below, const struct cvm_key_record *record,
		      struct cvm_error *error)
{
	struct cvm_dm live, asked;
	char part[MAX_PART];
	int rc;

	tags_part(part, name);
	rc = look_part(part, &live, error);
	if (rc)
		return rc;
	cvm_integrity_table(&asked, cvm_integrity_below(&live), record->sectors);
	if (live.device != below || !cvm_integrity_same(&live, &asked))
		return cvm_set_error(error, -EBADMSG, "%s: its table is another one: %s %s", part,
				     live.type, live.params);
	return 0;
}

int cvm_disk_check(const char *name, const struct cvm_key_record *record,
		   struct cvm_error *error)
{
	struct cvm_dm live, asked;
	char key[sizeof(((struct cvm_data_key *)0)->name)];
	int rc = look_part(name, &live, error);

	if (rc)
		return rc;
	snprintf(key, sizeof(key), "cvm:%s", name);
	cvm_crypt_table(&asked, record->cipher, key, cvm_crypt_below(&live),
			cvm_disk_start(record->cipher), record->sectors);
	if (!cvm_crypt_same(&live, &asked))
		return cvm_set_error(error, -EBADMSG, "%s: its table is another one: %s %s", name,
				     live.type, live.params);
	return record->cipher == CVM_DISK_XTS_HMAC ?
		check_tags(name, cvm_crypt_below(&live), record, error) : 0;
}

/* until it is full */
static int zero_all(int fd)
{
	__cleanup_free void *zeros = calloc(1, ZEROS);
	ssize_t put = 1;

	if (!zeros)
		return -ENOMEM;
	while (put > 0)
		put = write(fd, zeros, ZEROS);
	return (put < 0 && errno != ENOSPC) || fsync(fd) ? -errno : 0;
}

int cvm_disk_zero(const char *name, const struct cvm_key_record *record,
		  struct cvm_error *error)
{
	char path[MAX_PART];
	int rc;

	snprintf(path, sizeof(path), "/dev/mapper/%s", name);
	__cleanup_fd int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return cvm_path_error(error, -errno, path, "open");
	rc = record->cipher == CVM_DISK_XTS_HMAC ? zero_all(fd) :
						   cvm_zero_ends(fd, record->sectors * 512);
	return rc ? cvm_path_error(error, rc, path, "write") : 0;
}
