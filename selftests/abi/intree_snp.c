// SPDX-License-Identifier: GPL-2.0
/*
 * What programs do with /dev/sev-guest: the three ioctls of linux/sev-guest.h.
 * It knows nothing of the platform or of who provides the node, so that it runs
 * on any. Harness-free TAP; the last report and its certificates are left in
 * the directory that is its argument, for others to verify.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <linux/sev-guest.h>

#define REPORT_LEN	1184
#define PAGE		4096
#define MAX_CERTS	(32 * PAGE)

/* a response: status, length, 24 reserved bytes, report */
#define RESP_STATUS	0
#define RESP_LEN	4
#define RESP_REPORT	0x20
#define REPORT_VMPL	0x30
#define REPORT_DATA	0x50

/* a derived key: status, 28 reserved bytes, key */
#define KEY_AT		0x20
#define MIX_MEASUREMENT	(1ULL << 3)
#define MIX_SVN		(1ULL << 4)
#define INVALID_PARAM	0x16

static int dev, results, failures;
static struct snp_guest_request_ioctl arg;
static struct snp_report_resp resp;
static uint8_t certs[MAX_CERTS] __attribute__((aligned(PAGE)));

static void ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void ok(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d ", good ? "" : "not ", ++results);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	if (!good)
		printf("# errno %d, exitinfo2 0x%llx\n", errno, (unsigned long long)arg.exitinfo2);
	failures += !good;
}

static uint32_t u32(const uint8_t *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (uint32_t)p[3] << 24;
}

/* nothing of an answer before stays in *out */
static int ask(unsigned long cmd, void *req, void *out, size_t out_len, uint8_t version)
{
	memset(out, 0xcc, out_len);
	arg = (struct snp_guest_request_ioctl){
		.msg_version = version,
		.req_data = (uintptr_t)req,
		.resp_data = (uintptr_t)out,
		.exitinfo2 = 0,
	};
	return ioctl(dev, cmd, &arg);
}

static bool report_is_for(const uint8_t data[64], uint32_t vmpl)
{
	const uint8_t *report = resp.data + RESP_REPORT;

	return !u32(resp.data + RESP_STATUS) && u32(resp.data + RESP_LEN) == REPORT_LEN &&
	       !memcmp(report + REPORT_DATA, data, 64) && u32(report + REPORT_VMPL) == vmpl;
}

static bool get_report(uint8_t fill, uint32_t vmpl)
{
	struct snp_report_req req = { .vmpl = vmpl };

	memset(req.user_data, fill, sizeof(req.user_data));
	return !ask(SNP_GET_REPORT, &req, &resp, sizeof(resp), 1) && !arg.exitinfo2 &&
	       report_is_for(req.user_data, vmpl);
}

static void reports(void)
{
	int i;

	ok(get_report(0x5a, 0), "SNP_GET_REPORT");
	ok(get_report(0x5b, 3), "for VMPL 3");
	for (i = 0; i < 50; i++)
		if (!get_report((uint8_t)i, i % 4))
			break;
	ok(i == 50, "50 in a row, each its own (%d)", i);
}

static void refused(void)
{
	struct snp_report_req req = { 0 };

	ok(ask(SNP_GET_REPORT, &req, &resp, sizeof(resp), 0) && errno == EINVAL,
	   "msg_version 0: EINVAL");
	ok(ask(SNP_GET_REPORT, NULL, &resp, sizeof(resp), 1) && errno != ENOTTY,
	   "no request: an error, but the device lives");
	ok(ioctl(dev, _IOWR('S', 0x7f, struct snp_guest_request_ioctl), &arg) && errno == ENOTTY,
	   "an unknown ioctl: ENOTTY");
	ok(get_report(0x11, 0), "the next report comes");
}

/* GUID, offset and length per entry, all zero at the end */
static int count_certs(const uint8_t *table, size_t len)
{
	static const uint8_t end[24];
	size_t at;
	int n = 0;

	for (at = 0; at + 24 <= len; at += 24, n++) {
		const uint8_t *entry = table + at;
		uint32_t offset = u32(entry + 16), size = u32(entry + 20);

		if (!memcmp(entry, end, 24))
			return n;
		if (offset > len || size > len - offset || size < 100 || table[offset] != 0x30)
			return -1;
	}
	return -1;
}

static bool get_ext_report(uint8_t fill, void *address, uint32_t len,
			   struct snp_ext_report_req *req)
{
	memset(req, 0, sizeof(*req));
	memset(req->data.user_data, fill, 64);
	req->certs_address = (uintptr_t)address;
	req->certs_len = len;
	return !ask(SNP_GET_EXT_REPORT, req, &resp, sizeof(resp), 1);
}

static bool wants_room(const struct snp_ext_report_req *req)
{
	return errno == EIO && arg.vmm_error == SNP_GUEST_VMM_ERR_INVALID_LEN &&
	       !arg.fw_error && req->certs_len && !(req->certs_len % PAGE) &&
	       req->certs_len <= MAX_CERTS;
}

static void ext_reports(void)
{
	struct snp_ext_report_req req;
	uint32_t need;
	int n;

	ok(!get_ext_report(0x21, NULL, 0, &req) && wants_room(&req),
	   "SNP_GET_EXT_REPORT without room: how much it takes");
	need = req.certs_len;
	if (need > PAGE)
		ok(!get_ext_report(0x22, certs, need - PAGE, &req) && wants_room(&req) &&
		   req.certs_len == need, "with a page too few: likewise");
	memset(certs, 0xcc, sizeof(certs));
	ok(get_ext_report(0x23, certs, need, &req) && report_is_for(req.data.user_data, 0),
	   "with %u bytes: the report", need);
	n = count_certs(certs, need);
	ok(n >= 3, "and certificates (%d)", n);
	ok(need == MAX_CERTS || certs[need] == 0xcc, "nothing is written behind them");
	ok(get_report(0x24, 0), "then a plain report");
}

static bool get_key(uint64_t select, uint32_t svn, struct snp_derived_key_resp *key)
{
	struct snp_derived_key_req req = { .guest_field_select = select, .guest_svn = svn };

	return !ask(SNP_GET_DERIVED_KEY, &req, key, sizeof(*key), 1);
}

static bool same_key(const struct snp_derived_key_resp *a, const struct snp_derived_key_resp *b)
{
	return !memcmp(a->data + KEY_AT, b->data + KEY_AT, 32);
}

static void keys(void)
{
	static const struct snp_derived_key_resp none;
	struct snp_derived_key_resp a, b, c;

	ok(get_key(0, 0, &a) && !u32(a.data) && !same_key(&a, &none), "SNP_GET_DERIVED_KEY");
	ok(get_key(0, 0, &b) && !u32(b.data) && same_key(&a, &b), "the same again");
	ok(get_key(MIX_MEASUREMENT, 0, &c) && !u32(c.data) && !same_key(&a, &c),
	   "the measurement mixed in: another");
	/* in-tree drivers hand the firmware's status to the caller */
	ok(!get_key(MIX_SVN, 0xffffffff, &c) || u32(c.data) == INVALID_PARAM,
	   "an SVN above the guest's is refused");
	ok(get_key(0, 0, &b) && same_key(&a, &b), "and the next key is right");
}

static bool save(const char *dir, const char *name, const void *bytes, size_t len)
{
	char path[256];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	file = fopen(path, "w");
	return file && fwrite(bytes, 1, len, file) == len && !fclose(file);
}

/* REPORT_DATA: 64 bytes of 0x42 */
static void leave_evidence(const char *dir)
{
	struct snp_ext_report_req req;

	get_ext_report(0, NULL, 0, &req);
	ok(get_ext_report(0x42, certs, req.certs_len, &req) &&
	   save(dir, "report", resp.data + RESP_REPORT, REPORT_LEN) &&
	   save(dir, "certs", certs, req.certs_len), "evidence is left in %s", dir);
}

int main(int argc, char **argv)
{
	dev = open("/dev/sev-guest", O_RDWR);
	if (dev < 0) {
		if (errno == ENOENT || errno == ENXIO)
			printf("1..0 # SKIP no /dev/sev-guest\n");
		else
			printf("Bail out! /dev/sev-guest: %s\n", strerror(errno));
		return errno == ENOENT || errno == ENXIO ? 0 : 1;
	}
	reports();
	refused();
	ext_reports();
	keys();
	if (argc > 1)
		leave_evidence(argv[1]);
	printf("1..%d\n", results);
	return failures ? 1 : 0;
}
