/* SPDX-License-Identifier: MIT */
/*
 * Encrypted disks without a header: what dm-crypt is told comes from a record that
 * has been authenticated, and from nothing on the disk. With CVM_DISK_XTS_HMAC
 * there is dm-integrity below, whose superblock is the host's to change: it says
 * where data and tags are, and a tag that is read from elsewhere does not fit.
 */
#ifndef CVM_DISK_DISK_H
#define CVM_DISK_DISK_H

#include "keys/keyring.h"
#include "keys/record.h"

/* of a disk: letters, digits, "._-", not "control"; it is in the names of keys and devices */
#define CVM_DISK_MAX_NAME	48

/* at each end; the last copy of what tells a RAID or a partition table is in it */
#define CVM_DISK_END		(1U << 20)

bool cvm_disk_name_valid(const char *name);

/**
 * struct cvm_block - a block device
 * @fd: open, exclusively: nobody has mounted it
 * @device: its number
 * @sectors: of 512 bytes
 */
struct cvm_block {
	int fd;
	dev_t device;
	uint64_t sectors;
};

/* -ENOTBLK; -EBUSY: it is in use. For cvm_block_close(), also on failure. */
int cvm_block_open(const char *path, bool read_only, struct cvm_block *block,
		   struct cvm_error *error);
void cvm_block_close(struct cvm_block *block);

/**
 * cvm_block_blank() - has nobody put anything on it
 *
 * Where file systems, partition tables and volumes have what tells them: at both
 * ends. Return: 1, 0, or a negative errno.
 */
int cvm_block_blank(const struct cvm_block *block, struct cvm_error *error);

/* The same, but that the first end begins with @head, of @head_len bytes. */
int cvm_block_holds(const struct cvm_block *block, const void *head, size_t head_len,
		    struct cvm_error *error);

/* Zeros into the first and the last MiB of @bytes, synced. 0 or a negative errno. */
int cvm_zero_ends(int fd, uint64_t bytes);

/* Zeros at both ends of it, where cvm_block_blank() looks: nothing tells what was on it. */
int cvm_block_wipe(const struct cvm_block *block, struct cvm_error *error);

/* bytes before the data of a LUKS disk: headers, key slots */
#define CVM_LUKS_HEADER		(2U << 20)

/* The first sector of its data, of 512 bytes. */
uint64_t cvm_disk_start(enum cvm_disk_cipher cipher);

/**
 * cvm_disk_layout() - make @block ready for @cipher
 * @name: of the disk
 * @block: both ends of it are overwritten; closed
 * @cipher: how
 * @sectors: out: what the open disk will have
 * @error: or NULL
 *
 * A LUKS disk's header is another matter: cvm_luks_write().
 */
int cvm_disk_layout(const char *name, struct cvm_block *block, enum cvm_disk_cipher cipher,
		    uint64_t *sectors, struct cvm_error *error);

/**
 * cvm_disk_attach() - the open disk, /dev/mapper/NAME
 * @name: of it
 * @block: what it is on; closed: the kernel has it then
 * @record: authenticated
 * @key: its key, which can go when this returns; of a LUKS disk the passphrase, for
 *	whose header the record vouches: -EBADMSG where it is another one
 * @read_only: it is
 *
 * The live table is compared with what was asked for; what is not the same is not
 * left open.
 */
int cvm_disk_attach(const char *name, struct cvm_block *block,
		    const struct cvm_key_record *record, struct cvm_data_key *key,
		    bool read_only, struct cvm_error *error);

/* -ENOENT: it is not open; -EEXIST: that name is not a disk of ours; -EBUSY */
int cvm_disk_detach(const char *name, struct cvm_error *error);

/**
 * cvm_disk_check() - is the open disk what @record says
 *
 * Return: 0; -ENOENT: it is not open; -EEXIST: that name is not a disk of ours;
 * -EBADMSG: its table is another one.
 */
int cvm_disk_check(const char *name, const struct cvm_key_record *record,
		   struct cvm_error *error);

/*
 * Zeros into the open disk: with CVM_DISK_XTS_HMAC into all of it, since what was never
 * written has no tags; else at both ends, so that the device is not blank any more.
 */
int cvm_disk_zero(const char *name, const struct cvm_key_record *record,
		  struct cvm_error *error);

#endif /* CVM_DISK_DISK_H */
