/* SPDX-License-Identifier: MIT */
/*
 * The disk's key, which is random and never changes: an "encrypted" key of the
 * kernel's, in the keyring of this process, under a derived master. User space has
 * neither: the kernel makes, wraps and unwraps it, and dm-crypt takes it by name.
 */
#ifndef CVM_KEYS_KEYRING_H
#define CVM_KEYS_KEYRING_H

#include <keyutils.h>

#include "derive.h"
#include "record.h"

/* every record's blob is bound to the master's description; there is one at a time */
#define CVM_MASTER_NAME		"disk-master"
#define CVM_MASTER_LEN		64

/* the kernel expires what a process that hangs has left */
#define CVM_KEY_TIMEOUT_S	120

/**
 * struct cvm_disk_keys - keys of one record
 * @master: serial, 0: it is not there (any more), or there is no disk
 * @check: purpose 2
 * @mac_key: purpose 3
 */
struct cvm_disk_keys {
	key_serial_t master;
	uint8_t check[CVM_RECORD_CHECK];
	uint8_t mac_key[CVM_RECORD_MAC_KEY];
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
 */
struct cvm_data_key {
	key_serial_t serial;
	char name[5 + CVM_MAX_KEY_NAME];
	size_t len;
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

/* Unlinks it; once more does no harm. */
void cvm_data_key_drop(struct cvm_data_key *key);

/* overwrite.c: what the kernel has left of a master on this thread's kernel stack */
void cvm_keyring_overwrite(void);

#endif /* CVM_KEYS_KEYRING_H */
