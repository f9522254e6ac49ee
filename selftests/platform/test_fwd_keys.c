// SPDX-License-Identifier: GPL-2.0
/* Derived keys of cvm-fwd: what goes into them, and what is refused. */
#include <stdio.h>
#include <string.h>

#include "fw_client.h"

#define TCB		0xdb18000000000004ULL	/* committed_tcb of these tests */
#define ALL_V1		0x3f
#define ALL_V2		0x7f
#define MIT		0x40

static const char *const machine[] = { "guest_svn=5", "committed_tcb=db18000000000004",
				       "launch_mit_vector=6", NULL };

static uint32_t u32(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

/* the status; a key only with 0 */
static uint32_t derive(struct fwd_process *fwd, struct key_req req, uint8_t version,
		       uint8_t key[32])
{
	static const uint8_t zero[32];
	uint8_t body[64];
	uint64_t error = guest_key(fwd, req.vmpl, &req, version, body);

	if (error)
		return 0x10000 | (uint32_t)error;
	memcpy(key, body + 32, 32);
	/* a key beside an error, or no key without one, is a fault of the test's subject */
	if (!u32(body) != !!memcmp(key, zero, 32))
		return UINT32_MAX;
	return u32(body);
}

static void mixing(struct fwd_process *fwd)
{
	static const struct {
		const char *name, *change, *back;
		uint64_t bit;
	} fields[] = {
		{ "policy", "policy=b0000", "policy=30000", 0x01 },
		{ "image id", "image_id=01", "image_id=", 0x02 },
		{ "family id", "family_id=01", "family_id=", 0x04 },
	};
	const struct key_req all = { .select = ALL_V1, .svn = 5, .tcb = TCB };
	uint8_t a[32], b[32], c[32], d[32];
	struct key_req req;
	size_t i;

	ok(!derive(fwd, all, 1, a) && !derive(fwd, all, 1, b) && !memcmp(a, b, 32),
	   "the same request gives the same key");
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		struct key_req without = all;

		without.select &= ~fields[i].bit;
		derive(fwd, without, 1, a);
		derive(fwd, all, 1, b);
		fw_set(fwd->fd, fields[i].change);
		derive(fwd, without, 1, c);
		derive(fwd, all, 1, d);
		fw_set(fwd->fd, fields[i].back);
		ok(!memcmp(a, c, 32) && memcmp(b, d, 32) && memcmp(a, b, 32),
		   "%s counts exactly when it is selected", fields[i].name);
	}
	req = all;
	req.svn = 4;
	ok(!derive(fwd, all, 1, a) && !derive(fwd, req, 1, b) && memcmp(a, b, 32),
	   "an older SVN gives another key");
	req = all;
	req.tcb = 4;
	ok(!derive(fwd, req, 1, b) && memcmp(a, b, 32), "an older TCB gives another key");
	req = all;
	req.select &= ~0x30ULL;
	derive(fwd, req, 1, a);
	req.svn = 1;
	req.tcb = 0;
	ok(!derive(fwd, req, 1, b) && !memcmp(a, b, 32), "SVN and TCB not selected do not count");
	req = all;
	req.vmpl = 1;
	ok(!derive(fwd, req, 1, b) && memcmp(a, b, 32), "another VMPL has another key");
	req = all;
	req.root = 1;
	derive(fwd, all, 1, a);
	ok(!derive(fwd, req, 1, b) && memcmp(a, b, 32), "VMRK is another root");
	req.root = 2;
	ok(!derive(fwd, req, 1, b) && !memcmp(a, b, 32), "KEY_SEL 1 is the VCEK by name");
}

static void measurement(struct fwd_process *fwd)
{
	const struct key_req with = { .select = 8 }, without = { .select = 0 };
	uint8_t a[32], b[32], c[32], d[32];

	derive(fwd, with, 1, a);
	derive(fwd, without, 1, b);
	fw_set(fwd->fd, "measurement=77");
	derive(fwd, with, 1, c);
	derive(fwd, without, 1, d);
	ok(memcmp(a, c, 32) && !memcmp(b, d, 32), "measurement counts exactly when selected");
}

static void version_2(struct fwd_process *fwd)
{
	struct key_req req = { .select = ALL_V2, .svn = 5, .tcb = TCB, .mit_vector = 6 };
	uint8_t a[32], b[32];

	ok(!derive(fwd, req, 2, a), "version 2, 40 bytes");
	req.mit_vector = 2;
	ok(!derive(fwd, req, 2, b) && memcmp(a, b, 32), "fewer mitigations give another key");
	req.select &= ~(uint64_t)MIT;
	derive(fwd, req, 2, a);
	req.mit_vector = 4;
	ok(!derive(fwd, req, 2, b) && !memcmp(a, b, 32), "not selected, they do not count");
	derive(fwd, req, 1, a);
	ok(!memcmp(a, b, 32), "the version itself does not count");
}

/* who stands beside the VM is told the guest's key */
static void beside(struct fwd_process *fwd)
{
	static struct fw_reply reply;
	struct key_req req = { .select = ALL_V2, .svn = 5, .tcb = TCB, .mit_vector = 6 };
	uint8_t a[32];

	derive(fwd, req, 2, a);
	fw_call(fwd->fd, FW_SIM_KEY, &req, sizeof(req), &reply);
	ok(!reply.head.status && reply.head.len == sizeof(a) && !memcmp(a, reply.data, sizeof(a)),
	   "a program beside the VM is told the guest's key");
	req.svn = 6;
	fw_call(fwd->fd, FW_SIM_KEY, &req, sizeof(req), &reply);
	ok(reply.head.status == 0x16 && !reply.head.len, "but not one that it cannot have");
}

static void old_firmware(void)
{
	struct fwd_process fwd;
	uint8_t key[32];

	fwd_start(&fwd, (const char *[]){ "key_version=1", NULL });
	ok(!derive(&fwd, (struct key_req){ 0 }, 1, key), "key_version=1: version 1 is answered");
	/* the message itself is refused, so its sequence number stays unused */
	ok(derive(&fwd, (struct key_req){ 0 }, 2, key) == 0x10016 &&
	   fw_status(fwd.fd, "msg_count_0") == 2, "and version 2 is no known message");
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");
}

static void refusals(struct fwd_process *fwd)
{
	static const struct {
		const char *name;
		struct key_req req;
		uint8_t version;
		uint32_t status;
	} cases[] = {
		{ "SVN above the guest's", { .svn = 6 }, 1, 0x16 },
		{ "one part of the TCB above the committed one", { .tcb = 5 }, 1, 0x16 },
		{ "a part that is lower does not make up", { .tcb = 0x0019000000000000 }, 1, 0x16 },
		{ "VMPL 4", { .vmpl = 4 }, 1, 0x16 },
		{ "reserved word", { .reserved = 1 }, 1, 0x16 },
		{ "reserved bit of the root", { .root = 8 }, 1, 0x16 },
		{ "KEY_SEL 3", { .root = 6 }, 1, 0x16 },
		{ "VLEK where there is none", { .root = 4 }, 1, 0x27 },
		{ "field bit 6 in version 1", { .select = 0x40 }, 1, 0x16 },
		{ "field bit 7 in version 2", { .select = 0x80 }, 2, 0x16 },
		{ "field bit 63", { .select = 1ULL << 63 }, 2, 0x16 },
		{ "a mitigation that was not there at launch", { .mit_vector = 8 }, 2, 0x16 },
		{ "nothing wrong", { .svn = 5, .tcb = TCB }, 2, 0 },
	};
	uint8_t body[64];
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ok(!guest_key(fwd, 0, &cases[i].req, cases[i].version, body) &&
		   u32(body) == cases[i].status, "key status 0x%x: %s", cases[i].status,
		   cases[i].name);
	ok(!guest_key(fwd, 2, &(struct key_req){ .vmpl = 1 }, 1, body) && u32(body) == 0x16,
	   "key status 0x16: VMPCK 2 for VMPL 1");
	ok(!guest_key(fwd, 2, &(struct key_req){ .vmpl = 3 }, 1, body) && !u32(body),
	   "key status 0x0: VMPCK 2 for VMPL 3");
	fw_set(fwd->fd, "report_status=0x27");
	ok(!guest_key(fwd, 0, &cases[0].req, 1, body) && u32(body) == 0x16 &&
	   !guest_key(fwd, 0, &(struct key_req){ 0 }, 1, body) && u32(body) == 0x27 &&
	   !guest_key(fwd, 0, &(struct key_req){ 0 }, 1, body) && !u32(body),
	   "report_status= strikes one answer that would have been good");
}

static void across_boots(void)
{
	const struct key_req vcek = { .select = ALL_V1 }, vmrk = { .root = 1, .select = ALL_V1 };
	uint8_t a[32], b[32], c[32], d[32], e[32];
	struct fwd_process fwd;

	fwd_start(&fwd, machine);
	derive(&fwd, vcek, 1, a);
	derive(&fwd, vmrk, 1, b);
	fwd_stop(&fwd, NULL, 0);
	fwd_start(&fwd, machine);
	derive(&fwd, vcek, 1, c);
	derive(&fwd, vmrk, 1, d);
	fw_set(fwd.fd, "chip_id=55");
	derive(&fwd, vcek, 1, e);
	ok(!memcmp(a, c, 32), "a VCEK key outlives the boot");
	ok(memcmp(b, d, 32), "a VMRK key does not");
	ok(memcmp(c, e, 32), "another chip gives another VCEK key");
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");
}

int main(void)
{
	struct fwd_process fwd;

	printf("TAP version 13\n");
	fwd_start(&fwd, machine);
	mixing(&fwd);
	version_2(&fwd);
	beside(&fwd);
	refusals(&fwd);
	measurement(&fwd);
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");
	old_firmware();
	across_boots();
	plan();
}
