// SPDX-License-Identifier: MIT
/* cvmctl skr prepare: what an attestation service is asked, of this machine. */
#include <errno.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certs.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "evidence.h"
#include "keys/seal.h"
#include "skr.h"
#include "verify/boot_log.h"

/* seconds for the VCEK, waiting for a busy host included */
#define FETCH_TIMEOUT	60

#define OS_RELEASE	"/etc/os-release"

/**
 * struct inputs - what of a request is neither the TPM's nor the evidence's
 * @certs: PEM
 * @event_log: bytes
 * @system: os-release, in which @distribution is
 */
struct inputs {
	void *certs, *event_log, *system;
	const char *distribution;
};

static void cleanup_inputs(struct inputs *in)
{
	free(in->certs);
	free(in->event_log);
	free(in->system);
}

static void cleanup_tpm(struct cvm_tpm **tpm)
{
	cvm_tpm_close(*tpm);
}

static void cleanup_bio(BIO **bio)
{
	BIO_free(*bio);
}

/* ---- the system, as it calls itself */

/* The value of @key, without quotes, cut off in @text; or @otherwise */
static const char *find_value(char *text, const char *key, const char *otherwise)
{
	size_t len = strlen(key);
	char *at = text, *value;

	while (at && (strncmp(at, key, len) || at[len] != '=')) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (!at)
		return otherwise;
	value = at + len + 1;
	value += strspn(value, "\"'");
	value[strcspn(value, "\"'\n")] = '\0';
	return value;
}

/* What the service writes into its token, and looks at no further */
static void read_system(struct inputs *in, struct cvm_skr_parts *parts)
{
	__cleanup_free char *copy = NULL;
	const char *version = "0";
	size_t len;

	in->distribution = "Linux";
	if (!cvm_read_file(OS_RELEASE, 64U << 10, &in->system, &len)) {
		copy = strdup(in->system);
		in->distribution = find_value(in->system, "NAME", "Linux");
		version = copy ? find_value(copy, "VERSION_ID", "0") : "0";
	}
	parts->distribution = in->distribution;
	if (sscanf(version, "%9u.%9u", &parts->major, &parts->minor) < 2)
		parts->minor = 0;
}

/* ---- certificates, and what was measured */

static int fetch_certs(const struct skr_options *options, const struct cvm_skr_parts *parts,
		       char **text)
{
	struct cvm_fetch f = { .thim = options->imds ? options->imds : CVM_THIM_URL,
			       .timeout = FETCH_TIMEOUT, .now = time(NULL) };
	const void *report;
	char cache[512];
	size_t len;
	int status = certs_cache(cache, sizeof(cache));

	f.cache = cache;
	report = cvm_evidence_data(parts->evidence, &len);
	return status ? status : certs_vcek(report, len, &f, text);
}

static int read_certs(const struct skr_options *options, struct inputs *in,
		      struct cvm_skr_parts *parts)
{
	int status = 0;

	if (parts->td)
		return 0;
	if (options->certs) {
		status = input_file(options->certs, &in->certs, &parts->certs_len);
	} else {
		status = fetch_certs(options, parts, (char **)&in->certs);
		parts->certs_len = status ? 0 : strlen(in->certs);
	}
	parts->certs = in->certs;
	return status;
}

static int read_log(const struct skr_options *options, const struct cvm_skr_state *state,
		    struct inputs *in, struct cvm_skr_parts *parts)
{
	const char *path = options->event_log ? options->event_log : CVM_BOOT_LOG_PATH;
	int rc = 0;

	if (state->form != CVM_SKR_AZURE_GUEST)
		return 0;
	rc = cvm_read_file(path, MAX_INPUT_FILE, &in->event_log, &parts->event_log_len);
	if (rc)
		return fail(EXIT_FAILED, "%s: cannot be read: %s: the service wants to know what was measured; mount securityfs, or name a file: --event-log",
			    path, strerror(-rc));
	parts->event_log = in->event_log;
	return 0;
}

/* ---- what is written */

static int write_public(const char *path, const struct cvm_skr_parts *parts)
{
	BIO *bio __cleanup(cleanup_bio) = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (!path)
		return 0;
	if (!bio || PEM_write_bio(bio, "PUBLIC KEY", "", parts->spki, (long)parts->spki_len) <= 0)
		return fail(EXIT_FAILED, "out of memory");
	len = BIO_get_mem_data(bio, &text);
	return output_binary(path, text, (size_t)len);
}

/* The request last: who has it may send it. */
static int write_all(const struct skr_options *options, const struct cvm_skr_state *state,
		     const struct cvm_skr_parts *parts)
{
	__cleanup_free char *body = NULL;
	struct cvm_error error;
	int rc = cvm_skr_attest_body(parts, state, &body, &error), status;

	if (rc)
		return skr_fail(rc, &error);
	status = write_public(options->public, parts);
	return status ? status : output_text(options->out, body);
}

/*
 * All that has to do with what is secret. It is in its file when this returns, and nowhere else:
 * signals arrive again, as for what comes next others may be waited for.
 */
static int make_key(const struct skr_options *options, struct cvm_ctx *ctx,
		    struct cvm_skr_state *state, struct cvm_skr_parts *parts)
{
	struct cvm_tpm *tpm __cleanup(cleanup_tpm) = NULL;
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	struct cvm_error error;
	int rc = skr_open_tpm(options->backend, &tpm);

	if (rc)
		return rc;
	cvm_secret_begin(&time);
	rc = cvm_skr_gather(ctx, tpm, state, parts, &error);
	if (!rc)
		rc = cvm_skr_state_write(options->state, state, &error);
	OPENSSL_cleanse(state->unique, sizeof(state->unique));
	return rc ? skr_fail(rc, &error) : 0;
}

static int write_request(const struct skr_options *options, const struct cvm_skr_state *state,
			 struct cvm_skr_parts *parts)
{
	struct inputs in __cleanup(cleanup_inputs) = { 0 };
	int rc;

	read_system(&in, parts);
	rc = read_certs(options, &in, parts);
	if (!rc)
		rc = read_log(options, state, &in, parts);
	return rc ? rc : write_all(options, state, parts);
}

int skr_prepare(const struct skr_options *options, struct cvm_skr_state *state)
{
	__cleanup_skr_parts struct cvm_skr_parts parts = { 0 };
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	int rc = open_source_at(options->backend, options->imds, &ctx);

	if (!rc)
		rc = make_key(options, ctx, state, &parts);
	if (rc)
		return rc;
	rc = write_request(options, state, &parts);
	if (rc && unlink(options->state))
		note("%s: cannot be removed: %s; remove it", options->state, strerror(errno));
	return rc;
}
