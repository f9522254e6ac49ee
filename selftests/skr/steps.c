// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "imds_host.h"
#include "steps.h"
#include "tap.h"
#include "verify/certs.h"

struct service service;

static struct cvm_certs roots;
static struct cvm_ctx *ctx;

struct cvm_tpm *steps_tpm(void)
{
	struct cvm_tpm *tpm;
	struct cvm_error error = { 0 };

	if (cvm_skr_tpm_open(tcti, &tpm, &error)) {
		printf("Bail out! no TPM: %s\n", error.text);
		exit(1);
	}
	return tpm;
}

void steps_set(const char *option)
{
	if (fw_set(fwd.fd, option))
		return;
	printf("Bail out! %s is not taken\n", option);
	exit(1);
}

struct cvm_tpm *steps_reset(struct cvm_tpm *tpm)
{
	cvm_tpm_close(tpm);
	steps_set("vm_reset=now");
	return steps_tpm();
}

struct cvm_jws_trust steps_trust(void)
{
	return (struct cvm_jws_trust){ &roots, SERVICE_HOST, time(NULL) };
}

int steps_prepare(struct cvm_tpm *tpm, struct release *r, const char *enc, uint32_t form,
		   struct cvm_error *error)
{
	struct cvm_skr_parts parts;
	int rc;

	memset(r, 0, sizeof(*r));
	r->state.form = form;
	r->state.wrap = cvm_skr_wrap_find(enc);
	r->state.pcrs = CVM_SKR_PCRS;
	strcpy(r->state.kid, SERVICE_KID);
	rc = cvm_skr_gather(ctx, tpm, &r->state, &parts, error);
	parts.certs = "certificates";
	parts.certs_len = strlen(parts.certs);
	parts.distribution = "Simulated";
	if (!rc)
		rc = cvm_skr_attest_body(&parts, &r->state, &r->request, error);
	cvm_skr_parts_free(&parts);
	return rc;
}

int steps_file(void)
{
	int fd = memfd_create("state", MFD_CLOEXEC);

	if (fd >= 0)
		return fd;
	printf("Bail out! no memory for a state\n");
	exit(1);
}

int steps_attested(struct cvm_tpm *tpm, struct release *r, const char *wrong,
		    struct cvm_error *error)
{
	struct cvm_skr_state prepared = r->state;
	char *answer, *token = NULL;
	int rc, fd;

	prepared.phase = CVM_SKR_PREPARED;
	service.wrong = wrong;
	answer = service_attest(&service, r->request);
	service.wrong = NULL;
	if (!answer)
		return -ENODATA;
	fd = steps_file();
	rc = cvm_skr_token_open(tpm, &prepared, fd, answer, strlen(answer), &token, error);
	close(fd);
	if (!rc)
		r->state.phase = CVM_SKR_OPENED;
	if (!rc)
		rc = cvm_skr_release_body(token, &r->state, &r->body, error);
	free(answer);
	free(token);
	return rc;
}

int steps_take(struct cvm_tpm *tpm, const struct cvm_skr_state *state, const char *answer,
		struct cvm_skr_secret *secret, struct cvm_error *error)
{
	const struct cvm_jws_trust whose = steps_trust();
	struct cvm_skr_wrapped wrapped;
	int rc = cvm_skr_release_read(answer, strlen(answer), state, &whose, &wrapped, error);

	secret->len = 0;
	return rc ? rc : cvm_skr_unwrap(tpm, state, &wrapped, secret, error);
}

int steps_released(struct cvm_tpm *tpm, const struct release *r, const char *wrong,
		    struct cvm_skr_secret *secret, struct cvm_error *error)
{
	char *answer;
	int rc;

	service.wrong = wrong;
	answer = service_release(&service, r->body, NULL);
	service.wrong = NULL;
	if (!answer)
		return -ENODATA;
	rc = steps_take(tpm, &r->state, answer, secret, error);
	free(answer);
	return rc;
}

void steps_forget(struct release *r)
{
	free(r->request);
	free(r->body);
}

void steps_start(struct cvm_tpm *tpm, struct release *r, const char *enc)
{
	struct cvm_error error = { 0 };

	if (!steps_prepare(tpm, r, enc, CVM_SKR_AZURE_GUEST, &error) &&
	    !steps_attested(tpm, r, NULL, &error))
		return;
	printf("Bail out! it is not attested: %s\n", error.text);
	exit(1);
}

bool steps_gives(struct cvm_tpm *tpm, const struct release *r, const char *wrong)
{
	struct cvm_skr_secret secret;
	struct cvm_error error = { 0 };
	int rc = steps_released(tpm, r, wrong, &secret, &error);

	if (!rc && secret.len == service.secret_len &&
	    !memcmp(secret.bytes, service.secret, secret.len))
		return true;
	printf("# %d: %s\n", rc, error.text);
	return false;
}

/* ---- both sides */

void steps_begin(bool tdx)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .backend = "vtpm", .tcti = tcti };
	char *pem;
	struct cvm_error error = { 0 };

	setup();
	start(tdx ? "platform=azure-tdx" : NULL);
	/* how often there is a report is not what is tried here */
	steps_set("window_ms=0");
	if (tdx)
		opts.imds = start_imds();
	service_make(&service);
	pem = service_roots(&service);
	if (cvm_open(&ctx, &opts, &error) || cvm_certs_load(&roots, pem, strlen(pem), &error)) {
		printf("Bail out! %s\n", error.text);
		exit(1);
	}
	free(pem);
}

bool steps_end(void)
{
	stop_imds();
	cvm_close(ctx);
	cvm_certs_free(&roots);
	service_free(&service);
	return !fwd_stop(&fwd, NULL, 0);
}
