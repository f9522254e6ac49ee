/* SPDX-License-Identifier: MIT */
/* What the actions of cvmctl skr share. */
#ifndef CVMCTL_SKR_H
#define CVMCTL_SKR_H

#include "cvmctl.h"
#include "skr/skr.h"

/**
 * struct skr_options - a command line of cvmctl skr
 * @state: path of what must be known until the key has come
 * @in: path of a service's answer
 * @out: of a request, or NULL
 * @public: where the wrapping key's public half goes, or NULL
 * @backend: of evidence, or NULL
 * @imds: URL of Azure's host's service, or NULL
 * @certs: path of VCEK and chain, or NULL
 * @event_log: path
 * @roots: whose signature is taken; for cvm_certs_free()
 * @host: of the signer, or NULL: the key's
 * @at: seconds since 1970: when signatures must be valid
 * @name: of the key
 * @type: likewise: "user" or "logon"
 * @keyring: where it goes
 * @timeout_s: how long it stays; 0: for good
 */
struct skr_options {
	const char *state;
	const char *in;
	const char *out;
	const char *public;
	const char *backend;
	const char *imds;
	const char *certs;
	const char *event_log;
	struct cvm_certs *roots;
	const char *host;
	int64_t at;
	const char *name;
	const char *type;
	int32_t keyring;
	uint32_t timeout_s;
};

/* cmd_skr.c: the TPM that @backend means; locks this process's memory. 0 or an exit status */
int skr_open_tpm(const char *backend, struct cvm_tpm **tpm);

/* A failed call of skr/. Returns the exit status. */
int skr_fail(int rc, const struct cvm_error *error);

/* skr_prepare.c; @state: its form, wrap, pcrs and kid are set. Returns the exit status. */
int skr_prepare(const struct skr_options *options, struct cvm_skr_state *state);

/* skr_answer.c. Return the exit status. */
int skr_request(const struct skr_options *options);
int skr_open(const struct skr_options *options);

#endif /* CVMCTL_SKR_H */
