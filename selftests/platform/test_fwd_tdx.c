// SPDX-License-Identifier: GPL-2.0
/*
 * cvm-fwd as TDX module and quoting service: TDREPORTs beside real ones, RTMRs,
 * which TDREPORT gets a quote, and the host's misbehaviour. Offsets are
 * literal: they are the specification's, not cvm-fwd's.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/sha.h>

#include "fw_client.h"
#include "tdx_check.h"
#include "tdx_vectors.h"

#define ERROR		0x8000000000000000ULL
#define UNAVAILABLE	0x8000000000000001ULL
#define BUSY		0x8000020000000000ULL	/* TDCALL */
#define INVALID_RDX	0xc000010000000002ULL	/* TDCALL */
#define MS		1000000ULL

static struct fw_reply reply;
static const char *const tdx[] = { "platform=tdx", NULL };

static uint64_t get_report(int fd, const uint8_t data[64], uint8_t report[1024])
{
	fw_call(fd, FW_TDX_REPORT, data, 64, &reply);
	if (!reply.head.status && reply.head.len == 1024)
		memcpy(report, reply.data, 1024);
	return reply.head.status;
}

static uint64_t get_quote(int fd, const uint8_t report[1024])
{
	fw_call(fd, FW_TDX_QUOTE, report, 1024, &reply);
	return reply.head.status;
}

static bool is_hash(const uint8_t hash[48], const uint8_t *data, size_t len)
{
	uint8_t want[48];

	SHA384(data, len, want);
	return !memcmp(want, hash, 48);
}

/* what a TDREPORT's hashes are over: true for real ones, so it is the rule */
static bool hashes_good(const uint8_t *report)
{
	return is_hash(report + 32, report + 256, 239) && is_hash(report + 80, report + 512, 512);
}

/* KEY=hex of len bytes */
static bool set_bytes(int fd, const char *key, const uint8_t *bytes, size_t len)
{
	char text[200];
	int at = snprintf(text, sizeof(text), "%s=", key);
	size_t i;

	for (i = 0; i < len; i++)
		at += snprintf(text + at, sizeof(text) - (size_t)at, "%02x", bytes[i]);
	return fw_set(fd, text);
}

/* KEY=hex number of a little-endian u64 */
static bool set_number(int fd, const char *key, const uint8_t bytes[8])
{
	uint8_t reversed[8];
	int i;

	for (i = 0; i < 8; i++)
		reversed[i] = bytes[7 - i];
	return set_bytes(fd, key, reversed, 8);
}

/* every field of a real TDREPORT becomes an option of cvm-fwd */
static bool copy_fields(int fd, const uint8_t *real)
{
	static const struct {
		const char *key;
		unsigned int at, len;
	} fields[] = {
		{ "cpusvn", 16, 16 }, { "tee_tcb_svn", 264, 16 }, { "mrseam", 280, 48 },
		{ "mrsignerseam", 328, 48 }, { "tee_tcb_svn2", 384, 16 }, { "mrtd", 528, 48 },
		{ "mrconfigid", 576, 48 }, { "mrowner", 624, 48 }, { "mrownerconfig", 672, 48 },
		{ "rtmr0", 720, 48 }, { "rtmr1", 768, 48 }, { "rtmr2", 816, 48 },
		{ "rtmr3", 864, 48 }, { "servtd_hash", 912, 48 },
	};
	bool good = true;
	size_t i;

	for (i = 0; i < sizeof(fields) / sizeof(*fields); i++)
		good &= set_bytes(fd, fields[i].key, real + fields[i].at, fields[i].len);
	return good && set_number(fd, "seam_attributes", real + 376) &&
	       set_number(fd, "td_attributes", real + 512) && set_number(fd, "xfam", real + 520) &&
	       fw_set(fd, real[2] ? "tdreport_version=1" : "tdreport_version=0");
}

static void beside_real(const char *name)
{
	uint8_t *real, report[1024] = { 0 };
	struct fwd_process fwd;
	size_t len;

	real = vector(name, &len);
	if (!real)
		return;
	ok(len == 1024 && hashes_good(real), "%s: the hashes' ranges", name);
	fwd_start(&fwd, tdx);
	ok(copy_fields(fwd.fd, real), "%s: every field can be set", name);
	ok(!get_report(fwd.fd, real + 128, report) && !memcmp(report, real, 224) &&
	   !memcmp(report + 256, real + 256, 1024 - 256),
	   "%s: cvm-fwd makes the same TDREPORT but for the MAC", name);
	ok(memcmp(report + 224, real + 224, 32) != 0, "%s: the MAC is cvm-fwd's own", name);
	ok(!get_quote(fwd.fd, report), "%s: cvm-fwd's gets a quote", name);
	ok(get_quote(fwd.fd, real) == ERROR && !reply.head.len,
	   "%s: the real one, of another machine, gets none", name);
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");
	free(real);
}

/* TDX 1.0 has no second SVN and no service TDs, and says so */
static void versions(void)
{
	static const uint8_t zero[128];
	uint8_t data[64] = { 9 }, report[1024] = { 0 };
	struct fwd_process fwd;

	fwd_start(&fwd, tdx);
	get_report(fwd.fd, data, report);
	ok(report[0] == 0x81 && !report[1] && !report[2] && hashes_good(report) &&
	   !memcmp(report + 128, data, 64) && memcmp(report + 384, zero, 16) &&
	   !memcmp(report + 912, zero, 48), "TDX 1.5, version 0");
	fw_set(fwd.fd, "tdreport_version=1");
	get_report(fwd.fd, data, report);
	ok(report[2] == 1 && memcmp(report + 912, zero, 48) && hashes_good(report),
	   "version 1 has the hash of the service TDs");
	fw_set(fwd.fd, "td_version=10");
	get_report(fwd.fd, data, report);
	ok(!report[2] && !memcmp(report + 256, "\xff\x01\0\0\0\0\0\0", 8) &&
	   !memcmp(report + 384, zero, 111) && !memcmp(report + 912, zero, 112) &&
	   hashes_good(report), "TDX 1.0 knows neither");
	fwd_stop(&fwd, NULL, 0);
}

static uint64_t extend(int fd, uint32_t index, const uint8_t digest[48])
{
	uint8_t payload[4 + 48];

	memcpy(payload, &index, 4);
	memcpy(payload + 4, digest, 48);
	fw_call(fd, FW_TDX_RTMR, payload, sizeof(payload), &reply);
	return reply.head.status;
}

/* the register in a TDREPORT, before and after an extension by digest */
static bool extends(int fd, uint32_t index, uint8_t fill)
{
	uint8_t data[64] = { 0 }, before[1024], after[1024], both[96];

	get_report(fd, data, before);
	memcpy(both, before + 720 + 48 * index, 48);
	memset(both + 48, fill, 48);
	if (extend(fd, index, both + 48))
		return false;
	get_report(fd, data, after);
	if (!is_hash(after + 720 + 48 * index, both, 96) || !hashes_good(after))
		return false;
	/* nothing else of the TD has changed */
	memcpy(after + 720 + 48 * index, both, 48);
	return !memcmp(after + 512, before + 512, 512);
}

static void rtmrs(void)
{
	uint8_t data[64] = { 0 }, report[1024], again[1024];
	struct fwd_process fwd;
	uint32_t i;
	int fd;

	fwd_start(&fwd, tdx);
	get_report(fwd.fd, data, again);
	for (i = 0; i < 4; i++)
		ok(extends(fwd.fd, i, (uint8_t)(i + 1)), "RTMR%u: SHA-384 of old and new", i);
	ok(extends(fwd.fd, 3, 0xff), "RTMR3 once more");
	ok(extend(fwd.fd, 4, data) == INVALID_RDX &&
	   extend(fwd.fd, 0xffffffff, data) == INVALID_RDX,
	   "there is no RTMR4");
	get_report(fwd.fd, data, report);
	fd = fwd_connect(&fwd);
	ok(!get_report(fd, data, again) && !memcmp(again + 720, report + 720, 192),
	   "another client, as after a kexec, sees the same registers");
	fwd_stop(&fwd, NULL, 0);
	fwd_start(&fwd, tdx);
	get_report(fwd.fd, data, again);
	ok(memcmp(again + 720, report + 720, 48) && memcmp(again + 864, report + 864, 48),
	   "a new boot starts over");
	ok(get_quote(fwd.fd, report) == ERROR, "a TDREPORT of the boot before gets no quote");
	fwd_stop(&fwd, NULL, 0);
}

static void forgeries(void)
{
	/* type, CPUSVN, hashes, REPORTDATA, MAC, module, TD, its last byte */
	static const unsigned int at[] = { 0, 1, 2, 16, 32, 80, 128, 191, 192, 224, 255, 256, 280,
					   494, 512, 528, 864, 1023 };
	uint8_t data[64] = { 1 }, report[1024];
	struct fwd_process fwd;
	size_t i;

	fwd_start(&fwd, tdx);
	get_report(fwd.fd, data, report);
	ok(!get_quote(fwd.fd, report), "an untouched TDREPORT gets a quote");
	for (i = 0; i < sizeof(at) / sizeof(*at); i++) {
		report[at[i]] ^= 1;
		ok(get_quote(fwd.fd, report) == ERROR && !reply.head.len,
		   "one with byte %u changed gets none", at[i]);
		report[at[i]] ^= 1;
	}
	/* the hash fits again, but nobody but the CPU can fix the MAC */
	memset(report + 528, 0, 48);
	SHA384(report + 512, 512, report + 80);
	ok(get_quote(fwd.fd, report) == ERROR, "nor one with another MRTD and its hash");
	ok(fw_status(fwd.fd, "tdreports_refused") == i + 1, "they are counted");
	fwd_stop(&fwd, NULL, 0);
}

/* true: nothing comes for a while */
static bool silent(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return !poll(&pfd, 1, 300);
}

static bool verifies(const uint8_t *quote, size_t len, const uint8_t data[64], bool same)
{
	struct tdx_view view;
	bool good = !tdx_open(&view, quote, len) && !tdx_verify(&view, time(NULL)) &&
		    !memcmp(view.body + 520, data, 64) == same;

	tdx_close(&view);
	return good;
}

static void faults(void)
{
	uint8_t data[64] = { 5 }, report[1024];
	struct fwd_process fwd;
	uint32_t length;
	int fd;

	fwd_start(&fwd, tdx);
	fw_set(fwd.fd, "tdreport_busy_n=2");
	ok(get_report(fwd.fd, data, report) == BUSY && !reply.head.len &&
	   extend(fwd.fd, 2, data) == BUSY && !get_report(fwd.fd, data, report),
	   "tdreport_busy_n=");

	fw_set(fwd.fd, "quote_status=8000000000000001");
	ok(get_quote(fwd.fd, report) == UNAVAILABLE && !reply.head.len &&
	   !get_quote(fwd.fd, report), "quote_status= strikes once");
	fw_set(fwd.fd, "quote_status=123 quote_status_n=2");
	ok(get_quote(fwd.fd, report) == 0x123 && get_quote(fwd.fd, report) == 0x123 &&
	   !get_quote(fwd.fd, report), "or as often as quote_status_n= says");

	fw_set(fwd.fd, "quote_out_len=4294967295");
	ok(!get_quote(fwd.fd, report) && reply.head.flags == FW_OUT_LEN, "quote_out_len=");
	memcpy(&length, reply.data, 4);
	ok(length == 0xffffffff && verifies(reply.data + 4, reply.head.len - 4, data, true),
	   "the lie, and then the quote");
	fw_set(fwd.fd, "quote_out_len=0 quote_out_len_n=1");
	ok(!get_quote(fwd.fd, report) && reply.head.flags == FW_OUT_LEN &&
	   !memcmp(reply.data, "\0\0\0", 4) && !get_quote(fwd.fd, report) && !reply.head.flags,
	   "a length of nothing");

	fw_set(fwd.fd, "early_success=1");
	ok(!get_quote(fwd.fd, report) && reply.head.flags == FW_EARLY &&
	   verifies(reply.data, reply.head.len, data, true), "early_success=");
	fw_set(fwd.fd, "early_success=0 quote_bad_data_n=1");
	ok(!get_quote(fwd.fd, report) && !reply.head.flags &&
	   verifies(reply.data, reply.head.len, data, false),
	   "quote_bad_data_n=: a quote that verifies, for other REPORTDATA");
	ok(!get_quote(fwd.fd, report) && verifies(reply.data, reply.head.len, data, true),
	   "and the next is the one asked for");

	fd = fwd_connect(&fwd);
	fw_set(fwd.fd, "stuck_n=1");
	fw_send(fd, FW_TDX_QUOTE, 77, report, 1024);
	ok(silent(fd) && fw_status(fwd.fd, "quotes_stuck") == 1, "stuck_n=: no answer, ever");
	ok(!get_quote(fd, report), "the next is answered");
	fw_set(fwd.fd, "busy_n=1");
	ok(get_quote(fwd.fd, report) == UNAVAILABLE && !get_quote(fwd.fd, report),
	   "busy_n=: no quoting service");
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");
}

static void timing(void)
{
	uint8_t data[64] = { 5 }, report[1024];
	uint64_t delay[3];
	struct fwd_process fwd;
	int i;

	fwd_start(&fwd, tdx);
	get_report(fwd.fd, data, report);
	/* an hour's cost: what the test takes by itself does not matter */
	fw_set(fwd.fd, "quote_ms=1000000 parallel=2");
	for (i = 0; i < 3; i++) {
		get_quote(fwd.fd, report);
		delay[i] = reply.head.delay_ns / (1000 * MS);
	}
	ok(delay[0] == 1000 && delay[1] == 1000 && delay[2] > 1900 && delay[2] <= 2000 &&
	   !reply.head.flags, "two at once, the third waits; no vCPU stands still");
	ok(!get_report(fwd.fd, data, report) && !reply.head.delay_ns, "a TDREPORT waits for none");
	fwd_stop(&fwd, NULL, 0);
}

static void options(void)
{
	static const char *const in_hello[] = { "platform=tdx", "max_quotes=3", NULL };
	const struct fw_hello *hello = (const struct fw_hello *)reply.data;
	uint8_t data[64] = { 0 };
	struct fwd_process fwd;

	fwd_start(&fwd, in_hello);
	fw_call(fwd.fd, FW_HELLO, NULL, 0, &reply);
	ok(hello->platform == FW_PLATFORM_TDX && hello->max_quotes == 3, "max_quotes= in FW_HELLO");
	ok(!fw_set(fwd.fd, "max_quotes=4") && !fw_set(fwd.fd, "quote_version=6") &&
	   !fw_set(fwd.fd, "td_version=2") && !fw_set(fwd.fd, "mrtd=0g") &&
	   !fw_set(fwd.fd, "fmspc=00112233445566") && !fw_set(fwd.fd, "rtmr4=00"),
	   "options that make no sense are refused");
	fw_call(fwd.fd, FW_SIM_QUOTE, data, 64, &reply);
	ok(!reply.head.status && reply.head.len > 4000, "and change nothing");
	fwd_stop(&fwd, NULL, 0);
}

int main(void)
{
	beside_real("tdreport-v0.bin");
	beside_real("tdreport-v1.bin");
	versions();
	rtmrs();
	forgeries();
	faults();
	timing();
	options();
	plan();
}
