// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "derive.h"

void derive_init(struct derive *derive)
{
	memset(derive, 0, sizeof(*derive));
	derive->call.mix = CVM_MIX_POLICY | CVM_MIX_IMAGE_ID | CVM_MIX_FAMILY_ID |
			   CVM_MIX_MEASUREMENT;
	derive->key.purpose = CVM_PURPOSE_KEY;
	derive->key.form = CVM_FORM_MEMORY;
	derive->key.length = 32;
}

int derive(int fd, struct derive *derive)
{
	struct cvm_derive *call = &derive->call;
	struct cvm_derived *key = &derive->key;

	call->size = sizeof(*call);
	call->derived_size = sizeof(*key);
	call->count = 1;
	call->derived = (unsigned long)key;
	if (derive->label) {
		key->label = (unsigned long)derive->label;
		key->label_len = strlen(derive->label);
	}
	if (derive->name) {
		key->name = (unsigned long)derive->name;
		key->name_len = strlen(derive->name);
	}
	if (key->form == CVM_FORM_MEMORY && !key->memory)
		key->memory = (unsigned long)derive->bytes;
	return ioctl(fd, CVM_DERIVE, call) ? -errno : 0;
}

bool derive_same(const struct derive *a, const struct derive *b)
{
	return !memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

long keyctl(int cmd, unsigned long a, unsigned long b, unsigned long c)
{
	long ret = syscall(SYS_keyctl, cmd, a, b, c, 0);

	return ret < 0 ? -errno : ret;
}

long add_key(const char *type, const char *description, const void *payload,
	     size_t len, int keyring)
{
	long ret = syscall(SYS_add_key, type, description, payload, len, keyring);

	return ret < 0 ? -errno : ret;
}

long key_find(int keyring, const char *type, const char *description)
{
	return keyctl(KEYCTL_SEARCH, keyring, (unsigned long)type,
		      (unsigned long)description);
}

bool key_describe(long serial, char *text, size_t size)
{
	long len = keyctl(KEYCTL_DESCRIBE, serial, (unsigned long)text, size);

	return len > 0 && (size_t)len <= size;
}
