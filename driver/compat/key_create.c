// SPDX-License-Identifier: GPL-2.0-only
/*
 * key_create() on kernels that only have key_create_or_update(). A key that was
 * there before is found and refused; one that somebody puts there in between
 * would be updated with ours, and keep its own permissions: it is revoked.
 */
#include <linux/err.h>
#include <linux/key.h>
#include <linux/string.h>
#include <keys/user-type.h>

static bool exists(key_ref_t keyring, const char *type, const char *description)
{
	key_ref_t found;

	found = keyring_search(keyring, !strcmp(type, "logon") ? &key_type_logon :
								&key_type_user,
			       description, false);
	if (IS_ERR(found))
		return false;
	key_ref_put(found);
	return true;
}

key_ref_t cvm_compat_key_create(key_ref_t keyring, const char *type,
				const char *description, const void *payload,
				size_t plen, key_perm_t perm, unsigned long flags)
{
	key_ref_t key;

	if (exists(keyring, type, description))
		return ERR_PTR(-EEXIST);
	key = key_create_or_update(keyring, type, description, payload, plen,
				   perm, flags);
	if (IS_ERR(key) || key_ref_to_ptr(key)->perm == perm)
		return key;
	key_revoke(key_ref_to_ptr(key));
	key_ref_put(key);
	return ERR_PTR(-EEXIST);
}
