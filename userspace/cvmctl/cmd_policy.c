// SPDX-License-Identifier: MIT
/* cvmctl policy: the strictest one of known good evidence; is one well-formed; in words. */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "verify/policy.h"
#include "verifying.h"

enum { FROM = OPTIONS_SHARED, OUT, AUTHENTICITY_ONLY };

static const struct option_spec options[] = {
	VERIFYING_OPTIONS,
	[FROM] = { "from", "FILE",
		   "init: evidence of a VM that is known to be good; it is verified\n"
		   "first, by the options above" },
	[OUT] = { "out", "FILE", "init: write the policy there (default: standard output)" },
	[AUTHENTICITY_ONLY] = { "authenticity-only", NULL,
				"init: write it although nobody knows whether certificates\n"
				"were revoked; what was not checked is said" },
	{ 0 }
};

static void cleanup_policy(struct cvm_policy **policy)
{
	cvm_policy_put(*policy);
}

/* A policy made of evidence that was not looked at in full would be one of hopes. */
static int refuse(const struct cvm_verdict *verdict, const char *path)
{
	char names[1024];

	list_checks(verdict, CVM_CHECK_FAILED, false, names, sizeof(names));
	return fail(EXIT_NOT_VERIFIED, "%s: does not verify: %s", path, names);
}

/* What nobody can expect of evidence that lies there already */
static bool is_of_freshness(const char *name)
{
	return !strcmp(name, "policy") || !strcmp(name, "report_data") ||
	       !strcmp(name, "tpm_nonce") || !strcmp(name, "tpm_boot");
}

/* What else was not looked at is said. How much that is */
static size_t note_unlooked(const struct cvm_verdict *verdict, const char *path)
{
	size_t count = 0;

	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		if (c->state != CVM_CHECK_NOT_CHECKED || !c->required || is_of_freshness(c->name))
			continue;
		note("%s: %s was not checked: %s", path, c->name, c->reason);
		count++;
	}
	return count;
}

/* Not every way to send evidence has a place for it. */
static void note_log(const struct cvm_policy *policy, const char *path)
{
	for (enum cvm_rule_id id = CVM_RULE_AZURE_LOG_PCRS; id <= CVM_RULE_AZURE_DBX; id++)
		if (policy->rule[id].given && !policy->rule[id].any) {
			note("%s: the policy asks for the event log, and refuses evidence without one: delete azure.event_log if some has none",
			     path);
			return;
		}
}

/* The strictest policy is not a strict one where the evidence needs more to be allowed. */
static int note_allowed(const char *text, const char *path)
{
	struct cvm_policy *policy __cleanup(cleanup_policy) = NULL;
	struct cvm_error error;

	if (cvm_policy_load(&policy, text, strlen(text), &error))
		return fail(EXIT_FAILED, "%s", error.text);
	for (enum cvm_rule_id id = 0; id < CVM_RULES; id++)
		if (policy->rule[id].any || policy->rule[id].unsaid)
			note("%s: the policy has to allow %s %s: %s", path,
			     policy->rule[id].any ? "any" : "nothing said of",
			     cvm_rule_infos[id].path, cvm_rule_infos[id].help);
	note_log(policy, path);
	return 0;
}

static int write_policy(const struct arguments *args, const struct cvm_verdict *verdict)
{
	__cleanup_free char *policy = NULL, *text = NULL;
	const char *path = args->option[FROM];
	struct cvm_error error;
	int status;

	if (!cvm_verdict_authentic(verdict))
		return refuse(verdict, path);
	if (cvm_verdict_policy(verdict, &policy, &error))
		return fail(EXIT_NOT_VERIFIED, "%s: %s", path, error.text);
	if (asprintf(&text, "%s\n", policy) < 0)
		return fail(EXIT_FAILED, "out of memory");
	if (note_unlooked(verdict, path) && !args->option[AUTHENTICITY_ONLY])
		return fail(EXIT_NOT_VERIFIED,
			    "%s: no policy of what was not looked at in full: give --certs or --collateral, or --authenticity-only",
			    path);
	status = note_allowed(policy, path);
	return status ? status : output_text(args->option[OUT], text);
}

static int init(const struct arguments *args)
{
	__cleanup_verifier struct cvm_verifier *verifier = NULL;
	__cleanup_verdict struct cvm_verdict *verdict = NULL;
	__cleanup_inputs struct inputs in = { 0 };
	int status;

	if (!args->option[FROM] || args->operand[1])
		return usage_error("policy init needs --from EVIDENCE and no operand");
	status = read_inputs(args, args->option[FROM], &in);
	if (!status)
		status = make_verifier(args, &verifier);
	if (!status)
		status = verify_file(verifier, args->option[FROM], &in, &verdict);
	return status ? status : write_policy(args, verdict);
}

static int load(const struct arguments *args, struct cvm_policy **policy)
{
	const char *path = args->operand[1];
	__cleanup_free void *data = NULL;
	struct cvm_error error;
	size_t len;
	int status;

	if (!path || args->given_count)
		return usage_error("policy %s takes a POLICY and no option", args->operand[0]);
	status = input_file(path, &data, &len);
	if (!status && cvm_policy_load(policy, data, len, &error))
		return fail(EXIT_FAILED, "%s: %s", path, error.text);
	return status;
}

/* The rules of a section without which nothing is verified, and that are not there */
static void list_missing(const struct cvm_policy *policy, const char *section, char *out,
			 size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (enum cvm_rule_id id = 0; id < CVM_RULES && used < size; id++) {
		const struct cvm_rule_info *info = &cvm_rule_infos[id];

		if (info->absent == CVM_ABSENT_REFUSES && !policy->rule[id].given &&
		    !strncmp(info->path, section, strlen(section)))
			used += (size_t)snprintf(out + used, size - used, "%s%s",
						 used ? ", " : "", info->path);
	}
}

/* 0 or 1: how many kinds of evidence it can verify of this one */
static int print_verifiable(const struct cvm_policy *policy, const char *section, const char *what)
{
	char missing[1024];

	if (!cvm_policy_speaks_of(policy, section)) {
		printf("%s: not verified: there are no rules\n", what);
		return 0;
	}
	list_missing(policy, section, missing, sizeof(missing));
	if (*missing)
		printf("%s: not verified: %s are missing\n", what, missing);
	else
		printf("%s: verified by this policy\n", what);
	return !*missing;
}

static int check(const struct arguments *args)
{
	struct cvm_policy *policy __cleanup(cleanup_policy) = NULL;
	int status = load(args, &policy), kinds;

	if (status)
		return status;
	kinds = print_verifiable(policy, "snp.", "SNP reports");
	kinds += print_verifiable(policy, "tdx.", "TDX quotes");
	if (cvm_policy_binding(policy) >= CVM_BINDING_AZURE &&
	    !print_verifiable(policy, "azure.", "HCL reports"))
		kinds = 0;
	status = flush_output();
	if (!status && !kinds)
		return fail(EXIT_FAILED, "%s: well-formed, and verifies nothing", args->operand[1]);
	return status;
}

static int explain(const struct arguments *args)
{
	struct cvm_policy *policy __cleanup(cleanup_policy) = NULL;
	__cleanup_free char *text = NULL;
	int status = load(args, &policy);

	if (status)
		return status;
	text = cvm_policy_explain(policy);
	return text ? output_text(NULL, text) : fail(EXIT_FAILED, "out of memory");
}

static int run(const struct arguments *args)
{
	const char *what = args->operand[0];

	if (!strcmp(what, "init"))
		return init(args);
	if (!strcmp(what, "check"))
		return check(args);
	if (!strcmp(what, "explain"))
		return explain(args);
	return usage_error("'%s' is none of init, check, explain", what);
}

const struct command cmd_policy = {
	.name = "policy",
	.summary = "write a policy from good evidence, check one, or put it into words",
	.operands = "init | check POLICY | explain POLICY",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
	.run = run,
};
