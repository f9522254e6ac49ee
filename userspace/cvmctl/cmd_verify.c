// SPDX-License-Identifier: MIT
/* cvmctl verify: is this evidence genuine, and is it about what I asked for? */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "show.h"

enum { REPORT_DATA, USER_DATA, PROOF, SCOPE, CERTS, TRUST_ROOT, AT, AUTHENTICITY_ONLY, JSON };

static const struct option_spec options[] = {
	[REPORT_DATA] = { "report-data", "HEX|@FILE",
			  "the 64 bytes that the evidence must carry" },
	[USER_DATA] = { "user-data", "HEX|@FILE",
			"batch evidence: the 64 bytes that were asked for" },
	[PROOF] = { "proof", "FILE", "batch evidence: the proof, raw or as base64url" },
	[SCOPE] = { "scope", ARG_SCOPE,
		    "batch evidence: for whom the proof must speak: privileged\n"
		    "(default), unprivileged, label:NAME or any" },
	[CERTS] = { "certs", "FILE",
		    "certificates: the table that the host gave with a report, or\n"
		    "PEM or DER; may be given more than once. For a quote they\n"
		    "take the place of those inside it", true },
	[TRUST_ROOT] = { "trust-root", "FILE",
			 "trust the root certificate in FILE (PEM or DER) instead of\n"
			 "AMD's and Intel's; may be given more than once", true },
	[AT] = { "at", "TIME",
		 "the time, as in 2025-06-30T12:00:00Z, at which certificates\n"
		 "must be valid (default: now)" },
	[AUTHENTICITY_ONLY] = { "authenticity-only", NULL,
				"signature, certificates and REPORT_DATA are enough: accept\n"
				"any measurement, debug setting, VMPL and TCB, and do not\n"
				"look for revoked certificates" },
	[JSON] = { "json", NULL, "one JSON object" },
	{ 0 }
};

static void cleanup_verifier(struct cvm_verifier **verifier)
{
	cvm_verifier_free(*verifier);
}

static void cleanup_verdict(struct cvm_verdict **verdict)
{
	cvm_verdict_free(*verdict);
}

/* @text begins like @pattern, in which 0 stands for any digit */
static bool looks_like(const char *text, const char *pattern)
{
	for (; *pattern; text++, pattern++)
		if (*pattern == '0' ? *text < '0' || *text > '9' : *text != *pattern)
			return false;
	return true;
}

/* "Z" or an offset from it; false if it is neither */
static bool parse_zone(const char *text, int *seconds)
{
	int hours, minutes;

	*seconds = 0;
	if (!strcmp(text, "Z"))
		return true;
	if ((!looks_like(text, "+00:00") && !looks_like(text, "-00:00")) || text[6])
		return false;
	hours = atoi(text + 1);
	minutes = atoi(text + 4);
	*seconds = (hours * 60 + minutes) * (text[0] == '-' ? -60 : 60);
	return hours <= 23 && minutes <= 59;
}

/* RFC 3339, in capitals and without fractions of a second */
static bool parse_time(const char *text, int64_t *at)
{
	struct tm tm = { 0 }, check;
	time_t when;
	int zone;

	if (!looks_like(text, "0000-00-00T00:00:00") || !parse_zone(text + 19, &zone))
		return false;
	sscanf(text, "%4d-%2d-%2dT%2d:%2d:%2d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday,
	       &tm.tm_hour, &tm.tm_min, &tm.tm_sec);
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	check = tm;
	when = timegm(&check);
	/* timegm() makes a day of 2025-02-30; RFC 3339 does not. */
	if (check.tm_mon != tm.tm_mon || check.tm_mday != tm.tm_mday ||
	    check.tm_hour != tm.tm_hour || check.tm_min != tm.tm_min)
		return false;
	*at = (int64_t)when - zone;
	return true;
}

static int set_time(const struct arguments *args, struct cvm_verifier *verifier)
{
	int64_t at = time(NULL);

	if (args->option[AT] && !parse_time(args->option[AT], &at))
		return usage_error("--at: '%s' is no time as 2025-06-30T12:00:00Z",
				   args->option[AT]);
	cvm_verifier_set_time(verifier, at);
	return 0;
}

/*
 * Whoever expects direct evidence takes none that begins with the tag of batch
 * evidence, whatever it was told to expect: there is no way from one to the other.
 */
static int direct_report_data(const char *value, uint8_t *report_data)
{
	int status = parse_bytes("report-data", value, report_data, CVM_REPORT_DATA_LEN, false);

	if (!status && !memcmp(report_data, "CVMGBAT", 7))
		return fail(EXIT_NOT_VERIFIED,
			    "--report-data begins with CVMGBAT, as batch evidence does: give --user-data and --proof");
	return status;
}

static int set_report_data(const struct arguments *args, struct cvm_verifier *verifier)
{
	const char *direct = args->option[REPORT_DATA], *user_data = args->option[USER_DATA];
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	int status;

	if (!user_data != !args->option[PROOF] || (args->option[SCOPE] && !user_data) ||
	    (user_data && direct))
		return usage_error("either --report-data, or --user-data with --proof");
	if (!user_data && !direct)
		return 0;
	if (user_data)
		status = expected_report_data(user_data, args->option[PROOF],
					      args->option[SCOPE], report_data);
	else
		status = direct_report_data(direct, report_data);
	if (!status)
		cvm_verifier_set_report_data(verifier, report_data);
	return status;
}

static int add_file(struct cvm_verifier *verifier, int option, const char *path)
{
	__cleanup_free void *data = NULL;
	struct cvm_error error;
	size_t len;
	int ret, status = input_file(path, &data, &len);

	if (status)
		return status;
	if (option == TRUST_ROOT)
		ret = cvm_verifier_add_trust_root(verifier, data, len, &error);
	else
		ret = cvm_verifier_add_certs(verifier, data, len, &error);
	return ret ? fail(EXIT_FAILED, "%s: %s", path, error.text) : 0;
}

static int set_up(const struct arguments *args, struct cvm_verifier *verifier)
{
	int status = set_time(args, verifier);

	if (!status)
		status = set_report_data(args, verifier);
	for (size_t i = 0; !status && i < args->given_count; i++)
		if (args->given[i].option == CERTS || args->given[i].option == TRUST_ROOT)
			status = add_file(verifier, args->given[i].option,
					  args->given[i].value);
	return status;
}

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

static int print_json(const struct cvm_verdict *verdict, const char *path, bool accepted)
{
	json_t *checks = json_array();

	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		json_array_append_new(checks, json_pack("{s:s, s:s, s:s}", "name", c->name,
							"state", state_name(c->state),
							"reason", c->reason));
	}
	/* "verified" needs more than authenticity, and nothing can say it yet. */
	return output_json(NULL, json_pack("{s:s, s:b, s:b, s:b, s:o}", "evidence", path,
					   "verified", 0,
					   "authentic", cvm_verdict_authentic(verdict),
					   "accepted", accepted, "checks", checks));
}

static void print_text(const struct cvm_verdict *verdict)
{
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		printf("%-11s  %-15s  %s\n", state_name(c->state), c->name, c->reason);
	}
}

/* The names of all checks of one state, with commas */
static void list_checks(const struct cvm_verdict *verdict, enum cvm_check_state state,
			char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < cvm_verdict_count(verdict) && used < size; i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		if (c->state == state)
			used += (size_t)snprintf(out + used, size - used, "%s%s",
						 used ? ", " : "", c->name);
	}
}

static int conclude(const struct cvm_verdict *verdict, const char *path, bool authenticity_only)
{
	char names[512];

	if (!cvm_verdict_authentic(verdict)) {
		list_checks(verdict, CVM_CHECK_FAILED, names, sizeof(names));
		return fail(EXIT_NOT_VERIFIED, "%s: does not verify: %s", path, names);
	}
	list_checks(verdict, CVM_CHECK_NOT_CHECKED, names, sizeof(names));
	if (authenticity_only)
		return EXIT_DONE;
	return fail(EXIT_NOT_VERIFIED,
		    "%s: authentic, but not verified: %s were not checked; --authenticity-only accepts that",
		    path, names);
}

static int report(const struct arguments *args, const struct cvm_verdict *verdict)
{
	bool authenticity_only = args->option[AUTHENTICITY_ONLY];
	const char *path = args->operand[0];
	bool authentic = cvm_verdict_authentic(verdict);
	int status;

	if (args->option[JSON]) {
		status = print_json(verdict, path, authentic && authenticity_only);
		if (status)
			return status;
	} else {
		print_text(verdict);
		if (authentic && authenticity_only)
			printf("%s: authentic (authenticity only)\n", path);
	}
	return conclude(verdict, path, authenticity_only);
}

static int run(const struct arguments *args)
{
	struct cvm_verifier *verifier __cleanup(cleanup_verifier) = NULL;
	struct cvm_verdict *verdict __cleanup(cleanup_verdict) = NULL;
	__cleanup_free void *evidence = NULL;
	const char *path = args->operand[0];
	size_t len;
	int ret, status;

	if (cvm_verifier_new(&verifier))
		return fail(EXIT_FAILED, "out of memory");
	status = set_up(args, verifier);
	if (!status)
		status = read_evidence(path, &evidence, &len);
	if (status)
		return status;
	ret = cvm_verify(verifier, evidence, len, &verdict);
	if (ret == -EBADMSG)
		return fail(EXIT_FAILED, "%s: %s", path, cvm_verdict_check(verdict, 0)->reason);
	if (ret)
		return fail(EXIT_FAILED, "%s: %s", path, strerror(-ret));
	return report(args, verdict);
}

const struct command cmd_verify = {
	.name = "verify",
	.summary = "verify the signature, certificates and REPORT_DATA of a report or quote",
	.operands = "EVIDENCE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.run = run,
};
