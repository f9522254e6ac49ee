// SPDX-License-Identifier: GPL-2.0
/*
 * Calls of /dev/tdx_guest:
 *	calls_tdx SEED COUNT	COUNT of them, each in some way of its own
 *	calls_tdx busy		one, at a moment that the test has chosen
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/tdx-guest.h>

#include "calls.h"

#define NODE		"/dev/tdx_guest"
#define RESERVED_TAG	"CVMGBAT"

static struct arena arena;
static int dev;

static void call(const char *class, unsigned long cmd, const char *name, enum place place,
		 const struct tdx_report_req *req)
{
	void *arg;
	int ret;

	arena_fill(&arena, 0xcc);
	arg = arena_place(&arena, place, req, sizeof(*req));
	printf("%u %s %s arg=%s => ", call_number(), class, name, place_name(place));
	ret = ioctl(dev, cmd, arg);
	printf("%s | memory=%016" PRIx64 "\n", result_name(ret), arena_hash(&arena, NULL, 0));
}

static void fill(struct tdx_report_req *req)
{
	random_bytes(req, sizeof(*req));
}

/* numbers beside the one that there is, some of which other kernels have had */
static void other_number(void)
{
	static const unsigned long sizes[] = { 0, 8, 16, 1024, 1088 };
	unsigned int type = once_in(4) ? random_below(256) : 'T', nr = random_below(8);
	unsigned long dir = random_below(4), size = sizes[random_below(5)];
	unsigned long cmd = _IOC(dir, type, nr, size);
	enum place place = place_any();
	struct tdx_report_req req;
	char name[64];

	fill(&req);
	if (cmd == TDX_CMD_GET_REPORT0)
		cmd ^= 1;
	snprintf(name, sizeof(name), "ioctl=%#lx", cmd);
	call("ioctl", cmd, name, place, &req);
}

static void report(void)
{
	struct tdx_report_req req;
	const char *class = "tdreport";
	enum place place = place_any();

	fill(&req);
	if (once_in(20)) {
		memcpy(req.reportdata, RESERVED_TAG, 7);
		place = VALID;
		class = "reserved-tag";
	}
	call(class, TDX_CMD_GET_REPORT0, "get-report0", place, &req);
}

int main(int argc, char **argv)
{
	struct tdx_report_req req;
	long count;

	arena_make(&arena, 2);
	random_start(argc > 2 ? strtoull(argv[1], NULL, 0) : 1);
	dev = open(NODE, O_RDWR | O_SYNC | O_CLOEXEC);
	if (dev < 0) {
		perror(NODE);
		return 1;
	}
	if (argc == 2) {
		fill(&req);
		call(argv[1], TDX_CMD_GET_REPORT0, "get-report0", VALID, &req);
		return 0;
	}
	file_calls(NODE);
	for (count = argc > 2 ? atol(argv[2]) : 0; count > 0; count--)
		if (once_in(10))
			other_number();
		else
			report();
	return 0;
}
