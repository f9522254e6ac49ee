// SPDX-License-Identifier: MIT
/* cvmctl skr: a key that a key vault gives to a VM that is attested. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>

#include "certs.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "disk.h"
#include "keys/secret.h"
#include "keys/tpm.h"
#include "skr.h"
#include "verify/boot_log.h"
#include "verify/certs.h"
#include "verifying.h"

enum {
	STATE, KID, ENC, FORM, PCRS, EVENT_LOG, CERTS, IMDS_URL, PUBLIC, IN, OUT, TRUST_ROOT, HOST,
	AT, NAME, KEYRING, TYPE, TIMEOUT, BACKEND,
};

static const struct option_spec option_list[] = {
	[STATE]	    = { "state", "FILE", "what must be known until the key has come, for its owner\nalone; required" },
	[KID]	    = { "kid", "URL", "prepare: https://HOST/keys/NAME/VERSION; required" },
	[ENC]	    = { "enc", "RSA_AES_KEY_WRAP_256|RSA_AES_KEY_WRAP_384|CKM_RSA_AES_KEY_WRAP",
			"prepare: how the key is to be wrapped (default:\nRSA_AES_KEY_WRAP_256)" },
	[FORM]	    = { "form", "azure-guest|sev-snp-vm|tdx-vm",
			"prepare: for which attestation (default: azure-guest); the\nothers attest no system, whatever has booted" },
	[PCRS]	    = { "pcrs", ARG_PCRS, "prepare: PCRs that the wrapping key is bound to (default:\n0 to 7, Azure's)" },
	[EVENT_LOG] = { "event-log", "FILE", "prepare: what was measured (default:\n" CVM_BOOT_LOG_PATH ")" },
	[CERTS]	    = { "certs", "FILE", "prepare: VCEK, ASK and ARK, PEM (default: the host's)" },
	[IMDS_URL]  = { "imds-url", "URL", "prepare: the host's service for quotes and the VCEK, in the\nplace of " CVM_THIM_URL },
	[PUBLIC]    = { "public", "FILE", "prepare: the wrapping key's public half goes there, PEM" },
	[IN]	    = { "in", "FILE", "request, open: the answer to the request before; required" },
	[OUT]	    = { "out", "FILE", "prepare, request: the request to be sent (default: the\nstandard output)" },
	[TRUST_ROOT] = { "trust-root", "FILE", "open: the roots that the vault's signature may end in, and\nno others, PEM; required" },
	[HOST]	    = { "host", "NAME", "open: of the signer's certificate (default: the host in\n--kid)" },
	[AT]	    = { "at", "TIME", "open: when certificates must be valid (default: now)" },
	[NAME]	    = { "name", "NAME", "open: the key's description is cvm:NAME; required" },
	[KEYRING]   = { "keyring", "session|user|SERIAL", "open: where the key goes; required" },
	[TYPE]	    = { "type", "user|logon", "open: of the key; logon: it cannot be read back (default:\nuser)" },
	[TIMEOUT]   = { "timeout", "S", "open: the kernel expires the key after so many seconds" },
	[BACKEND]   = { "backend", "cvm|vtpm[:TCTI]", "where evidence, and by vtpm:TCTI the TPM, is" },
	{ 0 }
};

/* which options are for one action, but for --state and --backend, which are for all */
static const struct action {
	const char *name;
	uint32_t options;
	uint32_t required;
} actions[] = {
	{ "prepare", 1U << ENC | 1U << FORM | 1U << PCRS | 1U << EVENT_LOG | 1U << CERTS |
		     1U << IMDS_URL | 1U << PUBLIC | 1U << OUT, 1U << KID },
	{ "request", 1U << OUT, 1U << IN },
	{ "open", 1U << HOST | 1U << AT | 1U << TYPE | 1U << TIMEOUT,
		  1U << IN | 1U << TRUST_ROOT | 1U << NAME | 1U << KEYRING },
};

static void cleanup_certs(struct cvm_certs *certs)
{
	cvm_certs_free(certs);
}

int skr_open_tpm(const char *backend, struct cvm_tpm **tpm)
{
	static const char prefix[] = "vtpm:";
	bool named = backend && !strncmp(backend, prefix, strlen(prefix));
	struct cvm_error error;
	int rc = cvm_secret_process(&error);

	if (!rc)
		rc = cvm_skr_tpm_open(named ? backend + strlen(prefix) : NULL, tpm, &error);
	return rc ? skr_fail(rc, &error) : 0;
}

int skr_fail(int rc, const struct cvm_error *error)
{
	/* of this machine; what is signed and does not hold is no matter of the library's alone */
	if (rc == -EOPNOTSUPP || rc == -ENODEV)
		return fail(EXIT_NOT_SUPPORTED, "%s", error->text);
	return fail(rc == -EKEYREJECTED ? EXIT_NOT_VERIFIED : EXIT_FAILED, "%s", error->text);
}

static int find_action(const struct arguments *args, const struct action **action)
{
	const uint32_t always = 1U << STATE | 1U << BACKEND;

	*action = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(args->operand[0], actions[i].name))
			*action = &actions[i];
	if (!*action)
		return usage_error("'%s' is none of prepare, request, open", args->operand[0]);
	for (int i = 0; option_list[i].name; i++) {
		if (args->option[i] &&
		    !(((*action)->options | (*action)->required | always) & 1U << i))
			return usage_error("skr %s takes no --%s", (*action)->name, option_list[i].name);
		if (!args->option[i] && ((*action)->required | 1U << STATE) & 1U << i)
			return usage_error("skr %s: --%s is missing", (*action)->name,
					   option_list[i].name);
	}
	return 0;
}

/* ---- prepare */

static int parse_form(const char *value, uint32_t *form)
{
	static const char *const names[] = {
		[CVM_SKR_AZURE_GUEST] = "azure-guest", [CVM_SKR_SEV_SNP_VM] = "sev-snp-vm",
		[CVM_SKR_TDX_VM] = "tdx-vm",
	};

	*form = CVM_SKR_AZURE_GUEST;
	for (uint32_t i = 1; value && i < ARRAY_SIZE(names); i++)
		if (!strcmp(value, names[i])) {
			*form = i;
			return 0;
		}
	return value ? usage_error("--form: '%s' is none of azure-guest, sev-snp-vm, tdx-vm", value) : 0;
}

static int parse_state(const struct arguments *args, struct cvm_skr_state *state)
{
	const char *enc = args->option[ENC] ? args->option[ENC] : cvm_skr_wrap_name(1);
	char host[CVM_SKR_MAX_KID];
	enum cvm_key_from from;
	int rc = parse_form(args->option[FORM], &state->form);

	state->pcrs = CVM_SKR_PCRS;
	state->wrap = cvm_skr_wrap_find(enc);
	if (!rc && !state->wrap)
		rc = usage_error("--enc: '%s' is none of its words", enc);
	/* which version it is says the caller, not the vault */
	if (!rc && !cvm_skr_kid_parse(args->option[KID], host))
		rc = usage_error("--kid: '%s' is no https://HOST/keys/NAME/VERSION", args->option[KID]);
	if (!rc && args->option[PCRS])
		rc = parse_from(from_name(CVM_FROM_TPM), args->option[PCRS], &from, &state->pcrs);
	if (!rc)
		strcpy(state->kid, args->option[KID]);
	return rc;
}

static int run_prepare(const struct arguments *args, struct skr_options *options)
{
	__cleanup_skr_state struct cvm_skr_state state = { 0 };
	int rc = parse_state(args, &state);

	options->out = args->option[OUT];
	options->public = args->option[PUBLIC];
	options->imds = args->option[IMDS_URL];
	options->certs = args->option[CERTS];
	options->event_log = args->option[EVENT_LOG];
	return rc ? rc : skr_prepare(options, &state);
}

/* ---- open */

static int load_roots(const char *path, struct cvm_certs *roots)
{
	__cleanup_free void *data = NULL;
	struct cvm_error error;
	size_t len;
	int rc = input_file(path, &data, &len);

	if (rc)
		return rc;
	if (cvm_certs_load(roots, data, len, &error))
		return fail(EXIT_FAILED, "%s: %s", path, error.text);
	return roots->count ? 0 : fail(EXIT_FAILED, "%s: no certificates", path);
}

static int run_open(const struct arguments *args, struct skr_options *options)
{
	struct cvm_certs roots __cleanup(cleanup_certs) = { 0 };
	const char *type = args->option[TYPE] ? args->option[TYPE] : "user";
	int rc = check_key_name(args->option[NAME]);

	options->name = args->option[NAME];
	options->type = type;
	options->host = args->option[HOST];
	options->at = time(NULL);
	options->roots = &roots;
	if (!rc && strcmp(type, "user") && strcmp(type, "logon"))
		rc = usage_error("--type: '%s' is neither user nor logon", type);
	if (!rc && options->host && !cvm_skr_is_host(options->host))
		rc = usage_error("--host: '%s' is no host name", options->host);
	if (!rc && args->option[AT] && !parse_time(args->option[AT], &options->at))
		rc = usage_error("--at: '%s' is no time as 2025-06-30T12:00:00Z", args->option[AT]);
	if (!rc && args->option[TIMEOUT])
		rc = parse_number("timeout", args->option[TIMEOUT], INT_MAX, &options->timeout_s);
	if (!rc)
		rc = parse_keyring(args->option[KEYRING], &options->keyring);
	if (!rc)
		rc = load_roots(args->option[TRUST_ROOT], &roots);
	return rc ? rc : skr_open(options);
}

static int run(const struct arguments *args)
{
	struct skr_options options = {
		.state = args->option[STATE], .in = args->option[IN], .out = args->option[OUT],
		.backend = args->option[BACKEND],
	};
	const struct action *action;
	int rc = find_action(args, &action);

	if (rc)
		return rc;
	if (!strcmp(action->name, "prepare"))
		return run_prepare(args, &options);
	return strcmp(action->name, "open") ? skr_request(&options) : run_open(args, &options);
}

const struct command cmd_skr = {
	.name = "skr",
	.summary = "have a key vault release a key to this VM (Azure)",
	.operands = "prepare|request|open",
	.min_operands = 1,
	.max_operands = 1,
	.options = option_list,
	.run = run,
};
