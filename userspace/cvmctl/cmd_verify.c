// SPDX-License-Identifier: MIT
/* cvmctl verify: is this evidence genuine, about what I asked for, and acceptable? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verifying.h"

enum {
	REPORT_DATA = OPTIONS_SHARED, USER_DATA, PROOF, SCOPE, POLICY, AUTHENTICITY_ONLY, JSON,
};

static const struct option_spec options[] = {
	VERIFYING_OPTIONS,
	[REPORT_DATA] = { "report-data", "HEX|@FILE",
			  "the 64 bytes that the evidence must carry" },
	[USER_DATA] = { "user-data", "HEX|@FILE",
			"batch evidence: the 64 bytes that were asked for" },
	[PROOF] = { "proof", "FILE", "batch evidence: the proof, raw or as base64url, where the\nevidence does not have it itself" },
	[SCOPE] = { "scope", ARG_SCOPE,
		    "batch evidence: for whom the proof must speak: privileged,\n"
		    "unprivileged, label:NAME or any (default: what the policy\n"
		    "accepts, or privileged)" },
	[POLICY] = { "policy", "FILE", "which VMs are accepted: cvm-policy(5)" },
	[AUTHENTICITY_ONLY] = { "authenticity-only", NULL,
				"signature, certificates and REPORT_DATA are enough: accept\n"
				"any measurement, debug setting, VMPL and TCB, and certificates\n"
				"of which nobody knows whether they were revoked" },
	[JSON] = { "json", NULL, "one JSON object" },
	{ 0 }
};

static const char *state_name(enum cvm_check_state state)
{
	switch (state) {
	case CVM_CHECK_PASSED:
		return "passed";
	case CVM_CHECK_FAILED:
		return "failed";
	default:
		return "not checked";
	}
}

/* A file's name may be of any bytes; JSON is UTF-8. */
static json_t *json_of_name(const char *name)
{
	json_t *json = json_string(name);
	char *ascii;

	if (json)
		return json;
	ascii = strdup(name);
	for (char *p = ascii; p && *p; p++)
		*p = *p < ' ' || *p > '~' ? '?' : *p;
	json = ascii ? json_string(ascii) : NULL;
	free(ascii);
	return json;
}

/* NULL where any of them cannot be had: one that is left out would be one unseen. */
static json_t *json_of_checks(const struct cvm_verdict *verdict)
{
	json_t *checks = json_array();

	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		if (json_array_append_new(checks, json_pack("{s:s, s:s, s:b, s:o}", "name", c->name,
							    "state", state_name(c->state),
							    "required", c->required,
							    "reason", json_of_name(c->reason)))) {
			json_decref(checks);
			return NULL;
		}
	}
	return checks;
}

static int print_json(const struct arguments *args, const struct cvm_verdict *verdict,
		      bool accepted)
{
	json_t *out = json_pack("{s:o, s:b, s:b, s:b, s:b, s:o}",
				"evidence", json_of_name(args->operand[0]),
				"verified", cvm_verdict_verified(verdict),
				"authentic", cvm_verdict_authentic(verdict),
				"authenticity_only", !!args->option[AUTHENTICITY_ONLY],
				"accepted", accepted, "checks", json_of_checks(verdict));
	uint32_t reset_count;

	if (out && !cvm_verdict_reset_count(verdict, &reset_count))
		json_object_set_new(out, "reset_count", json_integer(reset_count));
	return output_json(NULL, out);
}

static int longest_name(const struct cvm_verdict *verdict)
{
	size_t longest = 0, len;

	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		len = strlen(cvm_verdict_check(verdict, i)->name);
		longest = len > longest ? len : longest;
	}
	return (int)longest;
}

static void print_text(const struct cvm_verdict *verdict, const char *path, bool accepted)
{
	int width = longest_name(verdict);

	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		printf("%-11s  %-*s  %s\n", state_name(c->state), width, c->name, c->reason);
	}
	if (accepted)
		printf("%s: %s\n", path, cvm_verdict_verified(verdict) ? "verified" :
		       "authentic (authenticity only)");
}

static int conclude(const struct cvm_verdict *verdict, const char *path, bool accepted)
{
	char names[1024];

	if (accepted)
		return EXIT_DONE;
	list_checks(verdict, CVM_CHECK_FAILED, false, names, sizeof(names));
	if (*names)
		return fail(EXIT_NOT_VERIFIED, "%s: does not verify: %s", path, names);
	list_checks(verdict, CVM_CHECK_NOT_CHECKED, true, names, sizeof(names));
	return fail(EXIT_NOT_VERIFIED,
		    "%s: authentic, but not verified: %s were not checked; --authenticity-only accepts that",
		    path, names);
}

static int report(const struct arguments *args, const struct cvm_verdict *verdict)
{
	const char *path = args->operand[0];
	bool accepted = cvm_verdict_verified(verdict) ||
			(args->option[AUTHENTICITY_ONLY] && cvm_verdict_authentic(verdict));
	int status = 0;

	if (args->option[JSON])
		status = print_json(args, verdict, accepted);
	else
		print_text(verdict, path, accepted);
	return status ? status : conclude(verdict, path, accepted);
}

/* @data: CVM_REPORT_DATA_LEN bytes, to which the options will point; @proof: for free() */
static int set_expected(const struct arguments *args, struct inputs *in, uint8_t *data,
			void **proof)
{
	const char *direct = args->option[REPORT_DATA], *user_data = args->option[USER_DATA];
	const struct cvm_blob *own = &in->file.proof;
	struct cvm_verify_opts *opts = &in->opts;
	int status;

	if ((!user_data && args->option[PROOF]) || (args->option[SCOPE] && !user_data) ||
	    (user_data && (direct || (!args->option[PROOF] && !own->data))))
		return usage_error("either --report-data, or --user-data with --proof");
	if (args->option[PROOF] && own->data)
		return usage_error("--proof: the evidence has one itself");
	if (direct) {
		opts->report_data = data;
		return parse_bytes("report-data", direct, data, CVM_REPORT_DATA_LEN, false);
	}
	if (!user_data)
		return 0;
	status = parse_bytes("user-data", user_data, data, CVM_USER_DATA_LEN, false);
	opts->proof_len = own->len;
	if (!status && args->option[PROOF])
		status = input_proof(args->option[PROOF], proof, &opts->proof_len);
	opts->user_data = data;
	opts->proof = *proof ? *proof : own->data;
	opts->scope = args->option[SCOPE];
	return status;
}

static int run(const struct arguments *args)
{
	__cleanup_verifier struct cvm_verifier *verifier = NULL;
	__cleanup_verdict struct cvm_verdict *verdict = NULL;
	__cleanup_inputs struct inputs in = { 0 };
	__cleanup_free void *proof = NULL;
	uint8_t data[CVM_REPORT_DATA_LEN];
	int status;

	if (args->option[POLICY] && args->option[AUTHENTICITY_ONLY])
		return usage_error("either --policy or --authenticity-only");
	status = read_inputs(args, args->operand[0], &in);
	if (!status)
		status = set_expected(args, &in, data, &proof);
	if (!status)
		status = make_verifier(args, &verifier);
	if (!status && args->option[POLICY])
		status = set_policy_file(verifier, args->option[POLICY]);
	if (!status)
		status = verify_file(verifier, args->operand[0], &in, &verdict);
	return status ? status : report(args, verdict);
}

const struct command cmd_verify = {
	.name = "verify",
	.summary = "verify evidence: genuine, about what was asked for, of a VM that is accepted",
	.operands = "EVIDENCE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.run = run,
};
