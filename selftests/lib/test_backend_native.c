// SPDX-License-Identifier: GPL-2.0
/* The backend native against /dev/sev-guest and /dev/tdx_guest in this program's ioctl(). */
#include <errno.h>
#include <linux/sev-guest.h>
#include <stdint.h>
#include <sys/ioctl.h>

#include "cvmguest.h"
#include "tap.h"

#define PAGE		4096U
#define TDX_GET_REPORT0	_IOWR('T', 1, uint8_t[64 + 1024])

static struct {
	uint32_t certs_need;	/* bytes that the host's table takes */
	uint32_t certs_claim;	/* what it says it takes; 0: the truth */
	uint32_t certs_entries;	/* entries in the table; 0: it is empty */
	uint32_t entry_len;
	uint32_t status;	/* in the message */
	uint32_t size;
	int err;
	uint64_t exitinfo2;
	bool foreign;
} fake;

static struct snp_report_req last;
static unsigned int plain, extended;

int __wrap_ioctl(int fd, unsigned long command, void *arg);

static void put32(uint8_t *at, uint32_t value)
{
	memcpy(at, &value, sizeof(value));
}

static void message(struct snp_guest_request_ioctl *arg, const struct snp_report_req *req)
{
	uint8_t *data = ((struct snp_report_resp *)(uintptr_t)arg->resp_data)->data;

	last = *req;
	put32(data, fake.status);
	put32(data + 4, fake.size);
	data[32] = 2;
	memcpy(data + 32 + 0x50, req->user_data, sizeof(req->user_data));
	data[32 + 0x50] ^= fake.foreign;
}

static void table(uint8_t *at)
{
	for (uint32_t i = 0; i < fake.certs_entries; i++) {
		at[i * 24] = 0xc0;
		put32(at + i * 24 + 16, 24 * (fake.certs_entries + 1) + i * fake.entry_len);
		put32(at + i * 24 + 20, fake.entry_len);
	}
}

static int ext_report(struct snp_guest_request_ioctl *arg)
{
	struct snp_ext_report_req *ext = (void *)(uintptr_t)arg->req_data;

	extended++;
	if (ext->certs_len % PAGE || (ext->certs_len && !ext->certs_address))
		return EINVAL;
	if (ext->certs_len < fake.certs_need) {
		ext->certs_len = fake.certs_claim ? fake.certs_claim : fake.certs_need;
		arg->exitinfo2 = (uint64_t)SNP_GUEST_VMM_ERR_INVALID_LEN << 32;
		return EIO;
	}
	if (fake.certs_entries)
		table((void *)(uintptr_t)ext->certs_address);
	message(arg, &ext->data);
	return 0;
}

static int sev(unsigned long command, struct snp_guest_request_ioctl *arg)
{
	if (arg->msg_version != 1)
		return EINVAL;
	arg->exitinfo2 = fake.exitinfo2;
	if (fake.err)
		return fake.err;
	if (command == SNP_GET_EXT_REPORT)
		return ext_report(arg);
	plain++;
	message(arg, (void *)(uintptr_t)arg->req_data);
	return 0;
}

int __wrap_ioctl(int fd, unsigned long command, void *arg)
{
	errno = ENOTTY;
	if (command == TDX_GET_REPORT0) {
		memcpy((uint8_t *)arg + 64 + 128, arg, 64);
		((uint8_t *)arg)[64 + 128] ^= fake.foreign;
		errno = fake.err;
	} else if (command == SNP_GET_REPORT || command == SNP_GET_EXT_REPORT) {
		errno = sev(command, arg);
	}
	return errno ? -1 : 0;
}

static struct cvm_error error;
static size_t certs_len;

static void reset(void)
{
	memset(&fake, 0, sizeof(fake));
	fake.size = 1184;
	plain = extended = 0;
	certs_len = 0;
}

static int ask(uint32_t type, struct cvm_report_opts opts)
{
	struct cvm_open_opts open_opts = { .size = sizeof(open_opts), .backend = "native",
					   .root = tap_dir };
	uint8_t data[CVM_REPORT_DATA_LEN] = "a nonce";
	struct cvm_evidence *evidence = NULL;
	struct cvm_ctx *ctx;
	int rc = cvm_open(&ctx, &open_opts, &error);

	opts.size = sizeof(opts);
	if (rc)
		return rc;
	if (type == CVM_EVIDENCE_SNP_REPORT)
		rc = cvm_report(ctx, data, &opts, &evidence, &error);
	else if (type == CVM_EVIDENCE_TDREPORT)
		rc = cvm_tdreport(ctx, data, &opts, &evidence, &error);
	else
		rc = cvm_quote(ctx, data, &opts, &evidence, &error);
	if (!rc)
		cvm_evidence_certs(evidence, &certs_len);
	cvm_evidence_free(evidence);
	cvm_close(ctx);
	return rc;
}

#define PLAIN	((struct cvm_report_opts) { 0 })
#define CERTS	((struct cvm_report_opts) { .flags = CVM_REQUEST_CERTS })
#define SNP	CVM_EVIDENCE_SNP_REPORT

static void test_reports(void)
{
	struct cvm_report_opts opts = { .flags = CVM_REQUEST_VMPL, .vmpl = 3,
					.signing_key = CVM_SIGNING_KEY_VLEK };

	reset();
	check(!ask(SNP, PLAIN) && plain == 1 && !extended && !last.vmpl && !last.rsvd[0],
	      "a report");
	check(!ask(SNP, opts) && last.vmpl == 3 && last.rsvd[0] == 2, "another VMPL, the VLEK");
	tap_write(tap_path("/sys/devices/system/cpu/sev/vmpl"), "2\n", 2);
	check(!ask(SNP, PLAIN) && last.vmpl == 2, "the kernel's own VMPL");
	reset();
	fake.foreign = true;
	check_is(ask(SNP, PLAIN), -EBADMSG, "other REPORT_DATA");
	reset();
	fake.size = 1185;
	check_is(ask(SNP, PLAIN), -EBADMSG, "a size that is no report's");
	reset();
	fake.status = 0x16;
	check_is(ask(SNP, PLAIN), -EIO, "the message has an error status");
	check_says(error.text, "invalid parameter", "says which");
	opts = (struct cvm_report_opts) { .timeout_ms = 1 };
	check_is(ask(SNP, opts), -EOPNOTSUPP, "there are no deadlines");
}

static void test_certs(void)
{
	reset();
	check(!ask(SNP, CERTS) && extended == 1 && !certs_len, "a host without certificates");
	fake.certs_entries = 2;
	fake.entry_len = 1000;
	check(!ask(SNP, CERTS) && certs_len == 3 * 24 + 2000, "its table, without what is behind it");
	fake.entry_len = 0x40000000;
	check(!ask(SNP, CERTS) && certs_len == 4 * PAGE, "a table that points outside: as it is");
	reset();
	fake.certs_need = 5 * PAGE;
	check(!ask(SNP, CERTS) && extended == 2, "a table of 5 pages: asked again, once");
	fake.certs_claim = 4 * PAGE;
	check(ask(SNP, CERTS) == -EBADMSG, "a host that names a length that is too short");
	fake.certs_claim = 1U << 30;
	check(ask(SNP, CERTS) == -EBADMSG, "a host that names a length without bound");
	fake.certs_claim = 6 * PAGE;
	fake.certs_need = 7 * PAGE;
	extended = 0;
	check(ask(SNP, CERTS) == -EIO && extended == 2, "a host that changes its mind is not asked for ever");
}

static void test_errors(void)
{
	reset();
	fake.err = ENOTTY;
	check_is(ask(SNP, PLAIN), -ENOKEY, "the driver has wiped its key");
	fake.err = EIO;
	fake.exitinfo2 = 2ULL << 32;
	check_is(ask(SNP, PLAIN), -EIO, "the host refuses");
	check(error.platform_status == 2ULL << 32, "its status is passed on");
	check_is(ask(CVM_EVIDENCE_TDX_QUOTE, PLAIN), -EOPNOTSUPP, "no quotes on SNP");
	remove(tap_path("/dev/sev-guest"));
	check_is(ask(SNP, PLAIN), -ENODEV, "no node");
}

static void test_tdx(void)
{
	reset();
	tap_write(tap_path("/dev/tdx_guest"), "", 0);
	check_is(ask(CVM_EVIDENCE_TDREPORT, PLAIN), 0, "a TDREPORT");
	check_is(ask(CVM_EVIDENCE_TDX_QUOTE, PLAIN), -EOPNOTSUPP, "no quotes here");
	fake.foreign = true;
	check_is(ask(CVM_EVIDENCE_TDREPORT, PLAIN), -EBADMSG, "other REPORTDATA");
	fake.err = EIO;
	check_is(ask(CVM_EVIDENCE_TDREPORT, PLAIN), -EIO, "the module refuses");
}

static int extend(uint32_t index, const uint8_t *digest)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .backend = "native",
				      .root = tap_dir };
	struct cvm_ctx *ctx;
	int rc = cvm_open(&ctx, &opts, &error);

	if (!rc)
		rc = cvm_rtmr_extend(ctx, index, digest, &error);
	cvm_close(ctx);
	return rc;
}

#define RTMR3	"/sys/devices/virtual/misc/tdx_guest/measurements/rtmr3:sha384"

static void test_rtmrs(void)
{
	uint8_t digest[CVM_RTMR_LEN] = "a digest", got[CVM_RTMR_LEN + 1];
	size_t len = 0;
	FILE *file;

	reset();
	check_is(extend(3, digest), -EOPNOTSUPP, "a kernel that extends no RTMRs");
	check_says(error.text, RTMR3, "says which file is missing");
	tap_write(tap_path(RTMR3), "", 0);
	check_is(extend(3, digest), 0, "one that does");
	file = fopen(tap_path(RTMR3), "r");
	if (file) {
		len = fread(got, 1, sizeof(got), file);
		fclose(file);
	}
	check(len == sizeof(digest) && !memcmp(got, digest, len), "gets the digest and no more");
	check_is(extend(4, digest), -EINVAL, "there is no RTMR 4");
	check_says(error.text, "0 to 3", "says which there are");
}

int main(void)
{
	tap_make_dir();
	tap_write(tap_path("/dev/sev-guest"), "", 0);
	test_reports();
	test_certs();
	test_errors();
	test_tdx();
	test_rtmrs();
	return tap_end();
}
