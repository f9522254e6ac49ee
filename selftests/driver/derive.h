/* SPDX-License-Identifier: GPL-2.0 */
/* CVM_DERIVE, and keyrings by their system calls. */
#ifndef DERIVE_H
#define DERIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <linux/cvm_guest_key.h>
#include <linux/keyctl.h>

#define KEY_NODE	"/dev/cvm/key"

/**
 * struct derive - a CVM_DERIVE with one key
 * @call: in: all but sizes, count and the array
 * @key: in: all but what the next two fill in
 * @label: of @key
 * @name: of @key
 * @bytes: out: with CVM_FORM_MEMORY
 */
struct derive {
	struct cvm_derive call;
	struct cvm_derived key;
	const char *label;
	const char *name;
	unsigned char bytes[CVM_MAX_KEY];
};

/* 32 bytes to memory, with everything mixed in that is the same at each launch */
void derive_init(struct derive *derive);
/* 0 or a negative errno */
int derive(int fd, struct derive *derive);
/* the same bytes? */
bool derive_same(const struct derive *a, const struct derive *b);

long keyctl(int cmd, unsigned long a, unsigned long b, unsigned long c);
/* the serial number, or a negative errno */
long add_key(const char *type, const char *description, const void *payload,
	     size_t len, int keyring);
long key_find(int keyring, const char *type, const char *description);
/* "type;uid;gid;perm;description" of a key */
bool key_describe(long serial, char *text, size_t size);

#endif /* DERIVE_H */
