// SPDX-License-Identifier: MIT
/* A key that this process has, into a keyring. */
#include <errno.h>
#include <keyutils.h>
#include <stdio.h>

#include "derive.h"

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
int cvm_key_add(const char *type, const char *name, const void *payload, size_t len,
		uint32_t timeout_s, int32_t ring, int32_t *out)
{
	char description[5 + CVM_MAX_KEY_NAME];
	key_serial_t serial;
	int rc;

	snprintf(description, sizeof(description), "cvm:%s", name);
	if (keyctl_search(KEY_SPEC_PROCESS_KEYRING, type, description, 0) >= 0)
		return -EEXIST;
	serial = add_key(type, description, payload, len, KEY_SPEC_PROCESS_KEYRING);
	if (serial < 0)
		return -errno;
	rc = timeout_s && keyctl_set_timeout(serial, timeout_s) ? -errno : 0;
	if (!rc)
		rc = place_key(serial, ring);
	if (rc)
		keyctl_invalidate(serial);
	else
		*out = serial;
	return rc;
}
