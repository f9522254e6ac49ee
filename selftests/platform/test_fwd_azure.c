// SPDX-License-Identifier: GPL-2.0
/*
 * The simulated paravisor, as a program sees it that speaks to its TPM: when the
 * report is a new one, when it silently is not, and what makes it go wrong.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "fw_client.h"

#define OWNER		0x40000001
#define REPORT		0x01400001
#define INPUT		0x01400002
#define CLAIMS_AT	0x4d4
#define READ_WRITE	0x00060006	/* by the owner, and by its own authorisation */
#define NO_OWNER_READ	0x00040006

static struct fwd_process fwd;
static int tpm = -1;
static uint8_t report[2900], user_data[64];
static size_t report_len;

static uint32_t be(const uint8_t *in, int bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | *in++;
	return value;
}

static size_t put(uint8_t *out, uint32_t value, int bytes)
{
	for (int i = bytes; i--; value >>= 8)
		out[i] = (uint8_t)value;
	return (size_t)bytes;
}

/* ---- TPM commands, with the owner's empty password */

static uint32_t command(uint32_t code, const uint32_t *handles, size_t count,
			const uint8_t *params, size_t len, uint8_t *out)
{
	uint8_t bytes[512], head[10];
	size_t at = 0, size = 10 + 4 * count + 13 + len;

	at += put(bytes, 0x8002, 2);
	at += put(bytes + at, (uint32_t)size, 4);
	at += put(bytes + at, code, 4);
	for (size_t i = 0; i < count; i++)
		at += put(bytes + at, handles[i], 4);
	at += put(bytes + at, 9, 4);
	at += put(bytes + at, 0x40000009, 4);
	memset(bytes + at, 0, 5);
	memcpy(bytes + at + 5, params, len);
	if (send(tpm, bytes, size, MSG_NOSIGNAL) != (ssize_t)size ||
	    recv(tpm, head, sizeof(head), MSG_WAITALL) != sizeof(head))
		return UINT32_MAX;
	size = be(head + 2, 4) - sizeof(head);
	if (size > 4096 || (size && recv(tpm, out, size, MSG_WAITALL) != (ssize_t)size))
		return UINT32_MAX;
	return be(head + 6, 4);
}

static uint32_t define(uint32_t attributes, uint32_t size)
{
	const uint32_t owner = OWNER;
	uint8_t params[18], out[4096];
	size_t at = put(params, 0, 2);

	at += put(params + at, 14, 2);
	at += put(params + at, INPUT, 4);
	at += put(params + at, 0xb, 2);
	at += put(params + at, attributes, 4);
	at += put(params + at, 0, 2);
	at += put(params + at, size, 2);
	return command(0x12a, &owner, 1, params, at, out);
}

static uint32_t undefine(void)
{
	const uint32_t handles[] = { OWNER, INPUT };
	uint8_t out[4096];

	return command(0x122, handles, 2, NULL, 0, out);
}

/* new user-data each time */
static uint32_t stage(void)
{
	const uint32_t handles[] = { OWNER, INPUT };
	uint8_t params[68], out[4096];
	static uint8_t next;

	memset(user_data, ++next, sizeof(user_data));
	put(params, sizeof(user_data), 2);
	memcpy(params + 2, user_data, sizeof(user_data));
	put(params + 66, 0, 2);
	return command(0x137, handles, 2, params, sizeof(params), out);
}

/* the whole of the report's index, as it is divided by everybody */
static uint32_t read_report(void)
{
	const uint32_t handles[] = { OWNER, REPORT };
	uint8_t params[4], out[4096];
	size_t at = 0;
	uint32_t rc;

	while (at < report_len) {
		size_t n = report_len - at < 1024 ? report_len - at : 1024;

		put(params, (uint32_t)n, 2);
		put(params + 2, (uint32_t)at, 2);
		rc = command(0x14e, handles, 2, params, sizeof(params), out);
		if (rc)
			return rc;
		if (be(out + 4, 2) != n)
			return UINT32_MAX;
		memcpy(report + at, out + 6, n);
		at += n;
	}
	return 0;
}

/* ---- the report */

static size_t claims_len(void)
{
	return (size_t)report[0x4d0] | (size_t)report[0x4d1] << 8;
}

static bool is_for(const uint8_t data[64], bool upper)
{
	char hex[129];

	for (int i = 0; i < 64; i++)
		sprintf(hex + 2 * i, upper ? "%02X" : "%02x", data[i]);
	return memmem(report + CLAIMS_AT, claims_len(), hex, 128);
}

/* at 20h: an SNP report, whose REPORT_DATA is at 50h */
static bool claims_hold(void)
{
	uint8_t hash[64] = { 0 };

	EVP_Digest(report + CLAIMS_AT, claims_len(), hash, NULL, EVP_sha256(), NULL);
	return !memcmp(report + 0x20 + 0x50, hash, sizeof(hash));
}

static bool is_fresh(void)
{
	return !read_report() && claims_hold() && is_for(user_data, false);
}

static void wait_ms(unsigned int ms)
{
	const struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

/* a window that is over, and user-data for the next report */
static void stage_late(void)
{
	stage();
	wait_ms(320);
}

/* ---- a run */

static void start(const char *size, const char *more)
{
	static char where[120];
	/* the daemon's options are words, and one that begins with -- is of the loop */
	const char *const options[] = { "--tpm", where, "platform=azure-snp", "window_ms=300",
					size, more, NULL };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	snprintf(where, sizeof(where), "/tmp/test-fwd-tpm-%d", getpid());
	fwd_start(&fwd, options);
	tpm = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	strcpy(addr.sun_path, where);
	if (connect(tpm, (struct sockaddr *)&addr, sizeof(addr)))
		tpm = -1;
	report_len = (size_t)atoi(strchr(size, '=') + 1);
}

static void end(void)
{
	close(tpm);
	ok(!fwd_stop(&fwd, NULL, 0), "exit status 0");
}

static void test_sizes(void)
{
	static const char *const sizes[] = { "nv_size=2048", "nv_size=2600", "nv_size=2900" };

	for (int i = 0; i < 3; i++) {
		start(sizes[i], "hex_case=upper");
		ok(!read_report() && claims_hold(), "%s: a report from boot", sizes[i]);
		ok(!define(READ_WRITE, 64) && !stage(), "user-data");
		wait_ms(320);
		ok(!read_report() && claims_hold() && is_for(user_data, true),
		   "a report for it, in upper case");
		end();
	}
}

static void test_window(void)
{
	ok(!define(READ_WRITE, 64), "the input index");
	stage_late();
	ok(is_fresh(), "a report for what was staged");
	stage();
	ok(!is_fresh() && claims_hold(), "at once again: the old one, and success");
	ok(fw_status(fwd.fd, "hcl_stale") == 1, "that is counted");
	wait_ms(320);
	ok(is_fresh(), "later: the new one");
	stage_late();
	ok(fw_status(fwd.fd, "hcl_reports") == 2, "a write alone makes none");
}

static void test_input(void)
{
	static const uint8_t zero[64];

	undefine();
	wait_ms(320);
	ok(!read_report() && is_for(zero, false), "no input index: user-data is zero");
	define(READ_WRITE, 64);
	wait_ms(320);
	ok(!read_report() && is_for(zero, false), "nothing written: user-data is zero");
	undefine();
	define(READ_WRITE, 128);
	stage_late();
	ok(!read_report() && is_for(zero, false), "an index of 128 bytes: the old report");
	undefine();
	define(NO_OWNER_READ, 64);
	stage_late();
	ok(!read_report() && is_for(zero, false), "not the owner's to read: the old report");
	ok(fw_status(fwd.fd, "hcl_failed") == 2, "both are counted");
	undefine();
	define(READ_WRITE, 64);
}

static void test_faults(void)
{
	stage_late();
	fw_set(fwd.fd, "renewal_fails_n=1");
	ok(!is_fresh() && claims_hold(), "renewal_fails_n: the old one");
	fw_set(fwd.fd, "claims_hash_n=1");
	ok(!read_report() && is_for(user_data, false) && !claims_hold(), "claims_hash_n");
	stage_late();
	fw_set(fwd.fd, "other_user_data_n=1");
	ok(!read_report() && !is_for(user_data, false) && claims_hold(), "other_user_data_n");
	stage_late();
	fw_set(fwd.fd, "torn_n=1");
	ok(!read_report() && !claims_hold(), "torn_n: parts of two reports");
	fw_set(fwd.fd, "nv_rc=0x922 nv_rc_n=1");
	ok(read_report() == 0x922, "nv_rc");
	fw_set(fwd.fd, "nv_short_n=1");
	ok(read_report() == UINT32_MAX, "nv_short_n");
	fw_set(fwd.fd, "nv_length_n=1");
	ok(read_report() == UINT32_MAX, "nv_length_n");
	fw_set(fwd.fd, "report_ms=150");
	stage_late();
	wait_ms(320);
	ok(is_fresh(), "a report that takes its time");
}

static void test_reset(void)
{
	char was[400];
	const char *key = memmem(report + CLAIMS_AT, claims_len(), "\"n\":", 4);

	memcpy(was, key, sizeof(was));
	fw_set(fwd.fd, "vm_reset=now");
	ok(!read_report() && claims_hold() && !memmem(report, sizeof(report), was, sizeof(was)),
	   "after a reset of the VM, another AK");
}

int main(void)
{
	test_sizes();
	start("nv_size=2600", "hex_case=lower");
	test_window();
	test_input();
	test_faults();
	test_reset();
	end();
	start("nv_size=2600", "owner_password=1");
	ok(read_report() == 0x9a2, "an owner with a password: its empty one is refused");
	end();
	start("nv_size=2600", "nv_input=short");
	ok(stage() == 0x146, "what another tool has left is too short");
	end();
	plan();
}
