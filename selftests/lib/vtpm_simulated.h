/* SPDX-License-Identifier: GPL-2.0 */
/* The backend vtpm's simulated paravisor, of which each test that includes this has one. */
#ifndef LIB_VTPM_SIMULATED_H
#define LIB_VTPM_SIMULATED_H

#include <stdio.h>
#include <stdlib.h>

#include "cvmguest.h"
#include "platform/fw_client.h"
#include "tap.h"

/* of the simulated paravisor; a real one's are 2,000 */
#define WINDOW	"window_ms=300"

static struct fwd_process fwd;
static char where[128], tcti[160];

static inline void start(const char *option)
{
	const char *const options[] = { "--tpm", where, "platform=azure-snp", WINDOW, option, NULL };

	fwd_start(&fwd, options);
}

static inline void stop(void)
{
	check_is(fwd_stop(&fwd, NULL, 0), 0, "the simulator has seen no broken rule");
}

/* Where it will be, and nothing on stderr of what the TPM's libraries think of it */
static inline void setup(void)
{
	tap_make_dir();
	setenv("XDG_RUNTIME_DIR", tap_dir, 1);
	setenv("TSS2_LOG", "all+none", 0);
	snprintf(where, sizeof(where), "%s/tpm", tap_dir);
	snprintf(tcti, sizeof(tcti), "swtpm:path=%s", where);
}

static inline int open_ctx(struct cvm_ctx **ctx, struct cvm_error *error)
{
	const struct cvm_open_opts opts = { .size = sizeof(opts), .backend = "vtpm", .tcti = tcti };

	return cvm_open(ctx, &opts, error);
}

/* Of all that cvm_verify() says of it, @needed has passed, which ends with NULL. */
__attribute__((unused))
static bool passes(const struct cvm_evidence *evidence, struct cvm_verify_opts *opts,
		   struct cvm_tpm_quote *known, const char *const *needed)
{
	struct cvm_tpm_quote quote = { .size = sizeof(quote) };
	struct cvm_verdict *verdict = NULL;
	struct cvm_verifier *verifier;
	size_t len, passed = 0, count = 0;
	const void *data = cvm_evidence_data(evidence, &len);

	if (cvm_evidence_tpm_quote(evidence, &quote) || cvm_verifier_new(&verifier))
		return false;
	quote.flags = known->flags;
	quote.reset_count = known->reset_count;
	opts->size = sizeof(*opts);
	opts->tpm_quote = &quote;
	cvm_verify(verifier, data, len, opts, &verdict, NULL);
	for (; needed[count]; count++)
		for (size_t i = 0; verdict && i < cvm_verdict_count(verdict); i++) {
			const struct cvm_check *c = cvm_verdict_check(verdict, i);

			passed += !strcmp(c->name, needed[count]) && c->state == CVM_CHECK_PASSED;
		}
	cvm_verdict_free(verdict);
	cvm_verifier_free(verifier);
	return passed == count;
}

/* but for what is the chain's: nobody has given a root */
__attribute__((unused))
static bool holds(const struct cvm_evidence *evidence, struct cvm_verify_opts *opts)
{
	static const char *const needed[] = { "claims", "report_data", "tpm_quote", "tpm_nonce",
					      "tpm_pcrs", "paravisor", NULL };
	struct cvm_tpm_quote nothing = { 0 };

	opts->binding = CVM_BINDING_AZURE;
	return passes(evidence, opts, &nothing, needed);
}

#endif /* LIB_VTPM_SIMULATED_H */
