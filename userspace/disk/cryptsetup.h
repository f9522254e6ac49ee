/* SPDX-License-Identifier: MIT */
/*
 * libcryptsetup, loaded when it is needed: few disks are LUKS, and what it brings along
 * would cost every command of cvmctl its time.
 */
#ifndef CVM_DISK_CRYPTSETUP_H
#define CVM_DISK_CRYPTSETUP_H

#include <libcryptsetup.h>

struct cvm_cryptsetup {
	int (*init)(struct crypt_device **cd, const char *device);
	void (*free)(struct crypt_device *cd);
	void (*set_log_callback)(struct crypt_device *cd,
				 void (*log)(int level, const char *text, void *user),
				 void *user);
	int (*set_metadata_size)(struct crypt_device *cd, uint64_t metadata_size,
				 uint64_t keyslots_size);
	int (*set_data_offset)(struct crypt_device *cd, uint64_t sectors);
	int (*format)(struct crypt_device *cd, const char *type, const char *cipher,
		      const char *mode, const char *uuid, const char *volume_key,
		      size_t volume_key_size, void *params);
	int (*load)(struct crypt_device *cd, const char *type, void *params);
	int (*keyslot_add_by_volume_key)(struct crypt_device *cd, int slot,
					 const char *volume_key, size_t volume_key_size,
					 const char *passphrase, size_t passphrase_size);
	crypt_keyslot_info (*keyslot_status)(struct crypt_device *cd, int slot);
	const char *(*keyslot_get_encryption)(struct crypt_device *cd, int slot, size_t *key_size);
	int (*volume_key_get)(struct crypt_device *cd, int slot, char *volume_key,
			      size_t *volume_key_size, const char *passphrase,
			      size_t passphrase_size);
	const char *(*get_cipher)(struct crypt_device *cd);
	const char *(*get_cipher_mode)(struct crypt_device *cd);
	int (*get_volume_key_size)(struct crypt_device *cd);
	int (*get_sector_size)(struct crypt_device *cd);
	uint64_t (*get_data_offset)(struct crypt_device *cd);
	uint64_t (*get_iv_offset)(struct crypt_device *cd);
};

/* NULL: it is not installed. It stays loaded. */
const struct cvm_cryptsetup *cvm_cryptsetup(void);

#endif /* CVM_DISK_CRYPTSETUP_H */
