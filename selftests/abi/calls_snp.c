// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of /dev/sev-guest:
 *	calls_snp SEED COUNT	COUNT of them, each in some way of its own; none
 *				that costs the kernel's own driver its key
 *	calls_snp WHAT		one, that may, at a moment that the test has chosen:
 *				see singles[]
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/sev-guest.h>

#include "calls.h"

#define NODE		"/dev/sev-guest"
#define RESERVED_TAG	"CVMGBAT"

/* what exitinfo2 is before a call */
#define KEPT		0x1122334455667788ULL

/* r and s in a report, which is behind a response's head */
#define SIGNATURE	(0x20 + 0x2a0)
#define SIGNATURE_LEN	512

/* a key request of version 2: the vector of mitigations follows */
struct key_req {
	struct snp_derived_key_req v1;
	uint64_t launch_mit_vector;
};

static struct arena args, reqs, resps, certs;
static int dev;

/**
 * struct call - one
 * @class: for the list of differences
 * @name: of the ioctl
 * @cmd: its number
 * @version: of the message
 * @arg: where the ioctl's struct lies
 * @req: where the request lies
 * @body: what it is
 * @len: bytes
 * @resp: where the answer goes
 * @resp_len: bytes
 * @more: what else is said about it
 */
struct call {
	const char *class, *name;
	unsigned long cmd;
	uint8_t version;
	enum place arg, req;
	const void *body;
	size_t len;
	enum place resp;
	size_t resp_len;
	char more[64];
};

static void print_info(const struct snp_guest_request_ioctl *arg)
{
	if (arg->exitinfo2 == KEPT)
		printf("kept");
	else
		printf("%#llx", (unsigned long long)arg->exitinfo2);
}

/* what became of the ioctl's own struct, but for its exitinfo2 */
static const char *arg_state(const struct snp_guest_request_ioctl *was,
			     const struct snp_guest_request_ioctl *is)
{
	struct snp_guest_request_ioctl before = *was, after = *is;

	before.exitinfo2 = after.exitinfo2 = 0;
	return memcmp(&before, &after, sizeof(before)) ? "changed" : "same";
}

static bool is_readable(enum place place)
{
	return place == VALID || place == EDGE || place == READ_ONLY;
}

static void print_ask(const struct call *c)
{
	printf("%u %s %s version=%u arg=%s req=%s resp=%s%s%s => ", call_number(), c->class,
	       c->name, c->version, place_name(c->arg), place_name(c->req),
	       place_name(c->resp), *c->more ? " " : "", c->more);
}

/* all that the caller sees; @pointer: 8 bytes of the request, another in each run */
static void print_result(int ret, const struct snp_guest_request_ioctl *was,
			 const struct snp_guest_request_ioctl *is, const void *resp,
			 const void *pointer)
{
	bool kept = !is;

	printf("%s ", result_name(ret));
	print_info(kept ? was : is);
	printf(" | arg=%s req=%016" PRIx64 " resp=%016" PRIx64 " certs=%016" PRIx64 "\n",
	       kept ? "-" : arg_state(was, is), arena_hash(&reqs, pointer, 8),
	       arena_hash(&resps, resp ? (const uint8_t *)resp + SIGNATURE : NULL, SIGNATURE_LEN),
	       arena_hash(&certs, NULL, 0));
}

static void make(struct call *c)
{
	struct snp_guest_request_ioctl was;
	void *arg, *req, *resp, *pointer = NULL;
	int ret;

	memset(&was, 0xa5, sizeof(was));
	arena_fill(&args, 0xcc);
	arena_fill(&reqs, 0xcc);
	arena_fill(&resps, 0xcc);
	arena_fill(&certs, 0xcc);
	req = arena_place(&reqs, c->req, c->body, c->len);
	resp = arena_place(&resps, c->resp, NULL, c->resp_len);
	was.msg_version = c->version;
	was.req_data = (uintptr_t)req;
	was.resp_data = (uintptr_t)resp;
	was.exitinfo2 = KEPT;
	arg = arena_place(&args, c->arg, &was, sizeof(was));
	if (c->len == sizeof(struct snp_ext_report_req) && is_readable(c->req))
		pointer = (uint8_t *)req + offsetof(struct snp_ext_report_req, certs_address);
	print_ask(c);
	ret = ioctl(dev, c->cmd, arg);
	print_result(ret, &was, is_readable(c->arg) ? arg : NULL, resp, pointer);
}

/* ---- requests ---- */

static void fill_report(struct snp_report_req *req)
{
	static const uint32_t vmpls[] = { 0, 0, 1, 2, 3, 4, 0xffffffff };

	memset(req, 0, sizeof(*req));
	random_bytes(req->user_data, sizeof(req->user_data));
	req->vmpl = vmpls[random_below(7)];
	if (once_in(8))
		req->rsvd[0] = (uint8_t)random_below(4);	/* KEY_SEL */
}

static void fill_key(struct key_req *req)
{
	static const uint64_t tcbs[] = { 0, 0, 1, 0x0100000000000000, ~0ULL };

	memset(req, 0, sizeof(*req));
	req->v1.root_key_select = random_below(once_in(4) ? 8 : 2);
	req->v1.guest_field_select = random_below(64);
	req->v1.vmpl = random_below(5);
	req->v1.guest_svn = once_in(4) ? (uint32_t)random_number() : 0;
	req->v1.tcb_version = tcbs[random_below(5)];
}

/*
 * A version that the firmware does not know costs the kernel's own driver its
 * key: 1 wherever a message may be sent.
 */
static void choose_places(struct call *c)
{
	c->arg = place_any();
	c->req = place_any();
	c->resp = place_any();
	c->version = once_in(20) ? 0 : 1;
	if (place_is_void(c->req) && once_in(2))
		c->version = (uint8_t)random_number();
}

static void make_good(struct call *c, const char *class)
{
	c->arg = c->req = c->resp = VALID;
	c->version = 1;
	c->class = class;
}

static void make_tagged(struct call *c, struct snp_report_req *req, const char *class)
{
	memcpy(req->user_data, RESERVED_TAG, 7);
	make_good(c, class);
}

/* a bit that the firmware's ABI keeps for itself */
static void make_reserved(struct call *c, struct snp_report_req *req, const char *class)
{
	uint32_t bit = 2 + random_below(8 * sizeof(req->rsvd) - 2);

	req->rsvd[bit / 8] |= (uint8_t)(1U << bit % 8);
	make_good(c, class);
}

static void make_reserved_key(struct call *c, struct snp_derived_key_req *req)
{
	switch (random_below(3)) {
	case 0:
		req->root_key_select |= 1U << (3 + random_below(29));
		break;
	case 1:
		req->rsvd = 1U << random_below(32);
		break;
	default:
		req->guest_field_select |= 1ULL << (6 + random_below(58));
	}
	make_good(c, "reserved-bits-key");
}

static void report(void)
{
	struct snp_report_req req;
	struct call c = {
		.class = "report", .name = "get-report", .cmd = SNP_GET_REPORT,
		.body = &req, .len = sizeof(req), .resp_len = sizeof(struct snp_report_resp),
	};

	fill_report(&req);
	choose_places(&c);
	if (once_in(25))
		make_tagged(&c, &req, "reserved-tag");
	else if (once_in(15))
		make_reserved(&c, &req, "reserved-bits");
	snprintf(c.more, sizeof(c.more), "vmpl=%#x key_sel=%u", req.vmpl, req.rsvd[0]);
	make(&c);
}

static void key(void)
{
	struct key_req req;
	struct call c = {
		.class = "key", .name = "get-derived-key", .cmd = SNP_GET_DERIVED_KEY,
		.body = &req, .len = sizeof(req.v1),
		.resp_len = sizeof(struct snp_derived_key_resp),
	};

	fill_key(&req);
	choose_places(&c);
	if (once_in(15))
		make_reserved_key(&c, &req.v1);
	snprintf(c.more, sizeof(c.more), "root=%u fields=%#llx vmpl=%u", req.v1.root_key_select,
		 (unsigned long long)req.v1.guest_field_select, req.v1.vmpl);
	make(&c);
}

/* the table that the tests have the host give takes three pages */
static uint32_t some_length(void)
{
	static const uint32_t odd[] = {
		1, PAGE - 1, PAGE + 1, 5 * PAGE, 0x1000000, 0xfffff000, 0xffffffff,
	};

	return once_in(4) ? odd[random_below(7)] : PAGE * random_below(5);
}

static void ext_report(void)
{
	struct snp_ext_report_req req = { .certs_len = some_length() };
	enum place place = place_any();
	size_t room = req.certs_len < certs.size ? req.certs_len : certs.size;
	struct call c = {
		.class = "ext", .name = "get-ext-report", .cmd = SNP_GET_EXT_REPORT,
		.body = &req, .len = sizeof(req), .resp_len = sizeof(struct snp_report_resp),
	};

	fill_report(&req.data);
	choose_places(&c);
	if (place == READ_ONLY && req.certs_len > certs.size)
		place = VALID;
	if (once_in(12)) {
		if (once_in(2))
			make_tagged(&c, &req.data, "reserved-tag-ext");
		else
			make_reserved(&c, &req.data, "reserved-bits-ext");
		req.certs_len = 4 * PAGE;
		room = req.certs_len;
		place = EDGE;
	}
	req.certs_address = (uintptr_t)arena_place(&certs, place, NULL, room);
	snprintf(c.more, sizeof(c.more), "vmpl=%#x certs=%s certs_len=%#x", req.data.vmpl,
		 place_name(place), req.certs_len);
	make(&c);
}

static void other_number(void)
{
	static const unsigned long sizes[] = { 0, 8, 24, 32, 112 };
	unsigned int type = once_in(4) ? random_below(256) : 'S', nr = random_below(8);
	unsigned long dir = random_below(4), size = sizes[random_below(5)];
	struct snp_report_req req;
	struct call c = {
		.class = "ioctl", .cmd = _IOC(dir, type, nr, size),
		.body = &req, .len = sizeof(req), .resp_len = sizeof(struct snp_report_resp),
	};
	char name[64];

	fill_report(&req);
	choose_places(&c);
	if (c.cmd == SNP_GET_REPORT || c.cmd == SNP_GET_DERIVED_KEY || c.cmd == SNP_GET_EXT_REPORT)
		c.cmd ^= 0x80;
	c.version = (uint8_t)random_number();
	snprintf(name, sizeof(name), "ioctl=%#lx", c.cmd);
	c.name = name;
	make(&c);
}

/* ---- one call at a time ---- */

static void one_report(const char *class, uint8_t version, enum place place)
{
	struct snp_report_req req = { .vmpl = 3 };
	struct call c = {
		.class = class, .name = "get-report", .cmd = SNP_GET_REPORT, .version = version,
		.req = place, .body = &req, .len = sizeof(req),
		.resp_len = sizeof(struct snp_report_resp),
	};

	memset(req.user_data, 0x5a, sizeof(req.user_data));
	make(&c);
}

/* @len: bytes up to where there is no memory */
static void one_key(const char *class, uint8_t version, size_t len)
{
	struct key_req req = { .v1 = { .guest_field_select = 1 << 6, .vmpl = 3 } };
	struct call c = {
		.class = class, .name = "get-derived-key", .cmd = SNP_GET_DERIVED_KEY,
		.version = version, .req = EDGE, .body = &req, .len = len,
		.resp_len = sizeof(struct snp_derived_key_resp),
	};

	make(&c);
}

static void one_ext(const char *class, uint32_t pages)
{
	struct snp_ext_report_req req = { .data.vmpl = 3, .certs_len = pages * PAGE };
	struct call c = {
		.class = class, .name = "get-ext-report", .cmd = SNP_GET_EXT_REPORT,
		.version = 1, .body = &req, .len = sizeof(req),
		.resp_len = sizeof(struct snp_report_resp),
	};

	if (pages)
		req.certs_address = (uintptr_t)arena_place(&certs, VALID, NULL, 0);
	make(&c);
}

/* how long are the certificates? */
static void handshake(const char *class) { one_ext(class, 0); }
static void certs_of_four(const char *class) { one_ext(class, 4); }
static void next(const char *class) { one_report(class, 1, VALID); }
static void no_request(const char *class) { one_report(class, 1, NOWHERE); }
static void report_v2(const char *class) { one_report(class, 2, VALID); }
static void key_v2(const char *class) { one_key(class, 2, sizeof(struct key_req)); }
static void key_v3(const char *class) { one_key(class, 3, sizeof(struct snp_derived_key_req)); }

/* by class: those that are one report are told apart by what the test has the host do */
static const struct {
	const char *class;
	void (*call)(const char *class);
} singles[] = {
	{ "report-v2", report_v2 },
	{ "key-v2", key_v2 },
	{ "key-v2-unknown", key_v2 },
	{ "key-v3", key_v3 },
	{ "firmware-error", next },
	{ "host-error", next },
	{ "spoilt", next },
	{ "other-report", next },
	{ "next", next },
	{ "no-request", no_request },
	{ "handshake", handshake },
	{ "certs-of-four", certs_of_four },
	{ "busy", next },
	{ NULL, NULL }
};

static int single(const char *class)
{
	size_t i;

	for (i = 0; singles[i].class; i++)
		if (!strcmp(singles[i].class, class)) {
			singles[i].call(class);
			return 0;
		}
	fprintf(stderr, "calls_snp: no call '%s'\n", class);
	return 2;
}

static void any(void)
{
	switch (random_below(10)) {
	case 0:
		other_number();
		break;
	case 1:
	case 2:
	case 3:
		key();
		break;
	case 4:
	case 5:
	case 6:
		ext_report();
		break;
	default:
		report();
	}
}

int main(int argc, char **argv)
{
	long count;

	arena_make(&args, 1);
	arena_make(&reqs, 1);
	arena_make(&resps, 2);
	arena_make(&certs, 5);
	/* programs there are that open it so */
	dev = open(NODE, O_RDONLY | O_CLOEXEC);
	if (dev < 0) {
		perror(NODE);
		return 1;
	}
	if (argc == 2)
		return single(argv[1]);
	random_start(argc > 2 ? strtoull(argv[1], NULL, 0) : 1);
	file_calls(NODE);
	for (count = argc > 2 ? atol(argv[2]) : 0; count > 0; count--)
		any();
	return 0;
}
