// SPDX-License-Identifier: GPL-2.0
/*
 * Collateral of a quote that a policy verifies, spoilt or changed and signed again:
 * TCB info, QE identity, who signs them, revocation lists. And each status that
 * there may be, alone and together.
 */
#include "mutate_tdx.h"

static const struct tdx_kind *kind = &tdx_kinds[2];

/* ---- signed by Intel so */

static json_t *text(const char *s) { return json_string(s); }

static const struct {
	const char *name;
	bool qe;
	const char *path;
	const char *value;	/* JSON */
	const char *by;
} changed[] = {
	{ "another FMSPC", false, "fmspc", "\"50806f000001\"", "=tcb_info" },
	{ "FMSPC in capitals", false, "fmspc", "\"50806F000000\"", NULL },
	{ "another PCE id", false, "pceId", "\"0001\"", "=tcb_info" },
	{ "an older edition", false, "tcbEvaluationDataNumber", "16",
	  "=tdx.tcb_evaluation_data_number" },
	{ "a newer edition", false, "tcbEvaluationDataNumber", "18", NULL },
	{ "an older edition of the identity", true, "tcbEvaluationDataNumber", "16",
	  "=tdx.tcb_evaluation_data_number" },
	{ "issued tomorrow", false, "issueDate", "\"2025-06-16T00:00:00Z\"", "=tcb_info" },
	{ "issued now", false, "issueDate", "\"2025-06-15T15:06:40Z\"", NULL },
	{ "issued in a second", false, "issueDate", "\"2025-06-15T15:06:41Z\"", "=tcb_info" },
	{ "too old", false, "nextUpdate", "\"2025-06-15T15:06:39Z\"", "=tcb_info" },
	{ "identity issued tomorrow", true, "issueDate", "\"2025-06-16T00:00:00Z\"",
	  "=qe_identity" },
	{ "identity too old", true, "nextUpdate", "\"2025-06-15T15:06:39Z\"", "=qe_identity" },
	{ "module of another signer", false, "tdxModuleIdentities.0.mrsigner",
	  "\"010000000000000000000000000000000000000000000000"
	  "000000000000000000000000000000000000000000000000\"", "=tdx_module" },
	{ "module with attributes", false, "tdxModuleIdentities.0.attributes",
	  "\"0100000000000000\"", "=tdx_module" },
	{ "module of another version", false, "tdxModuleIdentities.0.id", "\"TDX_03\"",
	  "=tdx_module" },
	{ "module's identity in small letters", false, "tdxModuleIdentities.0.id", "\"TDX_01\"",
	  NULL },
	{ "no module identities", false, "tdxModuleIdentities", "[]", "=tdx_module" },
	{ "no levels of the module", false, "tdxModuleIdentities.0.tcbLevels", "[]",
	  "=tdx_module" },
	{ "no levels", false, "tcbLevels", "[]", "=tcb" },
	{ "no levels of the enclave", true, "tcbLevels", "[]", "=qe_identity" },
	{ "a better CPU wanted", false, "tcbLevels.0.tcb.sgxtcbcomponents.0.svn", "3",
	  "=tdx.tcb_status" },
	{ "a better last component wanted", false, "tcbLevels.0.tcb.sgxtcbcomponents.15.svn", "1",
	  "=tdx.tcb_status" },
	{ "a better PCE wanted", false, "tcbLevels.0.tcb.pcesvn", "12", "=tdx.tcb_status" },
	{ "a better TDX component wanted", false, "tcbLevels.0.tcb.tdxtcbcomponents.2.svn", "4",
	  "=tdx.tcb_status" },
	{ "a better module by the first component, which its identity judges", false,
	  "tcbLevels.0.tcb.tdxtcbcomponents.0.svn", "9", NULL },
	{ "a better module by the second component", false,
	  "tcbLevels.0.tcb.tdxtcbcomponents.1.svn", "9", NULL },
	{ "an advisory", false, "tcbLevels.0.advisoryIDs", "[\"INTEL-SA-00106\"]",
	  "=tdx.advisories" },
	{ "another MRSIGNER", true, "mrsigner",
	  "\"4646464646464646464646464646464646464646464646464646464646464647\"",
	  "=qe_identity" },
	{ "another ISVPRODID", true, "isvprodid", "1", "=qe_identity" },
	{ "another MISCSELECT", true, "miscselect", "\"01000000\"", "=qe_identity" },
	{ "other ATTRIBUTES", true, "attributes", "\"13000000000000000000000000000000\"",
	  "=qe_identity" },
	{ "a newer enclave wanted", true, "tcbLevels.0.tcb.isvsvn", "5", "=tdx.tcb_status" },
	{ "SWHardeningNeeded", false, "tcbLevels.0.tcbStatus", "\"SWHardeningNeeded\"",
	  "=tdx.tcb_status" },
	{ "ConfigurationNeeded", false, "tcbLevels.0.tcbStatus", "\"ConfigurationNeeded\"",
	  "=tdx.tcb_status" },
	{ "ConfigurationAndSWHardeningNeeded", false, "tcbLevels.0.tcbStatus",
	  "\"ConfigurationAndSWHardeningNeeded\"", "=tdx.tcb_status" },
	{ "OutOfDate", false, "tcbLevels.0.tcbStatus", "\"OutOfDate\"", "=tdx.tcb_status" },
	{ "OutOfDateConfigurationNeeded", false, "tcbLevels.0.tcbStatus",
	  "\"OutOfDateConfigurationNeeded\"", "=tdx.tcb_status" },
	{ "Revoked", false, "tcbLevels.0.tcbStatus", "\"Revoked\"", "tcb" },
	{ "module OutOfDate", false, "tdxModuleIdentities.0.tcbLevels.0.tcbStatus",
	  "\"OutOfDate\"", "=tdx.tcb_status" },
	{ "module Revoked", false, "tdxModuleIdentities.0.tcbLevels.0.tcbStatus", "\"Revoked\"",
	  "tcb" },
	{ "enclave OutOfDate", true, "tcbLevels.0.tcbStatus", "\"OutOfDate\"",
	  "=tdx.tcb_status" },
	{ "enclave Revoked", true, "tcbLevels.0.tcbStatus", "\"Revoked\"", "tcb" },
	{ "module ConfigurationNeeded, which no module is", false,
	  "tdxModuleIdentities.0.tcbLevels.0.tcbStatus", "\"ConfigurationNeeded\"", "=tcb" },
	{ "enclave SWHardeningNeeded, which none is", true, "tcbLevels.0.tcbStatus",
	  "\"SWHardeningNeeded\"", "=tcb" },
	{ "keys that nobody knows", false, "tcbLevels.0.future", "{\"a\": [1]}", NULL },
};

static void test_changed(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(changed); i++) {
		struct tdx_world w = tdx_world_of(kind);

		json_put(changed[i].qe ? w.qe_identity : w.tcb_info, changed[i].path,
			 need(json_loads(changed[i].value, JSON_DECODE_ANY, NULL)));
		tdx_refuse(&w, changed[i].by, changed[i].qe ? "QE identity" : "TCB info",
			   changed[i].name);
	}
}

/* One that is not named would pass unseen: there is room for 2 KiB of names. */
static void test_many_advisories(void)
{
	struct tdx_world w = tdx_world_of(kind);
	json_t *list = json_array();

	for (int i = 0; i < 200; i++)
		json_array_append_new(list, json_sprintf("INTEL-SA-%05d", i));
	json_put(w.tcb_info, "tcbLevels.0.advisoryIDs", list);
	tdx_refuse(&w, "=tcb", "TCB info", "more advisories than there is room for");
}

/* ---- not signed by Intel so */

static void first_bit(char *tcb_info, char *qe_identity) { strstr(tcb_info, "17")[1] = '8'; }
static void qe_bit(char *tcb_info, char *qe_identity) { strstr(qe_identity, "17")[1] = '8'; }

static void blank(char *tcb_info, char *qe_identity)
{
	static const char pad[] = ",\"pad\":\"\"";
	char *at = strstr(tcb_info, pad);

	/* JSON that says the same */
	memset(at, ' ', strlen(pad));
}

static void tamper_info(struct tdx_world *w) { w->tamper_text = first_bit; }
static void tamper_identity(struct tdx_world *w) { w->tamper_text = qe_bit; }

static void tamper_blank(struct tdx_world *w)
{
	json_put(w->tcb_info, "pad", json_string(""));
	w->tamper_text = blank;
}

static void info_forged(struct tdx_world *w) { w->tcb_info_key = tdx_keys.other; }
static void identity_forged(struct tdx_world *w) { w->qe_identity_key = tdx_keys.other; }
static void info_by_pck(struct tdx_world *w) { w->tcb_info_key = tdx_keys.pck; }
static void no_signer(struct tdx_world *w) { w->no_signer = true; }
static void signer_forged(struct tdx_world *w) { w->tcb_signer.issuer_key = tdx_keys.other; }
static void signer_expired(struct tdx_world *w) { w->tcb_signer.until = w->at - 1; }
static void signer_early(struct tdx_world *w) { w->tcb_signer.from = w->at + 1; }
static void signer_name(struct tdx_world *w) { w->tcb_signer.name = "Test Other Signing"; }
static void signer_sha384(struct tdx_world *w) { w->tcb_signer.md = EVP_sha384(); }

static void signer_by_ca(struct tdx_world *w)
{
	w->tcb_signer.issuer_name = w->ca.name;
	w->tcb_signer.issuer_key = w->ca.key;
}

/* a platform that vouches for itself */
static void signer_is_pck(struct tdx_world *w)
{
	w->tcb_signer = w->pck;
	w->tcb_info_key = w->qe_identity_key = tdx_keys.pck;
}

/* a chain of one's own, with all the right names, beside the platform's */
static void signer_own_root(struct tdx_world *w)
{
	w->signer_own_root = true;
	w->tcb_signer.issuer_key = tdx_keys.other;
}

static void signer_p384(struct tdx_world *w) { w->tcb_signer.key = tdx_keys.p384; }

static void none(struct tdx_world *w) { w->no_collateral = true; }
static void no_info(struct tdx_world *w) { w->no_tcb_info = true; }
static void no_identity(struct tdx_world *w) { w->no_qe_identity = true; }

/* ---- lists */

static void no_root_crl(struct tdx_world *w) { w->no_root_crl = true; }
static void no_pck_crl(struct tdx_world *w) { w->no_pck_crl = true; }
static void pck_revoked(struct tdx_world *w) { w->pck_crl.revoked[1] = 102; }
static void ca_revoked(struct tdx_world *w) { w->root_crl.revoked[0] = 101; }
static void signer_revoked(struct tdx_world *w) { w->root_crl.revoked[0] = 103; }
static void pck_crl_expired(struct tdx_world *w) { w->pck_crl.until = w->at - 1; }
static void pck_crl_early(struct tdx_world *w) { w->pck_crl.from = w->at + 1; }
static void root_crl_expired(struct tdx_world *w) { w->root_crl.until = w->at - 1; }
static void root_crl_early(struct tdx_world *w) { w->root_crl.from = w->at + 1; }
static void pck_crl_forged(struct tdx_world *w) { w->pck_crl.key = tdx_keys.other; }
static void pck_crl_by_root(struct tdx_world *w) { w->pck_crl.key = tdx_keys.root; }
static void root_crl_forged(struct tdx_world *w) { w->root_crl.key = tdx_keys.other; }
static void pck_crl_sha384(struct tdx_world *w) { w->pck_crl.md = EVP_sha384(); }
static void pck_crl_delta(struct tdx_world *w) { w->pck_crl.critical = true; }
static void pck_crl_no_end(struct tdx_world *w) { w->pck_crl.no_end = true; }
static void ca_no_crl_sign(struct tdx_world *w) { w->ca.no_crl_sign = true; }

static void ca_revoked_alone(struct tdx_world *w)
{
	ca_revoked(w);
	w->no_pck_crl = true;
}

static const struct {
	const char *name;
	void (*spoil)(struct tdx_world *w);
	const char *by;
} spoilt[] = {
	{ "TCB info with another number", tamper_info, "=tcb_info" },
	{ "QE identity with another number", tamper_identity, "=qe_identity" },
	{ "TCB info signed by another key", info_forged, "=tcb_info" },
	{ "QE identity signed by another key", identity_forged, "=qe_identity" },
	{ "TCB info signed by the PCK", info_by_pck, "=tcb_info" },
	{ "no certificate of who signed", no_signer, "=tcb_info,qe_identity" },
	{ "who signed was certified by another key", signer_forged, "=tcb_info,qe_identity" },
	{ "certificate of who signed expired", signer_expired, "=tcb_info,qe_identity" },
	{ "certificate of who signed not valid yet", signer_early, "=tcb_info,qe_identity" },
	{ "signed by somebody else of the root's", signer_name, "=tcb_info,qe_identity" },
	{ "who signed has a certificate with SHA-384", signer_sha384, "=tcb_info,qe_identity" },
	{ "who signed was certified by the PCK CA", signer_by_ca, "=tcb_info,qe_identity" },
	{ "signed by the platform itself", signer_is_pck, "=tcb_info,qe_identity" },
	{ "who signed was certified by a root of one's own", signer_own_root,
	  "=tcb_info,qe_identity" },
	{ "who signed has a key of P-384", signer_p384, "=tcb_info,qe_identity" },
	{ "no collateral", none, "=?revocation,?tcb_info,?qe_identity" },
	{ "no TCB info", no_info, "=?tcb_info" },
	{ "no QE identity", no_identity, "=?qe_identity" },
	{ "no list by the root", no_root_crl, "=?revocation,?tcb_info,?qe_identity" },
	{ "no list by the PCK CA", no_pck_crl, "=?revocation" },
	{ "PCK revoked", pck_revoked, "=revocation" },
	{ "PCK CA revoked", ca_revoked, "=revocation" },
	{ "PCK CA revoked, and no list by it", ca_revoked_alone, "=revocation" },
	{ "who signs revoked", signer_revoked, "=tcb_info,qe_identity" },
	{ "list by the PCK CA expired", pck_crl_expired, "=revocation" },
	{ "list by the PCK CA not valid yet", pck_crl_early, "=revocation" },
	{ "list by the root expired", root_crl_expired, "=revocation,tcb_info,qe_identity" },
	{ "list by the root not valid yet", root_crl_early, "=revocation,tcb_info,qe_identity" },
	{ "list by the PCK CA signed by another key", pck_crl_forged, "=?revocation" },
	{ "list by the PCK CA signed by the root", pck_crl_by_root, "=?revocation" },
	{ "list by the root signed by another key", root_crl_forged,
	  "=?revocation,?tcb_info,?qe_identity" },
	{ "list by the PCK CA with SHA-384", pck_crl_sha384, "=?revocation" },
	{ "list by the PCK CA of changes only", pck_crl_delta, "=?revocation" },
	{ "list by the PCK CA without an end", pck_crl_no_end, "=?revocation" },
	{ "list by a PCK CA that may not sign any", ca_no_crl_sign, "=?revocation" },
};

static void test_spoilt(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++) {
		struct tdx_world w = tdx_world_of(kind);

		spoilt[i].spoil(&w);
		tdx_refuse(&w, spoilt[i].by, "collateral", spoilt[i].name);
	}
}

/* ---- what several statuses make together, as Intel documents it */

static const struct {
	const char *platform, *module, *enclave, *result;
} converged[] = {
	{ "UpToDate", "UpToDate", "UpToDate", "UpToDate" },
	{ "UpToDate", "OutOfDate", "UpToDate", "OutOfDate" },
	{ "UpToDate", "UpToDate", "OutOfDate", "OutOfDate" },
	{ "SWHardeningNeeded", "UpToDate", "UpToDate", "SWHardeningNeeded" },
	{ "SWHardeningNeeded", "OutOfDate", "UpToDate", "OutOfDate" },
	{ "SWHardeningNeeded", "UpToDate", "OutOfDate", "OutOfDate" },
	{ "ConfigurationNeeded", "UpToDate", "UpToDate", "ConfigurationNeeded" },
	{ "ConfigurationNeeded", "OutOfDate", "UpToDate", "OutOfDateConfigurationNeeded" },
	{ "ConfigurationNeeded", "UpToDate", "OutOfDate", "OutOfDateConfigurationNeeded" },
	{ "ConfigurationAndSWHardeningNeeded", "UpToDate", "UpToDate",
	  "ConfigurationAndSWHardeningNeeded" },
	{ "ConfigurationAndSWHardeningNeeded", "OutOfDate", "UpToDate",
	  "OutOfDateConfigurationNeeded" },
	{ "OutOfDate", "UpToDate", "OutOfDate", "OutOfDate" },
	{ "OutOfDateConfigurationNeeded", "OutOfDate", "OutOfDate",
	  "OutOfDateConfigurationNeeded" },
	{ "Revoked", "UpToDate", "UpToDate", "Revoked" },
	{ "Revoked", "OutOfDate", "OutOfDate", "Revoked" },
	{ "UpToDate", "Revoked", "UpToDate", "Revoked" },
	{ "OutOfDate", "UpToDate", "Revoked", "Revoked" },
};

/* The reason of "tcb" says the status; a revoked one fails. */
static bool status_is(const struct tdx_world *w, const char *status)
{
	const struct cvm_verify_opts opts = tdx_opts(w);
	struct cvm_verifier *v = tdx_verifier(w);
	struct cvm_verdict *verdict = NULL;
	bool is = false;

	cvm_verify(v, w->quote, w->len, &opts, &verdict, NULL);
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);
		size_t len = strlen(status);

		if (strcmp(c->name, "tcb"))
			continue;
		if (!strcmp(status, "Revoked"))
			is = c->state == CVM_CHECK_FAILED && strstr(c->reason, "revoked");
		else
			is = c->state == CVM_CHECK_PASSED && !strncmp(c->reason, status, len) &&
			     c->reason[len] == ',';
		if (!is)
			printf("# %s\n", c->reason);
	}
	cvm_verdict_free(verdict);
	cvm_verifier_free(v);
	return is;
}

static void test_converged(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(converged); i++) {
		/* without relaunching: version 4 does not say which module runs now */
		struct tdx_world w = tdx_world_of(&tdx_kinds[0]);

		json_put(w.tcb_info, "tcbLevels.0.tcbStatus", text(converged[i].platform));
		json_put(w.tcb_info, "tdxModuleIdentities.0.tcbLevels.0.tcbStatus",
			 text(converged[i].module));
		json_put(w.qe_identity, "tcbLevels.0.tcbStatus", text(converged[i].enclave));
		tdx_make(&w);
		check(status_is(&w, converged[i].result), "%s, module %s, enclave %s: %s",
		      converged[i].platform, converged[i].module, converged[i].enclave,
		      converged[i].result);
		tdx_done(&w);
	}
}

/* ---- launched under an old module, which the host has updated since */

static void launched_long_ago(struct tdx_world *w) { w->body[TDX_TEE_TCB_SVN] = 3; }

static void still_old(struct tdx_world *w)
{
	launched_long_ago(w);
	w->body[TDX_TEE_TCB_SVN_2] = 4;
}

static void other_component_old(struct tdx_world *w)
{
	launched_long_ago(w);
	w->body[TDX_TEE_TCB_SVN_2 + 2] = 2;
}

static void unknown_module_now(struct tdx_world *w)
{
	launched_long_ago(w);
	w->body[TDX_TEE_TCB_SVN_2 + 1] = 9;
}

static void to_version_3(struct tdx_world *w)
{
	json_t *newer = json_deep_copy(json_at(w->tcb_info, "tdxModuleIdentities.0"));

	launched_long_ago(w);
	json_put(newer, "id", text("TDX_03"));
	json_array_append_new(json_at(w->tcb_info, "tdxModuleIdentities"), newer);
	w->body[TDX_TEE_TCB_SVN_2 + 1] = 3;
}

static void needs_configuration(struct tdx_world *w)
{
	launched_long_ago(w);
	json_put(w->tcb_info, "tcbLevels.0.tcbStatus", text("ConfigurationNeeded"));
}

static void enclave_old(struct tdx_world *w)
{
	launched_long_ago(w);
	w->qe_report[258] = 3;
}

static void cpu_old(struct tdx_world *w)
{
	launched_long_ago(w);
	w->sgx.tcb[7] = 3;
}

static const struct {
	const char *name;
	void (*change)(struct tdx_world *w);
	size_t kind;
	const char *result;
} relaunched[] = {
	{ "the module was updated", launched_long_ago, 2, "TDRelaunchAdvised" },
	{ "the module was updated, the quote does not say so", launched_long_ago, 1, "OutOfDate" },
	{ "the module that runs is old too", still_old, 2, "OutOfDate" },
	{ "another component that runs is old", other_component_old, 2, "OutOfDate" },
	{ "the module that runs is not known", unknown_module_now, 2, "OutOfDate" },
	{ "the module was updated to a new version", to_version_3, 2, "TDRelaunchAdvised" },
	{ "the module was updated, the platform is to be configured", needs_configuration, 2,
	  "TDRelaunchAdvisedConfigurationNeeded" },
	{ "the module was updated, the enclave is old", enclave_old, 2, "OutOfDate" },
	{ "the module was updated, the CPU is old", cpu_old, 2, "OutOfDate" },
};

static void test_relaunched(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(relaunched); i++) {
		struct tdx_world w = tdx_world_of(&tdx_kinds[relaunched[i].kind]);

		relaunched[i].change(&w);
		tdx_make(&w);
		check(status_is(&w, relaunched[i].result), "%s: %s", relaunched[i].name,
		      relaunched[i].result);
		tdx_done(&w);
	}
}

/* ---- of several, the one that is for the quote */

static void add(struct cvm_verifier *v, const struct tdx_world *w)
{
	char *collateral = tdx_collateral(w);

	if (cvm_verifier_add_collateral(v, collateral, strlen(collateral), NULL))
		need(NULL);
	free(collateral);
}

static void test_several(void)
{
	struct tdx_world w = tdx_world_of(kind), other = tdx_world_of(kind);
	const struct cvm_verify_opts opts = tdx_opts(&w);
	struct cvm_verdict *verdict = NULL;
	struct cvm_verifier *v;
	int ret;

	tdx_make(&w);
	v = tdx_verifier(&w);
	json_put(other.tcb_info, "fmspc", text("000000000001"));
	add(v, &other);
	json_put(other.tcb_info, "fmspc", text("50806f000000"));
	json_put(other.tcb_info, "issueDate", text("2025-06-16T00:00:00Z"));
	add(v, &other);
	other.tcb_info_key = tdx_keys.other;
	json_put(other.tcb_info, "issueDate", text("2025-06-14T00:00:00Z"));
	add(v, &other);
	ret = cvm_verify(v, w.quote, w.len, &opts, &verdict, NULL);
	expect_by(ret, verdict, NULL, "beside that of another platform, of tomorrow, and forged");
	other.tcb_info_key = tdx_keys.tcb;
	json_put(other.tcb_info, "tcbLevels.0.tcbStatus", text("OutOfDate"));
	add(v, &other);
	ret = cvm_verify(v, w.quote, w.len, &opts, &verdict, NULL);
	expect_by(ret, verdict, "=tdx.tcb_status", "of two that are valid the newer");
	cvm_verifier_free(v);
	tdx_done(&w);
	tdx_done(&other);
}

int main(void)
{
	struct tdx_world w;

	tdx_make_kinds();
	w = tdx_world_of(kind);
	tdx_refuse(&w, NULL, kind->name, "genuine");
	w = tdx_world_of(kind);
	tamper_blank(&w);
	tdx_refuse(&w, "=tcb_info", "collateral", "TCB info with a byte more");
	test_changed();
	test_many_advisories();
	test_spoilt();
	test_converged();
	test_relaunched();
	test_several();
	tdx_free_kinds();
	return tap_end();
}
