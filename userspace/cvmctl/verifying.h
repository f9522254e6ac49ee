/* SPDX-License-Identifier: MIT */
/* What cvmctl verify and cvmctl policy init share: their options, and what they mean. */
#ifndef CVMCTL_VERIFYING_H
#define CVMCTL_VERIFYING_H

#include "common/cleanup.h"
#include "cvmctl.h"
#include "evidence_load.h"

#define __cleanup_verifier	__cleanup(cleanup_verifier)
#define __cleanup_verdict	__cleanup(cleanup_verdict)
#define __cleanup_inputs	__cleanup(free_inputs)

static inline void cleanup_verifier(struct cvm_verifier **verifier)
{
	cvm_verifier_free(*verifier);
}

static inline void cleanup_verdict(struct cvm_verdict **verdict)
{
	cvm_verdict_free(*verdict);
}

/* the options that both have, at the same places in their lists */
enum verifying_option {
	OPTION_CERTS, OPTION_COLLATERAL, OPTION_TRUST_ROOT, OPTION_AT, OPTION_BINDING,
	OPTION_MANIFEST, OPTION_TD_QUOTE, OPTION_TPM_QUOTE, OPTION_TPM_NONCE, OPTION_EVENT_LOG,
	OPTION_RESET_COUNT, OPTION_OFFLINE, OPTIONS_SHARED,
};

#define HELP_CERTS \
	"certificates and revocation lists: the table that the host gave\n" \
	"with a report, PEM or DER; may be given more than once. With a\n" \
	"PCK certificate they take the place of those inside a quote"
#define HELP_COLLATERAL \
	"TCB info, QE identity, revocation lists: cvm-collateral(5); may\nbe given more than once"
#define HELP_TRUST_ROOT \
	"trust the root certificate in FILE (PEM or DER) instead of\n" \
	"AMD's and Intel's; may be given more than once"
#define HELP_AT \
	"the time, as in 2025-06-30T12:00:00Z, at which all of it must be\nvalid (default: now)"
#define HELP_BINDING \
	"how evidence is bound to what was asked for (default: report);\n" \
	"a policy may say it, too"
#define HELP_MANIFEST \
	"for svsm: the services manifest"
#define HELP_TD_QUOTE \
	"for azure: the quote of the TDREPORT in the HCL report, where\nthe evidence does not have it itself"
#define HELP_TPM_QUOTE \
	"for azure: the quote of the vTPM, where the evidence does not\nhave it itself: JSON with message, signature and pcrs"
#define HELP_TPM_NONCE \
	"for azure: what that quote must carry (default: what was asked\nfor, without the zeros at its end)"
#define HELP_EVENT_LOG \
	"for azure: what was measured into PCRs, where the evidence does\n" \
	"not have it itself: the kernel's binary_bios_measurements"
#define HELP_RESET_COUNT \
	"for azure and azure-tpm: the reset_count that verify --json printed\n" \
	"when the HCL report of the same boot was verified"
#define HELP_OFFLINE \
	"take nothing from the network, which is always so"

#define VERIFYING_OPTIONS \
	[OPTION_CERTS] = { "certs", "FILE", HELP_CERTS, true }, \
	[OPTION_COLLATERAL] = { "collateral", "FILE", HELP_COLLATERAL, true }, \
	[OPTION_TRUST_ROOT] = { "trust-root", "FILE", HELP_TRUST_ROOT, true }, \
	[OPTION_AT] = { "at", "TIME", HELP_AT }, \
	[OPTION_BINDING] = { "binding", "report|svsm|azure|azure-tpm", HELP_BINDING }, \
	[OPTION_MANIFEST] = { "manifest", "FILE", HELP_MANIFEST }, \
	[OPTION_TD_QUOTE] = { "td-quote", "FILE", HELP_TD_QUOTE }, \
	[OPTION_TPM_QUOTE] = { "tpm-quote", "FILE", HELP_TPM_QUOTE }, \
	[OPTION_TPM_NONCE] = { "tpm-nonce", "HEX", HELP_TPM_NONCE }, \
	[OPTION_EVENT_LOG] = { "event-log", "FILE", HELP_EVENT_LOG }, \
	[OPTION_RESET_COUNT] = { "reset-count", "N", HELP_RESET_COUNT }, \
	[OPTION_OFFLINE] = { "offline", NULL, HELP_OFFLINE }

/**
 * struct inputs - the evidence and what the options named, read
 * @opts: for cvm_verify(); points to the rest
 * @file: the evidence, and what came along
 */
struct inputs {
	struct cvm_verify_opts opts;
	struct cvm_evidence_file file;
	void *manifest;
	uint8_t tpm_nonce[64];
};

/* RFC 3339, in capitals and without fractions of a second */
bool parse_time(const char *text, int64_t *at);

/* verifying.c: 0 or an exit status; what went wrong has been said. @path: the evidence */
int read_inputs(const struct arguments *args, const char *path, struct inputs *inputs);
void free_inputs(struct inputs *inputs);

/* A verifier with all that the options give it but a policy */
int make_verifier(const struct arguments *args, struct cvm_verifier **verifier);

int set_policy_file(struct cvm_verifier *verifier, const char *path);

/* Verifies the evidence. @verdict: out: where it could be parsed. @path: for messages */
int verify_file(const struct cvm_verifier *verifier, const char *path,
		const struct inputs *inputs, struct cvm_verdict **verdict);

/* The names of all checks of one state, with commas; @required: only such */
void list_checks(const struct cvm_verdict *verdict, enum cvm_check_state state, bool required,
		 char *out, size_t size);

#endif /* CVMCTL_VERIFYING_H */
