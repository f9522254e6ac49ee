// SPDX-License-Identifier: MIT
/* cvmctl quote: a TDX quote, or the TDREPORT that it would be made from. */
#include <limits.h>

#include "evidence.h"

enum { REPORT_DATA, PAD, TDREPORT, OUT, FORMAT, BACKEND, TIMEOUT };

static const struct option_spec options[] = {
	[REPORT_DATA]	= { "report-data", "HEX|@FILE", HELP_REPORT_DATA },
	[PAD]		= { "pad", NULL, HELP_PAD },
	[TDREPORT]	= { "tdreport", NULL, "the TDREPORT instead, which only this machine can check" },
	[OUT]		= { "out", "FILE", HELP_OUT },
	[FORMAT]	= { "format", "raw|json|cmw", HELP_FORMAT },
	[BACKEND]	= { "backend", ARG_BACKEND, HELP_BACKEND },
	[TIMEOUT]	= { "timeout", "MS", HELP_TIMEOUT },
	{ 0 }
};

static int ask(const struct arguments *args, const uint8_t *report_data,
	       const struct cvm_report_opts *opts, enum format format)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	struct cvm_error error;
	int rc = open_source(args->option[BACKEND], &ctx);

	if (rc)
		return rc;
	if (args->option[TDREPORT])
		rc = cvm_tdreport(ctx, report_data, opts, &evidence, &error);
	else
		rc = cvm_quote(ctx, report_data, opts, &evidence, &error);
	if (rc)
		return fail_library(rc, &error);
	return write_evidence(evidence, args->option[OUT], NULL, format);
}

static int run(const struct arguments *args)
{
	struct cvm_report_opts opts = { .size = sizeof(opts) };
	const char *timeout = args->option[TIMEOUT];
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	enum format format;
	int rc = parse_report_data(args->option[REPORT_DATA], args->option[PAD], report_data);

	if (!rc && timeout)
		rc = parse_number("timeout", timeout, INT_MAX, &opts.timeout_ms);
	if (!rc)
		rc = parse_format(args->option[FORMAT], &format);
	return rc ? rc : ask(args, report_data, &opts, format);
}

const struct command cmd_quote = {
	.name = "quote",
	.summary = "get a TDX quote",
	.options = options,
	.run = run,
};
