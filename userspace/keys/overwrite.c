// SPDX-License-Identifier: MIT
/*
 * The kernel's encrypted keys hash the master, and what comes out, which is the key that
 * wraps the disk's, stays in stack frames that they have left (seen on 6.12, in up to
 * half of the rotations). Those are of this thread's kernel stack, and are handed on as they
 * are when it ends. So the same calls are made again, with a master of zeros, and what
 * they leave is worth nothing. Where on the stack a system call begins is random, within
 * a kilobyte: hence more than once.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "keyring.h"

#define RING		KEY_SPEC_PROCESS_KEYRING
#define NAME		"cvm:overwrite"
#define NEW		"new default user:" NAME " 64"
#define LOAD		"load "
#define TIMES		24

static void drop(key_serial_t key)
{
	if (key < 0)
		return;
	keyctl_invalidate(key);
	keyctl_unlink(key, RING);
}

/* wraps by reading, unwraps by loading */
static void use_master(void)
{
	char text[sizeof(LOAD) + 64 + 2 * CVM_BLOB_MAX] = LOAD;
	key_serial_t key = add_key("encrypted", NAME, NEW, strlen(NEW), RING);
	long got = -1;

	if (key >= 0)
		got = keyctl_read(key, text + strlen(LOAD), sizeof(text) - strlen(LOAD));
	drop(key);
	if (got > 0 && (size_t)got <= sizeof(text) - strlen(LOAD))
		drop(add_key("encrypted", NAME, text, strlen(LOAD) + (size_t)got, RING));
}

/* Nothing is lost when it cannot be done: there is no more that could be. */
void cvm_keyring_overwrite(void)
{
	static const uint8_t zeros[CVM_MASTER_LEN];
	key_serial_t master = add_key("user", NAME, zeros, sizeof(zeros), RING);

	for (int i = 0; master >= 0 && i < TIMES; i++)
		use_master();
	drop(master);
}
