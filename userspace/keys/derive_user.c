// SPDX-License-Identifier: MIT
/*
 * Keys that are made in this process, of a secret that it has: each is the same as the
 * module would make of it.
 */
#include <errno.h>
#include <keyutils.h>
#include <stdio.h>
#include <string.h>

#include "derive.h"
#include "secret.h"

/* as the module's; what is moved must allow to be linked, and keeps that */
#define PERMISSIONS	(KEY_POS_VIEW | KEY_POS_SEARCH)

/* From this process's keyring to @ring, which others may have too. */
static int place_key(key_serial_t serial, key_serial_t ring)
{
	if (ring == KEY_SPEC_PROCESS_KEYRING)
		return keyctl_setperm(serial, PERMISSIONS) ? -errno : 0;
	return keyctl_setperm(serial, PERMISSIONS | KEY_POS_LINK) ||
	       keyctl_move(serial, KEY_SPEC_PROCESS_KEYRING, ring, KEYCTL_MOVE_EXCL) ? -errno : 0;
}

/*
 * add_key() writes into a key that has the name, whoever's it is and whoever can read
 * it. So the key is made where nobody else can put one, and moved, which fails where
 * there is one of that name.
 */
static int add_key_to(const struct cvm_key_ask *ask, const struct cvm_secret *key,
		      key_serial_t *serial)
{
	const char *type = ask->form == CVM_FORM_USER ? "user" : "logon";
	char description[5 + CVM_MAX_KEY_NAME];
	int rc;

	snprintf(description, sizeof(description), "cvm:%s", ask->name);
	if (keyctl_search(KEY_SPEC_PROCESS_KEYRING, type, description, 0) >= 0)
		return -EEXIST;
	*serial = add_key(type, description, key->bytes, ask->length, KEY_SPEC_PROCESS_KEYRING);
	if (*serial < 0)
		return -errno;
	rc = ask->timeout_s && keyctl_set_timeout(*serial, ask->timeout_s) ? -errno : 0;
	if (!rc)
		rc = place_key(*serial, ask->keyring);
	if (rc)
		keyctl_invalidate(*serial);
	return rc;
}

static int make_key(const struct cvm_key_set *set, struct cvm_key_ask *ask,
		    const uint8_t *secret)
{
	__cleanup_secret struct cvm_secret key;
	size_t half = ask->length / 2;
	key_serial_t serial = 0;
	int rc = cvm_key_hkdf(secret, set, ask->purpose, key.bytes, ask->length);

	/* two keys to XTS */
	if (!rc && ask->length % 2 == 0 && !memcmp(key.bytes, key.bytes + half, half))
		rc = -EBADMSG;
	if (!rc && ask->form == CVM_FORM_MEMORY)
		memcpy(ask->memory, key.bytes, ask->length);
	else if (!rc)
		rc = add_key_to(ask, &key, &serial);
	ask->serial = serial;
	return rc;
}

static void undo(struct cvm_key_set *set, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cvm_key_ask *ask = &set->ask[i];

		if (ask->form == CVM_FORM_MEMORY)
			OPENSSL_cleanse(ask->memory, ask->length);
		else
			keyctl_invalidate(ask->serial);
	}
}

int cvm_key_derive_user(const uint8_t secret[CVM_KEY_SECRET], struct cvm_key_set *set,
			const char *path, struct cvm_error *error)
{
	for (size_t i = 0; i < set->count; i++) {
		int rc = make_key(set, &set->ask[i], secret);

		if (rc) {
			undo(set, i);
			return cvm_key_derive_error(error, rc, path, 0);
		}
	}
	return 0;
}
