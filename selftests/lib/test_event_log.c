// SPDX-License-Identifier: GPL-2.0
/*
 * The reader of event logs, and what a log leads to. Inputs are copied to allocations of
 * exactly their length, so that a build with SAN=1 sees a read of one byte too many.
 */
#include <errno.h>
#include <stdio.h>

#include "formats/detect.h"
#include "make_log.h"
#include "tap.h"
#include "verify/boot_log.h"

#define HEADER	69	/* bytes of it in what log_begin() makes */

static int replay(const uint8_t *data, size_t len, struct cvm_boot_log *boot,
		  struct cvm_format_error *err)
{
	uint8_t *copy = malloc(len ? len : 1);
	int ret;

	if (len)
		memcpy(copy, data, len);
	ret = cvm_boot_log_replay((struct cvm_span){ copy, len }, boot, err);
	free(copy);
	return ret;
}

/* ---- what a genuine one leads to */

static void test_genuine(void)
{
	struct cvm_format_error err;
	struct cvm_boot_log boot;
	struct made_log l;
	uint8_t digest[32];
	bool good = true;

	log_genuine(&l);
	check(!replay(l.bytes, l.len, &boot, &err), "a log");
	check_is(boot.count, l.events, "its events");
	for (int i = 0; i < 24; i++)
		good = good && !memcmp(boot.pcr[i], l.pcr[i], 32);
	check(good, "all PCRs are as the TPM's");
	check(boot.events[0] == 1 && boot.events[4] == 2 && boot.events[7] == 7 && !boot.events[5],
	      "events of each PCR");
	check_is(boot.separator, 7, "where the firmware ends");
	check(!boot.unfounded, "nothing that is not what it says");
	for (unsigned int i = 0; i < CVM_BOOT_VARIABLES; i++)
		good = good && boot.variable[i].number == i + 2 && !boot.variable[i].again;
	check(good, "each variable once");
	SHA256((const uint8_t *)"keys", 4, digest);
	check(boot.variable[CVM_BOOT_SECURE_BOOT].is_one &&
	      !memcmp(boot.variable[CVM_BOOT_DB].digest, digest, 32), "and what they are");
	check(cvm_format_detect(l.bytes, l.len) == CVM_FORMAT_EVENT_LOG, "its kind is seen");
	log_hashed(&l, 7, EV_SEPARATOR, "\0\0\0", 4);
	check(!replay(l.bytes, l.len, &boot, &err) && boot.separator == 7,
	      "it ends there once, whatever comes later");
	log_begin(&l);
	check(!replay(l.bytes, l.len, &boot, &err) && !boot.count && !boot.separator,
	      "a log without events");
}

/* each event ends somewhere, and only there */
static void test_cut(void)
{
	struct cvm_format_error err;
	struct cvm_boot_log boot;
	struct made_log l;
	size_t taken = 0, wrong = 0;

	log_genuine(&l);
	for (size_t len = 0; len < l.len; len++) {
		int ret = replay(l.bytes, len, &boot, &err);

		taken += !ret;
		wrong += ret && (ret != -EBADMSG || err.offset > len || !err.field);
	}
	check_is(taken, l.events, "cut short, it is a log only where an event ends");
	check(!wrong, "else it says where it stopped");
}

/* ---- what is no log */

static void first_pcr(struct made_log *l) { l->bytes[0] = 1; }
static void first_type(struct made_log *l) { l->bytes[4] = 8; }
static void first_size(struct made_log *l) { l->bytes[31] = 1; }
static void small_size(struct made_log *l) { l->bytes[28] = 28; }
static void signature(struct made_log *l) { l->bytes[32 + 14] = '2'; }
static void no_banks(struct made_log *l) { l->bytes[32 + 24] = 0; }
static void nine_banks(struct made_log *l) { l->bytes[32 + 24] = 9; }
static void three_banks(struct made_log *l) { l->bytes[32 + 24] = 3; }
static void endless_banks(struct made_log *l) { memset(l->bytes + 32 + 24, 0xff, 4); }
static void same_bank(struct made_log *l) { l->bytes[32 + 28] = 0xb; l->bytes[32 + 30] = 32; }
static void bank_size(struct made_log *l) { l->bytes[32 + 34] = 20; }
static void other_bank(struct made_log *l) { l->bytes[32 + 32] = 0x12; }
static void odd_bank(struct made_log *l) { l->bytes[32 + 28] = 0x77; l->bytes[32 + 30] = 65; }
static void null_bank(struct made_log *l) { l->bytes[32 + 28] = 0x77; l->bytes[32 + 30] = 0; }
static void vendor(struct made_log *l) { l->bytes[32 + 36] = 1; }
static void pcr_24(struct made_log *l) { l->bytes[HEADER] = 24; }
static void three_digests(struct made_log *l) { l->bytes[HEADER + 8] = 3; }
static void many_digests(struct made_log *l) { memset(l->bytes + HEADER + 8, 0xff, 4); }
static void same_digests(struct made_log *l) { l->bytes[HEADER + 34] = 4; }
static void other_digest(struct made_log *l) { l->bytes[HEADER + 12] = 0xc; }
static void event_size(struct made_log *l) { l->bytes[HEADER + 71] = 0xff; }
static void trailing(struct made_log *l) { l->len += 11; }

/* an event of SHA-1 alone, with nothing in it */
static void no_sha256(struct made_log *l)
{
	log_le(l, 4, 4);
	log_le(l, EV_SEPARATOR, 4);
	log_le(l, 1, 4);
	log_le(l, 4, 2);
	l->len += 20;
	log_le(l, 0, 4);
}

static const struct {
	const char *name;
	void (*spoil)(struct made_log *l);
	const char *field;
} malformed[] = {
	{ "a header of PCR 1", first_pcr, "pcrIndex" },
	{ "a header that is another event", first_type, "eventType" },
	{ "a header that is longer than the log", first_size, "eventDataSize" },
	{ "a header that has no room", small_size, "eventDataSize" },
	{ "a header of version 02", signature, "signature" },
	{ "no algorithms", no_banks, "numberOfAlgorithms" },
	{ "nine algorithms", nine_banks, "numberOfAlgorithms" },
	{ "an algorithm more than there is", three_banks, "numberOfAlgorithms" },
	{ "endlessly many", endless_banks, "numberOfAlgorithms" },
	{ "an algorithm twice", same_bank, "algorithmId" },
	{ "digests of SHA-256 that are too short", bank_size, "digestSize" },
	{ "digests of 65 bytes", odd_bank, "digestSize" },
	{ "digests of no bytes", null_bank, "digestSize" },
	{ "no SHA-256", other_bank, "algorithms" },
	{ "what the vendor has to say, longer than the header", vendor, "vendorInfoSize" },
	{ "an event of PCR 24", pcr_24, "pcrIndex" },
	{ "a digest more than there are banks", three_digests, "digests.count" },
	{ "endlessly many digests", many_digests, "digests.count" },
	{ "two digests of one bank", same_digests, "hashAlg" },
	{ "a digest of no bank", other_digest, "hashAlg" },
	{ "an event that is longer than the log", event_size, "eventSize" },
	{ "an event without a digest of SHA-256", no_sha256, "digests" },
	{ "bytes behind the last event", trailing, "event" },
};

static void test_malformed(void)
{
	struct cvm_format_error err;
	struct cvm_boot_log boot;
	struct made_log l;

	for (size_t i = 0; i < sizeof(malformed) / sizeof(malformed[0]); i++) {
		log_genuine(&l);
		malformed[i].spoil(&l);
		if (!check(replay(l.bytes, l.len, &boot, &err) == -EBADMSG &&
			   !strcmp(err.field, malformed[i].field), "refused: %s", malformed[i].name))
			printf("# %s\n", err.field);
	}
}

static void test_huge(void)
{
	const size_t size = CVM_EVENT_LOG_MAX - HEADER - 72;
	uint8_t *log = calloc(1, CVM_EVENT_LOG_MAX + 1);
	struct cvm_format_error err;
	struct cvm_boot_log boot;
	struct made_log l;

	/* one event that has all the rest in it */
	log_genuine(&l);
	memcpy(log, l.bytes, HEADER + 72);
	log[HEADER + 68] = (uint8_t)size;
	log[HEADER + 69] = (uint8_t)(size >> 8);
	log[HEADER + 70] = (uint8_t)(size >> 16);
	check(!replay(log, CVM_EVENT_LOG_MAX, &boot, &err) && boot.count == 1, "a log of 256 KiB");
	check(replay(log, CVM_EVENT_LOG_MAX + 1, &boot, &err) == -EBADMSG &&
	      !strcmp(err.field, "event log"), "refused: a byte more");
	free(log);
}

/* ---- what is in it */

static void test_no_action(void)
{
	static const uint8_t zeros[32];
	struct cvm_format_error err;
	struct cvm_boot_log boot;
	struct made_log l;
	uint8_t pcr[32] = { [31] = 3 }, digest[32];

	log_begin(&l);
	log_event(&l, 0, EV_NO_ACTION, zeros, "StartupLocality\0\3", 17);
	log_hashed(&l, 0, EV_CRTM, "1", 1);
	log_event(&l, 0, EV_NO_ACTION, zeros, "StartupLocality\0\4", 17);
	SHA256((const uint8_t *)"1", 1, digest);
	pcr_extend(pcr, digest);
	check(!replay(l.bytes, l.len, &boot, &err) && !memcmp(boot.pcr[0], pcr, 32) &&
	      boot.count == 3 && boot.events[0] == 1, "PCR 0 begins with who started the TPM");
	log_begin(&l);
	log_event(&l, UINT32_MAX, EV_NO_ACTION, zeros, "NvIndexInstance", 16);
	check(!replay(l.bytes, l.len, &boot, &err) && boot.count == 1,
	      "what is no measurement may be of no PCR");
	log_begin(&l);
	log_event(&l, 7, EV_NO_ACTION, zeros, "StartupLocality\0\3", 17);
	log_event(&l, 0, EV_NO_ACTION, zeros, "StartupLocality\0", 16);
	log_event(&l, 0, EV_NO_ACTION, zeros, "StartupLocalitY\0\3", 17);
	check(!replay(l.bytes, l.len, &boot, &err) && !boot.events[7] && !boot.events[0] &&
	      !memcmp(boot.pcr[7], zeros, 32) && !memcmp(boot.pcr[0], zeros, 32),
	      "nothing else does that, or extends anything");
}

/* The first variable that is named so, of UEFI_VARIABLE_DATA with one thing changed */
static int parse_variable(size_t at, uint8_t value, size_t more, enum cvm_boot_variable *which)
{
	struct cvm_efi_variable variable;
	struct cvm_format_error err;
	uint8_t event[64];
	size_t len = put_variable(event, GUID_IMAGES, "db", "keys", 4);
	uint8_t *copy = malloc(len + more);
	int ret;

	event[at] = value;
	memset(copy, 0, len + more);
	memcpy(copy, event, len);
	ret = cvm_efi_variable_parse(copy, len + more, &variable, &err);
	*which = ret ? CVM_BOOT_VARIABLES : cvm_boot_variable_of(&variable);
	free(copy);
	return ret;
}

static void test_variables(void)
{
	struct cvm_efi_variable variable;
	struct cvm_format_error err;
	enum cvm_boot_variable which;

	check(!parse_variable(0, 0xcb, 0, &which) && which == CVM_BOOT_DB, "db");
	check(!parse_variable(0, 0xcc, 0, &which) && which == CVM_BOOT_VARIABLES,
	      "db of somebody else");
	check(!parse_variable(33, 1, 0, &which) && which == CVM_BOOT_VARIABLES, "another letter");
	check(parse_variable(16, 5, 0, &which) == -EBADMSG, "a name that is too long");
	check(parse_variable(23, 0x80, 0, &which) == -EBADMSG, "one whose bytes are more than there are");
	check(parse_variable(16, 1, 0, &which) == -EBADMSG, "a name that is too short");
	check(parse_variable(24, 3, 0, &which) == -EBADMSG, "bytes that are read by nobody");
	check(parse_variable(24, 5, 0, &which) == -EBADMSG, "fewer bytes than it says");
	check(parse_variable(31, 1, 0, &which) == -EBADMSG, "more than there can be");
	check(parse_variable(0, 0xcb, 1, &which) == -EBADMSG, "a byte more");
	check(cvm_efi_variable_parse("", 0, &variable, &err) == -EBADMSG, "nothing");
	check(!strcmp(cvm_boot_variable_name(CVM_BOOT_VARIABLES), "unknown"), "no name");
}

/* ---- why a PCR is another */

static void explains(struct made_log *l, uint32_t pcr, const char *why, const char *name)
{
	char text[320];

	cvm_boot_log_explain((struct cvm_span){ l->bytes, l->len }, pcr, l->pcr[pcr], text,
			     sizeof(text));
	if (!check(strstr(text, why), "explained: %s", name))
		printf("# %s\n", text);
}

static void test_explained(void)
{
	static const uint8_t extended[32] = { 1 };
	uint8_t *db, kept[32];
	struct made_log l;

	log_begin(&l);
	log_keys(&l, 1);
	memcpy(kept, l.pcr[7], 32);
	log_rest(&l);
	memcpy(l.pcr[7], kept, 32);
	explains(&l, 7, "event 7 (EV_SEPARATOR) and what follows", "an event that was not measured");
	log_genuine(&l);
	memset(l.pcr[7], 0, 32);
	explains(&l, 7, "event 2 (EV_EFI_VARIABLE_DRIVER_CONFIG, SecureBoot) and what follows",
		 "nothing was measured");
	log_genuine(&l);
	pcr_extend(l.pcr[7], extended);
	explains(&l, 7, "after none of its events", "somebody has extended it later");
	log_genuine(&l);
	db = memmem(l.bytes, l.len, "d\0b\0keys", 8);
	db[-32 - 4 - 1] ^= 1;
	explains(&l, 7, "event 5 (EV_EFI_VARIABLE_DRIVER_CONFIG, db) has a digest that is not",
		 "a digest that was changed");
	log_genuine(&l);
	log_event(&l, 14, 0x7777, extended, "", 0);
	memset(l.pcr[14], 0, 32);
	explains(&l, 14, "event 11 (0x00007777) and what", "an event of no known type");
}

int main(void)
{
	test_genuine();
	test_cut();
	test_malformed();
	test_huge();
	test_no_action();
	test_variables();
	test_explained();
	return tap_end();
}
