// SPDX-License-Identifier: GPL-2.0
/*
 * The driver's own snp_answer.c in user space: the table of host answers and
 * the checks of a response, against everything a host can write there.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../../driver/platform/snp_answer.h"

#define VMM(n)	((__u64)(n) << 32)

static unsigned int tests, failures;

static void ok(bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++tests, what);
	failures += !good;
}

static enum cvm_snp_verdict judge_n(unsigned int n, int result, __u64 info,
				    bool extended, __u32 wants)
{
	struct cvm_snp_call call = { .extended = extended, .pages = wants,
				     .result = result, .info = info };
	struct cvm_snp_tally tally = { 0 };
	enum cvm_snp_verdict verdict = CVM_SNP_HOPELESS;

	while (n--)
		verdict = cvm_snp_judge(&tally, &call, 4);
	return verdict;
}

static void host_answers(void)
{
	const __u64 len = VMM(CVM_SNP_VMM_INVALID_LEN);
	const __u64 generic = VMM(CVM_SNP_VMM_GENERIC);
	const __u64 none = ~0ULL;

	ok(judge_n(1, 0, 0, false, 0) == CVM_SNP_ANSWERED, "success");
	ok(judge_n(9999, -EAGAIN, VMM(2), false, 0) == CVM_SNP_LATER, "BUSY for ever keeps the message");
	ok(judge_n(9999, -EAGAIN, VMM(2), true, 4) == CVM_SNP_LATER,
	   "BUSY keeps an extended request extended");
	ok(judge_n(9999, -EIO, generic, false, 0) == CVM_SNP_AGAIN, "GENERIC for ever keeps the message");
	ok(judge_n(1, -EIO, generic, true, 4) == CVM_SNP_PLAIN, "GENERIC, extended: plain");
	ok(judge_n(1, -EIO, VMM(77), true, 4) == CVM_SNP_PLAIN, "an unknown VMM error, extended: plain");
	ok(judge_n(9999, -EIO, none, false, 0) == CVM_SNP_AGAIN, "the firmware was not called");
	ok(judge_n(1, -ENOSPC, len, true, 5) == CVM_SNP_GROW, "INVALID_LEN: as many pages as it names");
	ok(judge_n(1, -ENOSPC, len, true, CVM_SNP_CERT_PAGES_MAX) == CVM_SNP_GROW,
	   "INVALID_LEN: up to the bound");
	ok(judge_n(2, -ENOSPC, len, true, 9) == CVM_SNP_PLAIN, "INVALID_LEN: once");
	ok(judge_n(1, -ENOSPC, len, true, 4) == CVM_SNP_PLAIN, "INVALID_LEN: the pages it was offered");
	ok(judge_n(1, -ENOSPC, len, true, 0) == CVM_SNP_PLAIN, "INVALID_LEN: no pages");
	ok(judge_n(1, -ENOSPC, len, true, CVM_SNP_CERT_PAGES_MAX + 1) == CVM_SNP_PLAIN,
	   "INVALID_LEN: beyond the bound");
	ok(judge_n(1, -ENOSPC, len, true, 0xffffffff) == CVM_SNP_PLAIN, "INVALID_LEN: 2^32 - 1");
	ok(judge_n(1, -EIO, len, false, 9) == CVM_SNP_AGAIN, "INVALID_LEN to a plain request");
	ok(judge_n(1, -EIO, 0x16, false, 0) == CVM_SNP_AGAIN, "a firmware error: once more");
	ok(judge_n(CVM_SNP_MAX_FW_ERRORS - 1, -EIO, 0x16, false, 0) == CVM_SNP_AGAIN,
	   "a firmware error: a few times");
	ok(judge_n(CVM_SNP_MAX_FW_ERRORS, -EIO, 0x16, false, 0) == CVM_SNP_HOPELESS,
	   "a firmware error: not for ever");
	ok(judge_n(CVM_SNP_MAX_FW_ERRORS, -EIO, 0x16 | generic, true, 4) == CVM_SNP_HOPELESS,
	   "a firmware error counts whatever the VMM adds");
	ok(judge_n(1, 2, none, false, 0) == CVM_SNP_AGAIN, "a GHCB failure: once more");
	ok(judge_n(CVM_SNP_MAX_GHCB_ERRORS - 1, 2, none, true, 4) == CVM_SNP_AGAIN,
	   "a GHCB failure: a few times");
	ok(judge_n(CVM_SNP_MAX_GHCB_ERRORS, 2, none, true, 4) == CVM_SNP_HOPELESS,
	   "a GHCB failure: not for ever");
	ok(judge_n(1, 2, 0, false, 0) == CVM_SNP_AGAIN, "a GHCB failure is no success, whatever the info");
}

/* an honest throttle between two firmware errors does not wash the first away */
static void mixed_answers(void)
{
	struct cvm_snp_call busy = { .result = -EAGAIN, .info = VMM(2) };
	struct cvm_snp_call error = { .result = -EIO, .info = 0x16 };
	struct cvm_snp_tally tally = { 0 };

	for (int i = 1; i < CVM_SNP_MAX_FW_ERRORS; i++)
		cvm_snp_judge(&tally, &error, 4);
	cvm_snp_judge(&tally, &busy, 4);
	ok(cvm_snp_judge(&tally, &error, 4) == CVM_SNP_HOPELESS, "errors add up over a throttle");
}

static void backoff(void)
{
	unsigned int i, last = 0, least, most;
	bool rises = true, bounded = true;

	for (i = 0; i < 100; i++) {
		least = cvm_snp_backoff(i, 0);
		most = 0;
		for (__u32 r = 0; r < 300; r++) {
			unsigned int ms = cvm_snp_backoff(i, r);

			bounded &= ms >= least && ms <= CVM_SNP_BACKOFF_MAX_MS;
			most = ms > most ? ms : most;
		}
		rises &= least >= last && most > least;
		last = least;
	}
	ok(cvm_snp_backoff(0, 0) == CVM_SNP_BACKOFF_MIN_MS, "the first pause is the shortest");
	ok(rises, "pauses never get shorter, and all have jitter");
	ok(bounded && cvm_snp_backoff(~0U, ~0U) <= CVM_SNP_BACKOFF_MAX_MS, "pauses are bounded");
	ok(cvm_snp_backoff(1, 0) == 2 * CVM_SNP_BACKOFF_MIN_MS, "pauses double");
}

static void headers(void)
{
	struct cvm_snp_hdr req, good, bad;
	const size_t room = 1216;

	cvm_snp_hdr_make(&req, 0x1122334455667788, 3, 5, 1, 96);
	ok(req.seqno == 0x1122334455667788 && req.vmpck == 3 && req.type == 5 &&
	   req.version == 1 && req.size == 96 && req.algo == 1 && req.hdr_version == 1 &&
	   req.hdr_size == 0x60, "a request's header");

	cvm_snp_hdr_make(&good, req.seqno + 1, 3, 6, 1, 1216);
	ok(!cvm_snp_hdr_check(&req, &good, room), "the response's header");

#define BAD(change, what)						\
	do {								\
		bad = good;						\
		change;							\
		ok(cvm_snp_hdr_check(&req, &bad, room) == -EBADMSG, what); \
	} while (0)
	BAD(bad.seqno = req.seqno, "sequence: ours");
	BAD(bad.seqno = req.seqno - 1, "sequence: an answer before ours");
	BAD(bad.seqno += 2, "sequence: ahead");
	BAD(bad.seqno &= 0xffffffff, "sequence: 32 bits of it");
	BAD(bad.type = 5, "type: a request");
	BAD(bad.type = 4, "type: another answer");
	BAD(bad.version = 2, "version");
	BAD(bad.version = 0, "version 0");
	BAD(bad.size = 0, "size 0");
	BAD(bad.size = 1217, "size: a byte too much");
	BAD(bad.size = 0xffff, "size 0xffff");
	BAD(bad.algo = 0, "algorithm");
	BAD(bad.hdr_size = 0x5f, "header size");
	BAD(bad.hdr_version = 2, "header version");

	good.size = CVM_SNP_PAYLOAD;
	ok(!cvm_snp_hdr_check(&req, &good, 1 << 20), "a full page");
	good.size++;
	ok(cvm_snp_hdr_check(&req, &good, 1 << 20) == -EBADMSG, "beyond the page, whatever the room");
}

static struct cvm_snp_report_rsp rsp;
static struct cvm_snp_report_req ask;

static int check_report(size_t len, __u32 *status)
{
	const struct cvm_snp_report *report = NULL;
	int err = cvm_snp_report_check(&ask, &rsp, len, &report, status);

	if (!err && (const void *)report != rsp.report)
		return 1;
	return err;
}

static void good_report(void)
{
	struct cvm_snp_report *report = (struct cvm_snp_report *)rsp.report;

	memset(&rsp, 0, sizeof(rsp));
	memset(&ask, 0, sizeof(ask));
	memset(ask.report_data, 0xa5, sizeof(ask.report_data));
	ask.vmpl = 1;
	rsp.report_size = sizeof(*report);
	report->version = 5;
	report->vmpl = 1;
	memcpy(report->report_data, ask.report_data, sizeof(ask.report_data));
}

static void reports(void)
{
	struct cvm_snp_report *report = (struct cvm_snp_report *)rsp.report;
	__u32 status;

	good_report();
	ok(!check_report(sizeof(rsp), &status) && !status, "a report");
	ok(check_report(sizeof(rsp) - 1, &status) == -EBADMSG, "a report, a byte short");
	ok(check_report(31, &status) == -EBADMSG, "less than a header");

#define BAD_REPORT(change, what)					\
	do {								\
		good_report();						\
		change;							\
		ok(check_report(sizeof(rsp), &status) == -EBADMSG, what); \
	} while (0)
	BAD_REPORT(rsp.report_size = 0, "report size 0");
	BAD_REPORT(rsp.report_size++, "report size 1185");
	BAD_REPORT(rsp.report_size = ~0U, "report size 2^32 - 1");
	BAD_REPORT(report->version = 0, "report version 0");
	BAD_REPORT(report->version = 1, "report version 1");
	BAD_REPORT(report->vmpl = 0, "a report of another VMPL");
	BAD_REPORT(report->report_data[0] ^= 1, "somebody else's REPORT_DATA, first byte");
	BAD_REPORT(report->report_data[63] ^= 0x80, "somebody else's REPORT_DATA, last byte");

	good_report();
	rsp.status = 0x27;
	ok(check_report(32, &status) == -EIO && status == 0x27, "a refusal, without a report");
	ok(check_report(sizeof(rsp), &status) == -EIO && status == 0x27, "a refusal beside a report");
}

static void keys(void)
{
	struct cvm_snp_key_rsp answer = { .key = { [31] = 1 } };
	const __u8 *key = NULL;
	__u32 status;

#define KEY(len)	cvm_snp_key_check(&answer, len, &key, &status)
	ok(!KEY(sizeof(answer)) && key == answer.key && !status, "a key");
	ok(KEY(sizeof(answer) - 1) == -EBADMSG, "a key, a byte short");
	ok(KEY(31) == -EBADMSG, "less than a key's header");
	ok(KEY(0) == -EBADMSG, "no key's header");
	answer.status = 0x16;
	ok(KEY(32) == -EIO && status == 0x16, "a refusal, without a key");
	ok(KEY(sizeof(answer)) == -EIO && status == 0x16, "a refusal beside a key");
	answer.status = 0;
	answer.key[31] = 0;
	ok(KEY(sizeof(answer)) == -EBADMSG, "a key of zeros");
#undef KEY
}

static void certificates(void)
{
	struct cvm_snp_cert_entry table[8];
	const size_t size = sizeof(table);

	memset(table, 0, size);
	ok(!cvm_snp_certs_len(table, size), "no certificates");
	ok(!cvm_snp_certs_len(table, 0), "no table");
	table[0].guid[0] = 1;
	table[0].offset = 48;
	table[0].length = 10;
	ok(cvm_snp_certs_len(table, size) == 58, "one certificate");
	table[0].length = 0;
	table[0].offset = 0;
	ok(cvm_snp_certs_len(table, size) == 48, "an entry of nothing: the table itself");
	table[0].offset = 0xfffffff0;
	table[0].length = 0x20;
	ok(cvm_snp_certs_len(table, size) == size, "an offset that wraps in 32 bits");
	memset(table, 0xff, size);
	ok(cvm_snp_certs_len(table, size) == size, "a table without end");
}

int main(void)
{
	host_answers();
	mixed_answers();
	backoff();
	headers();
	reports();
	keys();
	certificates();
	printf("1..%u\n", tests);
	return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
