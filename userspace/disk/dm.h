/* SPDX-License-Identifier: MIT */
/* Device-mapper devices of one target, through libdevmapper. */
#ifndef CVM_DISK_DM_H
#define CVM_DISK_DM_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cvmguest.h"

#define CVM_DM_MAX_NAME		128
#define CVM_DM_MAX_PARAMS	512

/**
 * struct cvm_dm - a device, as it is live
 * @exists: false: nothing else is known
 * @uuid: of it
 * @device: its number
 * @read_only: it is
 * @targets: a table that is not of one target that starts at 0 is none of ours
 * @sectors: of 512 bytes
 * @type: of the target
 * @params: of the target
 */
struct cvm_dm {
	bool exists;
	char uuid[CVM_DM_MAX_NAME];
	dev_t device;
	bool read_only;
	int targets;
	uint64_t sectors;
	char type[32];
	char params[CVM_DM_MAX_PARAMS];
};

/* The live table; no such device is no error. */
int cvm_dm_table(const char *name, struct cvm_dm *dm, struct cvm_error *error);

/* The same with what the target says of itself as params. */
int cvm_dm_status(const char *name, struct cvm_dm *dm, struct cvm_error *error);

/**
 * cvm_dm_create() - a device, with its node when this returns
 * @name: its name
 * @uuid: its uuid
 * @table: sectors, type, params and read_only of it; device: out
 * @part: it is part of another: udev's rules look at nothing in it, and make no links to it
 * @error: or NULL
 *
 * A key that @table names is looked up in the keyrings of this process, here.
 *
 * Return: 0; -EEXIST: there is one of that name or uuid; or what the kernel says.
 */
int cvm_dm_create(const char *name, const char *uuid, struct cvm_dm *table, bool part,
		  struct cvm_error *error);

/* -EBUSY: somebody has it open. */
int cvm_dm_remove(const char *name, struct cvm_error *error);

#endif /* CVM_DISK_DM_H */
