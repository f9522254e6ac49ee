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
#include "counted.h"
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
		const char *answer = answers[i].answer;
		struct cvm_error error = { 0 };
		char *token;

		/* which cannot be written, and need not be */
		check_is(cvm_skr_token_open(tpm, state, -1, answer, strlen(answer), &token, &error),
			 -EBADMSG, answers[i].says);
		check_says(error.text, answers[i].says, "and the message says so");
		check(!token && state->phase == CVM_SKR_PREPARED, "there is no token, and none was tried");
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

/* ---- what cannot be decrypted */

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

static void test_snp(struct cvm_tpm *tpm)
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
}

int main(void)
{
	struct cvm_tpm *tpm;

	steps_begin(false);
	tpm = steps_tpm();
	test_snp(tpm);
	cvm_tpm_close(tpm);
	check(steps_end(), "the simulator has seen no broken rule");
	return tap_end();
}
