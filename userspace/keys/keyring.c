// SPDX-License-Identifier: MIT
/* Master and data keys; Documentation/security/keys/trusted-encrypted.rst. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "keyring.h"
#include "secret.h"

#define RING		KEY_SPEC_PROCESS_KEYRING
#define FORMAT		"default"
#define MASTER		"user:cvm:" CVM_MASTER_NAME
/* "default user:cvm:disk-master 96 " and the hexadecimal digits */
#define MAX_WRAPPED	(64 + 2 * CVM_BLOB_MAX + 1)

int cvm_disk_keys_derive(const struct cvm_key_door *door, const struct cvm_key_record *record,
			 const uint8_t *tpm_secret, struct cvm_disk_keys *keys,
			 struct cvm_error *error)
{
	struct cvm_key_set set = {
		.inputs = record->inputs,
		.tpm_secret = tpm_secret,
		.label = record->label, .label_len = strlen(record->label),
		.salt = record->salt, .salt_len = sizeof(record->salt),
		/* the master last: a record of no disk has none */
		.count = record->cipher == CVM_DISK_NONE ? 2 : 3,
		.ask = {
			{ .purpose = CVM_PURPOSE_CHECK, .form = CVM_FORM_MEMORY,
			  .length = sizeof(keys->check), .memory = keys->check },
			{ .purpose = CVM_PURPOSE_MAC, .form = CVM_FORM_MEMORY,
			  .length = sizeof(keys->mac_key), .memory = keys->mac_key },
			{ .purpose = CVM_PURPOSE_KEY, .form = CVM_FORM_USER,
			  .length = CVM_MASTER_LEN, .keyring = RING,
			  .name = CVM_MASTER_NAME, .timeout_s = CVM_KEY_TIMEOUT_S },
		},
	};
	const struct cvm_key_ask wrap_key = {
		.purpose = CVM_PURPOSE_KEY, .form = CVM_FORM_MEMORY,
		.length = sizeof(keys->wrap_key), .memory = keys->wrap_key,
	};
	int rc;

	if (record->cipher == CVM_DISK_LUKS2)
		set.ask[2] = wrap_key;
	rc = cvm_key_derive(door, &set, error);
	keys->master = rc ? 0 : set.ask[2].serial;
	return rc;
}

void cvm_disk_keys_drop(struct cvm_disk_keys *keys)
{
	/* who may search for it may read it, so it goes as soon as it can */
	if (keys->master) {
		keyctl_invalidate(keys->master);
		keyctl_unlink(keys->master, RING);
		cvm_keyring_overwrite();
	}
	keys->master = 0;
	OPENSSL_cleanse(keys->check, sizeof(keys->check));
	OPENSSL_cleanse(keys->mac_key, sizeof(keys->mac_key));
	OPENSSL_cleanse(keys->wrap_key, sizeof(keys->wrap_key));
}

static int key_error(struct cvm_error *error, int rc, const char *what)
{
	if (rc == -ENODEV)
		return cvm_set_error(error, -EOPNOTSUPP, "this kernel has no keys of type \"encrypted\": load the module encrypted-keys");
	if (rc == -EDQUOT)
		return cvm_set_error(error, rc, "%s: the quota for keys is used up (kernel.keys.maxkeys, kernel.keys.maxbytes)",
				     what);
	return cvm_set_error(error, rc, "%s: %s", what, strerror(-rc));
}

static int add_key_as(struct cvm_data_key *key, const char *type, const char *name,
		      const void *payload, size_t payload_len)
{
	snprintf(key->name, sizeof(key->name), "cvm:%s", name);
	key->serial = add_key(type, key->name, payload, payload_len, RING);
	if (key->serial < 0) {
		key->serial = 0;
		return -errno;
	}
	/* possessors may read an encrypted one, which gives what is in the record */
	if (keyctl_set_timeout(key->serial, CVM_KEY_TIMEOUT_S)) {
		int rc = -errno;

		cvm_data_key_drop(key);
		return rc;
	}
	return 0;
}

/* @command: "new ..." or "load ..." */
static int add_data_key(struct cvm_data_key *key, const char *name, size_t len,
			const char *command)
{
	key->len = len;
	return add_key_as(key, "encrypted", name, command, strlen(command));
}

int cvm_data_key_new(struct cvm_data_key *key, const char *name, size_t len,
		     struct cvm_error *error)
{
	char command[MAX_WRAPPED];
	int rc;

	snprintf(command, sizeof(command), "new " FORMAT " " MASTER " %zu", len);
	rc = add_data_key(key, name, len, command);
	return rc ? key_error(error, rc, "the disk's key cannot be made") : 0;
}

int cvm_data_key_load(struct cvm_data_key *key, const char *name,
		      const struct cvm_key_record *record, struct cvm_error *error)
{
	size_t len = cvm_disk_key_len(record->cipher);
	char command[MAX_WRAPPED], *digits;
	int rc;

	digits = command + snprintf(command, sizeof(command), "load " FORMAT " " MASTER " %zu ", len);
	cvm_hex_encode(record->blob, CVM_BLOB_SIZE(len), digits);
	rc = add_data_key(key, name, len, command);
	/* the kernel's word for a MAC that is wrong */
	if (rc == -EINVAL)
		rc = -EBADMSG;
	return rc ? key_error(error, rc, "the disk's key cannot be unwrapped") : 0;
}

int cvm_data_key_wrap(const struct cvm_data_key *key, struct cvm_key_record *record,
		      struct cvm_error *error)
{
	char text[MAX_WRAPPED], head[64];
	size_t want, len, where;
	long got = keyctl_read(key->serial, text, sizeof(text) - 1);

	if (got < 0)
		return key_error(error, -errno, "the disk's key cannot be wrapped");
	want = (size_t)snprintf(head, sizeof(head), FORMAT " " MASTER " %zu ", key->len);
	if ((size_t)got >= sizeof(text) || (size_t)got < want || memcmp(text, head, want))
		return key_error(error, -EPROTO, "the disk's key is wrapped in an unknown way");
	text[got] = '\0';
	if (cvm_hex_decode(text + want, record->blob, CVM_BLOB_SIZE(key->len), &len, &where) ||
	    len != CVM_BLOB_SIZE(key->len))
		return key_error(error, -EPROTO, "the disk's key is wrapped in an unknown way");
	return 0;
}

int cvm_passphrase_new(struct cvm_data_key *key, struct cvm_error *error)
{
	key->known = getrandom(key->passphrase, sizeof(key->passphrase), 0) ==
		     sizeof(key->passphrase);
	return key->known ? 0 : cvm_set_error(error, -EIO, "no random numbers");
}

int cvm_passphrase_load(struct cvm_data_key *key, const struct cvm_disk_keys *keys,
			const struct cvm_key_record *record, struct cvm_error *error)
{
	int rc = cvm_key_unwrap(keys->wrap_key, record->blob, key->passphrase);

	key->known = !rc;
	return rc ? key_error(error, rc, "the disk's passphrase cannot be unwrapped") : 0;
}

int cvm_passphrase_wrap(const struct cvm_data_key *key, const struct cvm_disk_keys *keys,
			struct cvm_key_record *record, struct cvm_error *error)
{
	int rc = cvm_key_wrap(keys->wrap_key, key->passphrase, record->blob);

	return rc ? key_error(error, rc, "the disk's passphrase cannot be wrapped") : 0;
}

int cvm_data_key_give(struct cvm_data_key *key, const char *name,
		      const uint8_t volume_key[CVM_LUKS_KEY], struct cvm_error *error)
{
	int rc;

	key->len = CVM_LUKS_KEY;
	rc = add_key_as(key, "logon", name, volume_key, CVM_LUKS_KEY);
	return rc ? key_error(error, rc, "the disk's key cannot be made") : 0;
}

void cvm_data_key_drop(struct cvm_data_key *key)
{
	if (key->serial) {
		keyctl_invalidate(key->serial);
		keyctl_unlink(key->serial, RING);
	}
	key->serial = 0;
	OPENSSL_cleanse(key->passphrase, sizeof(key->passphrase));
	key->known = false;
}
