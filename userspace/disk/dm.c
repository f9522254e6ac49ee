// SPDX-License-Identifier: MIT
#include <errno.h>
#include <libdevmapper.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "dm.h"

static void free_task(struct dm_task **task)
{
	if (*task)
		dm_task_destroy(*task);
}

#define __cleanup_task	__cleanup(free_task)

/* what the library says of an error goes into a struct cvm_error, not to stderr */
static void say_nothing(int level, const char *file, int line, int dm_errno,
			const char *format, ...)
{
}

static struct dm_task *new_task(int type, const char *name)
{
	struct dm_task *task;

	dm_log_with_errno_init(say_nothing);
	task = dm_task_create(type);
	if (task && !dm_task_set_name(task, name)) {
		dm_task_destroy(task);
		task = NULL;
	}
	return task;
}

static int run(struct dm_task *task)
{
	int rc;

	if (dm_task_run(task))
		return 0;
	rc = -dm_task_get_errno(task);
	/* it could not even ask */
	return rc ? rc : -ENODEV;
}

/* with the node made or removed, by udev or by the library, when it returns */
static int run_synced(struct dm_task *task, uint16_t udev)
{
	uint32_t cookie = 0;
	int rc;

	if (!dm_task_set_cookie(task, &cookie, udev))
		return -EIO;
	rc = run(task);
	dm_udev_wait(cookie);
	return rc;
}

static int dm_error(struct cvm_error *error, int rc, const char *name, const char *verb)
{
	const char *advice = "";

	switch (rc) {
	case -ENODEV:
		advice = ": is the module dm-mod loaded, and is this root?";
		break;
	case -EBUSY:
		advice = "; it, or the disk under it, is in use";
		break;
	case -EEXIST:
		return cvm_set_error(error, rc, "there is a device-mapper device %s already", name);
	case -ENOENT:
		advice = ": a cipher that this kernel lacks";
		break;
	case -ENOKEY:
		advice = ": the disk's key is not there";
		break;
	case -EINVAL:
		advice = "; the kernel log says which";
		break;
	}
	return cvm_set_error(error, rc, "the device-mapper device %s cannot be %s: %s%s", name, verb,
			     strerror(-rc), advice);
}

static int fill_target(struct dm_task *task, struct cvm_dm *dm)
{
	uint64_t start, length;
	char *type, *params;
	void *next = NULL;

	do {
		next = dm_get_next_target(task, next, &start, &length, &type, &params);
		if (!type)
			return 0;
		if (++dm->targets > 1 || start)
			continue;
		dm->sectors = length;
		if (snprintf(dm->type, sizeof(dm->type), "%s", type) >= (int)sizeof(dm->type) ||
		    snprintf(dm->params, sizeof(dm->params), "%s", params) >= (int)sizeof(dm->params))
			return -EOVERFLOW;
	} while (next);
	return 0;
}

static int look(int type, const char *name, struct cvm_dm *dm, struct cvm_error *error)
{
	__cleanup_task struct dm_task *task = new_task(type, name);
	struct dm_info info;
	/* it begins with asking the driver for its version */
	int rc = task ? run(task) : -ENODEV;

	memset(dm, 0, sizeof(*dm));
	if (rc == -ENXIO)
		return 0;
	if (rc || !dm_task_get_info(task, &info))
		return dm_error(error, rc ? rc : -EIO, name, "looked at");
	dm->exists = info.exists;
	dm->device = makedev(info.major, info.minor);
	dm->read_only = info.read_only;
	snprintf(dm->uuid, sizeof(dm->uuid), "%s", dm_task_get_uuid(task));
	rc = fill_target(task, dm);
	return rc ? dm_error(error, rc, name, "looked at") : 0;
}

int cvm_dm_table(const char *name, struct cvm_dm *dm, struct cvm_error *error)
{
	return look(DM_DEVICE_TABLE, name, dm, error);
}

int cvm_dm_status(const char *name, struct cvm_dm *dm, struct cvm_error *error)
{
	return look(DM_DEVICE_STATUS, name, dm, error);
}

/* what is in it is the host's: nothing there is to be recognized, linked to or started */
#define UDEV_PART	(DM_UDEV_DISABLE_SUBSYSTEM_RULES_FLAG | DM_UDEV_DISABLE_DISK_RULES_FLAG | \
			 DM_UDEV_DISABLE_OTHER_RULES_FLAG)

int cvm_dm_create(const char *name, const char *uuid, struct cvm_dm *table, bool part,
		  struct cvm_error *error)
{
	__cleanup_task struct dm_task *task = new_task(DM_DEVICE_CREATE, name);
	struct dm_info info;
	int rc;

	if (!task)
		return dm_error(error, -ENODEV, name, "made");
	if (!dm_task_set_uuid(task, uuid) ||
	    (table->read_only && !dm_task_set_ro(task)) ||
	    !dm_task_add_target(task, 0, table->sectors, table->type, table->params))
		return dm_error(error, -ENOMEM, name, "made");
	rc = run_synced(task, part ? UDEV_PART : 0);
	if (rc)
		return dm_error(error, rc, name, "made");
	if (!dm_task_get_info(task, &info) || !info.exists)
		return dm_error(error, -EIO, name, "made");
	table->device = makedev(info.major, info.minor);
	return 0;
}

int cvm_dm_remove(const char *name, struct cvm_error *error)
{
	__cleanup_task struct dm_task *task = new_task(DM_DEVICE_REMOVE, name);
	int rc;

	/* a program that udev has started looks at it for a moment */
	if (!task || !dm_task_retry_remove(task))
		return dm_error(error, -ENODEV, name, "removed");
	rc = run_synced(task, 0);
	return rc ? dm_error(error, rc, name, "removed") : 0;
}
