// SPDX-License-Identifier: GPL-2.0
/*
 * Event logs that nothing vouches for: they are another boot's, or no quote of PCR 7 holds.
 * Where no rule asks for them they do not matter, and no rule is met by them.
 */
#include <stdio.h>

#include "mutate_boot.h"

static const char *const asked[] = { NULL, ASK_PCRS, ASK_ON, "{\"db\": [" KEYS "]}" };
static const char *const asks[] = { "event_log", PCRS, SECURE_BOOT, DB };

static const struct cvm_check *check_of(const struct cvm_verdict *verdict, const char *name)
{
	for (size_t i = 0; verdict && i < cvm_verdict_count(verdict); i++)
		if (!strcmp(cvm_verdict_check(verdict, i)->name, name))
			return cvm_verdict_check(verdict, i);
	return NULL;
}

/* ---- the log is not the boot's: PCRs are as after genuine() */

static void cut(struct azure_world *w) { w->log.len--; }
static void no_header(struct azure_world *w) { w->log.bytes[32] ^= 1; }
static void seventh_digest(struct azure_world *w) { spoil_digest(w, "keys of keys", 38); }

/* without its last event of PCR 7 */
static void left_out(struct azure_world *w)
{
	struct made_log kept = w->log;

	log_begin(&w->log);
	log_keys(&w->log, 1);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
	memcpy(w->log.pcr, kept.pcr, sizeof(kept.pcr));
}

static void of_other_boot(struct azure_world *w)
{
	struct made_log kept = w->log;

	made(w, 0);
	memcpy(w->log.pcr, kept.pcr, sizeof(kept.pcr));
}

static void empty_log(struct azure_world *w)
{
	struct made_log kept = w->log;

	log_begin(&w->log);
	memcpy(w->log.pcr, kept.pcr, sizeof(kept.pcr));
}

static void extended(struct azure_world *w) { more(w, 7); }

static const struct {
	const char *name;
	void (*make)(struct azure_world *w), (*spoil)(struct azure_world *w);
	const char *why, *rule_why;	/* "event_log"; the rule of Secure Boot */
} others[] = {
	{ "a log that is cut short", genuine, cut, "cannot be read: ",
	  "the event log cannot be read: " },
	{ "a log of no kind that is known", genuine, no_header, "cannot be read: ",
	  "the event log cannot be read: " },
	{ "a log without events", genuine, empty_log, "PCR 7: ", "the log does not lead" },
	{ "another digest in PCR 7", genuine, seventh_digest, "PCR 7: ", "the log does not lead" },
	{ "an event of PCR 7 left out", genuine, left_out, "PCR 7: ", "the log does not lead" },
	{ "the log of a worse boot", genuine, of_other_boot, "PCR 7: ", "the log does not lead" },
	{ "PCR 7 extended by who knows", extended, NULL, "PCR 7: ", "the log does not lead" },
};

static bool begins(const struct cvm_check *c, const char *why)
{
	return c && !strncmp(c->reason, why, strlen(why));
}

static void test_other(size_t i, size_t rule, bool is_td)
{
	struct azure_world w = booted(is_td, others[i].make, others[i].spoil);
	struct cvm_verdict *verdict = NULL;
	int ret = judge(&w, asked[rule], NULL, &verdict);
	const struct cvm_check *log = check_of(verdict, "event_log");
	char by[64];

	check(log && log->state == CVM_CHECK_NOT_CHECKED && !log->required &&
	      begins(log, others[i].why), "%s: not checked", others[i].name);
	if (!strcmp(asks[rule], SECURE_BOOT))
		check(begins(check_of(verdict, SECURE_BOOT), others[i].rule_why), "%s: the reason",
		      others[i].name);
	check(verdict && cvm_verdict_authentic(verdict), "%s: authentic", others[i].name);
	snprintf(by, sizeof(by), "=%s", asks[rule]);
	expect_by(ret, verdict, rule ? by : NULL, "%s guest, %s", is_td ? "TDX" : "SNP",
		  others[i].name);
}

static void test_others(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(others); i++)
		for (size_t rule = 0; rule < ARRAY_SIZE(asked); rule++) {
			test_other(i, rule, false);
			test_other(i, rule, true);
		}
}

/* ---- there is no quote of PCR 7, and the log is the boot's */

static TPMS_PCR_SELECTION *bank(struct azure_world *w, int i)
{
	return &w->attest.attested.quote.pcrSelect.pcrSelections[i];
}

static void no_quote(struct azure_world *w) { w->no_tpm_quote = true; }
static void other_signer(struct azure_world *w) { w->quote_signer = azure_keys.other; }
static void sha1_bank(struct azure_world *w) { bank(w, 0)->hash = TPM2_ALG_SHA1; }
static void no_pcrs(struct azure_world *w) { memset(bank(w, 0)->pcrSelect, 0, 3); }

/* whose value is given all the same */
static void not_of_7(struct azure_world *w) { bank(w, 0)->pcrSelect[0] = 0x7f; }

static void two_banks(struct azure_world *w)
{
	w->attest.attested.quote.pcrSelect.count = 2;
	*bank(w, 1) = *bank(w, 0);
}

/* those that the log leads to, and the quote is of others */
static void give_others(struct azure_world *w) { memcpy(w->pcrs, w->log.pcr, sizeof(w->pcrs)); }

static void other_values(struct azure_world *w)
{
	w->pcrs[32 * 7] ^= 1;
	w->tamper = give_others;
}

/**
 * @by: what refuses it without a rule; NULL: nothing, for what is asked for is a quote
 */
static const struct {
	const char *name;
	void (*spoil)(struct azure_world *w);
	const char *by;
} quotes[] = {
	{ "no quote", no_quote, "=?tpm_quote" },
	{ "a quote by another key", other_signer, "=tpm_quote" },
	{ "a quote of SHA-1's bank", sha1_bank, "=tpm_pcrs" },
	{ "a quote of two banks", two_banks, "=tpm_pcrs" },
	{ "a quote of no PCR", no_pcrs, NULL },
	{ "a quote without PCR 7", not_of_7, NULL },
	{ "a quote of other values", other_values, "=tpm_pcrs" },
};

static bool has_passed(const struct cvm_verdict *verdict, const char *name)
{
	const struct cvm_check *c = check_of(verdict, name);

	return !c || c->state == CVM_CHECK_PASSED;
}

static bool is_unmet(const struct cvm_verdict *verdict, const char *name)
{
	const struct cvm_check *c = check_of(verdict, name);

	return c && (c->state == CVM_CHECK_FAILED ||
		     (c->state == CVM_CHECK_NOT_CHECKED && c->required));
}

/* Nor does a policy of it ask for what nobody vouches for */
static bool is_silent(const struct cvm_verdict *verdict)
{
	char *policy = NULL;
	bool silent = cvm_verdict_policy(verdict, &policy, NULL) || !strstr(policy, "event_log");

	free(policy);
	return silent;
}

static void test_quote(size_t i, size_t rule, bool is_td)
{
	struct azure_world w = booted(is_td, genuine, quotes[i].spoil);
	struct cvm_verdict *verdict = NULL;
	int ret = judge(&w, asked[rule], NULL, &verdict);

	check(!has_passed(verdict, "event_log"), "%s: the log is not checked", quotes[i].name);
	if (rule)
		check(is_unmet(verdict, asks[rule]), "%s: %s is not met", quotes[i].name,
		      asks[rule]);
	check(verdict && is_silent(verdict), "%s: no policy of the log", quotes[i].name);
	if (rule && verdict && check(!cvm_verdict_verified(verdict), "%s: not verified",
				     quotes[i].name))
		cvm_verdict_free(verdict);
	else
		expect_by(ret, verdict, quotes[i].by, "%s guest, %s", is_td ? "TDX" : "SNP",
			  quotes[i].name);
}

static void test_quotes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(quotes); i++)
		for (size_t rule = 0; rule < ARRAY_SIZE(asked); rule++) {
			test_quote(i, rule, false);
			test_quote(i, rule, true);
		}
}

/* ---- what is asked for is in the quote alone */

static void by_tpm(struct cvm_verify_opts *o, struct cvm_tpm_quote *q)
{
	o->binding = CVM_BINDING_AZURE_TPM;
	q->reset_count = 7;
	q->flags = CVM_TPM_QUOTE_RESET_COUNT;
}

static void test_by_tpm(void (*spoil)(struct azure_world *w), const char *by, bool is_td)
{
	struct azure_world w = booted(is_td, genuine, spoil);
	char *kept = azure_policies[is_td];
	struct cvm_verdict *verdict = NULL;
	int ret;

	azure_policies[is_td] = azure_rebound(kept, "azure-tpm");
	ret = judge(&w, ASK_ON, by_tpm, &verdict);
	expect_by(ret, verdict, by, "%s guest, by the vTPM", is_td ? "TDX" : "SNP");
	free(azure_policies[is_td]);
	azure_policies[is_td] = kept;
}

/* ---- there is no vTPM */

static void test_report(void)
{
	struct azure_world w = booted(false, genuine, NULL);
	struct cvm_verdict *verdict = NULL;
	struct cvm_verify_opts opts;
	struct cvm_tpm_quote quote;
	struct cvm_verifier *v;

	azure_make(&w);
	v = azure_verifier(&w);
	opts = azure_opts(&w, &quote);
	opts.binding = CVM_BINDING_REPORT;
	opts.tpm_quote = NULL;
	check_is(cvm_verify(v, w.snp.report, CVM_SNP_REPORT_SIZE, &opts, &verdict, NULL), 0,
		 "a report with a log");
	check(begins(check_of(verdict, "event_log"), "is of a vTPM"), "the log is passed over");
	cvm_verdict_free(verdict);
	verdict = NULL;
	opts.event_log = NULL;
	check_is(cvm_verify(v, w.snp.report, CVM_SNP_REPORT_SIZE, &opts, &verdict, NULL), -EINVAL,
		 "a log's length alone");
	cvm_verifier_free(v);
	azure_done(&w);
}

int main(void)
{
	azure_make_policies();
	test_others();
	test_quotes();
	test_report();
	for (int td = 0; td < 2; td++) {
		test_by_tpm(NULL, NULL, td);
		test_by_tpm(left_out, "=" SECURE_BOOT, td);
		test_by_tpm(not_of_7, "=" SECURE_BOOT, td);
	}
	azure_free_policies();
	return tap_end();
}
