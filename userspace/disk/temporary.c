// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/api.h"
#include "table.h"
#include "temporary.h"

#define END_SECTORS	(CVM_DISK_END / 512)

static const char mark[] = "cvm-guest temporary disk 1\n";

int cvm_temporary_marked(const struct cvm_block *block, struct cvm_error *error)
{
	return cvm_block_holds(block, mark, sizeof(mark), error);
}

/* What is killed between the two leaves a blank device, which the next boot takes too. */
static int write_mark(const struct cvm_block *block, struct cvm_error *error)
{
	int rc = cvm_block_wipe(block, error);

	if (rc)
		return rc;
	if (pwrite(block->fd, mark, sizeof(mark), 0) == sizeof(mark) && !fsync(block->fd))
		return 0;
	return cvm_set_error(error, -EIO, "the device cannot be written: %s", strerror(errno));
}

static void temporary_uuid(char uuid[CVM_DM_MAX_NAME], const char *name)
{
	snprintf(uuid, CVM_DM_MAX_NAME, "CVM-TEMP-%s", name);
}

static int check_name(const char *name, struct cvm_error *error)
{
	struct cvm_dm live;
	int rc = cvm_dm_table(name, &live, error);

	if (!rc && live.exists)
		rc = cvm_set_error(error, -EEXIST, "there is a device-mapper device %s already",
				   name);
	return rc;
}

/* a table that is not the one that was asked for is not left */
static int check_table(const char *name, const struct cvm_dm *table, struct cvm_error *error)
{
	struct cvm_dm live;
	int rc = cvm_dm_table(name, &live, error);

	if (rc || cvm_crypt_same(&live, table))
		return rc;
	return cvm_set_error(error, -EBADMSG, "%s: the kernel has made another table: %s %s", name,
			     live.type, live.params);
}

/* What is between the ends, which are kept so that the next boot knows them. */
static void fill_table(struct cvm_dm *table, const struct cvm_block *block,
		       const struct cvm_data_key *key)
{
	uint64_t sectors = block->sectors - 2 * END_SECTORS;

	cvm_crypt_table(table, CVM_DISK_XTS, key->name, block->device, END_SECTORS,
			sectors - sectors % CVM_DISK_ALIGN);
}

int cvm_temporary_attach(const char *name, struct cvm_block *block,
			 const struct cvm_data_key *key, struct cvm_error *error)
{
	char uuid[CVM_DM_MAX_NAME];
	struct cvm_dm table;
	int rc = check_name(name, error);

	if (!rc && block->sectors < 2 * END_SECTORS + CVM_DISK_ALIGN)
		rc = cvm_set_error(error, -ENOSPC, "the device is too small: less than 2 MiB and 4 KiB");
	if (!rc)
		rc = write_mark(block, error);
	if (rc)
		return rc;
	fill_table(&table, block, key);
	cvm_block_close(block);
	temporary_uuid(uuid, name);
	rc = cvm_dm_create(name, uuid, &table, false, error);
	if (rc)
		return rc;
	rc = check_table(name, &table, error);
	if (rc)
		cvm_dm_remove(name, NULL);
	return rc;
}

int cvm_temporary_detach(const char *name, struct cvm_error *error)
{
	char uuid[CVM_DM_MAX_NAME];
	struct cvm_dm live;
	int rc = cvm_dm_table(name, &live, error);

	if (rc)
		return rc;
	if (!live.exists)
		return cvm_set_error(error, -ENOENT, "%s: is not open", name);
	temporary_uuid(uuid, name);
	if (strcmp(live.uuid, uuid))
		return cvm_set_error(error, -EEXIST, "%s: is a device-mapper device, but not a temporary disk",
				     name);
	return cvm_dm_remove(name, error);
}
