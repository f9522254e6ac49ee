// SPDX-License-Identifier: MIT
/*
 * cvmctl selftest: one of everything on the machine as it is, verified as far as
 * can be without a network. The VM tests have a simulated platform; this is for
 * real ones, and its output is what a report of a failure needs.
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "common/util.h"
#include "selftest.h"

enum { BACKEND, TRUST_ROOT, JSON };

static const struct option_spec options[] = {
	[BACKEND]	= { "backend", ARG_BACKEND, HELP_BACKEND },
	[TRUST_ROOT]	= { "trust-root", "FILE",
			    "trust the root certificate in FILE (PEM or DER) instead of\n"
			    "AMD's and Intel's" },
	[JSON]		= { "json", NULL, "one JSON object" },
	{ 0 }
};

static const struct {
	const char *name;
	enum outcome (*run)(struct selftest *t);
} steps[] = {
	{ "evidence", selftest_evidence },
	{ "tdreport", selftest_tdreport },
	{ "vmpl", selftest_vmpl },
	{ "many", selftest_many },
	{ "async", selftest_async },
	{ "deadline", selftest_deadline },
	{ "reserved", selftest_reserved },
	{ "batch", selftest_batch },
	{ "label", selftest_label },
	{ "sources", selftest_sources },
	{ "verify", selftest_verify },
	{ "proof", selftest_proof },
};

static void run_steps(struct selftest *t, bool json)
{
	static const char *const names[] = { "passed", "failed", "skipped" };

	for (size_t i = 0; i < ARRAY_SIZE(steps); i++) {
		enum outcome outcome = steps[i].run(t);

		t->failed += outcome == FAILED;
		if (!json)
			printf("%-8s %-9s %s\n", names[outcome], steps[i].name, t->reason);
		json_array_append_new(t->results, json_pack("{ss ss ss}", "step", steps[i].name,
							    "result", names[outcome],
							    "reason", t->reason));
	}
}

static int report(struct selftest *t, bool json)
{
	struct utsname kernel;
	int rc;

	if (uname(&kernel))
		memset(&kernel, 0, sizeof(kernel));
	if (json)
		rc = output_json(NULL, json_pack("{ss ss ss ss si sO}", "version", CVM_VERSION,
						 "kernel", kernel.release,
						 "platform", tee_name(t->status.tee),
						 "backend", t->status.backend,
						 "failed", (int)t->failed,
						 "results", t->results));
	else
		rc = flush_output();
	if (rc || !t->failed)
		return rc;
	return fail(EXIT_FAILED, "%u of %zu steps failed; a report of it needs the output of 'cvmctl selftest --json', 'cvmctl doctor --json' and 'dmesg'",
		    t->failed, ARRAY_SIZE(steps));
}

static int run(const struct arguments *args)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	struct selftest t = { .backend = args->option[BACKEND],
			      .trust_root = args->option[TRUST_ROOT] };
	struct cvm_error error;
	int rc = open_source(args->option[BACKEND], &ctx);

	if (rc)
		return rc;
	/* from here on RAND_bytes() does not fail */
	if (RAND_status() != 1)
		return fail(EXIT_FAILED, "no random numbers: 'cvmctl doctor' says why");
	t.ctx = ctx;
	t.status.size = sizeof(t.status);
	rc = cvm_status(ctx, &t.status, &error);
	if (rc)
		return fail_library(rc, &error);
	t.results = json_array();
	run_steps(&t, args->option[JSON]);
	rc = report(&t, args->option[JSON]);
	json_decref(t.results);
	return rc;
}

const struct command cmd_selftest = {
	.name = "selftest",
	.summary = "on this machine: one of everything, verified; what to send when it fails",
	.options = options,
	.run = run,
};
