// SPDX-License-Identifier: MIT
/* Evidence verified, as far as can be without a network. */
#include <errno.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/util.h"
#include "selftest.h"

static int add_certs(struct selftest *t, struct cvm_verifier *verifier,
		     const struct cvm_evidence *evidence, struct cvm_error *error)
{
	size_t len;
	const void *certs = cvm_evidence_certs(evidence, &len);
	__cleanup_free void *root = NULL;
	int rc = 0;

	if (certs)
		rc = cvm_verifier_add_certs(verifier, certs, len, error);
	if (rc || !t->trust_root)
		return rc;
	rc = cvm_read_file(t->trust_root, MAX_INPUT_FILE, &root, &len);
	if (rc) {
		snprintf(error->text, sizeof(error->text), "%s: %s", t->trust_root, strerror(-rc));
		return rc;
	}
	return cvm_verifier_add_trust_root(verifier, root, len, error);
}

static enum outcome judge(struct selftest *t, const struct cvm_verdict *verdict)
{
	if (cvm_verdict_authentic(verdict))
		return selftest_say(t, PASSED, "%s: signature, certificates and REPORT_DATA hold",
			   t->trust_root ? "by the root that was given" : "by the vendor's root");
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		if (c->state == CVM_CHECK_FAILED)
			return selftest_say(t, FAILED, "%s: %s", c->name, c->reason);
	}
	return selftest_say(t, FAILED, "not authentic");
}

static enum outcome verify_with(struct selftest *t, struct cvm_verifier *verifier,
				const struct cvm_evidence *evidence,
				struct cvm_verify_opts *opts)
{
	struct cvm_tpm_quote quote = { .size = sizeof(quote) };
	struct cvm_verdict *verdict = NULL;
	struct cvm_error error;
	enum outcome outcome;
	const void *bytes;
	size_t len;

	if (add_certs(t, verifier, evidence, &error))
		return selftest_say(t, FAILED, "certificates: %s", error.text);
	if (selftest_is_azure(t)) {
		opts->binding = CVM_BINDING_AZURE;
		opts->td_quote = cvm_evidence_td_quote(evidence, &opts->td_quote_len);
		opts->tpm_quote = cvm_evidence_tpm_quote(evidence, &quote) ? NULL : &quote;
	}
	bytes = cvm_evidence_data(evidence, &len);
	if (cvm_verify(verifier, bytes, len, opts, &verdict, &error) && !verdict)
		outcome = selftest_say(t, FAILED, "%s", error.text);
	else
		outcome = judge(t, verdict);
	cvm_verdict_free(verdict);
	return outcome;
}

/* is @evidence genuine, and about what @opts say? */
static enum outcome verify(struct selftest *t, const struct cvm_evidence *evidence,
			   struct cvm_verify_opts *opts)
{
	struct cvm_verifier *verifier;
	enum outcome outcome;
	size_t len;

	if (t->status.tee == CVM_TEE_SNP && !cvm_evidence_certs(evidence, &len))
		return selftest_say(t, SKIPPED, "the host gives no certificates: fetch them from AMD, and use cvmctl verify");
	if (cvm_verifier_new(&verifier))
		return selftest_say(t, FAILED, "out of memory");
	outcome = verify_with(t, verifier, evidence, opts);
	cvm_verifier_free(verifier);
	return outcome;
}

static uint32_t certs_flag(const struct selftest *t)
{
	return t->status.tee == CVM_TEE_SNP && !selftest_is_azure(t) ? CVM_REQUEST_CERTS : 0;
}

enum outcome selftest_verify(struct selftest *t)
{
	struct cvm_report_opts opts = { .size = sizeof(opts), .flags = certs_flag(t) };
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	uint8_t data[CVM_REPORT_DATA_LEN];
	struct cvm_verify_opts about = {
		.size = sizeof(about), .at = time(NULL), .report_data = data,
	};
	struct cvm_error error;

	RAND_bytes(data, sizeof(data));
	if (selftest_ask(t->ctx, selftest_type(t), data, &opts, &evidence, &error))
		return selftest_say(t, FAILED, "%s", error.text);
	return verify(t, evidence, &about);
}

/* what a relying party does with a proof */
enum outcome selftest_proof(struct selftest *t)
{
	struct cvm_batch_opts opts = { .size = sizeof(opts), .flags = certs_flag(t) };
	__cleanup_evidence struct cvm_evidence *evidence = NULL;
	uint8_t data[CVM_USER_DATA_LEN];
	struct cvm_verify_opts about = {
		.size = sizeof(about), .at = time(NULL), .user_data = data,
		.scope = selftest_scope(t),
	};
	struct cvm_error error;
	int rc;

	RAND_bytes(data, sizeof(data));
	rc = cvm_batch_one(t->ctx, data, &opts, &evidence, &error);
	if (selftest_may_not(rc))
		return selftest_say(t, SKIPPED, "%s", error.text);
	if (rc)
		return selftest_say(t, FAILED, "%s", error.text);
	about.proof = cvm_evidence_proof(evidence, &about.proof_len);
	return verify(t, evidence, &about);
}
