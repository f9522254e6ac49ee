// SPDX-License-Identifier: GPL-2.0
/* What callers can do wrong, and structs of callers that are older or newer. */
#include <errno.h>
#include <stdint.h>

#include "cvmguest.h"
#include "tap.h"

static struct cvm_error error;
static struct cvm_ctx *ctx;

/* A struct of the next version: ours with one field more. */
struct newer_open_opts {
	struct cvm_open_opts opts;
	uint64_t more;
};

struct newer_request {
	struct cvm_request request;
	uint64_t more;
};

static void test_open(void)
{
	struct newer_open_opts opts = { .opts = { .size = sizeof(opts), .backend = "native",
						  .root = tap_dir } };
	struct cvm_ctx *other;

	check_is(cvm_open(&other, &opts.opts, &error), 0, "options of a newer caller, zero");
	cvm_close(other);
	opts.more = 1;
	check_is(cvm_open(&other, &opts.opts, &error), -E2BIG, "options that we do not know");
	check(!other, "and there is no context");
	opts.opts.size = sizeof(size_t);
	check_is(cvm_open(&other, &opts.opts, NULL), -EINVAL, "options that are too short");
	opts.opts = (struct cvm_open_opts) { .size = sizeof(opts.opts), .backend = "magic" };
	check_is(cvm_open(&other, &opts.opts, &error), -EINVAL, "an unknown backend");
	check_says(error.text, "magic", "says which");
	opts.opts = (struct cvm_open_opts) { .size = sizeof(opts.opts), .root = "/nonexistent" };
	check_is(cvm_open(&other, &opts.opts, &error), -ENODEV, "no source at all");
	cvm_close(NULL);
	cvm_evidence_free(NULL);
}

static void test_report(void)
{
	static const struct {
		struct cvm_report_opts opts;
		int rc;
		const char *what;
	} cases[] = {
		{ { .flags = 8 }, -EINVAL, "an unknown flag" },
		{ { .flags = CVM_REQUEST_QUOTE_ALONE }, -EOPNOTSUPP, "a vTPM's quote, of a report" },
		{ { .flags = CVM_REQUEST_VMPL, .vmpl = 4 }, -EINVAL, "VMPL 4" },
		{ { .vmpl = 1 }, -EINVAL, "a VMPL without its flag" },
		{ { .signing_key = 3 }, -EINVAL, "an unknown key" },
	};
	uint8_t data[CVM_REPORT_DATA_LEN] = "CVMGBAT1";
	struct cvm_evidence *evidence = (void *)1;
	struct cvm_report_opts opts;

	check_is(cvm_report(ctx, data, NULL, &evidence, &error), -EINVAL, "the reserved tag");
	check(!evidence, "and there is no evidence");
	check_is(cvm_quote(ctx, data, NULL, &evidence, NULL), -EINVAL, "nor in a quote");
	check_is(cvm_tdreport(ctx, data, NULL, &evidence, NULL), -EINVAL, "nor in a TDREPORT");
	data[6] = 'X';
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		opts = cases[i].opts;
		opts.size = sizeof(opts);
		check_is(cvm_report(ctx, data, &opts, &evidence, &error), cases[i].rc,
			 cases[i].what);
	}
	opts = (struct cvm_report_opts) { .size = sizeof(opts), .flags = CVM_REQUEST_CERTS };
	check_is(cvm_quote(ctx, data, &opts, &evidence, &error), -EINVAL,
		 "a quote with certificates");
	opts.size = 4;
	check_is(cvm_report(ctx, data, &opts, &evidence, &error), -EINVAL, "options too short");
}

static void test_issue(void)
{
	struct newer_request many[2] = { 0 };
	struct cvm_request *first = &many[0].request;

	for (int i = 0; i < 2; i++) {
		many[i].request.size = sizeof(many[i]);
		many[i].request.type = CVM_EVIDENCE_TDX_QUOTE;
		many[i].request.result = 77;
	}
	check_is(cvm_issue(ctx, first, 0, 0, &error), -EINVAL, "no requests");
	check_is(cvm_issue(ctx, first, SIZE_MAX, 0, &error), -EINVAL, "more than there can be");
	many[1].more = 1;
	check_is(cvm_issue(ctx, first, 2, 0, &error), -E2BIG, "one with a field we do not know");
	many[1].more = 0;
	many[1].request.size--;
	check_is(cvm_issue(ctx, first, 2, 0, &error), -EINVAL, "two of different sizes");
	many[1].request.size++;
	many[1].request.reserved = 1;
	check_is(cvm_issue(ctx, first, 2, 0, &error), -EINVAL, "one with a reserved field");
	check_says(error.text, "reserved", "says so");
	many[1].request.reserved = 0;
	many[1].request.type = 99;
	check_is(cvm_issue(ctx, first, 2, 0, &error), -EINVAL, "an unknown type");
	check(first->result == 77 && many[1].request.result == 77, "and nothing was written");
	many[1].request.type = CVM_EVIDENCE_TDX_QUOTE;
	check_is(cvm_issue(ctx, first, 2, 0, &error), 0, "two that this source does not have");
	check(first->result == -EOPNOTSUPP && many[1].request.result == -EOPNOTSUPP,
	      "each with its result, at the caller's distance");
}

int main(void)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .backend = "native" };

	opts.root = tap_make_dir();
	tap_write(tap_path("/dev/tdx_guest"), "", 0);
	if (cvm_open(&ctx, &opts, &error)) {
		printf("Bail out! %s\n", error.text);
		return 1;
	}
	test_open();
	test_report();
	test_issue();
	cvm_close(ctx);
	return tap_end();
}
