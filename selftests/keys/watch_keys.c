// SPDX-License-Identifier: GPL-2.0
/*
 * LD_PRELOAD=watch_keys.so COMMAND...: the keys that COMMAND's process has, which no
 * other process can see, at the places where it matters. Environment:
 *   WATCH_LOG=FILE	there a line "PLACE" for each place that it came by, and for each
 *			live key "PLACE KEY", as /proc/keys has it. Places: start; unwrap,
 *			before an encrypted key is made; table, before the device-mapper
 *			gets one; drop, before a key is invalidated; exit
 *   WATCH_PLANT=NAME	at start a user key of this name is put into the session keyring
 *   WATCH_DERIVE=TEXT	run by a shell before the firmware is asked for a key, once
 *   WATCH_UNSEAL=NAMES	when the TPM has given out a secret, and
 *   WATCH_ADD=NAMES	before a logon key is made, the watcher beside the VM, who is at
 *			descriptor 8, is asked what of NAMES it finds, and the answer goes to
 *   WATCH_FOUND=FILE	this one. That is done in this process: a shell would be another
 *   WATCH_MASKED=FILE	there the salt of the last key that the module derives, and the last
 *			disk's key as it was wrapped: "salt HEX" and "wrapped HEX", and what
 *			a TPM gives out: "sealed HEX", and each key of its sessions: "session HEX";
 *			each byte exclusive-or a5, so that none is left in memory by that
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <keyutils.h>
#include <linux/cvm_guest_key.h>
#include <linux/dm-ioctl.h>
#include <linux/sev-guest.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <tss2/tss2_esys.h>
#include <unistd.h>

static const char *derive, *unseal, *add;
static FILE *seen, *masked;

#define MASK	0xa5

/* the second column of /proc/keys */
static bool is_dead(const char *flags)
{
	return flags[1] == 'R' || flags[2] == 'D' || flags[6] == 'i';
}

static void note(const char *place)
{
	FILE *keys = fopen("/proc/keys", "re");
	char line[512];

	if (!seen)
		return;
	fprintf(seen, "%s\n", place);
	while (keys && fgets(line, sizeof(line), keys))
		if (strlen(line) > 16 && !is_dead(line + 9))
			fprintf(seen, "%s %s", place, line);
	fflush(seen);
	if (keys)
		fclose(keys);
}

static void note_masked(const char *what, const unsigned char *bytes, size_t len)
{
	fprintf(masked, "%s ", what);
	for (size_t i = 0; i < len; i++)
		fprintf(masked, "%02x", bytes[i] ^ MASK);
	fprintf(masked, "\n");
	fflush(masked);
}

static unsigned char nibble(char digit)
{
	return (unsigned char)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

/* "default user:cvm:disk-master 64 " and digits, as the kernel gives them out */
static void note_wrapped(const char *text, size_t len)
{
	static const char head[] = "default user:cvm:disk-master ";
	size_t at = sizeof(head) - 1;

	if (len < at || memcmp(text, head, at))
		return;
	while (at < len && text[at] != ' ')
		at++;
	fprintf(masked, "wrapped ");
	for (at++; at + 1 < len; at += 2)
		fprintf(masked, "%02x", (nibble(text[at]) << 4 | nibble(text[at + 1])) ^ MASK);
	fprintf(masked, "\n");
	fflush(masked);
}

/* to be seen by who has the keyring, and by nobody else */
static void plant_key(const char *name)
{
	long serial = syscall(SYS_add_key, "user", name, "planted", 7, KEY_SPEC_SESSION_KEYRING);

	if (serial < 0 || syscall(SYS_keyctl, KEYCTL_SETPERM, serial, KEY_POS_ALL))
		fprintf(stderr, "WATCH_PLANT failed\n");
}

#define BESIDE	8

static void ask_beside(const char *names)
{
	char byte = '\0';
	int file;

	if (!names || !*names)
		return;
	file = open(getenv("WATCH_FOUND"), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (file < 0)
		return;
	dprintf(BESIDE, "look %s\n", names);
	while (byte != '\n' && read(BESIDE, &byte, 1) == 1 && write(file, &byte, 1) == 1)
		;
	close(file);
}

static __attribute__((constructor)) void start(void)
{
	const char *path = getenv("WATCH_LOG"), *plant = getenv("WATCH_PLANT");

	seen = path ? fopen(path, "we") : NULL;
	derive = getenv("WATCH_DERIVE");
	unseal = getenv("WATCH_UNSEAL");
	add = getenv("WATCH_ADD");
	path = getenv("WATCH_MASKED");
	masked = path ? fopen(path, "we") : NULL;
	/* what it runs is not watched */
	unsetenv("LD_PRELOAD");
	if (plant)
		plant_key(plant);
	note("start");
}

static __attribute__((destructor)) void end(void)
{
	note("exit");
}

key_serial_t add_key(const char *type, const char *description, const void *payload,
		     size_t len, key_serial_t ring)
{
	if (!strcmp(type, "encrypted"))
		note("unwrap");
	if (!strcmp(type, "logon"))
		ask_beside(add);
	return (key_serial_t)syscall(SYS_add_key, type, description, payload, len, ring);
}

long keyctl_invalidate(key_serial_t serial)
{
	note("drop");
	return syscall(SYS_keyctl, KEYCTL_INVALIDATE, serial);
}

long keyctl_read(key_serial_t serial, char *text, size_t size)
{
	long len = syscall(SYS_keyctl, KEYCTL_READ, serial, text, size);

	if (masked && len > 0 && (size_t)len <= size)
		note_wrapped(text, (size_t)len);
	return len;
}

int ioctl(int fd, unsigned long request, ...)
{
	va_list values;
	void *argument;

	va_start(values, request);
	argument = va_arg(values, void *);
	va_end(values);
	if (request == DM_TABLE_LOAD)
		note("table");
	if ((request == CVM_DERIVE || request == SNP_GET_DERIVED_KEY) && derive) {
		const char *command = derive;

		derive = NULL;
		if (system(command))
			fprintf(stderr, "WATCH_DERIVE failed\n");
	}
	if (request == CVM_DERIVE && masked) {
		const struct cvm_derive *call = argument;

		note_masked("salt", (const unsigned char *)(uintptr_t)call->salt, call->salt_len);
	}
	return (int)syscall(SYS_ioctl, fd, request, argument);
}

TSS2_RC Esys_Unseal(ESYS_CONTEXT *esys, ESYS_TR item, ESYS_TR session1, ESYS_TR session2,
		    ESYS_TR session3, TPM2B_SENSITIVE_DATA **data)
{
	__typeof__(Esys_Unseal) *real;
	TSS2_RC rc;

	*(void **)&real = dlsym(RTLD_NEXT, "Esys_Unseal");
	rc = real(esys, item, session1, session2, session3, data);
	if (!rc && masked)
		note_masked("sealed", (*data)->buffer, (*data)->size);
	if (!rc)
		ask_beside(unseal);
	return rc;
}

/* ---- the TPM's library is the only one that asks OpenSSL for these by their old names */

EVP_PKEY *EVP_PKEY_new_raw_private_key(int type, ENGINE *engine, const unsigned char *key,
				       size_t len)
{
	__typeof__(EVP_PKEY_new_raw_private_key) *real;

	*(void **)&real = dlsym(RTLD_NEXT, "EVP_PKEY_new_raw_private_key");
	if (masked && type == EVP_PKEY_HMAC)
		note_masked("session", key, len);
	return real(type, engine, key, len);
}

static void note_cipher(const EVP_CIPHER *cipher, const unsigned char *key)
{
	if (masked && cipher && key && EVP_CIPHER_get_mode(cipher) == EVP_CIPH_CFB_MODE)
		note_masked("session", key, (size_t)EVP_CIPHER_get_key_length(cipher));
}

int EVP_EncryptInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, ENGINE *engine,
		       const unsigned char *key, const unsigned char *iv)
{
	__typeof__(EVP_EncryptInit_ex) *real;

	*(void **)&real = dlsym(RTLD_NEXT, "EVP_EncryptInit_ex");
	note_cipher(cipher, key);
	return real(ctx, cipher, engine, key, iv);
}

int EVP_DecryptInit_ex(EVP_CIPHER_CTX *ctx, const EVP_CIPHER *cipher, ENGINE *engine,
		       const unsigned char *key, const unsigned char *iv)
{
	__typeof__(EVP_DecryptInit_ex) *real;

	*(void **)&real = dlsym(RTLD_NEXT, "EVP_DecryptInit_ex");
	note_cipher(cipher, key);
	return real(ctx, cipher, engine, key, iv);
}
