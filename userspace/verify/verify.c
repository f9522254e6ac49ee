// SPDX-License-Identifier: MIT
/* One piece of evidence: what is expected of it, and which kind it is of. */
#include <stdio.h>
#include <stdlib.h>

#include <openssl/err.h>

#include "../formats/detect.h"
#include "internal.h"

/* The last fields that the first version had */
#define OPTS_MIN	CVM_STRUCT_UP_TO(struct cvm_verify_opts, event_log_len)
#define TPM_QUOTE_MIN	CVM_STRUCT_UP_TO(struct cvm_tpm_quote, flags)

CVM_STRUCT_FROZEN(struct cvm_verify_opts, OPTS_MIN, 136);
CVM_STRUCT_FROZEN(struct cvm_tpm_quote, TPM_QUOTE_MIN, 80);

#define MANIFEST_MAX	(1U << 20)

static bool any_trusted(const struct cvm_certs *certs)
{
	for (size_t i = 0; i < certs->count; i++)
		if (certs->cert[i].chain && certs->cert[i].chain->holds &&
		    certs->cert[i].chain->trusted)
			return true;
	return false;
}

static int load_given(struct cvm_case *c, struct cvm_bundle *bundle, struct cvm_error *error)
{
	struct cvm_sources from = cvm_sources_of(c->verifier, NULL, &bundle->certs);
	int ret;

	if (c->opts.certs_len > CVM_BUNDLE_BYTES)
		return cvm_set_error(error, -EBADMSG, "more than %u bytes", CVM_BUNDLE_BYTES);
	ret = cvm_certs_load(&bundle->certs, c->opts.certs, c->opts.certs_len, error);
	return ret ? ret : cvm_certs_make_chains(&bundle->certs, &from);
}

/* Whoever sent the evidence sent them: that they are malformed is for the verdict to say. */
static int refuse_given(struct cvm_case *c, const struct cvm_error *why)
{
	snprintf(c->given_fault, sizeof(c->given_fault), "the certificates that came along: %.200s",
		 why->text);
	cvm_bundle_put(c->given);
	c->given = NULL;
	return 0;
}

static int get_given(struct cvm_case *c)
{
	const struct cvm_span key = { c->opts.certs, c->opts.certs_len }, none = { NULL, 0 };
	struct cvm_error why;
	int ret;

	if (!c->opts.certs)
		return 0;
	c->given = cvm_cache_find(c->verifier->cache, none, key);
	if (c->given)
		return 0;
	c->given = cvm_bundle_new();
	if (!c->given)
		return -ENOMEM;
	ret = load_given(c, c->given, &why);
	if (ret == -EBADMSG)
		return refuse_given(c, &why);
	if (!ret && any_trusted(&c->given->certs))
		cvm_cache_keep(c->verifier->cache, c->given, none, key);
	return ret;
}

static int wrong_kind(struct cvm_verdict *v, enum cvm_format format)
{
	if (format == CVM_FORMAT_TDREPORT)
		cvm_fail(v, "format",
			 "a TDREPORT can be verified only on the machine that made it: ask for a quote");
	else
		cvm_fail(v, "format",
			 "offset 0x0: expected an SNP attestation report, a TDX quote or an HCL report, this is %s",
			 format == CVM_FORMAT_UNKNOWN ? "none of them" : cvm_format_name(format));
	return -EBADMSG;
}

/* Which kind of evidence goes with which binding is not for the evidence to say. */
static bool binding_fits(struct cvm_case *c, enum cvm_format format)
{
	uint32_t binding = c->opts.binding;

	if (format == CVM_FORMAT_HCL_REPORT && binding < CVM_BINDING_AZURE)
		return cvm_fail(c->v, "binding",
				"an HCL report, where none was asked for: its binding is azure");
	if (format != CVM_FORMAT_HCL_REPORT && binding >= CVM_BINDING_AZURE)
		return cvm_fail(c->v, "binding", "an HCL report was asked for, this is none");
	if (format == CVM_FORMAT_TDX_QUOTE && binding == CVM_BINDING_SVSM)
		return cvm_fail(c->v, "binding", "an SVSM's report was asked for, this is a quote");
	return true;
}

static int check_kind(struct cvm_case *c, struct cvm_span evidence)
{
	enum cvm_format format = cvm_format_detect(evidence.data, evidence.len);
	int ret;

	switch (format) {
	case CVM_FORMAT_SNP_REPORT:
		ret = cvm_check_snp(c, evidence);
		if (!ret)
			cvm_check_report_data(c, c->v->facts.snp.report_data);
		break;
	case CVM_FORMAT_TDX_QUOTE:
		ret = cvm_check_tdx(c, evidence);
		if (!ret)
			cvm_check_report_data(c, c->v->facts.body.reportdata);
		break;
	case CVM_FORMAT_HCL_REPORT:
		ret = cvm_check_azure(c, evidence);
		break;
	default:
		return wrong_kind(c->v, format);
	}
	if (!ret && c->opts.event_log && format != CVM_FORMAT_HCL_REPORT)
		cvm_skip(c->v, "event_log", "is of a vTPM, which evidence of this kind is not by");
	if (!ret)
		binding_fits(c, format);
	return ret;
}

static int check_case(struct cvm_case *c, struct cvm_span evidence)
{
	int ret = check_kind(c, evidence);

	if (!ret && !c->v->policy)
		cvm_miss(c->v, "policy",
			 "none was given: measurement, debugging, migration, VMPL and TCB were not looked at");
	return ret;
}

static int wrong_opts(struct cvm_error *error, const char *why)
{
	return cvm_set_error(error, -EINVAL, "%s", why);
}

/* What cannot be meant */
static int check_opts(const struct cvm_verify_opts *o, struct cvm_error *error)
{
	if (o->flags & ~CVM_VERIFY_BATCH)
		return wrong_opts(error, "a flag that is not known");
	if (o->report_data && o->user_data)
		return wrong_opts(error, "either direct evidence is expected, or batch evidence");
	if (!o->user_data != !o->proof)
		return wrong_opts(error, "batch evidence needs what was asked for, and the proof");
	if (o->flags & CVM_VERIFY_BATCH && (o->report_data || o->user_data))
		return wrong_opts(error, "with proofs to come there is nothing to expect yet");
	if (o->scope && !o->user_data)
		return wrong_opts(error, "only a proof has a scope");
	if (o->event_log_len && !o->event_log)
		return wrong_opts(error, "an event log has bytes");
	if (o->binding > CVM_BINDING_AZURE_TPM)
		return wrong_opts(error, "a binding that is not known");
	if (!o->manifest != (o->binding != CVM_BINDING_SVSM) || o->manifest_len > MANIFEST_MAX)
		return wrong_opts(error, "the binding of an SVSM, and no other, has a manifest");
	if (o->binding == CVM_BINDING_AZURE_TPM && !o->tpm_quote)
		return wrong_opts(error, "the binding of a vTPM's quote needs that quote");
	return 0;
}

static int check_tpm_quote(const struct cvm_tpm_quote *q, struct cvm_error *error)
{
	if (!q->message || !q->signature || !q->pcrs || !q->pcr_count || q->pcr_count > CVM_PCRS)
		return wrong_opts(error, "a vTPM's quote has a message, a signature and 1 to 24 PCRs");
	if (q->flags & ~CVM_TPM_QUOTE_RESET_COUNT)
		return wrong_opts(error, "a vTPM's quote with a flag that is not known");
	if (q->nonce_len > 64 || (q->nonce_len && !q->nonce))
		return wrong_opts(error, "a vTPM's quote carries at most 64 bytes");
	return 0;
}

/* Of the policy, if it names one; to be asked for another is an error. */
static int set_binding(struct cvm_case *c, struct cvm_error *error)
{
	const struct cvm_policy *policy = c->verifier->policy;
	uint32_t given = c->opts.binding;

	if (policy && policy->rule[CVM_RULE_BINDING].given)
		c->opts.binding = cvm_policy_binding(policy);
	if (given != CVM_BINDING_REPORT && given != c->opts.binding)
		return wrong_opts(error, "the policy has another binding");
	return 0;
}

static int take_opts(struct cvm_case *c, const struct cvm_verify_opts *opts,
		     struct cvm_tpm_quote *quote, struct cvm_error *error)
{
	int ret = cvm_struct_in(&c->opts, sizeof(c->opts), OPTS_MIN, opts);

	if (!ret && c->opts.tpm_quote) {
		ret = cvm_struct_in(quote, sizeof(*quote), TPM_QUOTE_MIN, c->opts.tpm_quote);
		c->opts.tpm_quote = quote;
	}
	if (ret)
		return cvm_set_error(error, ret, ret == -E2BIG ?
				     "the options have fields that this library does not know" :
				     "the options are too short");
	ret = set_binding(c, error);
	if (!ret)
		ret = check_opts(&c->opts, error);
	return ret || !c->opts.tpm_quote ? ret : check_tpm_quote(quote, error);
}

/* For cvm_verdict_proof(), which comes when the options are gone */
static int keep_for_proofs(struct cvm_case *c)
{
	struct cvm_verdict *v = c->v;

	v->policy = cvm_policy_get(c->verifier->policy);
	v->batch = c->opts.flags & CVM_VERIFY_BATCH;
	v->binding = c->opts.binding;
	if (!c->opts.manifest)
		return 0;
	v->manifest = malloc(c->opts.manifest_len + 1);
	if (!v->manifest)
		return -ENOMEM;
	memcpy(v->manifest, c->opts.manifest, c->opts.manifest_len);
	v->manifest_len = c->opts.manifest_len;
	return 0;
}

static int examine(struct cvm_case *c, struct cvm_span evidence)
{
	int ret = cvm_verifier_prepare(c->verifier);

	if (!ret)
		ret = keep_for_proofs(c);
	if (!ret)
		ret = get_given(c);
	if (!ret) {
		cvm_case_expect(c);
		ret = check_case(c, evidence);
	}
	cvm_bundle_put(c->given);
	return ret;
}

int cvm_verify(const struct cvm_verifier *verifier, const void *evidence, size_t len,
	       const struct cvm_verify_opts *opts, struct cvm_verdict **verdict,
	       struct cvm_error *error)
{
	struct cvm_case c = { .verifier = verifier };
	struct cvm_tpm_quote quote;
	int ret = take_opts(&c, opts, &quote, error);

	*verdict = NULL;
	if (ret)
		return ret;
	c.v = cvm_verdict_new();
	if (!c.v)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	/* The caller's error queue is left as it was found. */
	ERR_set_mark();
	ret = examine(&c, (struct cvm_span){ evidence, len });
	ERR_pop_to_mark();
	/* malformed evidence has a verdict that says so */
	if (!ret || ret == -EBADMSG) {
		*verdict = c.v;
		return ret;
	}
	cvm_verdict_free(c.v);
	return ret == -ENOMEM ? cvm_set_error(error, ret, "out of memory") : ret;
}
