// SPDX-License-Identifier: MIT
/*
 * Keys that are made in this process, of a secret that it has: each is the same as the
 * module would make of it.
 */
#include <errno.h>
#include <keyutils.h>
#include <string.h>

#include "derive.h"
#include "secret.h"

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
		rc = cvm_key_add(ask->form == CVM_FORM_USER ? "user" : "logon", ask->name,
				 key.bytes, ask->length, ask->timeout_s, ask->keyring, &serial);
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
