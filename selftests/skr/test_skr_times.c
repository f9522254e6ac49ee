// SPDX-License-Identifier: GPL-2.0
/*
 * A key release at other times than it should be: earlier answers, a second token, what is too
 * old, and what changes while a request is made or behind that.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/util.h"
#include "counted.h"
#include "steps.h"
#include "tap.h"

static void test_replay(struct cvm_tpm *tpm)
{
	struct release first, second;
	struct cvm_error error = { 0 };
	struct cvm_skr_secret secret;
	char *answer, *token, *stale;
	int rc, fd = steps_file();

	steps_start(tpm, &first, "RSA_AES_KEY_WRAP_256");
	steps_start(tpm, &second, "RSA_AES_KEY_WRAP_256");
	check(memcmp(first.state.unique, second.state.unique, CVM_SKR_UNIQUE) &&
	      memcmp(first.state.nonce, second.state.nonce, CVM_SKR_NONCE) &&
	      memcmp(first.state.name, second.state.name, CVM_SKR_NAME), "two requests, two keys");
	answer = service_release(&service, first.body, NULL);
	check_is(steps_take(tpm, &second.state, answer, &secret, &error), -EKEYREJECTED, "an earlier release");
	check_says(error.text, "payload.request.nonce", "and the message says why");
	stale = service_attest(&service, first.request);
	second.state.phase = CVM_SKR_PREPARED;
	check_is(cvm_skr_token_open(tpm, &second.state, fd, stale, strlen(stale), &token, &error),
		 -EBADMSG, "an earlier token");
	close(fd);
	check(!token && strstr(error.text, "cannot be decrypted"), "which cannot be decrypted");
	/* whoever knows all but what is secret in the state has another key */
	second.state.unique[31] ^= 1;
	rc = steps_released(tpm, &second, NULL, &secret, &error);
	check_is(rc, -ESTALE, "another unique, another key");
	check_says(error.text, "another wrapping key", "and the message says so");
	free(answer);
	free(stale);
	steps_forget(&first);
	steps_forget(&second);
}

/* One token, and only then a key: by neither is there anything to try twice. */
static void test_phases(struct cvm_tpm *tpm)
{
	struct cvm_error error = { 0 };
	struct cvm_skr_secret secret;
	struct cvm_skr_state state;
	char *token, *again;
	struct release r;

	steps_start(tpm, &r, "RSA_AES_KEY_WRAP_256");
	again = service_attest(&service, r.request);
	updated = finished = 0;
	check_is(cvm_skr_token_open(tpm, &r.state, -1, again, strlen(again), &token, &error),
		 -EALREADY, "a second token for the same key");
	check(!token && is_decrypted(0, 0), "is not even decrypted");
	check_says(error.text, "opens no other", "and the message says so");
	state = r.state;
	r.state.phase = CVM_SKR_PREPARED;
	check_is(steps_released(tpm, &r, NULL, &secret, &error), -EINVAL, "a key before there is a token");
	check(is_decrypted(0, 0), "is not even decrypted");
	check_says(error.text, "request is next", "and the message says so");
	r.state = state;
	check(steps_gives(tpm, &r, NULL), "the key after it comes");
	free(again);
	steps_forget(&r);
}

/* ---- one attempt */

TSS2_RC __wrap_Esys_RSA_Decrypt(ESYS_CONTEXT *esys, ESYS_TR key, ESYS_TR first, ESYS_TR second,
				ESYS_TR third, const TPM2B_PUBLIC_KEY_RSA *cipher,
				const TPMT_RSA_DECRYPT *scheme, const TPM2B_DATA *label,
				TPM2B_PUBLIC_KEY_RSA **message);
TSS2_RC __real_Esys_RSA_Decrypt(ESYS_CONTEXT *esys, ESYS_TR key, ESYS_TR first, ESYS_TR second,
				ESYS_TR third, const TPM2B_PUBLIC_KEY_RSA *cipher,
				const TPMT_RSA_DECRYPT *scheme, const TPM2B_DATA *label,
				TPM2B_PUBLIC_KEY_RSA **message);

/* what is asked of the TPM, and the phase in the file then: who is killed there leaves it */
static struct {
	const char *path;
	unsigned int count;
	uint8_t phase;
} decrypts;

TSS2_RC __wrap_Esys_RSA_Decrypt(ESYS_CONTEXT *esys, ESYS_TR key, ESYS_TR first, ESYS_TR second,
				ESYS_TR third, const TPM2B_PUBLIC_KEY_RSA *cipher,
				const TPMT_RSA_DECRYPT *scheme, const TPM2B_DATA *label,
				TPM2B_PUBLIC_KEY_RSA **message)
{
	int fd = decrypts.path ? open(decrypts.path, O_RDONLY) : -1;

	decrypts.count++;
	if (fd >= 0 && pread(fd, &decrypts.phase, 1, 28) != 1)
		decrypts.phase = 0;
	close(fd);
	return __real_Esys_RSA_Decrypt(esys, key, first, second, third, cipher, scheme, label,
				       message);
}

/* By the state in the file, as another cvmctl does it */
static int open_by_file(struct cvm_tpm *tpm, const char *answer, struct cvm_error *error)
{
	struct cvm_skr_state state;
	char *token = NULL;
	int fd, rc = cvm_skr_state_read(decrypts.path, &state, &fd, error);

	if (rc)
		return rc;
	rc = cvm_skr_token_open(tpm, &state, fd, answer, strlen(answer), &token, error);
	close(fd);
	free(token);
	return rc;
}

static char *answer_with(const struct release *r, const char *wrong)
{
	char *answer;

	service.wrong = wrong;
	answer = service_need(service_attest(&service, r->request));
	service.wrong = NULL;
	return answer;
}

/* A wrapping key is tried on one token, which must be in its file before it is. */
static void test_once(struct cvm_tpm *tpm)
{
	char *good, *bad, *token = NULL;
	struct cvm_error error = { 0 };
	struct release r;

	check(!steps_prepare(tpm, &r, "RSA_AES_KEY_WRAP_256", CVM_SKR_AZURE_GUEST, &error),
	      "a request");
	tap_make_dir();
	decrypts.path = tap_path("/once");
	check(!cvm_skr_state_write(decrypts.path, &r.state, &error), "its state");
	good = answer_with(&r, NULL);
	bad = answer_with(&r, "inner-flip");
	decrypts.count = 0;
	check_is(open_by_file(tpm, "{\"token\":\"e30\"}", &error), -EBADMSG, "another file");
	check_is(cvm_skr_token_open(tpm, &r.state, -1, good, strlen(good), &token, &error), -EBADF,
		 "a state that cannot be written");
	check_is(decrypts.count, 0, "of neither is anything decrypted");
	check_is(open_by_file(tpm, bad, &error), -EBADMSG, "bad padding");
	check(decrypts.count == 1 && decrypts.phase == CVM_SKR_OPENED, "was tried, and that is written before");
	updated = finished = 0;
	check_is(open_by_file(tpm, good, &error), -EALREADY, "then the good one");
	check(decrypts.count == 1 && is_decrypted(0, 0), "is not even decrypted");
	check_says(error.text, "is tried once", "and the message says so");
	decrypts.path = NULL;
	free(good);
	free(bad);
	steps_forget(&r);
}

static void test_age(struct cvm_tpm *tpm)
{
	static const struct {
		const char *name;
		int64_t since;
		const char *says;
	} ages[] = {
		{ "almost too old", -CVM_SKR_MAX_AGE + 60, NULL },
		{ "too old", -CVM_SKR_MAX_AGE - 1, "older than 60 minutes" },
		{ "of another boot", 60, "of another boot" },
	};
	struct cvm_skr_secret secret;
	struct release r;

	steps_start(tpm, &r, "RSA_AES_KEY_WRAP_256");
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		struct cvm_error error = { 0 };
		int want = ages[i].says ? -ESTALE : 0;

		r.state.since = cvm_skr_clock() + (uint64_t)ages[i].since;
		free(r.body);
		r.body = NULL;
		check_is(steps_attested(tpm, &r, NULL, &error), want, ages[i].name);
		check(!want || strstr(error.text, ages[i].says), "and the message says so");
	}
	r.state.since = cvm_skr_clock();
	steps_attested(tpm, &r, NULL, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(ages); i++) {
		struct cvm_error error = { 0 };

		r.state.since = cvm_skr_clock() + (uint64_t)ages[i].since;
		check_is(steps_released(tpm, &r, NULL, &secret, &error), ages[i].says ? -ESTALE : 0,
			 ages[i].name);
	}
	steps_forget(&r);
}

static void extend(struct cvm_tpm *tpm, ESYS_TR pcr)
{
	TPML_DIGEST_VALUES values = { .count = 1, .digests[0].hashAlg = TPM2_ALG_SHA256 };

	memset(values.digests[0].digest.sha256, 0x5a, 32);
	check(!Esys_PCR_Extend(tpm->esys, pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
			       &values), "something is measured");
}

static void test_pcrs(struct cvm_tpm *tpm)
{
	struct cvm_error error = { 0 };
	struct cvm_skr_secret secret;
	struct release r;

	steps_start(tpm, &r, "RSA_AES_KEY_WRAP_256");
	extend(tpm, ESYS_TR_PCR9);
	check_is(steps_released(tpm, &r, NULL, &secret, &error), 0, "into a PCR that it is not bound to");
	extend(tpm, ESYS_TR_PCR7);
	check_is(steps_released(tpm, &r, NULL, &secret, &error), -ESTALE, "into one that it is");
	check_says(error.text, "0,1,2,3,4,5,6,7 are not what they were", "and the message says which");
	check_is(steps_attested(tpm, &r, NULL, &error), -ESTALE, "nor is a token opened");
	r.state.pcrs = 1U << 4;
	check_is(steps_released(tpm, &r, NULL, &secret, &error), -ESTALE, "whatever the state says");
	steps_forget(&r);
}

/* The PCRs are what they were, and so is all that the state says: the key is gone. */
static struct cvm_tpm *test_reset(struct cvm_tpm *tpm)
{
	struct cvm_error error = { 0 };
	struct cvm_skr_secret secret;
	struct release r;

	tpm = steps_reset(tpm);
	steps_start(tpm, &r, "RSA_AES_KEY_WRAP_256");
	check(steps_gives(tpm, &r, NULL), "a key has come");
	tpm = steps_reset(tpm);
	check_is(steps_released(tpm, &r, NULL, &secret, &error), -ESTALE, "and after a reset it does not");
	check_says(error.text, "another wrapping key", "and the message says so");
	steps_forget(&r);
	return tpm;
}

/* ---- what comes between: linked in the place of the library's */

int __wrap_cvm_attest(struct cvm_ctx *ctx, const uint8_t report_data[CVM_REPORT_DATA_LEN],
		      const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
		      struct cvm_error *error);
int __real_cvm_attest(struct cvm_ctx *ctx, const uint8_t report_data[CVM_REPORT_DATA_LEN],
		      const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
		      struct cvm_error *error);
int __wrap_cvm_evidence_tpm_quote(const struct cvm_evidence *evidence, struct cvm_tpm_quote *quote);
int __real_cvm_evidence_tpm_quote(const struct cvm_evidence *evidence, struct cvm_tpm_quote *quote);

static struct cvm_tpm *measures;
static uint32_t fewer_pcrs;
static bool no_quote;

int __wrap_cvm_attest(struct cvm_ctx *ctx, const uint8_t report_data[CVM_REPORT_DATA_LEN],
		      const struct cvm_report_opts *opts, struct cvm_evidence **evidence,
		      struct cvm_error *error)
{
	if (measures)
		extend(measures, ESYS_TR_PCR7);
	return __real_cvm_attest(ctx, report_data, opts, evidence, error);
}

int __wrap_cvm_evidence_tpm_quote(const struct cvm_evidence *evidence, struct cvm_tpm_quote *quote)
{
	int rc = no_quote ? -ENODATA : __real_cvm_evidence_tpm_quote(evidence, quote);

	quote->pcr_count -= fewer_pcrs;
	return rc;
}

static void is_not_prepared(struct cvm_tpm *tpm, int rc, const char *says, const char *name)
{
	struct cvm_error error = { 0 };
	struct release r;

	check_is(steps_prepare(tpm, &r, "RSA_AES_KEY_WRAP_256", CVM_SKR_AZURE_GUEST, &error), rc,
		 name);
	check_says(error.text, says, "and the message says so");
	steps_forget(&r);
}

/* The attestation key's, as it was sent; for X509_free() */
static X509 *sent_certificate(struct cvm_tpm *tpm)
{
	struct cvm_skr_state state = { .form = CVM_SKR_AZURE_GUEST, .wrap = 1,
				       .pcrs = CVM_SKR_PCRS };
	static struct cvm_skr_wrapping w;
	const unsigned char *at = w.ak_cert;
	struct cvm_error error = { 0 };

	check_is(cvm_skr_wrapping_make(tpm, &state, &w, &error), 0, "a certificate is read");
	return d2i_X509(NULL, &at, (long)w.ak_cert_len);
}

/* It is renewed under who has read another one, and under who is reading it. */
static void test_certificate(struct cvm_tpm *tpm)
{
	X509 *first = sent_certificate(tpm), *second, *third, *same;

	steps_set("cert_renew=now");
	second = sent_certificate(tpm);
	check(first && second && X509_cmp(first, second), "another one when it is renewed");
	steps_set("cert_torn_n=1");
	third = sent_certificate(tpm);
	same = sent_certificate(tpm);
	check(third && same && X509_cmp(second, third) && !X509_cmp(third, same),
	      "and the new one, whole, where it is renewed meanwhile");
	X509_free(first);
	X509_free(second);
	X509_free(third);
	X509_free(same);
	steps_set("cert_torn_n=1000");
	is_not_prepared(tpm, -EAGAIN, "is being renewed; ask again", "one that is renewed each time");
	steps_set("cert_torn_n=0");
}

static void test_gather(struct cvm_tpm *tpm)
{
	struct cvm_tpm *second = steps_tpm();

	measures = second;
	is_not_prepared(tpm, -EAGAIN, "extended meanwhile; ask again", "something is measured meanwhile");
	measures = NULL;
	cvm_tpm_close(second);
	fewer_pcrs = 1;
	is_not_prepared(tpm, -EBADMSG, "not of all PCRs", "a quote of fewer PCRs");
	fewer_pcrs = 0;
	no_quote = true;
	is_not_prepared(tpm, -EOPNOTSUPP, "no confidential VM of Azure's", "no quote");
	no_quote = false;
	steps_set("nv_said=5000");
	steps_set("cert_said_n=2");
	is_not_prepared(tpm, -EBADMSG, "index 0x1c101d0: 5000 bytes, at most 4096",
			"a certificate that is too long");
	steps_set("nv_said=0");
	steps_set("cert_said_n=2");
	check(!sent_certificate(tpm), "where there is none, none is sent");
	steps_set("cert_said_n=0");
	test_certificate(tpm);
	/* each of them, as others are asked for */
	steps_set("other_ak_n=100");
	is_not_prepared(tpm, -EBADMSG, "HCLAkPub", "claims that name another attestation key");
	steps_set("other_ak_n=0");
}

/* Something for @key to decrypt */
static void encrypt(const TPM2B_PUBLIC *public, uint8_t cipher[CVM_SKR_RSA])
{
	EVP_PKEY *key = service_public_key(public->publicArea.unique.rsa.buffer, CVM_SKR_RSA);
	EVP_PKEY_CTX *ctx = service_need(EVP_PKEY_CTX_new(key, NULL));
	size_t len = CVM_SKR_RSA;

	check(EVP_PKEY_encrypt_init(ctx) == 1 && EVP_PKEY_encrypt(ctx, cipher, &len,
		(const uint8_t *)"message", 7) == 1, "a message for the wrapping key");
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(key);
}

/* With nobody here who compares PCRs: that the key does not serve is the TPM's to say. */
static void test_tpm_refuses(struct cvm_tpm *tpm)
{
	const TPMT_RSA_DECRYPT scheme = { .scheme = TPM2_ALG_RSAES };
	uint8_t cipher[CVM_SKR_RSA], out[CVM_SKR_RSA];
	struct cvm_error error = { 0 };
	TPM2B_PUBLIC public;
	struct release r;
	size_t len = 0;
	ESYS_TR key;

	steps_start(tpm, &r, "RSA_AES_KEY_WRAP_256");
	check_is(cvm_skr_key_load(tpm, &r.state, &key, &public, &error), 0, "the wrapping key");
	encrypt(&public, cipher);
	check(cvm_skr_decrypt(tpm, key, CVM_SKR_PCRS, &scheme, cipher, out, sizeof(out), &len) &&
	      len == 7 && !memcmp(out, "message", 7), "it decrypts");
	check(!cvm_skr_decrypt(tpm, key, CVM_SKR_PCRS, &scheme, cipher, out, 6, &len),
	      "but not into less room than it takes");
	check(!cvm_skr_decrypt(tpm, key, 1U << 4, &scheme, cipher, out, sizeof(out), &len),
	      "nor by a policy of other PCRs");
	extend(tpm, ESYS_TR_PCR7);
	check(!cvm_skr_decrypt(tpm, key, CVM_SKR_PCRS, &scheme, cipher, out, sizeof(out), &len),
	      "nor once something is measured");
	cvm_tpm_flush(tpm, &key);
	steps_forget(&r);
}

int main(void)
{
	struct cvm_tpm *tpm;

	steps_begin(false);
	tpm = steps_tpm();
	test_replay(tpm);
	test_phases(tpm);
	test_once(tpm);
	test_age(tpm);
	test_gather(tpm);
	test_pcrs(tpm);
	test_tpm_refuses(tpm);
	tpm = test_reset(tpm);
	cvm_tpm_close(tpm);
	check(steps_end(), "the simulator has seen no broken rule");
	return tap_end();
}
