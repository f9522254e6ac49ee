// SPDX-License-Identifier: GPL-2.0
/*
 * A key release from end to end, with a TPM, a simulated paravisor, and services that do one
 * thing at a time wrong: each of those is refused, and those that concern decryption in the
 * same words.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "common/util.h"
#include "steps.h"
#include "tap.h"

static void test_wrappings(struct cvm_tpm *tpm)
{
	static const char *const wrappings[] = {
		"RSA_AES_KEY_WRAP_256", "RSA_AES_KEY_WRAP_384", "CKM_RSA_AES_KEY_WRAP",
	};
	struct release r;

	for (size_t i = 0; i < ARRAY_SIZE(wrappings); i++) {
		steps_start(tpm, &r, wrappings[i]);
		check(steps_gives(tpm, &r, NULL), "%s: a key has come", wrappings[i]);
		check(steps_gives(tpm, &r, "pss"), "%s: signed by PSS", wrappings[i]);
		check(steps_gives(tpm, &r, "with-root"), "%s: the root is sent too", wrappings[i]);
		/* by the hash that was asked for */
		check(steps_gives(tpm, &r, "said-otherwise"), "%s: whatever the inner header says",
		      wrappings[i]);
		steps_forget(&r);
	}
}

static void test_sizes(struct cvm_tpm *tpm)
{
	static const size_t sizes[] = { 1, 7, 8, 9, 1218, CVM_SKR_MAX_KEY };
	struct cvm_skr_secret secret;
	struct cvm_error error = { 0 };
	struct release r;

	getrandom(service.secret, sizeof(service.secret), 0);
	steps_start(tpm, &r, "RSA_AES_KEY_WRAP_256");
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		service.secret_len = sizes[i];
		check(steps_gives(tpm, &r, NULL), "a key of %zu bytes", sizes[i]);
	}
	service.secret_len = CVM_SKR_MAX_KEY + 1;
	check_is(steps_released(tpm, &r, NULL, &secret, &error), -EBADMSG, "not one that is longer");
	service.secret_len = 32;
	steps_forget(&r);
}

/* The shorter of both keys that a token may be encrypted by */
static void test_short_key(struct cvm_tpm *tpm)
{
	struct cvm_error error = { 0 };
	struct release r;
	int rc = steps_prepare(tpm, &r, "RSA_AES_KEY_WRAP_256", CVM_SKR_AZURE_GUEST, &error);

	check(!rc && !steps_attested(tpm, &r, "bits-128", &error), "a token under AES-128");
	steps_forget(&r);
}

/* Answers of such services that are none */
static void test_plain(struct cvm_tpm *tpm, struct cvm_skr_state *state)
{
	static char long_token[CVM_SKR_MAX_TOKEN + 32];
	const struct {
		const char *answer, *says;
	} answers[] = {
		{ "{}", "answer.token" }, { "{\"token\":\"\"}", "answer.token: expected a token" },
		{ "{\"token\":\"abc\"}", "expected a token" },
		{ "{\"token\":\"a.b.c.d\"}", "expected a token" },
		{ "{\"token\":\"a.b .c\"}", "expected a token" },
		{ "{\"token\":\"a.b.c\"}", "token: expected base64url" },
		{ "{\"token\":\"a.e30.c\"}", "token.x-ms-runtime" },
		{ long_token, "answer: token: expected a token" },
	};

	snprintf(long_token, sizeof(long_token), "{\"token\":\"a.b.%0*d\"}", CVM_SKR_MAX_TOKEN, 0);
	state->phase = CVM_SKR_PREPARED;
	for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
		struct cvm_error error = { 0 };
		char *token;

		check_is(cvm_skr_token_open(tpm, state, answers[i].answer, strlen(answers[i].answer),
					    &token, &error), -EBADMSG, answers[i].says);
		check_says(error.text, answers[i].says, "and the message says so");
		check(!token, "there is no token");
	}
}

/* Services that attest the platform: the claims name the key, and the vault is told of it */
static void test_platform(struct cvm_tpm *tpm)
{
	struct cvm_error error = { 0 };
	struct release r;
	int rc = steps_prepare(tpm, &r, "RSA_AES_KEY_WRAP_256", CVM_SKR_SEV_SNP_VM, &error);

	check(!rc && steps_attested(tpm, &r, NULL, &error) == 0, "a service that attests the platform");
	r.state.nonce[0] ^= 1;
	check_is(steps_attested(tpm, &r, NULL, &error), -EBADMSG, "its token of another nonce");
	check_says(error.text, "user-data", "and the message says so");
	test_plain(tpm, &r.state);
	steps_forget(&r);
	check_is(steps_prepare(tpm, &r, "RSA_AES_KEY_WRAP_256", CVM_SKR_TDX_VM, &error), -EINVAL,
		 "not for TDX: this is SEV-SNP");
	steps_forget(&r);
}

/* ---- tamperings */

static const struct {
	const char *wrong;
	int rc;
	const char *says;
} tamperings[] = {
	{ "nonce", -EKEYREJECTED, "payload.request.nonce" },
	{ "no-nonce", -EKEYREJECTED, "payload.request.nonce" },
	{ "no-request", -EKEYREJECTED, "payload.request" },
	{ "request-form", -EKEYREJECTED, "payload.request: expected an object" },
	{ "kid", -EKEYREJECTED, "payload.request.kid" },
	{ "kid-letters", -EKEYREJECTED, "payload.request.kid" },
	{ "version", -EKEYREJECTED, "payload.request.kid" },
	{ "no-version", -EKEYREJECTED, "payload.request.kid" },
	{ "inner-kid", -EKEYREJECTED, "payload.response.key.key.kid" },
	{ "inner-version", -EKEYREJECTED, "payload.response.key.key.kid" },
	{ "enc", -EKEYREJECTED, "payload.request.enc" },
	{ "cipher-form", -EBADMSG, "key_hsm.ciphertext: expected a wrapped key in base64" },
	{ "hsm-form", -EBADMSG, "payload.response.key.key.key_hsm: expected base64url" },
	{ "none", -EKEYREJECTED, "header.alg" },
	{ "hs256", -EKEYREJECTED, "header.alg" },
	{ "es256", -EKEYREJECTED, "header.alg" },
	{ "other-alg", -EKEYREJECTED, "signature does not hold" },
	{ "rs-as-ps", -EKEYREJECTED, "signature does not hold" },
	{ "ps-as-rs", -EKEYREJECTED, "signature does not hold" },
	{ "pss-salt", -EKEYREJECTED, "signature does not hold" },
	{ "crit", -EKEYREJECTED, "header: crit" },
	{ "no-chain", -EKEYREJECTED, "header.x5c" },
	{ "empty-chain", -EKEYREJECTED, "header.x5c" },
	{ "long-chain", -EBADMSG, "header.x5c" },
	{ "chain-form", -EBADMSG, "header.x5c[2]: expected a certificate in base64" },
	{ "chain-behind", -EBADMSG, "header.x5c[2]: expected a certificate in base64" },
	{ "jwk", -EKEYREJECTED, "signature does not hold" },
	{ "root-signs", -EKEYREJECTED, "do not hold: hostname mismatch" },
	{ "two-parts", -EBADMSG, "compact form" },
	{ "four-parts", -EBADMSG, "compact form" },
	{ "signature-form", -EBADMSG, "compact form" },
	{ "signature", -EKEYREJECTED, "signature does not hold" },
	{ "no-signature", -EKEYREJECTED, "signature does not hold" },
	{ "payload", -EKEYREJECTED, "signature does not hold" },
	{ "other-root", -EKEYREJECTED, "do not hold: certificate signature failure" },
	{ "own-root", -EKEYREJECTED, "do not hold: self-signed certificate in certificate chain" },
	{ "same-name", -EKEYREJECTED, "do not hold: certificate signature failure" },
	{ "self-signed", -EKEYREJECTED, "do not hold: self-signed certificate" },
	{ "no-ca", -EKEYREJECTED, "do not hold: invalid CA certificate" },
	{ "no-middle", -EKEYREJECTED, "do not hold: unable to get local issuer certificate" },
	{ "host", -EKEYREJECTED, "do not hold: hostname mismatch" },
	{ "host-name-only", -EKEYREJECTED, "do not hold: hostname mismatch" },
	{ "expired", -EKEYREJECTED, "do not hold: certificate has expired" },
	{ "early", -EKEYREJECTED, "do not hold: certificate is not yet valid" },
	{ "usage", -EKEYREJECTED, "may not sign" },
	{ "weak", -EKEYREJECTED, "do not hold" },
	{ "large", -EKEYREJECTED, "another kind of key than RSA of 2048 to 4096 bits" },
	{ "ec", -EKEYREJECTED, "another kind of key than RSA of 2048 to 4096 bits" },
	{ "sha1", -EKEYREJECTED, "do not hold" },
};

static void test_tamperings(struct cvm_tpm *tpm, const struct release *r)
{
	for (size_t i = 0; i < ARRAY_SIZE(tamperings); i++) {
		struct cvm_skr_secret secret;
		struct cvm_error error = { 0 };

		check_is(steps_released(tpm, r, tamperings[i].wrong, &secret, &error),
			 tamperings[i].rc, tamperings[i].wrong);
		check_says(error.text, tamperings[i].says, "and the message says why");
		check(!secret.len, "and there is no key");
	}
}

/* Of those that are none OpenSSL would take some for any host, or any below one */
static void test_hosts(const struct release *r)
{
	static const char *const hosts[] = {
		"", ".", ".simulated.example", "." SERVICE_HOST, "vault", "*.simulated.example",
	};
	char *answer = service_release(&service, r->body, NULL);
	struct cvm_jws_trust trust = steps_trust();
	struct cvm_skr_wrapped wrapped;
	struct cvm_error error = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(hosts); i++) {
		trust.host = hosts[i];
		check_is(cvm_skr_release_read(answer, strlen(answer), &r->state, &trust, &wrapped,
					      &error), -EINVAL, hosts[i]);
		check_says(error.text, "is no host name", "and the message says so");
	}
	trust.host = "other" SERVICE_HOST;
	check_is(cvm_skr_release_read(answer, strlen(answer), &r->state, &trust, &wrapped, &error),
		 -EKEYREJECTED, "another host");
	free(answer);
}

/* ---- how often it is decrypted here: linked in the place of OpenSSL's */

int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len,
			     const unsigned char *in, int in_len);
int __real_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len,
			     const unsigned char *in, int in_len);
int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len);
int __real_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len);

static size_t updated, finished;

int __wrap_EVP_DecryptUpdate(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len,
			     const unsigned char *in, int in_len)
{
	updated++;
	return __real_EVP_DecryptUpdate(ctx, out, len, in, in_len);
}

int __wrap_EVP_DecryptFinal_ex(EVP_CIPHER_CTX *ctx, unsigned char *out, int *len)
{
	finished++;
	return __real_EVP_DecryptFinal_ex(ctx, out, len);
}

/* since it was last asked */
static bool is_decrypted(size_t updates, size_t finals)
{
	bool good = updated == updates && finished == finals;

	if (!good)
		printf("# %zu and %zu\n", updated, finished);
	updated = 0;
	finished = 0;
	return good;
}

/* Each of them is the vault's, and signed by it */
static const char *const undecryptable[] = {
	"other-hash", "rsa-flip", "rsa-big", "rsa-zero", "rsa-padding", "rsa-label", "rsa-other",
	"rsa-cut", "kek-16", "kek-31", "key-flip-first", "key-flip-last", "key-shorter", "key-cut",
	"key-block", "key-none", "key-longer", "key-odd-longer", "wrap-3394", "nothing",
};

static void test_uniform(struct cvm_tpm *tpm, const struct release *r)
{
	struct cvm_error want = { 0 };

	cvm_skr_refuse(&want);
	updated = finished = 0;
	for (size_t i = 0; i < ARRAY_SIZE(undecryptable); i++) {
		struct cvm_error error = { 0 };
		struct cvm_skr_secret secret;
		int rc = steps_released(tpm, r, undecryptable[i], &secret, &error);

		if (!check(rc == -EBADMSG && !memcmp(&error, &want, sizeof(error)),
			   "%s: refused, in the same words", undecryptable[i]))
			printf("# %d: %s\n", rc, error.text);
		check(cvm_is_zero(&secret, sizeof(secret)), "and nothing of it is left");
		check(is_decrypted(1, 0), "and it is unwrapped, by whatever key");
	}
}

static const char *const unreadable[] = {
	"inner-flip", "inner-other", "inner-1", "inner-16", "inner-24", "inner-31", "inner-33",
	"inner-100", "inner-200", "inner-long", "tag-flip", "text-flip", "label", "token-form",
	"token-zero",
};

static void test_tokens(struct cvm_tpm *tpm, struct release *r)
{
	struct cvm_error want = { 0 }, error = { 0 };

	cvm_skr_refuse(&want);
	updated = finished = 0;
	for (size_t i = 0; i < ARRAY_SIZE(unreadable); i++) {
		int rc;

		memset(&error, 0, sizeof(error));
		rc = steps_attested(tpm, r, unreadable[i], &error);
		if (!check(rc == -EBADMSG && !memcmp(&error, &want, sizeof(error)),
			   "%s: refused, in the same words", unreadable[i]))
			printf("# %d: %s\n", rc, error.text);
		check(is_decrypted(2, 1), "and all of it is decrypted, by whatever key");
	}
	check_is(steps_attested(tpm, r, "bits-192", &error), -EBADMSG, "no such length of a key");
	check_says(error.text, "EncryptionParams.KeySizeInBits", "and the message says so");
	check_is(steps_attested(tpm, r, "bits-0", &error), -EBADMSG, "nor one of nothing");
	check_is(steps_attested(tpm, r, "token-key", &error), -EBADMSG, "a token of another key");
	check_says(error.text, "token.x-ms-runtime.keys", "and the message says so");
	check_is(steps_attested(tpm, r, "token-kid", &error), -EBADMSG, "a token of a key of another name");
	check_says(error.text, "token.x-ms-runtime.keys", "and the message says so");
	check_is(steps_attested(tpm, r, "token-no-keys", &error), -EBADMSG, "a token of no key");
	check_says(error.text, "token.x-ms-runtime.keys", "and the message says so");
	check_is(steps_attested(tpm, r, "token-anothers", &error), -EBADMSG, "a token of two keys");
	check_says(error.text, "token.x-ms-runtime.keys[1]", "and the message says which");
	check_is(steps_attested(tpm, r, "token-others", &error), 0, "a token that has keys of other names");
	check_is(steps_attested(tpm, r, "token-nonce-cut", &error), -EBADMSG, "a token of a shorter nonce");
	check_is(steps_attested(tpm, r, "token-nonce-longer", &error), -EBADMSG, "a token of a longer nonce");
	check_is(steps_attested(tpm, r, "token-modulus", &error), -EBADMSG, "a token of a longer modulus");
	check_is(steps_attested(tpm, r, "token-exponent", &error), -EBADMSG,
		 "a token of a key that encrypts nothing");
	check_says(error.text, "token.x-ms-runtime.keys", "and the message says so");
	check_is(steps_attested(tpm, r, "token-nonce", &error), -EBADMSG, "a token of another nonce");
	check_says(error.text, "client-payload.nonce", "and the message says so");
}

/* ---- other times */

static void test_replay(struct cvm_tpm *tpm)
{
	struct release first, second;
	struct cvm_error error = { 0 };
	struct cvm_skr_secret secret;
	char *answer, *token, *stale;
	int rc;

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
	check_is(cvm_skr_token_open(tpm, &second.state, stale, strlen(stale), &token, &error),
		 -EBADMSG, "an earlier token");
	check(!token && strstr(error.text, "cannot be decrypted"), "which cannot be decrypted");
	/* whoever knows all but what is secret in the state has another key */
	second.state.phase = CVM_SKR_OPENED;
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
	check_is(cvm_skr_token_open(tpm, &r.state, again, strlen(again), &token, &error), -EALREADY,
		 "a second token for the same key");
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
	struct cvm_skr_state state = { .form = CVM_SKR_AZURE_GUEST, .wrap = 1, .pcrs = CVM_SKR_PCRS };
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
	check(!cvm_skr_decrypt(tpm, key, 1U << 4, &scheme, cipher, out, sizeof(out), &len),
	      "but not by a policy of other PCRs");
	extend(tpm, ESYS_TR_PCR7);
	check(!cvm_skr_decrypt(tpm, key, CVM_SKR_PCRS, &scheme, cipher, out, sizeof(out), &len),
	      "nor once something is measured");
	cvm_tpm_flush(tpm, &key);
	steps_forget(&r);
}

static struct cvm_tpm *test_snp(struct cvm_tpm *tpm)
{
	struct release r;

	test_wrappings(tpm);
	test_sizes(tpm);
	test_short_key(tpm);
	test_platform(tpm);
	steps_start(tpm, &r, "RSA_AES_KEY_WRAP_256");
	test_tamperings(tpm, &r);
	test_hosts(&r);
	test_uniform(tpm, &r);
	test_tokens(tpm, &r);
	steps_forget(&r);
	test_replay(tpm);
	test_phases(tpm);
	test_age(tpm);
	test_gather(tpm);
	test_pcrs(tpm);
	test_tpm_refuses(tpm);
	return test_reset(tpm);
}

int main(void)
{
	struct cvm_tpm *tpm;

	steps_begin(false);
	tpm = steps_tpm();
	tpm = test_snp(tpm);
	cvm_tpm_close(tpm);
	check(steps_end(), "the simulator has seen no broken rule");
	return tap_end();
}
