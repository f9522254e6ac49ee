// SPDX-License-Identifier: GPL-2.0
/*
 * What is done with keys in a VM whose memory is searched:
 *   key_use plant NAME anonymous|text|keyring
 *	makes a key that who watches can compute, and keeps it: across two pages of
 *	anonymous memory, or as digits there, until it is killed; or as a key of type
 *	user in the user's keyring, whose serial number it prints
 *   key_use invalidate SERIAL
 *   key_use fault|signal MIX SVN TCB LABEL
 *	asks for keys and gets none: they cannot be written, or a signal comes
 *   key_use mask FILE
 *	its bytes, at most 64, in hexadecimal, each exclusive-or a5
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "driver/derive.h"

#define PAGE		4096
#define PLANTED		32
/* of it in the first of two pages */
#define BEFORE		20
#define RING		KEY_SPEC_PROCESS_KEYRING

static int usage(void)
{
	fprintf(stderr, "usage: see selftests/keys/key_use.c\n");
	return 2;
}

static int complain(const char *what, long ret)
{
	fprintf(stderr, "key_use: %s: %ld\n", what, ret);
	return 1;
}

/* ---- plant */

static void planted(const char *name, unsigned char key[PLANTED])
{
	unsigned char hash[SHA512_DIGEST_LENGTH];
	char text[64];
	int len = snprintf(text, sizeof(text), "planted %s", name);

	SHA512((unsigned char *)text, (size_t)len, hash);
	memcpy(key, hash, PLANTED);
	OPENSSL_cleanse(hash, sizeof(hash));
}

__attribute__((noreturn))
static void keep(void)
{
	printf("planted\n");
	fflush(stdout);
	for (;;)
		pause();
}

static int plant(const char *name, const char *where)
{
	unsigned char key[PLANTED], *memory;
	size_t i;
	long serial;

	planted(name, key);
	memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0);
	if (memory == MAP_FAILED)
		return complain("mmap", -errno);
	if (!strcmp(where, "keyring")) {
		serial = add_key("user", name, key, sizeof(key), KEY_SPEC_USER_KEYRING);
		OPENSSL_cleanse(key, sizeof(key));
		printf("%ld\n", serial);
		return serial < 0;
	}
	if (!strcmp(where, "anonymous"))
		memcpy(memory + PAGE - BEFORE, key, sizeof(key));
	else
		for (i = 0; i < sizeof(key); i++)
			sprintf((char *)memory + PAGE - 2 * BEFORE + 2 * i, "%02X", key[i]);
	OPENSSL_cleanse(key, sizeof(key));
	keep();
}

/* ---- keys that are not to be had */

static void set_inputs(struct derive *d, char **args)
{
	derive_init(d);
	d->call.mix = (__u32)strtoul(args[0], NULL, 0);
	d->call.guest_svn = (__u32)strtoul(args[1], NULL, 0);
	d->call.tcb = strtoull(args[2], NULL, 0);
	d->label = args[3];
	d->key.length = 64;
}

/* @first: where the first of two keys goes; the second cannot be written */
static long second_fails(int fd, struct derive *d, struct cvm_derived first)
{
	struct cvm_derived keys[2] = { first, first };

	keys[1].form = CVM_FORM_MEMORY;
	keys[1].keyring = 0;
	keys[1].name = 0;
	keys[1].name_len = 0;
	keys[1].memory = PAGE / 2;
	d->call.count = 2;
	d->call.derived = (unsigned long)keys;
	return ioctl(fd, CVM_DERIVE, &d->call) ? -errno : 0;
}

static int fault(int fd, char **args)
{
	static const unsigned char zero[64];
	struct derive d;
	struct cvm_derived first;
	long ret;

	set_inputs(&d, args);
	/* the sizes and the label; and where nothing can be written at all */
	d.key.memory = PAGE / 2;
	ret = derive(fd, &d);
	if (ret != -EFAULT)
		return complain("a key to nowhere", ret);
	first = d.key;
	first.memory = (unsigned long)d.bytes;
	ret = second_fails(fd, &d, first);
	if (ret != -EFAULT || memcmp(d.bytes, zero, sizeof(zero)))
		return complain("two keys, one to nowhere", ret);
	first.memory = 0;
	first.form = CVM_FORM_USER;
	first.keyring = RING;
	first.name = (unsigned long)"fault";
	first.name_len = 5;
	ret = second_fails(fd, &d, first);
	if (ret != -EFAULT || key_find(RING, "user", "cvm:fault") > 0)
		return complain("a key in a keyring, one to nowhere", ret);
	return 0;
}

static void on_alarm(int number)
{
}

static int interrupted(int fd, char **args)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	struct derive d;
	long ret;

	set_inputs(&d, args);
	sigaction(SIGALRM, &action, NULL);
	alarm(1);
	ret = derive(fd, &d);
	return ret == -EINTR ? 0 : complain("interrupted", ret);
}

/* ---- mask */

#define MASK	0xa5

static int mask(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	unsigned char bytes[64];
	ssize_t len = fd < 0 ? -1 : read(fd, bytes, sizeof(bytes));
	ssize_t i;

	if (len < 0)
		return complain(path, -errno);
	for (i = 0; i < len; i++)
		printf("%02x", bytes[i] ^ MASK);
	printf("\n");
	OPENSSL_cleanse(bytes, sizeof(bytes));
	return 0;
}

int main(int argc, char **argv)
{
	int fd;

	if (argc == 4 && !strcmp(argv[1], "plant"))
		return plant(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "invalidate"))
		return keyctl(KEYCTL_INVALIDATE, strtoul(argv[2], NULL, 0), 0, 0) < 0;
	if (argc == 3 && !strcmp(argv[1], "mask"))
		return mask(argv[2]);
	if (argc != 6 || (strcmp(argv[1], "fault") && strcmp(argv[1], "signal")))
		return usage();
	fd = open(KEY_NODE, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return complain(KEY_NODE, -errno);
	return argv[1][0] == 'f' ? fault(fd, argv + 2) : interrupted(fd, argv + 2);
}
