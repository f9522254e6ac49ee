// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/util.h"
#include "verifying.h"

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

bool parse_time(const char *text, int64_t *at)
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

static int parse_binding(const char *name, uint32_t *binding)
{
	static const char *const names[] = {
		[CVM_BINDING_REPORT] = "report", [CVM_BINDING_SVSM] = "svsm",
		[CVM_BINDING_AZURE] = "azure", [CVM_BINDING_AZURE_TPM] = "azure-tpm",
	};

	for (*binding = 0; *binding < ARRAY_SIZE(names); ++*binding)
		if (!strcmp(name, names[*binding]))
			return 0;
	return usage_error("--binding: '%s' is none of report, svsm, azure, azure-tpm", name);
}

/* Any length that fits; the option's digits decide */
static int read_tpm_nonce(const char *value, struct inputs *in)
{
	size_t where;

	if (!in->file.has_tpm)
		return usage_error("--tpm-nonce goes with --tpm-quote");
	if (cvm_hex_decode(value, in->tpm_nonce, sizeof(in->tpm_nonce),
			   &in->file.tpm.quote.nonce_len, &where))
		return usage_error("--tpm-nonce: '%s' is not hexadecimal digits of 64 bytes at most",
				   value);
	in->file.tpm.quote.nonce = in->tpm_nonce;
	return 0;
}

/* Never of the quote's own file: whoever sends that would say it of himself. */
static int read_reset_count(const char *value, struct inputs *in)
{
	struct cvm_tpm_quote *quote = &in->file.tpm.quote;
	int status;

	if (!in->file.has_tpm)
		return usage_error("--reset-count goes with --tpm-quote");
	status = parse_number("reset-count", value, UINT32_MAX, &quote->reset_count);
	quote->flags |= CVM_TPM_QUOTE_RESET_COUNT;
	return status;
}

static int read_files(const struct arguments *args, const char *path, struct inputs *in)
{
	int status = load_evidence(path, &in->file);

	if (!status && args->option[OPTION_MANIFEST])
		status = input_file(args->option[OPTION_MANIFEST], &in->manifest,
				    &in->opts.manifest_len);
	if (!status && args->option[OPTION_TD_QUOTE])
		status = load_td_quote(args->option[OPTION_TD_QUOTE], &in->file);
	if (!status && args->option[OPTION_TPM_QUOTE])
		status = load_tpm_quote(args->option[OPTION_TPM_QUOTE], &in->file);
	if (!status && args->option[OPTION_TPM_NONCE])
		status = read_tpm_nonce(args->option[OPTION_TPM_NONCE], in);
	if (!status && args->option[OPTION_EVENT_LOG])
		status = load_event_log(args->option[OPTION_EVENT_LOG], &in->file);
	if (!status && args->option[OPTION_RESET_COUNT])
		status = read_reset_count(args->option[OPTION_RESET_COUNT], in);
	return status;
}

int read_inputs(const struct arguments *args, const char *path, struct inputs *in)
{
	const char *at = args->option[OPTION_AT];
	struct cvm_verify_opts *o = &in->opts;
	int status;

	*in = (struct inputs){ .opts = { .size = sizeof(in->opts), .at = time(NULL) } };
	if (at && !parse_time(at, &o->at))
		return usage_error("--at: '%s' is no time as 2025-06-30T12:00:00Z", at);
	if (args->option[OPTION_BINDING] &&
	    parse_binding(args->option[OPTION_BINDING], &o->binding))
		return EXIT_USAGE;
	status = read_files(args, path, in);
	o->manifest = in->manifest;
	o->certs = in->file.certs.data;
	o->certs_len = in->file.certs.len;
	o->td_quote = in->file.td_quote.data;
	o->td_quote_len = in->file.td_quote.len;
	o->event_log = in->file.event_log.data;
	o->event_log_len = in->file.event_log.len;
	o->tpm_quote = in->file.has_tpm ? &in->file.tpm.quote : NULL;
	return status;
}

void free_inputs(struct inputs *in)
{
	free(in->manifest);
	cvm_evidence_file_free(&in->file);
}

static int add_file(struct cvm_verifier *verifier, int option, const char *path)
{
	__cleanup_free void *data = NULL;
	struct cvm_error error;
	size_t len;
	int ret, status = input_file(path, &data, &len);

	if (status)
		return status;
	if (option == OPTION_TRUST_ROOT)
		ret = cvm_verifier_add_trust_root(verifier, data, len, &error);
	else if (option == OPTION_COLLATERAL)
		ret = cvm_verifier_add_collateral(verifier, data, len, &error);
	else
		ret = cvm_verifier_add_certs(verifier, data, len, &error);
	return ret ? fail(EXIT_FAILED, "%s: %s", path, error.text) : 0;
}

int make_verifier(const struct arguments *args, struct cvm_verifier **verifier)
{
	int status = 0;

	if (cvm_verifier_new(verifier))
		return fail(EXIT_FAILED, "out of memory");
	for (size_t i = 0; !status && i < args->given_count; i++) {
		int option = args->given[i].option;

		if (option == OPTION_CERTS || option == OPTION_TRUST_ROOT ||
		    option == OPTION_COLLATERAL)
			status = add_file(*verifier, option, args->given[i].value);
	}
	return status;
}

int set_policy_file(struct cvm_verifier *verifier, const char *path)
{
	__cleanup_free void *data = NULL;
	struct cvm_error error;
	size_t len;
	int status = input_file(path, &data, &len);

	if (!status && cvm_verifier_set_policy(verifier, data, len, &error))
		return fail(EXIT_FAILED, "%s: %s", path, error.text);
	return status;
}

static const char *format_fault(const struct cvm_verdict *verdict)
{
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		if (c->state == CVM_CHECK_FAILED)
			return c->reason;
	}
	return "malformed";
}

int verify_file(const struct cvm_verifier *verifier, const char *path,
		const struct inputs *inputs, struct cvm_verdict **verdict)
{
	const struct cvm_blob *evidence = &inputs->file.report;
	struct cvm_error error;
	int ret = cvm_verify(verifier, evidence->data, evidence->len, &inputs->opts, verdict,
			     &error);

	if (!ret)
		return 0;
	if (*verdict)
		return fail(EXIT_FAILED, "%s: %s", path, format_fault(*verdict));
	return ret == -EINVAL ? usage_error("%s", error.text) :
				fail(EXIT_FAILED, "%s: %s", path, error.text);
}

void list_checks(const struct cvm_verdict *verdict, enum cvm_check_state state, bool required,
		 char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < cvm_verdict_count(verdict) && used < size; i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		if (c->state == state && (c->required || !required))
			used += (size_t)snprintf(out + used, size - used, "%s%s",
						 used ? ", " : "", c->name);
	}
}
