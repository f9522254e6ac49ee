// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/util.h"
#include "cryptsetup.h"

static struct cvm_cryptsetup library;

static bool load(void)
{
	const struct { const char *name; void *slot; } symbols[] = {
		{ "crypt_init", &library.init },
		{ "crypt_free", &library.free },
		{ "crypt_set_log_callback", &library.set_log_callback },
		{ "crypt_set_metadata_size", &library.set_metadata_size },
		{ "crypt_set_data_offset", &library.set_data_offset },
		{ "crypt_format", &library.format },
		{ "crypt_load", &library.load },
		{ "crypt_keyslot_add_by_volume_key", &library.keyslot_add_by_volume_key },
		{ "crypt_keyslot_status", &library.keyslot_status },
		{ "crypt_keyslot_get_encryption", &library.keyslot_get_encryption },
		{ "crypt_volume_key_get", &library.volume_key_get },
		{ "crypt_get_cipher", &library.get_cipher },
		{ "crypt_get_cipher_mode", &library.get_cipher_mode },
		{ "crypt_get_volume_key_size", &library.get_volume_key_size },
		{ "crypt_get_sector_size", &library.get_sector_size },
		{ "crypt_get_data_offset", &library.get_data_offset },
		{ "crypt_get_iv_offset", &library.get_iv_offset },
	};
	void *handle = dlopen("libcryptsetup.so.12", RTLD_NOW | RTLD_LOCAL);

	for (size_t i = 0; handle && i < ARRAY_SIZE(symbols); i++) {
		/* POSIX, dlsym(): a function's address through a pointer to it */
		*(void **)symbols[i].slot = dlsym(handle, symbols[i].name);
		if (!*(void **)symbols[i].slot)
			return false;
	}
	return handle;
}

const struct cvm_cryptsetup *cvm_cryptsetup(void)
{
	static bool tried, loaded;

	if (!tried)
		loaded = load();
	tried = true;
	return loaded ? &library : NULL;
}
