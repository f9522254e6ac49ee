// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "common/api.h"
#include "common/util.h"
#include "dm.h"
#include "temporary.h"

#define MARK_SIZE	4096
#define MARK_SECTORS	(MARK_SIZE / 512)

static const char mark[] = "cvm-guest temporary disk 1\n";

int cvm_temporary_marked(const struct cvm_block *block, struct cvm_error *error)
{
	uint8_t page[MARK_SIZE];
	ssize_t got = pread(block->fd, page, sizeof(page), 0);

	if (got != sizeof(page))
		return cvm_set_error(error, got < 0 ? -errno : -EIO, "the device cannot be read");
	return !memcmp(page, mark, sizeof(mark)) &&
	       cvm_is_zero(page + sizeof(mark), sizeof(page) - sizeof(mark));
}

static int write_mark(const struct cvm_block *block, struct cvm_error *error)
{
	uint8_t page[MARK_SIZE] = { 0 };

	memcpy(page, mark, sizeof(mark));
	if (pwrite(block->fd, page, sizeof(page), 0) == sizeof(page) && !fsync(block->fd))
		return 0;
	return cvm_set_error(error, -EIO, "the device cannot be written: %s", strerror(errno));
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

static void fill_table(struct cvm_dm *table, const struct cvm_block *block,
		       const struct cvm_data_key *key)
{
	memset(table, 0, sizeof(*table));
	strcpy(table->type, "crypt");
	table->sectors = block->sectors - block->sectors % CVM_DISK_ALIGN - MARK_SECTORS;
	snprintf(table->params, sizeof(table->params),
		 "aes-xts-plain64 :%zu:encrypted:%s 0 %u:%u %d 1 sector_size:%u", key->len,
		 key->name, major(block->device), minor(block->device), MARK_SECTORS,
		 CVM_DISK_SECTOR);
}

/* a table that is not the one that was asked for is not left */
static int check_table(const char *name, const struct cvm_dm *table, struct cvm_error *error)
{
	struct cvm_dm live;
	int rc = cvm_dm_table(name, &live, error);

	if (rc || (live.targets == 1 && live.sectors == table->sectors &&
		   !strcmp(live.type, table->type) && !strcmp(live.params, table->params)))
		return rc;
	return cvm_set_error(error, -EBADMSG, "%s: the kernel has made another table: %s %s", name,
			     live.type, live.params);
}

int cvm_temporary_attach(const char *name, struct cvm_block *block,
			 const struct cvm_data_key *key, struct cvm_error *error)
{
	char uuid[CVM_DM_MAX_NAME];
	struct cvm_dm table;
	int rc = check_name(name, error);

	if (!rc && block->sectors < MARK_SECTORS + CVM_DISK_ALIGN)
		rc = cvm_set_error(error, -ENOSPC, "the device is too small");
	if (!rc)
		rc = write_mark(block, error);
	if (rc)
		return rc;
	fill_table(&table, block, key);
	cvm_block_close(block);
	snprintf(uuid, sizeof(uuid), "CVM-DISK-%s", name);
	rc = cvm_dm_create(name, uuid, &table, false, error);
	if (rc)
		return rc;
	rc = check_table(name, &table, error);
	if (rc)
		cvm_dm_remove(name, NULL);
	return rc;
}
