/* SPDX-License-Identifier: MIT */
/*
 * LUKS2: a header on the device, so that other tools know the disk, and a second key slot
 * can open it where there is no firmware that derives the first one's key.
 *
 * The header is the host's to change, and says by which cipher the disk is encrypted. So it
 * is copied to memory, once; a record that has been authenticated has the digest of the
 * copy, or nothing in it is looked at; and what it may say is fixed here all the same
 * (CVE-2025-59054, CVE-2025-58356). The kernel's table comes from the record.
 */
#ifndef CVM_DISK_LUKS_H
#define CVM_DISK_LUKS_H

#include "disk.h"

/**
 * struct cvm_luks - a header, in memory
 * @fd: of it, or -1
 */
struct cvm_luks {
	int fd;
};

/* For cvm_luks_drop(). */
int cvm_luks_new(struct cvm_luks *luks, struct cvm_error *error);
void cvm_luks_drop(struct cvm_luks *luks);

/**
 * cvm_luks_format() - make a header, and a random volume key in it
 * @luks: new
 * @passphrase: of its key slots, CVM_LUKS_PASSPHRASE bytes each
 * @count: of them
 * @error: or NULL
 *
 * AES-XTS with 64 bytes, sectors of 4096. The passphrases are random: nothing is gained
 * by making a guess at them expensive.
 *
 * Return: 0; -EOPNOTSUPP: libcryptsetup is not there; or its error.
 */
int cvm_luks_format(const struct cvm_luks *luks,
		    const uint8_t (*passphrase)[CVM_LUKS_PASSPHRASE], size_t count,
		    struct cvm_error *error);

/* The header to the front of @block, synced; and from it, which need not be one. */
int cvm_luks_write(const struct cvm_luks *luks, const struct cvm_block *block,
		   struct cvm_error *error);
int cvm_luks_read(const struct cvm_luks *luks, const struct cvm_block *block,
		  struct cvm_error *error);

/* SHA-256 of all of it. */
int cvm_luks_digest(const struct cvm_luks *luks, uint8_t digest[CVM_LUKS_DIGEST],
		    struct cvm_error *error);

/**
 * cvm_luks_open() - the volume key
 * @luks: authenticated
 * @passphrase: of any key slot
 * @key: out: for the caller to wipe
 * @error: or NULL
 *
 * Return: 0; -EBADMSG: it is no header, or not one as cvm_luks_format() makes them: of
 * another cipher, or with a key slot of another; -EKEYREJECTED: no slot is of
 * @passphrase; -EOPNOTSUPP.
 */
int cvm_luks_open(const struct cvm_luks *luks, const uint8_t passphrase[CVM_LUKS_PASSPHRASE],
		  uint8_t key[CVM_LUKS_KEY], struct cvm_error *error);

#endif /* CVM_DISK_LUKS_H */
