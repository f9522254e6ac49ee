// SPDX-License-Identifier: MIT
/* cvmctl report: an SNP attestation report, with the host's certificates if asked. */
#include <limits.h>
#include <string.h>

#include "evidence.h"

#define MAX_VMPL	3

enum { REPORT_DATA, PAD, VMPL, KEY, OUT, CERTS, FORMAT, BACKEND, TIMEOUT };

static const struct option_spec options[] = {
	[REPORT_DATA]	= { "report-data", "HEX|@FILE", HELP_REPORT_DATA },
	[PAD]		= { "pad", NULL, HELP_PAD },
	[VMPL]		= { "vmpl", "0|1|2|3", "the VMPL that the report states (default: the kernel's own)" },
	[KEY]		= { "key", "vcek|vlek", "the key that signs (default: the host's choice)" },
	[OUT]		= { "out", "FILE", HELP_OUT },
	[CERTS]		= { "certs", "FILE", "ask for the host's certificate table too and write it\nthere, as the host gave it" },
	[FORMAT]	= { "format", "raw|json|cmw", HELP_FORMAT },
	[BACKEND]	= { "backend", ARG_BACKEND, HELP_BACKEND },
	[TIMEOUT]	= { "timeout", "MS", HELP_TIMEOUT },
	{ 0 }
};

static int parse_key(const char *value, uint32_t *key)
{
	*key = CVM_SIGNING_KEY_AUTO;
	if (!value)
		return 0;
	if (!strcmp(value, "vcek"))
		*key = CVM_SIGNING_KEY_VCEK;
	else if (!strcmp(value, "vlek"))
		*key = CVM_SIGNING_KEY_VLEK;
	else
		return usage_error("--key: '%s' is neither vcek nor vlek", value);
	return 0;
}

static int parse_options(const struct arguments *args, struct cvm_report_opts *opts)
{
	const char *vmpl = args->option[VMPL], *timeout = args->option[TIMEOUT];
	int rc = parse_key(args->option[KEY], &opts->signing_key);

	if (!rc && vmpl) {
		opts->flags |= CVM_REQUEST_VMPL;
		rc = parse_number("vmpl", vmpl, MAX_VMPL, &opts->vmpl);
	}
	if (!rc && timeout)
		rc = parse_number("timeout", timeout, INT_MAX, &opts->timeout_ms);
	if (args->option[CERTS])
		opts->flags |= CVM_REQUEST_CERTS;
	return rc;
}

static int ask(const struct arguments *args, const uint8_t *report_data,
	       const struct cvm_report_opts *opts, enum format format)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	struct cvm_error error;
	int rc = open_source(args->option[BACKEND], &ctx);

	if (rc)
		return rc;
	rc = cvm_report(ctx, report_data, opts, &evidence, &error);
	if (rc)
		return fail_library(rc, &error);
	return write_evidence(evidence, args->option[OUT], args->option[CERTS], format);
}

static int run(const struct arguments *args)
{
	struct cvm_report_opts opts = { .size = sizeof(opts) };
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	enum format format;
	int rc = parse_report_data(args->option[REPORT_DATA], args->option[PAD], report_data);

	if (!rc)
		rc = parse_options(args, &opts);
	if (!rc)
		rc = parse_format(args->option[FORMAT], &format);
	return rc ? rc : ask(args, report_data, &opts, format);
}

const struct command cmd_report = {
	.name = "report",
	.summary = "get an SNP attestation report",
	.options = options,
	.run = run,
};
