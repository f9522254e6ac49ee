// SPDX-License-Identifier: GPL-2.0
/*
 * cvm-fwd as SNP firmware, message by message: what is answered, what is
 * refused with which code and that a refusal does not count, and the IV log.
 */
#include <stdio.h>
#include <string.h>

#include "fw_client.h"

#define INVALID_LEN	0x04
#define BAD_MEASUREMENT	0x0b
#define INVALID_PARAM	0x16
#define AEAD_OFLOW	0x1d
#define INVALID_KEY	0x27

static struct fw_reply reply;

static const struct report_req plain_req = { .report_data = { 1, 2, 3 } };

static uint32_t u32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static void round_trip(void)
{
	struct fwd_process fwd;
	uint8_t body[1216];
	unsigned int i, good = 0;

	fwd_start(&fwd, NULL);
	ok(!guest_report(&fwd, 0, &plain_req, body), "a report request is answered");
	ok(!u32(body) && u32(body + 4) == 1184 && !memcmp(body + 0x20 + 0x50, &plain_req, 64),
	   "status, size and REPORT_DATA of the answer");
	for (i = 0; i < 4; i++) {
		struct report_req req = { .vmpl = i };

		good += !guest_report(&fwd, i, &req, body) && u32(body + 0x20 + 0x30) == i;
	}
	ok(good == 4, "each VMPCK gets a report of its VMPL");
	ok(fw_status(fwd.fd, "msg_count_0") == 4 && fw_status(fwd.fd, "msg_count_3") == 2,
	   "messages are counted for each VMPCK");
	ok(!fwd_stop(&fwd, NULL, 0), "nothing to complain about");
}

/* how a message is spoilt: before or after it is sealed */
enum spoil {
	ALGO, HDR_VERSION, HDR_SIZE, RESERVED1, RESERVED2, RESERVED3, TAG_TAIL, VMPCK, TYPE_CPUID,
	TYPE_UNKNOWN, VERSION_0, VERSION_2, SIZE_SHORT, SIZE_LONG, SIZE_HUGE, SEQNO_0, SEQNO_SKIP,
	SEQNO_2_64, TAG, CIPHERTEXT, AAD_CHANGED, OTHER_KEY, NOT_SEALED, SPOILS,
};

static const struct {
	const char *name;
	uint32_t error;
} spoils[SPOILS] = {
	[ALGO] = { "unknown algorithm", INVALID_PARAM },
	[HDR_VERSION] = { "header version 2", INVALID_PARAM },
	[HDR_SIZE] = { "header size 0x61", INVALID_PARAM },
	[RESERVED1] = { "reserved bytes after the sequence number", INVALID_PARAM },
	[RESERVED2] = { "reserved bytes after the size", INVALID_PARAM },
	[RESERVED3] = { "reserved bytes at the header's end", INVALID_PARAM },
	[TAG_TAIL] = { "more than 16 bytes of tag", INVALID_PARAM },
	[VMPCK] = { "VMPCK 4", INVALID_PARAM },
	[TYPE_CPUID] = { "message type 1", INVALID_PARAM },
	[TYPE_UNKNOWN] = { "message type 0x7f", INVALID_PARAM },
	[VERSION_0] = { "message version 0", INVALID_PARAM },
	[VERSION_2] = { "message version 2", INVALID_PARAM },
	[SIZE_SHORT] = { "a byte too few", INVALID_LEN },
	[SIZE_LONG] = { "a byte too many", INVALID_LEN },
	[SIZE_HUGE] = { "size beyond the page", INVALID_PARAM },
	[SEQNO_0] = { "sequence number 0", AEAD_OFLOW },
	[SEQNO_SKIP] = { "sequence number 3", AEAD_OFLOW },
	[SEQNO_2_64] = { "sequence number 2^64-1", AEAD_OFLOW },
	[TAG] = { "a bit of the tag flipped", BAD_MEASUREMENT },
	[CIPHERTEXT] = { "a bit of the ciphertext flipped", BAD_MEASUREMENT },
	[AAD_CHANGED] = { "type changed after sealing", BAD_MEASUREMENT },
	[OTHER_KEY] = { "sealed with VMPCK 1, sent as 0", BAD_MEASUREMENT },
	[NOT_SEALED] = { "plaintext", BAD_MEASUREMENT },
};

static void spoil_before(struct guest_msg *msg, enum spoil how)
{
	switch (how) {
	case ALGO: msg->algo = 2; break;
	case HDR_VERSION: msg->hdr_version = 2; break;
	case HDR_SIZE: msg->hdr_size = 0x61; break;
	case RESERVED1: msg->reserved1[7] = 1; break;
	case RESERVED2: msg->reserved2 = 1; break;
	case RESERVED3: msg->reserved3[34] = 1; break;
	case VMPCK: msg->vmpck = 4; break;
	case TYPE_CPUID: msg->type = 1; break;
	case TYPE_UNKNOWN: msg->type = 0x7f; break;
	case VERSION_0: msg->version = 0; break;
	case VERSION_2: msg->version = 2; break;
	case SIZE_SHORT: msg->size--; break;
	case SIZE_LONG: msg->size++; break;
	case SIZE_HUGE: msg->size = 0xffff; break;
	case SEQNO_0: msg->seqno = 0; break;
	case SEQNO_SKIP: msg->seqno = 3; break;
	case SEQNO_2_64: msg->seqno = UINT64_MAX; break;
	default: break;
	}
}

static void spoil_after(struct guest_msg *msg, enum spoil how)
{
	switch (how) {
	case TAG_TAIL: msg->authtag[31] = 1; break;
	case TAG: msg->authtag[0] ^= 1; break;
	case CIPHERTEXT: msg->payload[95] ^= 0x80; break;
	case AAD_CHANGED: msg->type = 3; break;
	default: break;
	}
}

static void refusals(void)
{
	unsigned int how;

	for (how = 0; how < SPOILS; how++) {
		struct fwd_process fwd;
		struct guest_msg msg;
		uint64_t error, count;

		/* a new boot for each: two of these under one IV would be a violation */
		fwd_start(&fwd, NULL);
		guest_prepare(&fwd, &msg, 0, 5, 1, &plain_req, sizeof(plain_req));
		spoil_before(&msg, how);
		if (how != NOT_SEALED)
			guest_seal(&fwd, &msg, how == OTHER_KEY ? fwd.keys[1] : NULL);
		spoil_after(&msg, how);
		error = guest_issue(&fwd, &msg, -1, &reply);
		count = fw_status(fwd.fd, "msg_count_0");
		ok(error == spoils[how].error && !count && !snp_answer(&reply)->deliver &&
		   !fwd_stop(&fwd, NULL, 0), "refused with 0x%x: %s", spoils[how].error,
		   spoils[how].name);
	}
}

static void bodies(void)
{
	static const struct {
		const char *name;
		unsigned int vmpck;
		struct report_req req;
		uint32_t status;
	} cases[] = {
		{ "VMPCK 1 for VMPL 0", 1, { .vmpl = 0 }, INVALID_PARAM },
		{ "VMPCK 3 for VMPL 2", 3, { .vmpl = 2 }, INVALID_PARAM },
		{ "VMPCK 1 for VMPL 3", 1, { .vmpl = 3 }, 0 },
		{ "VMPL 4", 0, { .vmpl = 4 }, INVALID_PARAM },
		{ "reserved byte", 0, { .reserved[23] = 1 }, INVALID_PARAM },
		{ "KEY_SEL 1", 0, { .key_sel = 1 }, 0 },
		{ "KEY_SEL 2 without a VLEK", 0, { .key_sel = 2 }, INVALID_KEY },
		{ "KEY_SEL 3", 0, { .key_sel = 3 }, INVALID_PARAM },
		{ "reserved bits of KEY_SEL", 0, { .key_sel = 4 }, INVALID_PARAM },
	};
	static const uint8_t zero[1184];
	struct fwd_process fwd;
	uint8_t body[1216];
	size_t i;

	fwd_start(&fwd, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		memset(body, 0xff, sizeof(body));
		ok(!guest_report(&fwd, cases[i].vmpck, &cases[i].req, body) &&
		   u32(body) == cases[i].status &&
		   (!cases[i].status || (!u32(body + 4) && !memcmp(body + 0x20, zero, 1184))),
		   "report status 0x%x: %s", cases[i].status, cases[i].name);
	}
	ok(!fwd_stop(&fwd, NULL, 0), "a refusal inside an answer counts as a message");
}

static void iv_log(void)
{
	struct report_req other = { .report_data = { 9 } };
	struct fwd_process fwd;
	struct guest_msg msg, msg2;
	uint8_t body[1216];
	char text[1000] = "";

	fwd_start(&fwd, NULL);
	guest_prepare(&fwd, &msg, 2, 5, 1, &(struct report_req){ .vmpl = 2 }, 96);
	guest_seal(&fwd, &msg, NULL);
	fw_set(fwd.fd, "busy_n=3");
	guest_issue(&fwd, &msg, -1, &reply);
	guest_issue(&fwd, &msg, -1, &reply);
	guest_issue(&fwd, &msg, -1, &reply);
	ok(!guest_issue(&fwd, &msg, -1, &reply) && fw_status(fwd.fd, "iv_repeats") == 3,
	   "the same bytes three times while busy, then answered");
	ok(guest_issue(&fwd, &msg, -1, &reply) == AEAD_OFLOW,
	   "an answered message is out of sequence");
	ok(!fwd_stop(&fwd, text, sizeof(text)) && !*text, "repeating a ciphertext is no violation");

	fwd_start(&fwd, NULL);
	guest_prepare(&fwd, &msg, 0, 5, 1, &plain_req, 96);
	guest_prepare(&fwd, &msg2, 0, 5, 1, &other, 96);
	guest_seal(&fwd, &msg, NULL);
	guest_seal(&fwd, &msg2, NULL);
	fw_set(fwd.fd, "busy_n=1");
	guest_issue(&fwd, &msg, -1, &reply);
	guest_issue(&fwd, &msg2, -1, &reply);
	ok(fw_status(fwd.fd, "iv_reuse") == 1, "another plaintext under the IV is seen");
	ok(fwd_stop(&fwd, text, sizeof(text)) == 3 &&
	   strstr(text, "VIOLATION: IV 1 of VMPCK 0 carried two plaintexts"),
	   "IV reuse: message and exit status 3");

	fwd_start(&fwd, NULL);
	guest_report(&fwd, 0, &plain_req, body);
	fwd.seqno[0] = 1;	/* the next request goes under the answer's IV, 2 */
	guest_report(&fwd, 0, &plain_req, body);
	ok(fwd_stop(&fwd, text, sizeof(text)) == 3 && strstr(text, "IV 2 of VMPCK 0"),
	   "a request under an answer's IV is reuse, too");
}

static void sequence_end(void)
{
	struct fwd_process fwd;
	uint8_t body[1216];
	bool good;

	fwd_start(&fwd, (const char *[]){ "msg_count=0xfffffffffffffffd", NULL });
	fwd.seqno[0] = 0xfffffffffffffffdULL;
	good = !guest_report(&fwd, 0, &plain_req, body);
	ok(good && guest_report(&fwd, 0, &plain_req, body) == AEAD_OFLOW,
	   "the sequence number does not wrap");
	fwd_stop(&fwd, NULL, 0);
}

static void under_svsm(void)
{
	static const uint8_t zero[32];
	struct fwd_process fwd;
	uint8_t body[1216];

	fwd_start(&fwd, (const char *[]){ "vmpl=2", NULL });
	ok(!memcmp(fwd.keys[0], zero, 32) && !memcmp(fwd.keys[1], zero, 32) &&
	   memcmp(fwd.keys[2], zero, 32) && memcmp(fwd.keys[3], zero, 32),
	   "vmpl=2: VMPCK 0 and 1 are gone from the secrets page");
	ok(guest_report(&fwd, 0, &plain_req, body) == BAD_MEASUREMENT,
	   "and a zero key opens nothing");
	fwd_stop(&fwd, NULL, 0);
}

static void reproducible(void)
{
	const char *options[] = { "seed=0102", NULL };
	struct fwd_process a, b, c;

	fwd_start(&a, options);
	fwd_start(&b, options);
	fwd_start(&c, NULL);
	ok(!memcmp(a.keys, b.keys, sizeof(a.keys)), "seed= makes the VMPCKs reproducible");
	ok(memcmp(a.keys, c.keys, sizeof(a.keys)) && memcmp(a.keys[0], a.keys[1], 32),
	   "without it they are new for each boot");
	fwd_stop(&a, NULL, 0);
	fwd_stop(&b, NULL, 0);
	fwd_stop(&c, NULL, 0);
}

int main(void)
{
	printf("TAP version 13\n");
	round_trip();
	refusals();
	bodies();
	iv_log();
	sequence_end();
	under_svsm();
	reproducible();
	plan();
}
