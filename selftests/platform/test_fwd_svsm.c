// SPDX-License-Identifier: GPL-2.0
/* cvm-fwd as SVSM: what it attests, what it refuses, and its lies. */
#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>

#include "fw_client.h"

#define ALL		(1ULL << 32)
#define SINGLE		(ALL | 1)
#define UNTOUCHED	(~0ULL)

#define INCOMPLETE	0x80000000
#define NO_PROTOCOL	0x80000001
#define NO_CALL		0x80000002
#define INVALID		0x80000005
#define BUSY		0x80000007

#define REPORT_LEN	1184
#define REPORT_VMPL	0x30
#define REPORT_DATA	0x50

/* as they are written: the first three fields big-endian */
#define TABLE	"63849ebb-3d92-4670-a1ff-58f9c94b87bb"
#define VTPM	"c476f1eb-0123-45a5-9641-b4e7dde5bfe3"
#define CLOCK	"5d8a1c3e-6f0b-4b7e-9a52-0c71f3e8d246"

static struct fw_reply reply;

static void make_guid(const char *text, uint8_t guid[16])
{
	static const int order[16] = { 3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15 };
	unsigned int byte;

	for (int i = 0; i < 16; i++) {
		text += *text == '-';
		sscanf(text, "%2x", &byte);
		guid[order[i]] = (uint8_t)byte;
		text += 2;
	}
}

static const struct fw_svsm_answer *answer(void)
{
	return (const struct fw_svsm_answer *)reply.data;
}

static const uint8_t *report(void)
{
	return (const uint8_t *)(answer() + 1);
}

static const uint8_t *manifest(void)
{
	return report() + answer()->report_len;
}

static uint32_t word(const uint8_t *at)
{
	uint32_t value;

	memcpy(&value, at, sizeof(value));
	return value;
}

static struct fw_svsm_attest usual(uint64_t call)
{
	struct fw_svsm_attest ask = {
		.rax = call, .rcx = 0x1000, .rdx = UNTOUCHED, .r8 = UNTOUCHED,
		.report_len = 4096, .manifest_len = 4096, .certs_len = 16384, .nonce_len = 64,
	};

	memset(ask.nonce, 0x42, sizeof(ask.nonce));
	return ask;
}

/* RAX */
static uint64_t call(struct fwd_process *fwd, const struct fw_svsm_attest *ask)
{
	fw_call(fwd->fd, FW_SVSM_ATTEST, ask, sizeof(*ask), &reply);
	return answer()->rax;
}

static uint64_t single(struct fwd_process *fwd, const char *guid, uint32_t version)
{
	struct fw_svsm_attest ask = usual(SINGLE);

	make_guid(guid, ask.guid);
	ask.manifest_version = version;
	return call(fwd, &ask);
}

static uint64_t all(struct fwd_process *fwd)
{
	struct fw_svsm_attest ask = usual(ALL);

	return call(fwd, &ask);
}

/* what there is, is what the registers say, and the report is about it */
static bool bound(void)
{
	const struct fw_svsm_answer *a = answer();
	uint8_t bytes[64 + 4096], hash[64];

	if (reply.head.len != sizeof(*a) + a->report_len + a->manifest_len + a->certs_len ||
	    a->pending || a->r8 != REPORT_LEN || a->report_len != REPORT_LEN ||
	    a->rcx != a->manifest_len || a->rdx != a->certs_len || a->manifest_len > 4096)
		return false;
	memset(bytes, 0x42, 64);
	memcpy(bytes + 64, manifest(), a->manifest_len);
	EVP_Digest(bytes, 64 + a->manifest_len, hash, NULL, EVP_sha512(), NULL);
	return !memcmp(report() + REPORT_DATA, hash, 64);
}

/* an entry of the table of manifests holds what the service alone says */
static bool entry_is(struct fwd_process *fwd, const uint8_t *table, int i, const char *guid)
{
	const uint8_t *entry = table + 24 * (i + 1);
	uint32_t at = word(entry + 16), len = word(entry + 20);
	uint8_t expected[16];

	make_guid(guid, expected);
	return !memcmp(entry, expected, 16) && !single(fwd, guid, 0) &&
	       answer()->manifest_len == len && !memcmp(manifest(), table + at, len);
}

static void services(void)
{
	static const char *const options[] = { "vmpl=2", NULL };
	struct fwd_process fwd;
	uint8_t table[4096], guid[16];

	fwd_start(&fwd, options);
	ok(!all(&fwd) && bound(), "all services: a report about nonce and manifest");
	ok(word(report() + REPORT_VMPL) == 0, "of VMPL 0");
	ok(answer()->certs_len > 3000, "with certificates");
	memcpy(table, manifest(), answer()->manifest_len);
	make_guid(TABLE, guid);
	ok(!memcmp(table, guid, 16) && word(table + 16) == answer()->manifest_len &&
	   word(table + 20) == 2, "the manifest is a table of two");
	ok(entry_is(&fwd, table, 0, VTPM) && bound(), "the vTPM by itself says what is in it");
	ok(entry_is(&fwd, table, 1, CLOCK) && bound(), "so does the other");
	ok(!single(&fwd, CLOCK, 1) && bound() &&
	   memcmp(manifest(), table + word(table + 64), answer()->manifest_len),
	   "another form of a manifest is another manifest");
	ok(single(&fwd, VTPM, 1) == INVALID, "a form that it does not have");
	ok(single(&fwd, TABLE, 0) == INVALID && answer()->rdx == UNTOUCHED,
	   "a service that there is not: no lengths either");
	ok(fw_status(fwd.fd, "svsm_calls") == 6 && fw_status(fwd.fd, "svsm_attested") == 4,
	   "all that is counted");
	ok(!fw_status(fwd.fd, "ivs"), "the guest's keys have nothing to do with it");
	fw_set(fwd.fd, "certs=0");
	ok(!all(&fwd) && bound() && !answer()->certs_len, "a host without certificates");
	fwd_stop(&fwd, NULL, 0);
}

static uint64_t with_room(struct fwd_process *fwd, uint32_t report_len, uint32_t manifest_len,
			  uint32_t certs_len)
{
	struct fw_svsm_attest ask = usual(ALL);

	ask.report_len = report_len;
	ask.manifest_len = manifest_len;
	ask.certs_len = certs_len;
	return call(fwd, &ask);
}

static void sizes(void)
{
	static const char *const options[] = { "vmpl=1", NULL };
	struct fwd_process fwd;
	uint64_t manifest_len, certs_len;

	fwd_start(&fwd, options);
	ok(with_room(&fwd, 0, 0, 1) == INVALID && answer()->r8 == REPORT_LEN &&
	   answer()->rcx > 100 && answer()->rdx > 3000 && reply.head.len == sizeof(*answer()),
	   "no room: how much there should be");
	manifest_len = answer()->rcx;
	certs_len = answer()->rdx;
	ok(with_room(&fwd, REPORT_LEN - 1, 4096, 16384) == INVALID, "a byte less for the report");
	ok(with_room(&fwd, 4096, (uint32_t)manifest_len - 1, 16384) == INVALID, "the manifest");
	ok(with_room(&fwd, 4096, 4096, (uint32_t)certs_len - 1) == INVALID, "the certificates");
	ok(!with_room(&fwd, REPORT_LEN, (uint32_t)manifest_len, (uint32_t)certs_len) && bound(),
	   "exactly as much is enough");
	ok(!with_room(&fwd, 4096, 4096, 0) && bound() && !answer()->rdx,
	   "no certificates wanted, none given");
	fw_set(fwd.fd, "svsm_manifest=5000");
	ok(all(&fwd) == INVALID && answer()->rcx > 10000, "svsm_manifest= makes them longer");
	ok(!with_room(&fwd, 4096, (uint32_t)answer()->rcx, 16384) &&
	   answer()->manifest_len == answer()->rcx, "and then they are had");
	fw_set(fwd.fd, "svsm_manifest=49152");
	fw_set(fwd.fd, "certs_pages=32");
	ok(!with_room(&fwd, 4096, 1 << 20, 1 << 20) && answer()->certs_len == 32 * 4096,
	   "as large as they get");
	fwd_stop(&fwd, NULL, 0);
}

static void refusals(void)
{
	static const char *const options[] = { "vmpl=1", NULL };
	struct fw_svsm_attest ask = usual(ALL);
	struct fwd_process fwd;

	fwd_start(&fwd, options);
	ask.rax = 2ULL << 32;
	ok(call(&fwd, &ask) == NO_PROTOCOL, "another protocol");
	ask.rax = ALL | 2;
	ok(call(&fwd, &ask) == NO_CALL, "another call");
	ask.rax = ALL;
	ask.nonce_len = 63;
	ok(call(&fwd, &ask) == INVALID && answer()->rcx == 0x1000, "a shorter nonce");
	fw_set(fwd.fd, "svsm_busy_n=1 svsm_incomplete_n=1");
	ok(all(&fwd) == BUSY && all(&fwd) == INCOMPLETE && !all(&fwd),
	   "busy, not done, and then done");
	fw_set(fwd.fd, "busy_n=1");
	ok(all(&fwd) == BUSY && !all(&fwd), "a host that is busy keeps the SVSM busy");
	fw_set(fwd.fd, "svsm_error=0x80000006");
	ok(all(&fwd) == 0x80000006 && !all(&fwd), "svsm_error= once");
	fw_set(fwd.fd, "svsm_pending_n=1");
	all(&fwd);
	ok(answer()->pending && answer()->rax == ALL && !all(&fwd), "a host that does not run it");
	fw_set(fwd.fd, "report_status=0x16");
	ok(all(&fwd) == 0x80001000 && !all(&fwd), "a firmware that gives no report");
	fw_set(fwd.fd, "report_ms=7");
	ok(!all(&fwd) && reply.head.delay_ns >= 7000000, "it takes the firmware's time");
	fwd_stop(&fwd, NULL, 0);
}

static void lies(void)
{
	static const char *const options[] = { "vmpl=1", NULL };
	struct fwd_process fwd;

	fwd_start(&fwd, options);
	fw_set(fwd.fd, "svsm_lie=70000 svsm_lie_n=1");
	ok(!all(&fwd) && answer()->rcx == 70000 && answer()->manifest_len < 4096 && !all(&fwd) &&
	   bound(), "a wrong length, once");
	fw_set(fwd.fd, "svsm_liar=r8 svsm_lie=1 svsm_lie_n=1");
	ok(!all(&fwd) && answer()->r8 == 1, "of the report");
	fw_set(fwd.fd, "svsm_liar=rdx svsm_lie_n=1");
	ok(!all(&fwd) && answer()->rdx == 1, "of the certificates");
	fw_set(fwd.fd, "svsm_swap_n=1");
	ok(!all(&fwd) && !bound() && !all(&fwd) && bound(), "another manifest, once");
	fw_set(fwd.fd, "svsm_own_level_n=1");
	ok(!all(&fwd) && word(report() + REPORT_VMPL) == 1, "a report of the guest's own VMPL");
	fw_set(fwd.fd, "bad_report_data_n=1");
	ok(!all(&fwd) && !bound(), "a report about something else");
	fwd_stop(&fwd, NULL, 0);
}

static void none(void)
{
	struct fwd_process fwd;

	fwd_start(&fwd, NULL);
	all(&fwd);
	ok(answer()->pending, "at VMPL 0 there is no SVSM");
	fwd_stop(&fwd, NULL, 0);
}

int main(void)
{
	printf("TAP version 13\n");
	services();
	sizes();
	refusals();
	lies();
	none();
	plan();
}
