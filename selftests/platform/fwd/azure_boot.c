// SPDX-License-Identifier: GPL-2.0
/*
 * What firmware and boot loader would have measured before the guest's system runs, into the
 * TPM and a log of it, whose last version is the file event-log of the state directory: "TCG
 * PC Client Platform Firmware Profile". QEMU has a firmware of its own, which does it itself.
 */
#include <string.h>
#include <openssl/sha.h>

#include "azure.h"
#include "azure_front.h"
#include "cleanup.h"
#include "pki.h"

#define LOG_MAX		32768
#define NO_ACTION	0x3
#define SEPARATOR	0x4
#define CRTM_VERSION	0x8
#define IPL		0xd
#define VARIABLE_CONFIG	0x80000001
#define VARIABLE_BOOT	0x80000002
#define APPLICATION	0x80000003
#define GPT		0x80000006
#define ACTION		0x80000007
#define BLOB		0x80000008
#define AUTHORITY	0x800000e0

struct log {
	uint8_t bytes[LOG_MAX];
	size_t len;
	TSS2_RC rc;
};

static const struct bank {
	uint16_t algorithm, size;
	unsigned char *(*hash)(const unsigned char *data, size_t len, unsigned char *out);
} banks[] = {
	{ TPM2_ALG_SHA1, 20, SHA1 }, { TPM2_ALG_SHA256, 32, SHA256 },
	{ TPM2_ALG_SHA384, 48, SHA384 },
};

#define BANKS	(sizeof(banks) / sizeof(banks[0]))

static void put(struct log *log, const void *data, size_t len)
{
	if (len > sizeof(log->bytes) - log->len) {
		log->rc = TSS2_BASE_RC_INSUFFICIENT_BUFFER;
		return;
	}
	memcpy(log->bytes + log->len, data, len);
	log->len += len;
}

static void put_le(struct log *log, uint64_t value, unsigned int bytes)
{
	uint8_t out[8];

	for (unsigned int i = 0; i < bytes; i++)
		out[i] = (uint8_t)(value >> 8 * i);
	put(log, out, bytes);
}

/* TCG_EfiSpecIDEvent, of version 2.0, in an event of the old form */
static void put_header(struct log *log)
{
	static const uint8_t none[20];

	put_le(log, 0, 4);
	put_le(log, NO_ACTION, 4);
	put(log, none, sizeof(none));
	put_le(log, 28 + 4 * BANKS + 1, 4);
	put(log, "Spec ID Event03", 16);
	put_le(log, 0, 4);
	put(log, "\0\2\0\2", 4);
	put_le(log, BANKS, 4);
	for (size_t i = 0; i < BANKS; i++) {
		put_le(log, banks[i].algorithm, 2);
		put_le(log, banks[i].size, 2);
	}
	put_le(log, 0, 1);
}

/* the digests are of @hashed; @shown is what the log has of it */
static void measure_as(struct log *log, uint32_t pcr, uint32_t type, const void *hashed,
		       size_t hashed_len, const void *shown, size_t len)
{
	TPML_DIGEST_VALUES values = { .count = BANKS };

	put_le(log, pcr, 4);
	put_le(log, type, 4);
	put_le(log, BANKS, 4);
	for (size_t i = 0; i < BANKS; i++) {
		uint8_t *digest = (uint8_t *)&values.digests[i].digest;

		values.digests[i].hashAlg = banks[i].algorithm;
		banks[i].hash(hashed, hashed_len, digest);
		put_le(log, banks[i].algorithm, 2);
		put(log, digest, banks[i].size);
	}
	put_le(log, len, 4);
	put(log, shown, len);
	if (!log->rc)
		log->rc = Esys_PCR_Extend(azure_esys, ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD,
					  ESYS_TR_NONE, ESYS_TR_NONE, &values);
}

static void measure(struct log *log, uint32_t pcr, uint32_t type, const void *data, size_t len)
{
	measure_as(log, pcr, type, data, len, data, len);
}

static void measure_text(struct log *log, uint32_t pcr, uint32_t type, const char *text)
{
	measure(log, pcr, type, text, strlen(text));
}

/* ---- variables ---- */

static const uint8_t global[16] = { 0x61, 0xdf, 0xe4, 0x8b, 0xca, 0x93, 0xd2, 0x11, 0xaa, 0x0d,
				    0x00, 0xe0, 0x98, 0x03, 0x2b, 0x8c };
static const uint8_t images[16] = { 0xcb, 0xb2, 0x19, 0xd7, 0x3a, 0x3d, 0x96, 0x45, 0xa3, 0xbc,
				    0xda, 0xd0, 0x0e, 0x67, 0x65, 0x6f };
static const uint8_t x509_list[16] = { 0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5,
				       0xab, 0x15, 0x5c, 0x2b, 0xf0, 0x72 };
static const uint8_t sha256_list[16] = { 0x26, 0x16, 0xc4, 0xc1, 0x4c, 0x50, 0x92, 0x40, 0xac,
					 0xa9, 0x41, 0xf9, 0x36, 0x93, 0x43, 0x28 };

static void measure_variable(struct log *log, uint32_t pcr, uint32_t type, const uint8_t guid[16],
			     const char *name, const void *data, size_t len)
{
	struct log event = { 0 };

	put(&event, guid, 16);
	put_le(&event, strlen(name), 8);
	put_le(&event, len, 8);
	for (const char *c = name; *c; c++)
		put_le(&event, (uint8_t)*c, 2);
	put(&event, data, len);
	if (event.rc)
		log->rc = event.rc;
	else
		measure(log, pcr, type, event.bytes, event.len);
}

/* EFI_SIGNATURE_LIST of one entry, whose owner is nobody */
static void put_list(struct log *out, const uint8_t type[16], const void *entry, size_t len)
{
	static const uint8_t owner[16];

	put(out, type, 16);
	put_le(out, 28 + sizeof(owner) + len, 4);
	put_le(out, 0, 4);
	put_le(out, sizeof(owner) + len, 4);
	put(out, owner, sizeof(owner));
	put(out, entry, len);
}

/* a certificate for each: one of them is as good as another to who boots nothing */
static int measure_keys(struct log *log, const struct fwd *fwd)
{
	static const uint8_t revoked[32] = { 0x80, 0xb4, 0xd9, 0x69 };
	const uint8_t on = azure_config.secure_boot;
	struct log keys = { 0 }, dbx = { 0 };
	struct pki_cert authority;

	if (azure_get_authority(fwd, &authority))
		return -1;
	put_list(&keys, x509_list, authority.der, (size_t)authority.der_len);
	put_list(&dbx, sha256_list, revoked, sizeof(revoked));
	pki_free(&authority);
	measure_variable(log, 7, VARIABLE_CONFIG, global, "SecureBoot", &on, 1);
	measure_variable(log, 7, VARIABLE_CONFIG, global, "PK", keys.bytes, keys.len);
	measure_variable(log, 7, VARIABLE_CONFIG, global, "KEK", keys.bytes, keys.len);
	measure_variable(log, 7, VARIABLE_CONFIG, images, "db", keys.bytes, keys.len);
	measure_variable(log, 7, VARIABLE_CONFIG, images, "dbx", dbx.bytes, dbx.len);
	measure(log, 7, SEPARATOR, "\0\0\0", 4);
	/* the entry that the boot loader was checked by */
	if (on)
		measure_variable(log, 7, AUTHORITY, images, "db", keys.bytes + 28, keys.len - 28);
	return 0;
}

/* ---- the boot ---- */

static int measure_boot(struct log *log, const struct fwd *fwd)
{
	static const char line[] = "kernel_cmdline: root=LABEL=root ro";

	put_header(log);
	measure(log, 0, CRTM_VERSION, "s\0i\0m\0\0", 8);
	measure_as(log, 0, BLOB, "the simulated firmware", 22, "\0\0\xe0\xff\0\0\0\0\0\0\x20\0\0\0\0", 16);
	if (measure_keys(log, fwd))
		return -1;
	measure_variable(log, 1, VARIABLE_BOOT, global, "BootOrder", "\0", 2);
	measure_text(log, 4, ACTION, "Calling EFI Application from Boot Option");
	for (uint32_t pcr = 0; pcr < 7; pcr++)
		measure(log, pcr, SEPARATOR, "\0\0\0", 4);
	measure_text(log, 5, GPT, "EFI PART: a disk of one partition");
	measure_as(log, 4, APPLICATION, "the simulated boot loader", 25, "\\EFI\\BOOT\\BOOTX64.EFI", 21);
	measure_as(log, 8, IPL, line, strlen(line), line, sizeof(line));
	measure_as(log, 9, IPL, "the simulated kernel", 20, "/boot/vmlinuz", 14);
	measure_text(log, 5, ACTION, "Exit Boot Services Invocation");
	measure_text(log, 5, ACTION, "Exit Boot Services Returned with Success");
	return 0;
}

static int keep(const struct log *log, const struct fwd *fwd)
{
	int lock __clean(fd) = pki_lock(fwd->state_dir);

	return lock < 0 ? -1 : pki_save_file(fwd->state_dir, "event-log", log->bytes, log->len);
}

int azure_measure(struct fwd *fwd)
{
	struct log log = { 0 };

	if (front_has_firmware())
		return 0;
	if (measure_boot(&log, fwd) || log.rc) {
		fprintf(stderr, "cvm-fwd: the boot cannot be measured: %08xh\n", log.rc);
		return -1;
	}
	return keep(&log, fwd);
}
