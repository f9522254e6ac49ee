// SPDX-License-Identifier: GPL-2.0
/*
 * Policies: each rule of the table, absent, met, and not met, alone and with another;
 * and what an empty policy verifies, which is nothing.
 */
#include <errno.h>

#include "mutate_snp.h"
#include "mutate_tdx.h"
#include "userspace/verify/policy.h"

/* ---- a policy with one rule changed */

/* The object that has the last part of @path, made where it is not there */
static json_t *parent_of(json_t *root, const char *path, const char **last)
{
	const char *dot;

	for (; (dot = strchr(path, '.')); path = dot + 1) {
		size_t len = (size_t)(dot - path);

		if (!json_object_getn(root, path, len))
			json_object_setn_new(root, path, len, json_object());
		root = json_object_getn(root, path, len);
	}
	*last = path;
	return root;
}

/* @value: NULL: without the rule */
static char *changed(const char *policy, const char *path, json_t *value)
{
	json_t *root = need(json_loads(policy, 0, NULL));
	const char *key;
	json_t *parent = parent_of(root, path, &key);
	char *text;

	if (value)
		json_object_set_new(parent, key, value);
	else
		json_object_del(parent, key);
	text = need(json_dumps(root, 0));
	json_decref(root);
	return text;
}

/* Evidence as it is, by any policy */
struct subject {
	const char *name;
	const char *policy;
	struct cvm_verifier *v;
	const void *evidence;
	size_t len;
	struct cvm_verify_opts opts;
};

static void refuse(const struct subject *s, const char *policy, const char *by, const char *what)
{
	struct cvm_verdict *verdict = NULL;
	struct cvm_error error;
	int ret;

	if (cvm_verifier_set_policy(s->v, policy, strlen(policy), &error)) {
		check(false, "%s, %s: %s", s->name, what, error.text);
		return;
	}
	ret = cvm_verify(s->v, s->evidence, s->len, &s->opts, &verdict, NULL);
	expect_by(ret, verdict, by, "%s, %s", s->name, what);
}

static void refuse_changed(const struct subject *s, const char *path, json_t *value,
			   const char *by, const char *what)
{
	char *policy = changed(s->policy, path, value);
	char names[256], name[256];

	snprintf(names, sizeof(names), "%s%s", by ? by : "", by ? path : "");
	snprintf(name, sizeof(name), "%s %s", path, what);
	refuse(s, policy, by ? names : NULL, name);
	free(policy);
}

/* ---- what no evidence here meets, by the rule's type */

static json_t *zeros(size_t len, char digit)
{
	char *text = need(malloc(2 * len + 1));
	json_t *list = json_array();

	memset(text, digit, 2 * len);
	text[2 * len] = '\0';
	json_array_append_new(list, json_string(text));
	free(text);
	return list;
}

static json_t *high_floor(void)
{
	return json_pack("{s:{s:i,s:i,s:i,s:i}, s:{s:i,s:i,s:i,s:i}, s:{s:i,s:i,s:i,s:i,s:i}}",
			 "Milan", "boot_loader", 255, "tee", 0, "snp", 0, "microcode", 0,
			 "Genoa", "boot_loader", 0, "tee", 0, "snp", 0, "microcode", 255,
			 "Turin", "boot_loader", 0, "tee", 0, "snp", 0, "microcode", 0,
			 "fmc", 255);
}

static json_t *unmet(const struct cvm_rule_info *info)
{
	switch (info->type) {
	case CVM_RULE_DIGESTS:
		return zeros(info->len, 'e');
	case CVM_RULE_MIN:
		return json_integer(INT64_MAX);
	case CVM_RULE_MAX:
		return json_integer(0);
	case CVM_RULE_MASK:
		return json_string("0xffffffffffffffff");
	case CVM_RULE_TCB:
		return high_floor();
	default:
		return json_array();
	}
}

/* Rules of other evidence, or that another test has */
static bool is_elsewhere(const struct cvm_rule_info *info, const char *section)
{
	return strncmp(info->path, section, strlen(section)) || info->type == CVM_RULE_FLAG ||
	       info->type == CVM_RULE_DENIED || !strcmp(info->path, "snp.csp_id") ||
	       !strcmp(info->path, "tdx.advisories");
}

static void test_rules(const struct subject *s, const char *section)
{
	for (size_t i = 0; i < CVM_RULES; i++) {
		const struct cvm_rule_info *info = &cvm_rule_infos[i];

		if (is_elsewhere(info, section))
			continue;
		refuse_changed(s, info->path, unmet(info), "=", "not met");
		refuse_changed(s, info->path, json_string("any"), NULL, "any");
		if (info->type == CVM_RULE_DIGESTS || info->type == CVM_RULE_TCB)
			refuse_changed(s, info->path, info->type == CVM_RULE_TCB ? json_object() :
				       json_array(), "=", "of nothing");
		refuse_changed(s, info->path, NULL,
			       info->absent == CVM_ABSENT_REFUSES ? "=?" : NULL, "absent");
	}
}

/* The evidence has some of them set and some clear: one of both must break each. */
static void test_flags(const struct subject *s, const char *section)
{
	for (size_t i = 0; i < CVM_RULES; i++) {
		const struct cvm_rule_info *info = &cvm_rule_infos[i];
		char *policy = changed(s->policy, info->path, json_true());
		struct cvm_verdict *verdict = NULL;
		bool set;

		if (strncmp(info->path, section, strlen(section)) || info->type != CVM_RULE_FLAG) {
			free(policy);
			continue;
		}
		if (cvm_verifier_set_policy(s->v, policy, strlen(policy), NULL) ||
		    cvm_verify(s->v, s->evidence, s->len, &s->opts, &verdict, NULL))
			need(NULL);
		set = cvm_verdict_verified(verdict);
		refuse_changed(s, info->path, set ? json_false() : json_true(), "=", "not met");
		refuse_changed(s, info->path, json_boolean(set), NULL, "met");
		refuse_changed(s, info->path, json_string("any"), NULL, "any");
		refuse_changed(s, info->path, NULL,
			       (set && info->absent == CVM_ABSENT_CLEAR) ||
			       (!set && info->absent == CVM_ABSENT_SET) ? "=" : NULL, "absent");
		cvm_verdict_free(verdict);
		free(policy);
	}
}

/* ---- nothing, and more than one rule */

/* "=?a,?b" of every rule in @section without which nothing is verified */
static void list_needed(const char *section, char names[NAMES_SIZE])
{
	size_t used = (size_t)snprintf(names, NAMES_SIZE, "=");

	for (size_t i = 0; i < CVM_RULES; i++)
		if (cvm_rule_infos[i].absent == CVM_ABSENT_REFUSES &&
		    !strncmp(cvm_rule_infos[i].path, section, strlen(section)))
			used += (size_t)snprintf(names + used, NAMES_SIZE - used, "%s?%s",
						 used > 1 ? "," : "", cvm_rule_infos[i].path);
}

static void test_empty(const struct subject *s, const char *section)
{
	char name[8], policy[64];

	snprintf(name, sizeof(name), "=?%s", section);
	refuse(s, "{}", name, "an empty policy");
	refuse(s, "{\"version\": 1}", name, "a policy of a version alone");
	snprintf(policy, sizeof(policy), "{\"%s\": {}}", section);
	refuse(s, policy, name, "a policy of an empty section");
	refuse(s, *section == 's' ? "{\"tdx\": {\"mrtd\": \"any\"}}" :
	       "{\"snp\": {\"measurement\": \"any\"}}", name, "a policy of another kind");
}

/* @broken: bits that would have to be allowed, or "" */
static void test_sparse(const struct subject *s, const char *policy, const char *section,
			const char *broken)
{
	char needed[NAMES_SIZE], names[NAMES_SIZE + 256];

	list_needed(section, needed);
	snprintf(names, sizeof(names), "=%s%s%s", broken, *broken ? "," : "", needed + 1);
	refuse(s, policy, names, "a policy that has next to nothing");
}

static void test_several(const struct subject *s, const char *one, const char *other,
			 const char *third)
{
	char *first = changed(s->policy, one, json_array());
	char *second = changed(first, other, json_array());
	char *both = changed(second, third, NULL);
	char names[256];

	snprintf(names, sizeof(names), "=%s,%s", one, other);
	refuse(s, second, names, "two rules not met");
	snprintf(names, sizeof(names), "=%s,%s,?%s", one, other, third);
	refuse(s, both, names, "two rules not met, and one absent");
	free(first);
	free(second);
	free(both);
}

/* ---- chips */

static void test_chips(const struct subject *s, const char *chip, bool known)
{
	json_t *list = zeros(64, 'a');

	refuse_changed(s, "snp.denied_chip_id", json_array(), NULL, "none");
	refuse_changed(s, "snp.denied_chip_id", list, known ? NULL : "=", "another chip");
	list = zeros(64, 'a');
	json_array_append_new(list, json_string(chip));
	refuse_changed(s, "snp.denied_chip_id", list, "=", "this chip");
	list = zeros(64, 'a');
	json_array_append_new(list, json_string(chip));
	refuse_changed(s, "snp.chip_id", list, known ? NULL : "=", "this chip or another");
}

/* A rule of what SNP does not have breaks nothing, and is not passed over in silence. */
static void test_no_collateral(const struct subject *s)
{
	char *policy = changed(s->policy, "collateral.max_age", json_integer(0));
	struct cvm_verdict *verdict = NULL;
	bool said = false;

	if (cvm_verifier_set_policy(s->v, policy, strlen(policy), NULL) ||
	    cvm_verify(s->v, s->evidence, s->len, &s->opts, &verdict, NULL))
		need(NULL);
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		const struct cvm_check *c = cvm_verdict_check(verdict, i);

		said |= !strcmp(c->name, "collateral.max_age") && !c->required &&
			c->state == CVM_CHECK_NOT_CHECKED &&
			strstr(c->reason, "collateral.max_root_crl_age is of its lists");
	}
	check(said && cvm_verdict_verified(verdict), "%s, collateral.max_age: not checked, and said so",
	      s->name);
	cvm_verdict_free(verdict);
	free(policy);
}

static void test_snp(const struct snp_kind *kind, bool vlek, const char *chip)
{
	struct snp_world w = snp_world_of(kind);
	struct subject s = { kind->name, kind->policy, snp_verifier(&w), w.report,
			     sizeof(w.report), snp_opts(&w) };

	snp_sign(&w);
	refuse(&s, kind->policy, NULL, "its own policy");
	test_rules(&s, "snp.");
	test_flags(&s, "snp.");
	refuse_changed(&s, "snp.csp_id", json_array(), vlek ? "=" : NULL, "of nobody");
	refuse_changed(&s, "snp.csp_id", NULL, vlek ? "=" : NULL, "absent");
	refuse_changed(&s, "collateral.max_root_crl_age", json_integer(86399), "=", "a second too old");
	refuse_changed(&s, "collateral.max_root_crl_age", json_integer(86400), NULL, "just new enough");
	test_no_collateral(&s);
	test_several(&s, "snp.signing_key", "snp.measurement", "snp.vmpl");
	test_chips(&s, chip, !vlek);
	cvm_verifier_free(s.v);
}

static void test_tdx(const struct tdx_kind *kind)
{
	struct tdx_world w = tdx_world_of(kind);
	struct subject s = { .name = kind->name, .policy = kind->policy, .opts = tdx_opts(&w) };

	tdx_make(&w);
	s.v = tdx_verifier(&w);
	s.evidence = w.quote;
	s.len = w.len;
	refuse(&s, kind->policy, NULL, "its own policy");
	test_rules(&s, "tdx.");
	test_flags(&s, "tdx.");
	test_several(&s, "tdx.mrtd", "tdx.rtmr3", "tdx.rtmr1");
	test_empty(&s, "tdx");
	test_sparse(&s, "{\"tdx\": {\"fmspc\": \"any\"}}", "tdx.", "");
	cvm_verifier_free(s.v);
	tdx_done(&w);
}

/* What the body does not show nobody may be told to have passed. */
static void test_service_tds(const struct tdx_kind *kind, bool shown)
{
	struct tdx_world w = tdx_world_of(kind);
	struct subject s = { .name = kind->name, .policy = kind->policy, .opts = tdx_opts(&w) };
	struct cvm_verdict *verdict = NULL;
	char *migrating;

	tdx_make(&w);
	s.v = tdx_verifier(&w);
	s.evidence = w.quote;
	s.len = w.len;
	if (cvm_verify(s.v, s.evidence, s.len, &s.opts, &verdict, NULL))
		need(NULL);
	check(state_of(verdict, "tdx.mrservicetd") == (shown ? CVM_CHECK_PASSED :
						       CVM_CHECK_NOT_CHECKED),
	      "%s: service TDs are %s", kind->name, shown ? "none" : "not shown");
	cvm_verdict_free(verdict);
	refuse_changed(&s, "tdx.mrservicetd", zeros(48, '0'), shown ? NULL : "=?", "none");
	refuse_changed(&s, "tdx.mrservicetd", json_string("any"), NULL, "any");
	w.body[TDX_TDATTRIBUTES + 3] |= 0x20;
	tdx_make(&w);
	s.len = w.len;
	migrating = changed(kind->policy, "tdx.tdattributes.migratable", json_string("any"));
	refuse(&s, migrating, shown ? NULL : "=?tdx.mrservicetd", "a TD that may be migrated");
	s.policy = migrating;
	refuse_changed(&s, "tdx.mrservicetd", json_string("any"), NULL,
		       "any, of a TD that may be migrated");
	free(migrating);
	cvm_verifier_free(s.v);
	tdx_done(&w);
}

/* The strictest policy that such a TD meets is one that it meets. */
static void test_migratable_policy(const struct tdx_kind *kind)
{
	struct tdx_world w = tdx_world_of(kind);
	struct subject s = { .name = kind->name, .opts = tdx_opts(&w) };
	struct cvm_verdict *verdict = NULL;
	char *policy;

	w.policy = NULL;
	w.body[TDX_TDATTRIBUTES + 3] |= 0x20;
	tdx_make(&w);
	s.v = tdx_verifier(&w);
	s.evidence = w.quote;
	s.len = w.len;
	if (cvm_verify(s.v, s.evidence, s.len, &s.opts, &verdict, NULL) ||
	    cvm_verdict_policy(verdict, &policy, NULL))
		need(NULL);
	refuse(&s, policy, NULL, "the policy of a TD that may be migrated");
	free(policy);
	cvm_verdict_free(verdict);
	cvm_verifier_free(s.v);
	tdx_done(&w);
}

/* A year may pass from list to list of the root, and a day from TCB info to TCB info. */
static void test_ages(const struct tdx_kind *kind)
{
	struct tdx_world w = tdx_world_of(kind);
	struct subject s = { .name = kind->name, .policy = kind->policy, .opts = tdx_opts(&w) };

	w.root_crl.from = w.at - 300 * 86400;
	w.pck_crl.from = w.at - 20 * 86400;
	tdx_make(&w);
	s.v = tdx_verifier(&w);
	s.evidence = w.quote;
	s.len = w.len;
	refuse_changed(&s, "collateral.max_age", json_integer(20 * 86400), NULL,
		       "with a list of the root that is older");
	refuse_changed(&s, "collateral.max_age", json_integer(20 * 86400 - 1), "=",
		       "with a list of PCK certificates a second too old");
	refuse_changed(&s, "collateral.max_root_crl_age", json_integer(300 * 86400), NULL,
		       "just new enough");
	refuse_changed(&s, "collateral.max_root_crl_age", json_integer(300 * 86400 - 1), "=",
		       "a second too old");
	cvm_verifier_free(s.v);
	json_object_set_new(w.qe_identity, "issueDate", json_string("2025-05-16T15:06:40Z"));
	s.v = tdx_verifier(&w);
	refuse_changed(&s, "collateral.max_age", json_integer(30 * 86400), NULL,
		       "with a QE identity just new enough");
	refuse_changed(&s, "collateral.max_age", json_integer(30 * 86400 - 1), "=",
		       "with a QE identity a second too old");
	cvm_verifier_free(s.v);
	tdx_done(&w);
}

/* A platform that Intel thinks less of: the policy made of it says so, by name. */
static void test_advisories(void)
{
	struct tdx_world w = tdx_world_of(&tdx_kinds[2]);
	struct subject s = { .name = "advisories", .opts = tdx_opts(&w) };
	struct cvm_verdict *verdict = NULL;
	char *policy;

	json_put(w.tcb_info, "tcbLevels.0.tcbStatus", json_string("SWHardeningNeeded"));
	json_put(w.tcb_info, "tcbLevels.0.advisoryIDs", json_pack("[s, s]", "INTEL-SA-00106",
								  "INTEL-SA-00289"));
	w.policy = NULL;
	tdx_make(&w);
	s.v = tdx_verifier(&w);
	s.evidence = w.quote;
	s.len = w.len;
	if (cvm_verify(s.v, s.evidence, s.len, &s.opts, &verdict, NULL) ||
	    cvm_verdict_policy(verdict, &policy, NULL))
		need(NULL);
	s.policy = policy;
	refuse(&s, policy, NULL, "its own policy");
	refuse_changed(&s, "tdx.tcb_status", json_pack("[s]", "UpToDate"), "=", "up to date alone");
	refuse_changed(&s, "tdx.tcb_status", json_pack("[s, s]", "UpToDate", "SWHardeningNeeded"),
		       NULL, "either");
	refuse_changed(&s, "tdx.advisories", NULL, "=", "absent");
	refuse_changed(&s, "tdx.advisories", json_pack("[s]", "INTEL-SA-00106"), "=", "one of two");
	refuse_changed(&s, "tdx.advisories", json_pack("[s, s]", "INTEL-SA-00289", "INTEL-SA-0010"),
		       "=", "one of two, and the beginning of the other");
	refuse_changed(&s, "tdx.advisories", json_pack("[s, s, s]", "INTEL-SA-00289", "INTEL-SA-1",
						       "INTEL-SA-00106"), NULL, "both, and another");
	refuse_changed(&s, "tdx.advisories", json_string("any"), NULL, "any");
	cvm_verdict_free(verdict);
	cvm_verifier_free(s.v);
	tdx_done(&w);
	free(policy);
}

/* By a VLEK the report may name the chip, which is signed as well. */
static void test_vlek_chip(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[3]);
	struct subject s = { "v3 VLEK with its chip", snp_kinds[3].policy, snp_verifier(&w),
			     w.report, sizeof(w.report), snp_opts(&w) };
	char chip[129];

	memset(w.report + 0x1a0, 0xcd, 64);
	for (int i = 0; i < 64; i++)
		memcpy(chip + 2 * i, "cd", 3);
	snp_sign(&w);
	test_chips(&s, chip, true);
	cvm_verifier_free(s.v);
}

static void test_empty_snp(void)
{
	struct snp_world w = snp_world_of(&snp_kinds[0]);
	struct subject s = { "v3 VCEK", NULL, snp_verifier(&w), w.report, sizeof(w.report),
			     snp_opts(&w) };

	snp_sign(&w);
	test_empty(&s, "snp");
	test_sparse(&s, "{\"snp\": {\"guest_svn\": 0}}", "snp.",
		    "snp.policy.smt,snp.platform_info.smt_en");
	cvm_verifier_free(s.v);
}

int main(void)
{
	char chip[129];

	for (int i = 0; i < 64; i++)
		sprintf(chip + 2 * i, "%02x", i + 2);
	snp_make_kinds();
	tdx_make_kinds();
	test_snp(&snp_kinds[0], false, chip);
	test_snp(&snp_kinds[3], true, chip);
	/* the chip of Turin has 8 bytes, and zeros */
	memset(chip + 16, '0', 112);
	test_snp(&snp_kinds[2], false, chip);
	test_tdx(&tdx_kinds[2]);
	test_service_tds(&tdx_kinds[0], false);
	test_service_tds(&tdx_kinds[1], false);
	test_service_tds(&tdx_kinds[2], true);
	test_migratable_policy(&tdx_kinds[0]);
	test_migratable_policy(&tdx_kinds[2]);
	test_ages(&tdx_kinds[0]);
	test_advisories();
	test_vlek_chip();
	test_empty_snp();
	snp_free_kinds();
	tdx_free_kinds();
	return tap_end();
}
