// SPDX-License-Identifier: MIT
/* cvmctl skr request and open: what is done with the services' answers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "disk.h"
#include "skr.h"

static void cleanup_tpm(struct cvm_tpm **tpm)
{
	cvm_tpm_close(*tpm);
}

static int read_answer(const struct skr_options *options, void **answer, size_t *len)
{
	int status = input_file(options->in, answer, len);

	if (!status && *len > CVM_SKR_MAX_ANSWER)
		return fail(EXIT_FAILED, "%s: longer than %u bytes, so it is no answer", options->in,
			    CVM_SKR_MAX_ANSWER);
	return status;
}

/* The rest of the way from @answer to the request in @body, while signals wait */
static int open_token(const struct skr_options *options, const void *answer, size_t len,
		      char **body)
{
	struct cvm_tpm *tpm __cleanup(cleanup_tpm) = NULL;
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_skr_state struct cvm_skr_state state = { 0 };
	__cleanup_free char *token = NULL;
	__cleanup_fd int fd = -1;
	struct cvm_error error;
	int rc = skr_open_tpm(options->backend, &tpm);

	if (rc)
		return rc;
	cvm_secret_begin(&time);
	rc = cvm_skr_state_read(options->state, &state, &fd, &error);
	if (!rc)
		rc = cvm_skr_token_open(tpm, &state, fd, answer, len, &token, &error);
	if (!rc)
		rc = cvm_skr_release_body(token, &state, body, &error);
	return rc ? skr_fail(rc, &error) : 0;
}

/* Who writes the answer, and who reads the request, may be waited for: not with a secret. */
int skr_request(const struct skr_options *options)
{
	__cleanup_free void *answer = NULL;
	__cleanup_free char *body = NULL;
	size_t len;
	int rc = read_answer(options, &answer, &len);

	if (!rc)
		rc = open_token(options, answer, len, &body);
	return rc ? rc : output_text(options->out, body);
}

static int add(const struct skr_options *options, const struct cvm_skr_secret *secret,
	       int32_t *serial)
{
	struct cvm_error error;
	int rc = cvm_key_add(options->type, options->name, secret->bytes, secret->len,
			     options->timeout_s, options->keyring, serial);

	if (rc) {
		cvm_key_derive_error(&error, rc, "keyring", 0);
		return fail(EXIT_FAILED, "%s", error.text);
	}
	/* of no use any more: an answer is taken once */
	if (unlink(options->state))
		note("%s: cannot be removed: %s; remove it", options->state, strerror(errno));
	return 0;
}

static int unwrap(const struct skr_options *options, struct cvm_tpm *tpm,
		  const struct cvm_skr_state *state, const void *answer, size_t len,
		  struct cvm_skr_secret *secret)
{
	char host[CVM_SKR_MAX_KID];
	const struct cvm_jws_trust trust = {
		.roots = options->roots, .host = options->host ? options->host : host,
		.at = options->at,
	};
	struct cvm_skr_wrapped wrapped;
	struct cvm_error error;
	int rc;

	cvm_skr_kid_parse(state->kid, host);
	rc = cvm_skr_release_read(answer, len, state, &trust, &wrapped, &error);
	if (!rc)
		rc = cvm_skr_unwrap(tpm, state, &wrapped, secret, &error);
	return rc ? skr_fail(rc, &error) : 0;
}

static int open_key(const struct skr_options *options, const void *answer, size_t len,
		    int32_t *serial)
{
	struct cvm_tpm *tpm __cleanup(cleanup_tpm) = NULL;
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_skr_state struct cvm_skr_state state = { 0 };
	__cleanup_skr_secret struct cvm_skr_secret secret = { 0 };
	__cleanup_fd int fd = -1;
	struct cvm_error error;
	int rc = skr_open_tpm(options->backend, &tpm);

	if (rc)
		return rc;
	cvm_secret_begin(&time);
	rc = cvm_skr_state_read(options->state, &state, &fd, &error);
	if (!rc)
		rc = cvm_skr_state_due(&state, CVM_SKR_OPENED, &error);
	if (rc)
		return skr_fail(rc, &error);
	rc = unwrap(options, tpm, &state, answer, len, &secret);
	return rc ? rc : add(options, &secret, serial);
}

int skr_open(const struct skr_options *options)
{
	__cleanup_free void *answer = NULL;
	int32_t serial;
	size_t len;
	int rc = read_answer(options, &answer, &len);

	if (!rc)
		rc = open_key(options, answer, len, &serial);
	if (rc)
		return rc;
	printf("%d\n", serial);
	return flush_output();
}
