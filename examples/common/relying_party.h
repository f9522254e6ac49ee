/* SPDX-License-Identifier: MIT */
/*
 * What a relying party knows beforehand, from files: its policy, the vendors' certificates
 * and lists (`cvmctl certs fetch`), and for whom in the VM a proof must speak.
 */
#ifndef EXAMPLES_RELYING_PARTY_H
#define EXAMPLES_RELYING_PARTY_H

#include <cvmguest.h>
#include <getopt.h>

#include "cmw.h"

/* for getopt_long(), beside options of the program's own; those are below RP_OPTION */
enum { RP_OPTION = 256, RP_POLICY, RP_COLLATERAL, RP_CERTS, RP_TRUST_ROOT, RP_SCOPE };

#define RP_OPTIONS \
	{ "policy", required_argument, NULL, RP_POLICY }, \
	{ "collateral", required_argument, NULL, RP_COLLATERAL }, \
	{ "certs", required_argument, NULL, RP_CERTS }, \
	{ "trust-root", required_argument, NULL, RP_TRUST_ROOT }, \
	{ "scope", required_argument, NULL, RP_SCOPE }

#define RP_USAGE \
	"  --policy FILE      which VMs are accepted, cvm-policy(5); required\n" \
	"  --collateral FILE  what AMD or Intel say of their platforms; may be repeated\n" \
	"  --certs FILE       certificates that a chain may be made of; likewise\n" \
	"  --trust-root FILE  trust this root instead of AMD's and Intel's\n" \
	"  --scope SCOPE      privileged, unprivileged or label:NAME; unless given, what the\n" \
	"                     policy accepts\n"

/**
 * struct relying_party - for rp_init() and rp_free()
 * @verifier: roots, certificates, lists, policy; any number of threads may use it
 * @scope: for whom a proof must speak, or NULL
 * @has_policy: there is one
 */
struct relying_party {
	struct cvm_verifier *verifier;
	const char *scope;
	bool has_policy;
};

/* Each: 0, or -1 and why is on stderr */
int rp_init(struct relying_party *rp);
int rp_option(struct relying_party *rp, int option, const char *value);
int rp_ready(const struct relying_party *rp);
void rp_free(struct relying_party *rp);

/*
 * Is this batch evidence about @user_data, of a VM that the policy accepts, and for that
 * scope? 0, or -1 and the checks that failed, or were not made, are in @why.
 */
int rp_verify(const struct relying_party *rp, const struct cmw *cmw, const uint8_t *user_data,
	      char *why, size_t size);

/* what kept @verdict from being verified */
void rp_explain(const struct cvm_verdict *verdict, char *why, size_t size);

#endif /* EXAMPLES_RELYING_PARTY_H */
