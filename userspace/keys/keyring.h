/* SPDX-License-Identifier: MIT */
/*
 * The disk's key, which is random and never changes: an "encrypted" key of the
 * kernel's, in the keyring of this process, under a derived master. User space has
 * neither: the kernel makes, wraps and unwraps it, and dm-crypt takes it by name.
 *
 * A LUKS disk's is in its header. What is wrapped is then the passphrase of a key slot,
 * which user space has, as libcryptsetup has the volume key.
 */
#ifndef CVM_KEYS_KEYRING_H
#define CVM_KEYS_KEYRING_H

#include <keyutils.h>

#include "derive.h"
#include "record.h"

/* every record's blob is bound to the master's description; there is one at a time */
#define CVM_MASTER_NAME		"disk-master"
#define CVM_MASTER_LEN		64

/* of cvm_key_wrap() */
#define CVM_WRAP_KEY		32

/* the kernel expires what a process that hangs has left */
#define CVM_KEY_TIMEOUT_S	120

/**
 * struct cvm_disk_keys - keys of one record
 * @master: serial, 0: it is not there (any more), or there is no disk
 * @check: purpose 2
 * @mac_key: purpose 3
 * @wrap_key: of a LUKS disk: purpose 1
 */
struct cvm_disk_keys {
	key_serial_t master;
	uint8_t check[CVM_RECORD_CHECK];
	uint8_t mac_key[CVM_RECORD_MAC_KEY];
	uint8_t wrap_key[CVM_WRAP_KEY];
};

#define __cleanup_disk_keys	__cleanup(cvm_disk_keys_drop)

/* Derive them from what @record says, and @tpm_secret; NULL: it has none. */
int cvm_disk_keys_derive(const struct cvm_key_door *door, const struct cvm_key_record *record,
			 const uint8_t *tpm_secret, struct cvm_disk_keys *keys,
			 struct cvm_error *error);

/* Invalidates the master, wipes the others; once more does no harm. */
void cvm_disk_keys_drop(struct cvm_disk_keys *keys);

/**
 * struct cvm_data_key - the disk's key
 * @serial: 0: there is none
 * @name: its description
 * @len: bytes
 * @known: @passphrase is there
 * @passphrase: of a LUKS disk's key slot
 */
struct cvm_data_key {
	key_serial_t serial;
	char name[5 + CVM_MAX_KEY_NAME];
	size_t len;
	bool known;
	uint8_t passphrase[CVM_LUKS_PASSPHRASE];
};

#define __cleanup_data_key	__cleanup(cvm_data_key_drop)

/* A new one, random; the master must be there. @name: 1 to 64 characters */
int cvm_data_key_new(struct cvm_data_key *key, const char *name, size_t len,
		     struct cvm_error *error);

/* The one of @record. -EBADMSG: its master is another one. */
int cvm_data_key_load(struct cvm_data_key *key, const char *name,
		      const struct cvm_key_record *record, struct cvm_error *error);

/* Wraps @key for @record by the master that is there now. */
int cvm_data_key_wrap(const struct cvm_data_key *key, struct cvm_key_record *record,
		      struct cvm_error *error);

/* A LUKS disk's: a new passphrase; that of @record; and wrapped for @record. */
int cvm_passphrase_new(struct cvm_data_key *key, struct cvm_error *error);
int cvm_passphrase_load(struct cvm_data_key *key, const struct cvm_disk_keys *keys,
			const struct cvm_key_record *record, struct cvm_error *error);
int cvm_passphrase_wrap(const struct cvm_data_key *key, const struct cvm_disk_keys *keys,
			struct cvm_key_record *record, struct cvm_error *error);

/* A LUKS disk's volume key, for dm-crypt, which nobody can read back. */
int cvm_data_key_give(struct cvm_data_key *key, const char *name,
		      const uint8_t volume_key[CVM_LUKS_KEY], struct cvm_error *error);

/* Unlinks it, wipes the passphrase; once more does no harm. */
void cvm_data_key_drop(struct cvm_data_key *key);

/* wrap.c: 0, -EIO; -EBADMSG: it was wrapped by another key, or changed. */
int cvm_key_wrap(const uint8_t key[CVM_WRAP_KEY], const uint8_t secret[CVM_LUKS_PASSPHRASE],
		 uint8_t wrapped[CVM_LUKS_WRAPPED]);
int cvm_key_unwrap(const uint8_t key[CVM_WRAP_KEY], const uint8_t wrapped[CVM_LUKS_WRAPPED],
		   uint8_t secret[CVM_LUKS_PASSPHRASE]);

/* overwrite.c: what the kernel has left of a master on this thread's kernel stack */
void cvm_keyring_overwrite(void);

#endif /* CVM_KEYS_KEYRING_H */
