// SPDX-License-Identifier: MIT
/* Every other source of evidence that this machine has: programs may use any. */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "selftest.h"

/* one kind of what @ctx gives: a quote is more than a TDREPORT */
static uint32_t some_type(struct cvm_ctx *ctx)
{
	static const uint32_t types[] = { CVM_EVIDENCE_SNP_REPORT, CVM_EVIDENCE_TDX_QUOTE,
					  CVM_EVIDENCE_TDREPORT, CVM_EVIDENCE_HCL_REPORT };
	struct cvm_status status = { .size = sizeof(status) };

	for (size_t i = 0; !cvm_status(ctx, &status, NULL) && i < ARRAY_SIZE(types); i++)
		if (status.types & (1U << types[i]))
			return types[i];
	return CVM_EVIDENCE_SNP_REPORT;
}

/* 0; 1: it is not there, or not for this process; a negative errno and @error */
static int try_source(const char *backend, struct cvm_error *error)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .backend = backend };
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	uint8_t data[CVM_REPORT_DATA_LEN];
	int rc = cvm_open(&ctx, &opts, error);

	if (rc == -ENODEV || rc == -EACCES || rc == -EPERM)
		return 1;
	RAND_bytes(data, sizeof(data));
	if (!rc)
		rc = selftest_ask(ctx, some_type(ctx), data, NULL, &evidence, error);
	if (!rc && !selftest_carries(evidence, data)) {
		snprintf(error->text, sizeof(error->text), "not what was asked for");
		rc = -EBADMSG;
	}
	return rc;
}

enum outcome selftest_sources(struct selftest *t)
{
	static const char *const backends[] = { "cvm", "tsm", "native", "vtpm" };
	char names[64] = "";
	struct cvm_error error;

	if (t->backend)
		return selftest_say(t, SKIPPED, "one was named, so no other is asked");
	for (size_t i = 0; i < ARRAY_SIZE(backends); i++) {
		int rc = strcmp(backends[i], t->status.backend) ?
			 try_source(backends[i], &error) : 1;

		if (rc < 0)
			return selftest_say(t, FAILED, "%s: %s", backends[i], error.text);
		if (!rc)
			snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s",
				 *names ? ", " : "", backends[i]);
	}
	if (!*names)
		return selftest_say(t, SKIPPED, "there is none but %s", t->status.backend);
	return selftest_say(t, PASSED, "evidence from %s as well", names);
}
