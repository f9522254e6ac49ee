// SPDX-License-Identifier: GPL-2.0
/* cvm-fwd as host: certificates' handshake, throttling, delays, and lies. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "fw_client.h"

#define BUSY		(2ULL << 32)
#define INVALID_LEN	(1ULL << 32)
#define GENERIC		(0xffffffffULL << 32)
#define MS		1000000ULL

static struct fw_reply reply;

static const struct report_req plain_req = { .report_data = { 1, 2, 3 } };

static void prepare(struct fwd_process *fwd, struct guest_msg *msg)
{
	guest_prepare(fwd, msg, 0, 5, 1, &plain_req, sizeof(plain_req));
	guest_seal(fwd, msg, NULL);
}

/* as prepare() and issue, with the answer taken as good */
static uint64_t next(struct fwd_process *fwd, int npages)
{
	struct guest_msg msg;
	uint64_t status;

	prepare(fwd, &msg);
	status = guest_issue(fwd, &msg, npages, &reply);
	if (!status)
		fwd->seqno[0] += 2;
	return status;
}

static uint64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.tv_sec * 1000 * MS + (uint64_t)time.tv_nsec;
}

static void certificates(void)
{
	const struct fw_snp_answer *answer = snp_answer(&reply);
	struct fwd_process fwd;
	struct guest_msg msg;
	uint32_t pages;

	fwd_start(&fwd, NULL);
	prepare(&fwd, &msg);
	ok(guest_issue(&fwd, &msg, 0, &reply) == INVALID_LEN && answer->data_npages > 0 &&
	   !answer->deliver, "no page offered: INVALID_LEN and the number of pages");
	pages = answer->data_npages;
	ok(!fw_status(fwd.fd, "msg_count_0"), "the firmware was not asked");
	ok(guest_issue(&fwd, &msg, (int)pages - 1, &reply) == INVALID_LEN, "one page too few");
	ok(!guest_issue(&fwd, &msg, (int)pages, &reply) && answer->deliver &&
	   answer->certs_len > 3000 && answer->certs_len <= pages * FW_PAGE &&
	   reply.head.len == sizeof(*answer) + answer->certs_len,
	   "enough pages: the same message is answered, with certificates");
	fwd.seqno[0] += 2;
	ok(!next(&fwd, -1) && !answer->certs_len, "a plain request gets none");

	fw_set(fwd.fd, "certs_pages=7");
	ok(next(&fwd, 6) == INVALID_LEN && answer->data_npages == 7 && !next(&fwd, 7) &&
	   answer->certs_len == 7 * FW_PAGE, "certs_pages= pads the table");
	fw_set(fwd.fd, "certs=0");
	ok(!next(&fwd, 0) && !answer->certs_len && !next(&fwd, 4) && answer->certs_len == 24 &&
	   !memcmp(reply.data + sizeof(*answer), &(uint8_t[24]){ 0 }, 24),
	   "certs=0: an extended request works and gets the end of a table");
	fw_set(fwd.fd, "invalid_len=4000 invalid_len_n=2");
	ok(next(&fwd, 32) == INVALID_LEN && answer->data_npages == 4000 &&
	   next(&fwd, 32) == INVALID_LEN && !next(&fwd, 32), "invalid_len= names any number");
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");
}

static void refusals(void)
{
	struct fwd_process fwd;
	uint64_t start;

	fwd_start(&fwd, NULL);
	fw_set(fwd.fd, "busy_n=2");
	ok(next(&fwd, -1) == BUSY && next(&fwd, -1) == BUSY && !next(&fwd, -1),
	   "busy_n=2: twice BUSY");
	start = now();
	fw_set(fwd.fd, "busy_ms=30");
	while (next(&fwd, -1) == BUSY)
		continue;
	ok(now() - start >= 30 * MS && fw_status(fwd.fd, "busy_answers") > 3,
	   "busy_ms=30: BUSY for 30 ms");
	fw_set(fwd.fd, "generic_n=1");
	ok(next(&fwd, -1) == GENERIC && fw_status(fwd.fd, "msg_count_0") == 4 && !next(&fwd, -1),
	   "generic_n=1: GENERIC, and the firmware was not asked");
	fw_set(fwd.fd, "es_result=2");
	ok(!next(&fwd, -1) && snp_answer(&reply)->es_result == 2 && !snp_answer(&reply)->deliver,
	   "es_result=2: the GHCB call fails");
	fwd.seqno[0] -= 2;
	ok(!next(&fwd, -1) && !snp_answer(&reply)->es_result, "once");
	fw_set(fwd.fd, "fw_error=0x13 fw_error_n=2");
	ok(next(&fwd, -1) == 0x13 && next(&fwd, -1) == 0x13 && !next(&fwd, -1),
	   "fw_error=0x13: twice, and the message does not count");
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");

	fwd_start(&fwd, (const char *[]){ "lost_n=1", NULL });
	ok(next(&fwd, -1) == GENERIC && next(&fwd, -1) == 0x1d,
	   "lost_n=1: the firmware has counted a message that the guest believes unanswered");
	fwd_stop(&fwd, NULL, 0);
}

static void lies(void)
{
	const struct guest_msg *answer = (const struct guest_msg *)snp_answer(&reply)->response;
	struct fwd_process fwd;
	static uint8_t body[FW_PAGE], first[FW_PAGE];

	fwd_start(&fwd, NULL);
	next(&fwd, -1);
	memcpy(first, answer, FW_PAGE);
	fw_set(fwd.fd, "replay_n=1");
	ok(!next(&fwd, -1) && !memcmp(answer, first, FW_PAGE), "replay_n: the answer before");
	fw_set(fwd.fd, "bad_tag_n=1");
	ok(!next(&fwd, -1) && !guest_open(&fwd, answer, body), "bad_tag_n: not authentic");
	fw_set(fwd.fd, "bad_seq_n=1");
	ok(!next(&fwd, -1) && answer->seqno == fwd.seqno[0] + 2, "bad_seq_n: another number");
	fw_set(fwd.fd, "bad_type_n=1");
	ok(!next(&fwd, -1) && answer->type == 4 && guest_open(&fwd, answer, body),
	   "bad_type_n: another type, authentic");
	fw_set(fwd.fd, "bad_version_n=1");
	ok(!next(&fwd, -1) && answer->version == 2 && guest_open(&fwd, answer, body),
	   "bad_version_n: another version, authentic");
	fw_set(fwd.fd, "bad_size_n=2 bad_size=0");
	ok(!next(&fwd, -1) && answer->size == 0, "bad_size_n: size 0");
	fw_set(fwd.fd, "bad_size=0xffff");
	ok(!next(&fwd, -1) && answer->size == 0xffff, "bad_size_n: size 0xffff");
	fw_set(fwd.fd, "bad_report_data_n=1");
	ok(!next(&fwd, -1) && guest_open(&fwd, answer, body) &&
	   memcmp(body + 0x70, plain_req.report_data, 64), "bad_report_data_n: another nonce");
	ok(!next(&fwd, -1) && answer->seqno == fwd.seqno[0] && answer->size == 1216 &&
	   guest_open(&fwd, answer, body) && !memcmp(body + 0x70, plain_req.report_data, 64),
	   "and then the truth again");
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");
}

static void timing(void)
{
	const struct fw_sim_report sim = { .report_data = { 4 } };
	struct fwd_process fwd;
	uint64_t start, first;
	bool good;

	fwd_start(&fwd, (const char *[]){ "report_ms=40.5", "hold_cpu=1", NULL });
	start = now();
	good = !next(&fwd, -1);
	first = reply.head.delay_ns;
	ok(good && first == 405 * MS / 10 && reply.head.flags == FW_HOLD_CPU &&
	   now() - start < first,
	   "report_ms= goes to the kernel half as a delay, at once");
	ok(!next(&fwd, -1) && reply.head.delay_ns > first && reply.head.delay_ns <= 2 * first,
	   "the next message queues behind it");
	start = now();
	fw_call(fwd.fd, FW_SIM_REPORT, &sim, sizeof(sim), &reply);
	ok(now() - start >= reply.head.delay_ns && !reply.head.status && reply.head.len > 1184 &&
	   reply.data[0x50] == 4, "a report for a program is held until it is due");
	fw_set(fwd.fd, "busy_n=1");
	fw_call(fwd.fd, FW_SIM_REPORT, &sim, sizeof(sim), &reply);
	ok(reply.head.status == BUSY && !reply.head.len, "busy for a program, too");
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");

	fwd_start(&fwd, (const char *[]){ "rate=2/1s", NULL });
	start = now();
	ok(!next(&fwd, -1) && !next(&fwd, -1) && next(&fwd, -1) == BUSY,
	   "rate=2/1s: two at once, the third is BUSY");
	while (next(&fwd, -1) == BUSY)
		usleep(2000);
	ok(now() - start >= 450 * MS && now() - start < 900 * MS, "the next after half a second");
	fwd_stop(&fwd, NULL, 0);
}

int main(void)
{
	printf("TAP version 13\n");
	certificates();
	refusals();
	lies();
	timing();
	plan();
}
