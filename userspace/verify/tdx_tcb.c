// SPDX-License-Identifier: MIT
/*
 * How current a TDX platform is, by Intel's collateral: "Intel TDX DCAP Quoting
 * Library API" and "Intel Provisioning Certification Service API", on how TCB
 * levels are compared. The statuses of platform, TDX module and quoting enclave
 * become one, and never a better one than any of them.
 */
#include <stdio.h>

#include "internal.h"

struct tcb {
	struct cvm_case *c;
	struct cvm_verdict *v;
	const struct cvm_quote *quote;
	const struct cvm_pck_cert *pck;
	const struct cvm_tcb_info *info;
	const struct cvm_qe_identity *qe;
	const struct cvm_tdx_module *module;
	/* what was found */
	const struct cvm_tcb_level *sgx_level, *level;
	const struct cvm_svn_level *module_level, *qe_level;
};

/* ---- is the collateral Intel's, and of this time? */

static bool fail(struct tcb *t, const char *name, const char *reason)
{
	return cvm_fail(t->v, name, "%s", reason);
}

/* The signer may do this and nothing else, by its name; its chain is of two. */
static bool signer_holds(struct tcb *t, const char *name, const struct cvm_signed *s)
{
	char who[CVM_NAME_SIZE], text[CVM_REASON_SIZE];

	if (!s->signer)
		return fail(t, name, "no certificate of who signed it was given");
	cvm_cert_name(s->signer, who, sizeof(who));
	if (!s->chain.holds)
		return fail(t, name, s->chain.chain_text);
	if (!s->chain.trusted)
		return fail(t, name, s->chain.root_text);
	if (!strstr(who, "SGX TCB Signing"))
		return cvm_fail(t->v, name, "'%s' is not who signs collateral", who);
	if (cvm_window_fault(&s->chain.valid, t->c->opts.at, text, sizeof(text)))
		return fail(t, name, text);
	if (!s->holds)
		return cvm_fail(t->v, name, "its signature is not by '%s'", who);
	return true;
}

static bool signer_not_revoked(struct tcb *t, const char *name, const struct cvm_signed *s)
{
	char who[CVM_NAME_SIZE], reason[CVM_REASON_SIZE] = "";
	enum cvm_outcome outcome;

	outcome = cvm_revocation_check(&s->chain.ca_lists,
				       cvm_cert_name(s->signer, who, sizeof(who)),
				       t->c->opts.at, &t->v->facts.root_crl_issued, reason,
				       sizeof(reason));
	if (outcome == CVM_PASS)
		return true;
	return cvm_verdict_add(t->v, name, outcome, "%s", reason);
}

static bool is_current(struct tcb *t, const char *name, const struct cvm_signed *s)
{
	char from[32], until[32];

	if (s->issued > t->c->opts.at || s->next < t->c->opts.at)
		return cvm_fail(t->v, name, "it holds from %s to %s",
				cvm_time_text(s->issued, from), cvm_time_text(s->next, until));
	if (!t->v->facts.issued || s->issued < t->v->facts.issued)
		t->v->facts.issued = s->issued;
	return true;
}

static bool document_holds(struct tcb *t, const char *name, const struct cvm_signed *s,
			   uint32_t evaluation)
{
	char issued[32];

	if (!signer_holds(t, name, s) || !is_current(t, name, s) ||
	    !signer_not_revoked(t, name, s))
		return false;
	return cvm_pass(t->v, name, "edition %u of %s", evaluation,
			cvm_time_text(s->issued, issued));
}

/* ---- the quoting enclave */

static bool masked_equal(const uint8_t *value, const uint8_t *mask, const uint8_t *wanted,
			 size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((value[i] & mask[i]) != wanted[i])
			return false;
	return true;
}

static const struct cvm_svn_level *find_svn(const struct cvm_svn_level *level, size_t count,
					    uint16_t svn)
{
	for (size_t i = 0; i < count; i++)
		if (svn >= level[i].isvsvn)
			return &level[i];
	return NULL;
}

static bool check_enclave(struct tcb *t)
{
	const struct cvm_sgx_report *r = &t->quote->qe.qe;
	const struct cvm_qe_identity *id = t->qe;
	uint8_t miscselect[4];

	for (int i = 0; i < 4; i++)
		miscselect[i] = (uint8_t)(r->miscselect >> 8 * i);
	if (memcmp(r->mrsigner, id->mrsigner, sizeof(r->mrsigner)))
		return fail(t, "qe_identity", "MRSIGNER of the QE report is another");
	if (r->isvprodid != id->isvprodid)
		return cvm_fail(t->v, "qe_identity", "ISVPRODID of the QE report is %u, expected %u",
				r->isvprodid, id->isvprodid);
	if (!masked_equal(miscselect, id->miscselect_mask, id->miscselect, 4))
		return fail(t, "qe_identity", "MISCSELECT of the QE report is another");
	/* the mask has the bit of debug enclaves, whose keys anybody can read */
	if (!masked_equal(r->attributes, id->attributes_mask, id->attributes, 16))
		return fail(t, "qe_identity", "ATTRIBUTES of the QE report are others");
	t->qe_level = find_svn(id->level, id->level_count, r->isvsvn);
	if (!t->qe_level)
		return cvm_fail(t->v, "qe_identity", "no TCB level for ISVSVN %u", r->isvsvn);
	return true;
}

static bool check_qe_identity(struct tcb *t)
{
	t->qe = cvm_collateral_qe_identity(&t->c->verifier->collateral, t->c->opts.at);
	if (!t->qe)
		return cvm_miss(t->v, "qe_identity", "no identity of the quoting enclave was given");
	return check_enclave(t) && document_holds(t, "qe_identity", &t->qe->sig, t->qe->evaluation);
}

static bool check_tcb_info(struct tcb *t)
{
	const struct cvm_collateral *c = &t->c->verifier->collateral;
	const uint8_t *f = t->pck->fmspc, *e = t->pck->pceid;

	t->info = cvm_collateral_tcb_info(c, t->pck, t->c->opts.at);
	if (!t->info && !c->tcb_info_count)
		return cvm_miss(t->v, "tcb_info", "no TCB info was given");
	if (!t->info)
		return cvm_fail(t->v, "tcb_info",
				"none that was given is of FMSPC %02x%02x%02x%02x%02x%02x and PCE id %02x%02x",
				f[0], f[1], f[2], f[3], f[4], f[5], e[0], e[1]);
	return document_holds(t, "tcb_info", &t->info->sig, t->info->evaluation);
}

/* ---- the TDX module */

static const struct cvm_tdx_module *find_module(const struct cvm_tcb_info *info, uint8_t version)
{
	/* TDX 1.0 is version 0, and has no identity of its own */
	if (!version)
		return &info->module;
	for (size_t i = 0; i < info->module_count; i++)
		if (info->identity[i].version == version)
			return &info->identity[i];
	return NULL;
}

/* SEAMATTRIBUTES is zero in every module that is released: a bit is a debug one. */
static bool seam_attributes_hold(struct tcb *t)
{
	uint8_t attributes[8];

	for (int i = 0; i < 8; i++)
		attributes[i] = (uint8_t)(t->quote->body.seamattributes >> 8 * i);
	return !t->quote->body.seamattributes &&
	       masked_equal(attributes, t->module->attributes_mask, t->module->attributes, 8);
}

static bool check_module(struct tcb *t)
{
	const struct cvm_td_body *b = &t->quote->body;

	t->module = find_module(t->info, b->tee_tcb_svn[1]);
	if (!t->module)
		return cvm_fail(t->v, "tdx_module", "TCB info has no module of version %u",
				b->tee_tcb_svn[1]);
	if (memcmp(b->mrsignerseam, t->module->mrsigner, sizeof(b->mrsignerseam)))
		return fail(t, "tdx_module", "MRSIGNERSEAM is another than TCB info's");
	if (!seam_attributes_hold(t))
		return cvm_fail(t->v, "tdx_module", "SEAMATTRIBUTES is 0x%016llx, expected 0",
				(unsigned long long)b->seamattributes);
	if (b->tee_tcb_svn[1]) {
		t->module_level = find_svn(t->module->level, t->module->level_count,
					   b->tee_tcb_svn[0]);
		if (!t->module_level)
			return cvm_fail(t->v, "tdx_module", "no TCB level for its SVN %u",
					b->tee_tcb_svn[0]);
	}
	return cvm_pass(t->v, "tdx_module", "signed by Intel, version %u.%u",
			b->tee_tcb_svn[1], b->tee_tcb_svn[0]);
}

/* ---- the platform */

static bool at_least(const uint8_t *have, const uint8_t *level, size_t from)
{
	for (size_t i = from; i < 16; i++)
		if (have[i] < level[i])
			return false;
	return true;
}

/* Levels are sorted, the best first: the first that is met is the platform's. */
static bool find_level(struct tcb *t)
{
	const uint8_t *svn = t->quote->body.tee_tcb_svn;
	/* of a module with an identity the first two are judged by that */
	size_t from = svn[1] ? 2 : 0;

	for (size_t i = 0; i < t->info->level_count; i++) {
		const struct cvm_tcb_level *level = &t->info->level[i];

		if (!at_least(t->pck->tcb, level->sgx, 0) || t->pck->pcesvn < level->pcesvn)
			continue;
		if (!t->sgx_level)
			t->sgx_level = level;
		if (at_least(svn, level->tdx, from)) {
			t->level = level;
			return true;
		}
	}
	return false;
}

static bool is_config_needed(enum cvm_tcb_status s)
{
	return s == CVM_TCB_CONFIGURATION_NEEDED ||
	       s == CVM_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED ||
	       s == CVM_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED ||
	       s == CVM_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED;
}

/* What becomes of @status where module or enclave is @other: up to date, out of date, revoked */
static enum cvm_tcb_status converge(enum cvm_tcb_status status, enum cvm_tcb_status other)
{
	if (other == CVM_TCB_UP_TO_DATE || status == CVM_TCB_REVOKED)
		return status;
	if (other != CVM_TCB_OUT_OF_DATE)
		return other == CVM_TCB_REVOKED ? CVM_TCB_REVOKED : CVM_TCB_UNKNOWN;
	switch (status) {
	case CVM_TCB_UP_TO_DATE:
	case CVM_TCB_SW_HARDENING_NEEDED:
		return CVM_TCB_OUT_OF_DATE;
	case CVM_TCB_CONFIGURATION_NEEDED:
	case CVM_TCB_CONFIGURATION_AND_SW_HARDENING_NEEDED:
		return CVM_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
	default:
		return status;
	}
}

static bool is_out_of_date(enum cvm_tcb_status s)
{
	return s == CVM_TCB_OUT_OF_DATE || s == CVM_TCB_OUT_OF_DATE_CONFIGURATION_NEEDED;
}

/* Is the module that runs now, TEE_TCB_SVN_2, the newest that there is? */
static bool runs_newest(const struct tcb *t)
{
	const uint8_t *svn = t->quote->body.tee_tcb_svn_2;
	const struct cvm_tcb_level *newest = &t->info->level[0];
	const struct cvm_tdx_module *module = find_module(t->info, svn[1]);

	if (svn[2] < newest->tdx[2])
		return false;
	if (!svn[1])
		return svn[0] >= newest->tdx[0];
	return module && module->level_count && svn[0] >= module->level[0].isvsvn;
}

/*
 * A TD keeps the TCB of the module that launched it. Where only that is old, and
 * the host has updated it under the running TD, launching the TD again is enough.
 */
static enum cvm_tcb_status relaunch(const struct tcb *t, enum cvm_tcb_status status)
{
	enum cvm_tcb_status sgx = t->sgx_level->status;

	if (t->quote->body_type != CVM_QUOTE_BODY_TD15 || !is_out_of_date(status) ||
	    !t->module_level || t->module_level->status != CVM_TCB_OUT_OF_DATE ||
	    t->qe_level->status != CVM_TCB_UP_TO_DATE || is_out_of_date(sgx) ||
	    sgx == CVM_TCB_REVOKED || !runs_newest(t))
		return status;
	return is_config_needed(sgx) || is_config_needed(status) ?
	       CVM_TCB_TD_RELAUNCH_ADVISED_CONFIGURATION_NEEDED : CVM_TCB_TD_RELAUNCH_ADVISED;
}

static enum cvm_tcb_status evaluate(const struct tcb *t)
{
	enum cvm_tcb_status status = t->level->status;

	if (t->module_level)
		status = converge(status, t->module_level->status);
	status = relaunch(t, status);
	return converge(status, t->qe_level->status);
}

/* False where there is no room: one that is not named would pass unseen. */
static bool add_advisories(struct cvm_facts *facts, const char *list)
{
	size_t used = strlen(facts->advisories), room = sizeof(facts->advisories) - used;

	if (!*list)
		return true;
	return (size_t)snprintf(facts->advisories + used, room, "%s%s", used ? " " : "", list) <
	       room;
}

static bool check_status(struct tcb *t)
{
	struct cvm_facts *facts = &t->v->facts;
	char date[32];

	facts->tcb_status = evaluate(t);
	facts->tcb_evaluation = t->info->evaluation < t->qe->evaluation ?
				t->info->evaluation : t->qe->evaluation;
	if (!add_advisories(facts, t->level->advisories) ||
	    (t->module_level && !add_advisories(facts, t->module_level->advisories)) ||
	    !add_advisories(facts, t->qe_level->advisories))
		return fail(t, "tcb", "more advisories apply than can be looked at");
	if (facts->tcb_status == CVM_TCB_REVOKED)
		return fail(t, "tcb", "Intel has revoked this TCB level");
	if (facts->tcb_status == CVM_TCB_UNKNOWN)
		return fail(t, "tcb", "module or enclave is neither up to date nor out of date nor revoked");
	return cvm_pass(t->v, "tcb", "%s, level of %s%s%s", cvm_tcb_status_name(facts->tcb_status),
			cvm_time_text(t->level->date, date), *facts->advisories ? ": " : "",
			facts->advisories);
}

bool cvm_check_tdx_tcb(struct cvm_case *c, const struct cvm_quote *quote,
		       const struct cvm_pck_cert *pck)
{
	struct tcb t = { .c = c, .v = c->v, .quote = quote, .pck = pck };
	bool info = check_tcb_info(&t), qe = check_qe_identity(&t);

	if (!info || !qe)
		return cvm_skip(c->v, "tcb", "without collateral that holds");
	if (!check_module(&t))
		return cvm_skip(c->v, "tcb", "of a TDX module that is not known");
	if (!find_level(&t))
		return cvm_fail(c->v, "tcb",
				"no TCB level of TCB info matches this platform: it is older than all of them");
	return check_status(&t);
}
