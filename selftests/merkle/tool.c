// SPDX-License-Identifier: GPL-2.0
/*
 * Batch v1 as the driver and the library have it, on lines of hex:
 *   expected                 in: USER_DATA PROOF
 *                            out: R64 SCOPE TPM48, or "refused"
 *   build DUMMIES            in: SALT SCOPE USER_DATA for each leaf; then
 *                            DUMMIES lines of a hash
 *                            out: R64 TPM48, then the proof of each leaf
 * A field of no bytes is "-".
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/crypto.h>

#include "driver/merkle.h"

/* the bytes of @hex, at most @room of them; exits on what is no hex */
static size_t bytes(const char *hex, uint8_t *to, size_t room)
{
	size_t len = 0;

	if (!strcmp(hex, "-"))
		return 0;
	if (!OPENSSL_hexstr2buf_ex(to, room, &len, hex, '\0')) {
		fprintf(stderr, "not hex, or too long: %s\n", hex);
		exit(2);
	}
	return len;
}

static void show(const uint8_t *data, size_t len, char end)
{
	size_t i;

	for (i = 0; i < len; i++)
		printf("%02x", data[i]);
	putchar(end);
}

static void expected(void)
{
	uint8_t user_data[CVM_USER_DATA_SIZE], proof[2 * CVM_PROOF_MAX];
	uint8_t r64[CVM_USER_DATA_SIZE], tpm48[CVM_TPM48_SIZE], scope[CVM_SCOPE_SIZE];
	static char a[1024], b[8192];
	size_t len;

	while (scanf("%1023s %8191s", a, b) == 2) {
		len = bytes(b, proof, sizeof(proof));
		if (bytes(a, user_data, sizeof(user_data)) != sizeof(user_data) ||
		    cvm_merkle_expected(user_data, proof, len, r64, tpm48, scope)) {
			puts("refused");
			continue;
		}
		show(r64, sizeof(r64), ' ');
		show(scope, sizeof(scope), ' ');
		show(tpm48, sizeof(tpm48), '\n');
	}
}

static struct cvm_leaf leaves[CVM_MAX_TREE];
static uint8_t nodes[CVM_TREE_NODES(CVM_MAX_TREE)][CVM_HASH_SIZE];

static uint32_t read_leaves(void)
{
	static char a[256], b[256], c[256];
	uint32_t n = 0;

	while (n < CVM_MAX_TREE && scanf("%255s %255s %255s", a, b, c) == 3 && strcmp(a, "end")) {
		bytes(a, leaves[n].salt, sizeof(leaves[n].salt));
		bytes(b, leaves[n].scope, sizeof(leaves[n].scope));
		bytes(c, leaves[n].user_data, sizeof(leaves[n].user_data));
		cvm_merkle_leaf(nodes[n], &leaves[n]);
		n++;
	}
	return n;
}

static void build(uint32_t dummies)
{
	struct cvm_merkle tree = { .nodes = nodes };
	uint8_t r64[CVM_USER_DATA_SIZE], tpm48[CVM_TPM48_SIZE], proof[CVM_PROOF_MAX];
	uint32_t n = read_leaves(), i;
	static char a[256];

	for (i = 0; i < dummies && scanf("%255s", a) == 1; i++)
		bytes(a, nodes[n + i], CVM_HASH_SIZE);
	tree.size = n + dummies;
	tree.flags = dummies ? CVM_HEADER_DUMMIES : 0;
	cvm_merkle_build(&tree);
	cvm_merkle_r64(&tree, r64);
	cvm_merkle_tpm48(&tree, tpm48);
	show(r64, sizeof(r64), ' ');
	show(tpm48, sizeof(tpm48), '\n');
	for (i = 0; i < n; i++)
		show(proof, cvm_merkle_proof(&tree, i, &leaves[i], proof), '\n');
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "expected"))
		expected();
	else if (argc == 3 && !strcmp(argv[1], "build"))
		build((uint32_t)atoi(argv[2]));
	else
		return 2;
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
