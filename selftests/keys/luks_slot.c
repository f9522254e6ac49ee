// SPDX-License-Identifier: GPL-2.0
/*
 * luks_slot DEVICE FILE: the key slot that the passphrase in FILE opens, as libcryptsetup
 * and its tools see the disk. Exit status: 0, and its number on stdout; 1: none.
 */
#include <libcryptsetup.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	struct crypt_device *cd = NULL;
	char passphrase[512];
	size_t len = 0;
	int slot = -1;
	FILE *file;

	if (argc != 3) {
		fprintf(stderr, "usage: luks_slot DEVICE FILE\n");
		return 2;
	}
	file = fopen(argv[2], "re");
	if (file) {
		len = fread(passphrase, 1, sizeof(passphrase), file);
		fclose(file);
	}
	if (!crypt_init(&cd, argv[1]) && !crypt_load(cd, CRYPT_LUKS2, NULL))
		/* without a name: whether it would */
		slot = crypt_activate_by_passphrase(cd, NULL, CRYPT_ANY_SLOT, passphrase, len, 0);
	crypt_free(cd);
	if (slot < 0)
		return 1;
	printf("%d\n", slot);
	return 0;
}
