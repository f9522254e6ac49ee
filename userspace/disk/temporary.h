/* SPDX-License-Identifier: MIT */
/*
 * Disks for one boot: nobody keeps the key, so what was on them before is lost.
 * The first and the last MiB of the device are overwritten and no part of the disk: a
 * mark and zeros, by which the next boot knows what it may lose. Whoever makes something
 * else of the device, a file system, a volume or a partition table, writes into them.
 */
#ifndef CVM_DISK_TEMPORARY_H
#define CVM_DISK_TEMPORARY_H

#include "disk.h"

/**
 * cvm_temporary_marked() - has it been a temporary disk, and nothing since
 * @block: open
 *
 * Who can write to the device can put the mark there. He has no need to, since he can
 * destroy what is on it.
 *
 * Return: 1, 0, or a negative errno.
 */
int cvm_temporary_marked(const struct cvm_block *block, struct cvm_error *error);

/**
 * cvm_temporary_attach() - the open disk, /dev/mapper/NAME
 * @name: of it
 * @block: what it is on, which is marked and from then on lost; closed
 * @key: its key, which can go when this returns
 *
 * AES-XTS; the live table is compared with what was asked for.
 *
 * Return: 0; -EEXIST: there is a device of that name, and @block is as it was unless
 * the device has come meanwhile; -ENOSPC: it is too small, and as it was; or what the
 * kernel says.
 */
int cvm_temporary_attach(const char *name, struct cvm_block *block,
			 const struct cvm_data_key *key, struct cvm_error *error);

/**
 * cvm_temporary_detach() - close it
 * @name: of it
 *
 * Return: 0; -ENOENT: it is not open; -EEXIST: that name is no temporary disk, and as it
 * was; -EBUSY.
 */
int cvm_temporary_detach(const char *name, struct cvm_error *error);

#endif /* CVM_DISK_TEMPORARY_H */
