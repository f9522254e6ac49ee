// SPDX-License-Identifier: MIT
/*
 * Azure: the paravisor's report (HCL) in the vTPM. The hardware report, which
 * measures the paravisor, carries the hash of the claims; the claims name the
 * vTPM's attestation key and what the guest wanted to be about; and a quote by
 * that key has the PCRs, which measure the guest's system. Without that quote the
 * evidence says nothing of the system.
 */
#include <openssl/sha.h>

#include "../formats/hcl.h"
#include "../formats/tdreport.h"
#include "hcl_claims.h"
#include "internal.h"

struct azure {
	struct cvm_case *c;
	struct cvm_verdict *v;
	struct cvm_hcl_report hcl;
	struct cvm_hcl_claims claims;
};

/* The 64 bytes that the hardware signed */
static const uint8_t *carried(const struct cvm_facts *facts)
{
	return facts->kind == CVM_FACT_TDX ? facts->body.reportdata : facts->snp.report_data;
}

/* REPORT_DATA: SHA-256 of the claims as they stand, and zeros */
static bool check_claims(struct azure *a)
{
	uint8_t expected[64] = { 0 };
	struct cvm_error why;

	if (a->hcl.hash_type != CVM_HCL_SHA256)
		return cvm_fail(a->v, "claims", "hash type %u, expected 1 (SHA-256)",
				a->hcl.hash_type);
	SHA256(a->hcl.claims.data, a->hcl.claims.len, expected);
	if (memcmp(expected, carried(&a->v->facts), sizeof(expected)))
		return cvm_fail(a->v, "claims", "REPORT_DATA is not the hash of these claims");
	if (cvm_hcl_claims_parse(a->hcl.claims, &a->claims, &why))
		return cvm_fail(a->v, "claims", "%s", why.text);
	return cvm_pass(a->v, "claims", "REPORT_DATA is their hash");
}

bool cvm_td_same(const struct cvm_tdreport *r, const struct cvm_td_body *b)
{
	return !memcmp(r->reportdata, b->reportdata, sizeof(b->reportdata)) &&
	       !memcmp(r->mrtd, b->mrtd, sizeof(b->mrtd)) &&
	       !memcmp(r->rtmr, b->rtmr, sizeof(b->rtmr)) &&
	       !memcmp(r->mrconfigid, b->mrconfigid, sizeof(b->mrconfigid)) &&
	       !memcmp(r->mrowner, b->mrowner, sizeof(b->mrowner)) &&
	       !memcmp(r->mrownerconfig, b->mrownerconfig, sizeof(b->mrownerconfig)) &&
	       !memcmp(r->mrseam, b->mrseam, sizeof(b->mrseam)) &&
	       !memcmp(r->tee_tcb_svn, b->tee_tcb_svn, sizeof(b->tee_tcb_svn)) &&
	       r->attributes == b->tdattributes && r->xfam == b->xfam;
}

/* A TDREPORT says nothing by itself: the quote of it is what is verified. */
static int check_td(struct azure *a)
{
	const struct cvm_verify_opts *o = &a->c->opts;
	struct cvm_format_error err;
	struct cvm_tdreport report;
	char text[256];
	int ret;

	if (cvm_tdreport_parse(a->hcl.hw_report.data, a->hcl.hw_report.len, &report, &err)) {
		cvm_fail(a->v, "hcl_report", "TDREPORT: %s",
			 cvm_format_error_text(&err, text, sizeof(text)));
		return 0;
	}
	if (!o->td_quote) {
		cvm_fail(a->v, "td_quote", "a TDREPORT proves nothing without a quote of it");
		return 0;
	}
	ret = cvm_check_tdx(a->c, (struct cvm_span){ o->td_quote, o->td_quote_len });
	if (ret)
		return ret;
	if (cvm_td_same(&report, &a->v->facts.body))
		cvm_pass(a->v, "td_quote", "the quote is of the HCL report's TDREPORT");
	else
		cvm_fail(a->v, "td_quote", "the quote is of another TDREPORT");
	return 0;
}

/*
 * Where there is a paravisor it has VMPL 0, and what the guest's own system asks for is of
 * another. Where there is none that system has VMPL 0 itself, and makes what claims it
 * likes with a key of its own: whether this is a paravisor only the measurement says, which
 * the policy has.
 */
static int check_snp(struct azure *a)
{
	int ret = cvm_check_snp(a->c, a->hcl.hw_report);
	uint32_t vmpl = a->v->facts.snp.vmpl;

	if (ret)
		return ret;
	if (vmpl)
		cvm_fail(a->v, "paravisor", "the report is of VMPL %u: who is there is no paravisor",
			 vmpl);
	else
		cvm_pass(a->v, "paravisor",
			 "the report is of VMPL 0; that a paravisor has that, the measurement says");
	return 0;
}

static int check_hardware(struct azure *a)
{
	switch (a->hcl.report_type) {
	case CVM_HCL_SNP:
		return check_snp(a);
	case CVM_HCL_TDX:
		return check_td(a);
	default:
		cvm_fail(a->v, "hcl_report", "report type %u (%s), expected 2 (snp) or 4 (tdx)",
			 a->hcl.report_type, cvm_hcl_type_name(a->hcl.report_type));
		return -EBADMSG;
	}
}

static void check_user_data(struct azure *a)
{
	if (a->c->opts.binding == CVM_BINDING_AZURE_TPM)
		cvm_check_expected(a->c);
	else if (!a->claims.has_user_data)
		cvm_fail(a->v, "report_data", "the claims have no user-data");
	else
		cvm_check_report_data(a->c, a->claims.user_data);
}

/*
 * Which boot was verified before only the relying party knows: what the evidence
 * says of it, it says of itself.
 */
static void check_boot(struct azure *a)
{
	const struct cvm_tpm_quote *q = a->c->opts.tpm_quote;
	uint32_t count = a->v->facts.reset_count;

	if (!(q->flags & CVM_TPM_QUOTE_RESET_COUNT)) {
		if (a->c->opts.binding == CVM_BINDING_AZURE_TPM)
			cvm_miss(a->v, "tpm_boot",
				 "resetCount is %u; that of the boot whose HCL report was verified was not given",
				 count);
		return;
	}
	if (count == q->reset_count)
		cvm_pass(a->v, "tpm_boot", "resetCount is %u", count);
	else
		cvm_fail(a->v, "tpm_boot", "resetCount is %u, expected %u: another boot than the HCL report's",
			 count, q->reset_count);
}

/* What the caller expects there, and else what follows from what was asked for */
static void check_tpm(struct azure *a)
{
	const struct cvm_tpm_quote *q = a->c->opts.tpm_quote;
	bool own = q && q->nonce && !a->c->batch;
	const uint8_t *nonce = own ? q->nonce : a->c->bound ? a->c->tpm_value : NULL;

	if (!q) {
		cvm_miss(a->v, "tpm_quote",
			 "no quote of the vTPM was given: nothing says which system the guest runs");
		return;
	}
	cvm_tpm_check(a->v, a->claims.ak, q, nonce, own ? q->nonce_len : a->c->tpm_value_len,
		      a->c->batch);
	if (a->v->facts.has_reset_count)
		check_boot(a);
}

static struct cvm_span log_of(const struct azure *a)
{
	return (struct cvm_span){ a->c->opts.event_log, a->c->opts.event_log_len };
}

/* Claims that do not hold are nobody's; nor are PCRs by a key that they name. */
static void judge(struct azure *a)
{
	if (!a->claims.ak)
		return;
	cvm_hcl_config_parse(a->hcl.claims, &a->v->facts.config);
	if (!a->v->policy)
		return;
	cvm_judge_claims(a->v);
	cvm_judge_pcrs(a->v);
	cvm_judge_boot(a->v, log_of(a));
}

int cvm_check_azure(struct cvm_case *c, struct cvm_span hcl)
{
	struct azure a = { .c = c, .v = c->v };
	struct cvm_format_error err;
	int ret;

	if (cvm_hcl_parse(hcl.data, hcl.len, &a.hcl, &err))
		return cvm_fail_format(c->v, &err);
	cvm_pass(c->v, "hcl_report", "version %u", a.hcl.version);
	ret = check_hardware(&a);
	if (ret)
		return ret;
	if (check_claims(&a)) {
		check_user_data(&a);
		check_tpm(&a);
		cvm_check_event_log(a.v, log_of(&a));
	} else {
		cvm_skip(c->v, "report_data", "the claims do not hold");
	}
	judge(&a);
	EVP_PKEY_free(a.claims.ak);
	return 0;
}
