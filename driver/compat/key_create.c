// SPDX-License-Identifier: GPL-2.0-only
/*
 * key_create() on kernels that only have key_create_or_update(), which would put
 * our bytes into whatever key there is, with permissions that are not ours. A
 * key is made beside it and linked instead: of one that somebody puts there in
 * between, only the link is displaced.
 */
#include <linux/cred.h>
#include <linux/err.h>
#include <linux/key.h>
#include <linux/key-type.h>
#include <linux/string.h>
#include <keys/user-type.h>

static struct key_type *type_of(const char *type)
{
	return strcmp(type, "logon") ? &key_type_user : &key_type_logon;
}

/* 0, or why the name is not free: what cannot be looked at is there, too */
static int name_free(key_ref_t keyring, struct key_type *type,
		     const char *description)
{
	key_ref_t found = keyring_search(keyring, type, description, false);

	if (!IS_ERR(found)) {
		key_ref_put(found);
		return -EEXIST;
	}
	switch (PTR_ERR(found)) {
	case -EAGAIN:
	case -ENOKEY:
	case -EKEYREVOKED:
		return 0;
	case -EKEYEXPIRED:
		return -EEXIST;
	default:
		return PTR_ERR(found);
	}
}

key_ref_t cvm_compat_key_create(key_ref_t keyring, const char *type,
				const char *description, const void *payload,
				size_t plen, key_perm_t perm, unsigned long flags)
{
	const struct cred *cred = current_cred();
	struct key *key;
	int ret;

	ret = name_free(keyring, type_of(type), description);
	if (ret)
		return ERR_PTR(ret);
	key = key_alloc(type_of(type), description, cred->fsuid, cred->fsgid,
			cred, perm, flags, NULL);
	if (IS_ERR(key))
		return ERR_CAST(key);
	ret = key_instantiate_and_link(key, payload, plen, key_ref_to_ptr(keyring),
				       NULL);
	if (ret) {
		key_put(key);
		return ERR_PTR(ret);
	}
	return make_key_ref(key, is_key_possessed(keyring));
}
