// SPDX-License-Identifier: GPL-2.0
/*
 * Batch v1 as the driver and the library have it, on lines of hex:
 *   expected                 in: USER_DATA PROOF
 *                            out: R64 SCOPE TPM48, or "refused" and why: length
 *                            (of user data), reserved, malformed
 *   build DUMMIES            in: SALT SCOPE USER_DATA for each leaf; then
 *                            DUMMIES lines of a hash
 *                            out: R64 TPM48, then the proof of each leaf
 * A field of no bytes is "-". With CVM_MERKLE_NODE, a path, the kernel is asked
 * and not what is compiled in.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include <openssl/crypto.h>

#include "driver/merkle.h"
#include "kernel/cases.h"

static int node = -1;

static struct cvm_leaf leaves[CVM_MAX_TREE];
static uint8_t nodes[CVM_TREE_NODES(CVM_MAX_TREE)][CVM_HASH_SIZE];
static struct cases_proof proofs[CVM_MAX_TREE];

static void die(const char *what)
{
	perror(what);
	exit(2);
}

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

static void run_expected(struct cases_expected *c)
{
	if (node < 0)
		c->result = cvm_merkle_expected(c->user_data, (uint8_t *)(uintptr_t)c->proof,
						c->len, c->r64, c->tpm48, c->scope);
	else if (ioctl(node, CASES_EXPECTED, c))
		die("CASES_EXPECTED");
}

static void expected(void)
{
	static char a[1024], b[8192];
	uint8_t proof[2 * CVM_PROOF_MAX];

	while (scanf("%1023s %8191s", a, b) == 2) {
		struct cases_expected c = { .proof = (uintptr_t)proof };
		size_t len = bytes(a, c.user_data, sizeof(c.user_data));

		c.len = (uint32_t)bytes(b, proof, sizeof(proof));
		if (len == sizeof(c.user_data))
			run_expected(&c);
		if (len != sizeof(c.user_data) || c.result) {
			printf("refused %s\n", len != sizeof(c.user_data) ? "length" :
			       c.result == -EINVAL ? "reserved" : "malformed");
			continue;
		}
		show(c.r64, sizeof(c.r64), ' ');
		show(c.scope, sizeof(c.scope), ' ');
		show(c.tpm48, sizeof(c.tpm48), '\n');
	}
}

static uint32_t read_leaves(void)
{
	static char a[256], b[256], c[256];
	uint32_t n = 0;

	while (n < CVM_MAX_TREE && scanf("%255s %255s %255s", a, b, c) == 3 && strcmp(a, "end")) {
		bytes(a, leaves[n].salt, sizeof(leaves[n].salt));
		bytes(b, leaves[n].scope, sizeof(leaves[n].scope));
		bytes(c, leaves[n].user_data, sizeof(leaves[n].user_data));
		n++;
	}
	return n;
}

/* dummies stand in @nodes after the leaves */
static void build_here(struct cases_build *c)
{
	struct cvm_merkle tree = {
		.nodes = nodes,
		.size = c->count + c->dummy_count,
		.flags = c->dummy_count ? CVM_HEADER_DUMMIES : 0,
	};
	uint32_t i;

	for (i = 0; i < c->count; i++)
		cvm_merkle_leaf(nodes[i], &leaves[i]);
	cvm_merkle_build(&tree);
	cvm_merkle_r64(&tree, c->r64);
	cvm_merkle_tpm48(&tree, c->tpm48);
	for (i = 0; i < c->count; i++)
		proofs[i].len = (uint32_t)cvm_merkle_proof(&tree, i, &leaves[i], proofs[i].data);
}

static void build(uint32_t dummies)
{
	struct cases_build c = {
		.leaves = (uintptr_t)leaves,
		.proofs = (uintptr_t)proofs,
		.count = read_leaves(),
	};
	static char a[256];
	uint32_t i;

	c.dummies = (uintptr_t)nodes[c.count];
	for (; c.dummy_count < dummies && scanf("%255s", a) == 1; c.dummy_count++)
		bytes(a, nodes[c.count + c.dummy_count], CVM_HASH_SIZE);
	if (node < 0)
		build_here(&c);
	else if (ioctl(node, CASES_BUILD, &c))
		die("CASES_BUILD");
	show(c.r64, sizeof(c.r64), ' ');
	show(c.tpm48, sizeof(c.tpm48), '\n');
	for (i = 0; i < c.count; i++)
		show(proofs[i].data, proofs[i].len, '\n');
}

int main(int argc, char **argv)
{
	const char *path = getenv("CVM_MERKLE_NODE");

	if (path) {
		node = open(path, O_RDWR);
		if (node < 0)
			die(path);
	}
	if (argc == 2 && !strcmp(argv[1], "expected"))
		expected();
	else if (argc == 3 && !strcmp(argv[1], "build"))
		build((uint32_t)atoi(argv[2]));
	else
		return 2;
	return ferror(stdout) || fflush(stdout) ? 1 : 0;
}
