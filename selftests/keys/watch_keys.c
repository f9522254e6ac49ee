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
 *   WATCH_MASKED=FILE	there the salt of the last key that the module derives, and the last
 *			disk's key as it was wrapped: "salt HEX" and "wrapped HEX", each byte
 *			exclusive-or a5, so that neither is left in memory by that
 */
#include <fcntl.h>
#include <keyutils.h>
#include <linux/cvm_guest_key.h>
#include <linux/dm-ioctl.h>
#include <linux/sev-guest.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static const char *derive;
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

static __attribute__((constructor)) void start(void)
{
	const char *path = getenv("WATCH_LOG"), *plant = getenv("WATCH_PLANT");

	seen = path ? fopen(path, "we") : NULL;
	derive = getenv("WATCH_DERIVE");
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
