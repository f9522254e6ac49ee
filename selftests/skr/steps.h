/* SPDX-License-Identifier: GPL-2.0 */
/* A key release, step by step, between this process and the services of service.h. */
#ifndef SKR_STEPS_H
#define SKR_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "keys/tpm.h"
#include "service.h"
#include "skr/skr.h"

/* both services */
extern struct service service;

/* A simulated paravisor with its TPM, and services; each ends the program where it cannot. */
void steps_begin(bool tdx);

/* false: the simulator has seen a broken rule */
bool steps_end(void);
struct cvm_tpm *steps_tpm(void);

/* As cvm-fwd's control channel takes it; it must be taken */
void steps_set(const char *option);

/* The VM is reset: closes @tpm, and opens it as it is then, with PCRs as after power on. */
struct cvm_tpm *steps_reset(struct cvm_tpm *tpm);

/**
 * struct release - one under way
 * @request: to the attestation service
 * @body: to the vault
 */
struct release {
	struct cvm_skr_state state;
	char *request;
	char *body;
};

/* A request of @form, with @enc */
int steps_prepare(struct cvm_tpm *tpm, struct release *r, const char *enc, uint32_t form,
		  struct cvm_error *error);

/* In the place of a state's file, for close() */
int steps_file(void);

/*
 * The token, as the service gives it with @wrong done wrong, to a request to the vault; as if
 * none had been opened yet
 */
int steps_attested(struct cvm_tpm *tpm, struct release *r, const char *wrong,
		   struct cvm_error *error);

/* Whose signature steps_take() takes */
struct cvm_jws_trust steps_trust(void);

/* The key in an answer; and in the one that the vault gives with @wrong done wrong */
int steps_take(struct cvm_tpm *tpm, const struct cvm_skr_state *state, const char *answer,
	       struct cvm_skr_secret *secret, struct cvm_error *error);
int steps_released(struct cvm_tpm *tpm, const struct release *r, const char *wrong,
		   struct cvm_skr_secret *secret, struct cvm_error *error);

void steps_forget(struct release *r);

/* All up to the request to the vault; it must go well */
void steps_start(struct cvm_tpm *tpm, struct release *r, const char *enc);

/* The vault gives it with @wrong done wrong, and it comes all the same; or the test says why not */
bool steps_gives(struct cvm_tpm *tpm, const struct release *r, const char *wrong);

#endif /* SKR_STEPS_H */
