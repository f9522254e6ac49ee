// SPDX-License-Identifier: MIT
/* Batch evidence: do the proofs hold, and for whom do they speak? */
#include <errno.h>
#include <openssl/rand.h>
#include <string.h>

#include "common/util.h"
#include "selftest.h"

#define LABEL	"cvmctl selftest"

/* does the evidence commit to what was asked for, by a proof that speaks for @scope? */
static bool proven(const uint8_t *user_data, const struct cvm_evidence *evidence,
		   const char *scope)
{
	uint8_t expected[CVM_REPORT_DATA_LEN];
	size_t len;
	const void *proof = cvm_evidence_proof(evidence, &len);

	return !cvm_batch_expected(user_data, proof, len, scope, expected, NULL) &&
	       selftest_carries(evidence, expected);
}

bool selftest_may_not(int rc)
{
	return rc == -EOPNOTSUPP || rc == -EACCES || rc == -EPERM;
}

const char *selftest_scope(const struct selftest *t)
{
	static const char *const scopes[] = { "unprivileged", "privileged", "any" };

	return scopes[t->status.scope < ARRAY_SIZE(scopes) ? t->status.scope : 2];
}

enum outcome selftest_batch(struct selftest *t)
{
	const char *scope = selftest_scope(t);
	struct cvm_batch_request requests[MANY] = { 0 };
	struct cvm_error error;
	unsigned int right = 0;
	long done;

	for (size_t i = 0; i < MANY; i++) {
		requests[i].size = sizeof(requests[i]);
		RAND_bytes(requests[i].user_data, sizeof(requests[i].user_data));
	}
	done = cvm_batch(t->ctx, requests, MANY, NULL, &error);
	for (size_t i = 0; i < MANY; i++) {
		if (requests[i].evidence)
			right += proven(requests[i].user_data, requests[i].evidence, scope);
		cvm_evidence_free(requests[i].evidence);
	}
	if (done < 0 && selftest_may_not((int)done))
		return selftest_say(t, SKIPPED, "%s", error.text);
	if (done != MANY)
		return selftest_say(t, FAILED, "%ld of %d: %s", done, MANY, error.text);
	if (right != MANY)
		return selftest_say(t, FAILED, "%u of %d proofs hold", right, MANY);
	return selftest_say(t, PASSED, "%d proofs hold, for scope %s", MANY, scope);
}

/* a context of its own: a label is for good */
enum outcome selftest_label(struct selftest *t)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	uint8_t data[CVM_USER_DATA_LEN];
	struct cvm_error error;
	int rc;

	if (open_source(t->backend, &ctx))
		return selftest_say(t, FAILED, "a second context cannot be opened");
	rc = cvm_set_label(ctx, LABEL, strlen(LABEL), &error);
	if (selftest_may_not(rc))
		return selftest_say(t, SKIPPED, "%s", error.text);
	RAND_bytes(data, sizeof(data));
	if (!rc)
		rc = cvm_batch_one(ctx, data, NULL, &evidence, &error);
	if (rc)
		return selftest_say(t, FAILED, "%s", error.text);
	if (!proven(data, evidence, "label:" LABEL))
		return selftest_say(t, FAILED, "the proof does not speak for the label");
	if (proven(data, evidence, "privileged"))
		return selftest_say(t, FAILED, "the proof of a workload speaks for root");
	return selftest_say(t, PASSED, "a proof that speaks for a label, and for nobody else");
}
