/* SPDX-License-Identifier: GPL-2.0 */
/* A TPM's event log in the making, and the PCRs that the TPM would have by it. */
#ifndef MAKE_LOG_H
#define MAKE_LOG_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#define LOG_SIZE	16384

#define EV_NO_ACTION	3
#define EV_SEPARATOR	4
#define EV_CRTM		8
#define EV_CONFIG	0x80000001
#define EV_ACTION	0x80000007
#define EV_AUTHORITY	0x800000e0

/* as they are stored: EFI_GLOBAL_VARIABLE, EFI_IMAGE_SECURITY_DATABASE_GUID */
#define GUID_GLOBAL	"\x61\xdf\xe4\x8b\xca\x93\xd2\x11\xaa\x0d\x00\xe0\x98\x03\x2b\x8c"
#define GUID_IMAGES	"\xcb\xb2\x19\xd7\x3a\x3d\x96\x45\xa3\xbc\xda\xd0\x0e\x67\x65\x6f"

/**
 * struct made_log - a log of SHA-1 and SHA-256
 * @len: of @bytes
 * @events: how many
 * @pcr: what they make of PCRs; a test may extend them by more, or less
 */
struct made_log {
	uint8_t bytes[LOG_SIZE];
	size_t len;
	uint32_t events;
	uint8_t pcr[24][32];
};

static inline void log_le(struct made_log *l, uint64_t value, int bytes)
{
	for (int i = 0; i < bytes; i++)
		l->bytes[l->len++] = (uint8_t)(value >> 8 * i);
}

static inline void log_put(struct made_log *l, const void *data, size_t len)
{
	if (len > sizeof(l->bytes) - l->len)
		abort();
	if (len)
		memcpy(l->bytes + l->len, data, len);
	l->len += len;
}

static inline void log_begin(struct made_log *l)
{
	static const uint8_t none[20];

	*l = (struct made_log){ 0 };
	log_le(l, 0, 4);
	log_le(l, EV_NO_ACTION, 4);
	log_put(l, none, 20);
	log_le(l, 37, 4);
	log_put(l, "Spec ID Event03", 16);
	log_le(l, 0, 4);
	log_le(l, 0x02000200, 4);
	log_le(l, 2, 4);
	log_le(l, 0x00140004, 4);
	log_le(l, 0x0020000b, 4);
	log_le(l, 0, 1);
	for (int i = 17; i < 23; i++)
		memset(l->pcr[i], 0xff, 32);
}

static inline void pcr_extend(uint8_t pcr[32], const uint8_t digest[32])
{
	uint8_t both[64];

	memcpy(both, pcr, 32);
	memcpy(both + 32, digest, 32);
	SHA256(both, 64, pcr);
}

/* @digest: that the PCR was extended by, if the type extends one */
static inline void log_event(struct made_log *l, uint32_t pcr, uint32_t type,
			     const uint8_t digest[32], const void *data, size_t len)
{
	uint8_t sha1[20];

	SHA1(data, len, sha1);
	log_le(l, pcr, 4);
	log_le(l, type, 4);
	log_le(l, 2, 4);
	log_le(l, 4, 2);
	log_put(l, sha1, 20);
	log_le(l, 0xb, 2);
	log_put(l, digest, 32);
	log_le(l, len, 4);
	log_put(l, data, len);
	l->events++;
	if (type != EV_NO_ACTION)
		pcr_extend(l->pcr[pcr], digest);
}

static inline void log_hashed(struct made_log *l, uint32_t pcr, uint32_t type, const void *data,
			      size_t len)
{
	uint8_t digest[32];

	SHA256(data, len, digest);
	log_event(l, pcr, type, digest, data, len);
}

/* UEFI_VARIABLE_DATA; its length */
static inline size_t put_variable(uint8_t *out, const char *guid, const char *name,
				  const void *data, size_t len)
{
	size_t n = strlen(name);

	memset(out, 0, 32 + 2 * n);
	memcpy(out, guid, 16);
	out[16] = (uint8_t)n;
	out[24] = (uint8_t)len;
	out[25] = (uint8_t)(len >> 8);
	for (size_t i = 0; i < n; i++)
		out[32 + 2 * i] = (uint8_t)name[i];
	memcpy(out + 32 + 2 * n, data, len);
	return 32 + 2 * n + len;
}

static inline void log_variable(struct made_log *l, const char *guid, const char *name,
				const void *data, size_t len)
{
	uint8_t event[1024];

	log_hashed(l, 7, EV_CONFIG, event, put_variable(event, guid, name, data, len));
}

/* ---- a boot with Secure Boot: events 1, 2 to 6, 7, 8, and 9 and 10 of PCR 4 */

static inline void log_keys(struct made_log *l, uint8_t secure_boot)
{
	log_hashed(l, 0, EV_CRTM, "1", 1);
	log_variable(l, GUID_GLOBAL, "SecureBoot", &secure_boot, 1);
	log_variable(l, GUID_GLOBAL, "PK", "the platform's key", 18);
	log_variable(l, GUID_GLOBAL, "KEK", "keys of keys", 12);
	log_variable(l, GUID_IMAGES, "db", "keys", 4);
	log_variable(l, GUID_IMAGES, "dbx", "no keys", 7);
}

static inline void log_rest(struct made_log *l)
{
	log_hashed(l, 7, EV_SEPARATOR, "\0\0\0", 4);
	log_hashed(l, 7, EV_AUTHORITY, "key", 3);
	log_hashed(l, 4, EV_ACTION, "Calling EFI Application from Boot Option", 40);
	log_hashed(l, 4, EV_SEPARATOR, "\0\0\0", 4);
}

static inline void log_genuine(struct made_log *l)
{
	log_begin(l);
	log_keys(l, 1);
	log_rest(l);
}

#endif /* MAKE_LOG_H */
