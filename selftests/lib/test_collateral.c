// SPDX-License-Identifier: GPL-2.0
/*
 * Files of collateral: what is no such file is refused with its place, and nothing
 * of it is taken; every form in which one may be written is.
 */
#include <errno.h>

#include <openssl/pem.h>

#include "mutate_tdx.h"

static const struct tdx_kind *kind = &tdx_kinds[2];
static json_t *good;	/* the file of kind's collateral */

/* Takes @file: the error that it gives, or "" */
static void load(json_t *file, char text[512])
{
	char *json = need(json_dumps(file, 0));
	struct cvm_error error = { 0 };
	struct cvm_verifier *v;
	int ret;

	if (cvm_verifier_new(&v))
		need(NULL);
	ret = cvm_verifier_add_collateral(v, json, strlen(json), &error);
	snprintf(text, 512, "%s", ret ? error.text : "");
	if (ret && ret != -EBADMSG)
		snprintf(text, 512, "error %d", ret);
	cvm_verifier_free(v);
	json_decref(file);
	free(json);
}

static void refuse(json_t *file, const char *wanted)
{
	char text[512];

	load(file, text);
	if (!check(*text && strstr(text, wanted), "refused: %s", wanted))
		printf("# got '%s'\n", text);
}

/* ---- the file */

static const struct {
	const char *key, *value, *error;	/* no value: the member is not there */
} files[] = {
	{ "version", "2", "version: expected 1" },
	{ "version", "\"1\"", "version: expected a number" },
	{ "Version", "1", "Version: expected no such member" },
	{ "tcbInfo", "{}", "tcbInfo: expected no such member" },
	{ "root_ca_crl", "7", "root_ca_crl: expected a string" },
	{ "root_ca_crl", "\"\"", "root_ca_crl: expected an X.509 certificate" },
	{ "root_ca_crl", "\"hello\"", "root_ca_crl: expected PEM, or DER in hexadecimal digits" },
	{ "root_ca_crl", "\"3082\"", "root_ca_crl: expected an X.509 certificate or revocation list" },
	{ "root_ca_crl", "\"308\"", "root_ca_crl: expected PEM, or DER in hexadecimal digits" },
	{ "pck_crl", "\"-----BEGIN X509 CRL-----\\nAAAA\\n-----END X509 CRL-----\\n\"",
	  "pck_crl: expected an X.509 certificate or revocation list" },
	{ "pck_certificate_chain", "{}", "pck_certificate_chain: expected a string" },
	{ "amd_crls", "\"3082\"", "amd_crls: expected an array" },
	{ "amd_crls", "[7]", "amd_crls[0]: expected a string" },
	{ "amd_crls", "[\"zz\"]", "amd_crls[0]: expected PEM, or DER in hexadecimal digits" },
	{ "tcb_info", "{}", "tcb_info: expected a string" },
	{ "tcb_info", "\"{\"", "tcb_info: line 1, column 1: no JSON" },
	{ "tcb_info", "\"[]\"", "tcb_info: expected an object" },
	{ "tcb_info_signature", NULL, "tcb_info_signature: expected to be there" },
	{ "tcb_info_signature", "\"00\"", "tcb_info_signature: expected 128 hexadecimal digits" },
	{ "tcb_info_issuer_chain", "\"x\"", "tcb_info_issuer_chain: expected PEM" },
	{ "qe_identity", "7", "qe_identity: expected a string" },
	{ "qe_identity_signature", NULL, "qe_identity_signature: expected to be there" },
	{ "qe_identity_issuer_chain", "7", "qe_identity_issuer_chain: expected a string" },
};

static void test_files(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		const char *text = files[i].value;
		json_t *file = json_deep_copy(good);

		if (text)
			json_object_set_new(file, files[i].key,
					    need(json_loads(text, JSON_DECODE_ANY, NULL)));
		else
			json_object_del(file, files[i].key);
		refuse(file, files[i].error);
	}
	refuse(json_array(), "expected an object");
}

/* ---- what Intel signs */

static const struct {
	bool qe;
	const char *path, *value, *error;
} documents[] = {
	{ false, "id", "\"SGX\"", "tcb_info.id: expected TDX" },
	{ false, "id", "7", "tcb_info.id: expected a string" },
	{ false, "tcbType", "1", "tcb_info.tcbType: expected 0" },
	{ false, "tcbType", "\"0\"", "tcb_info.tcbType: expected a number" },
	{ false, "version", "2", "tcb_info.version: expected 3" },
	{ false, "version", "4", "tcb_info.version: expected 3" },
	{ false, "fmspc", "\"50806f0000\"", "tcb_info.fmspc: expected 12 hexadecimal digits" },
	{ false, "pceId", "0", "tcb_info.pceId: expected 4 hexadecimal digits" },
	{ false, "tcbEvaluationDataNumber", "-1", "tcbEvaluationDataNumber: expected a number" },
	{ false, "issueDate", "\"2025-06-31T00:00:00Z\"", "issueDate: expected a time" },
	{ false, "issueDate", "\"2025-6-3T00:00:00Z\"", "issueDate: expected a time" },
	{ false, "nextUpdate", "7", "nextUpdate: expected a time" },
	{ false, "tdxModule", "[]", "tdxModule.mrsigner: expected to be there" },
	{ false, "tdxModule.mrsigner", "\"00\"", "tdxModule.mrsigner: expected 96" },
	{ false, "tdxModule.attributes", "\"00\"", "tdxModule.attributes: expected 16" },
	{ false, "tdxModule.attributesMask", "7", "tdxModule.attributesMask: expected 16" },
	{ false, "tdxModuleIdentities", "{}", "tdxModuleIdentities: expected an array" },
	{ false, "tdxModuleIdentities.0.id", "7", "tdxModuleIdentities[0].id: expected a string" },
	{ false, "tdxModuleIdentities.0.id", "\"TDX_1\"",
	  "tdxModuleIdentities[0].id: expected TDX_ and two hexadecimal digits" },
	{ false, "tdxModuleIdentities.0.id", "\"TDX_0g\"", "two hexadecimal digits" },
	{ false, "tdxModuleIdentities.0.mrsigner", "7", "tdxModuleIdentities[0].mrsigner: expected" },
	{ false, "tdxModuleIdentities.0.tcbLevels", "7",
	  "tdxModuleIdentities[0].tcbLevels: expected an array" },
	{ false, "tdxModuleIdentities.0.tcbLevels.1", "7",
	  "tdxModuleIdentities[0].tcbLevels[1].tcb: expected to be there" },
	{ false, "tdxModuleIdentities.0.tcbLevels.0.tcb.isvsvn", "65536",
	  "tcbLevels[0].tcb.isvsvn: expected a number from 0 to 65535" },
	{ false, "tdxModuleIdentities.0.tcbLevels.0.tcbStatus", "\"Fine\"",
	  "tcbLevels[0].tcbStatus: expected a status that is known" },
	{ false, "tcbLevels", "{}", "tcb_info.tcbLevels: expected an array" },
	{ false, "tcbLevels.0", "7", "tcbLevels[0].tcb: expected to be there" },
	{ false, "tcbLevels.1.tcb", "7", "tcbLevels[1].tcb.sgxtcbcomponents: expected to be there" },
	{ false, "tcbLevels.0.tcb.pcesvn", "65536", "tcb.pcesvn: expected a number from 0 to 65535" },
	{ false, "tcbLevels.0.tcb.sgxtcbcomponents", "[]",
	  "tcb.sgxtcbcomponents: expected 16 components" },
	{ false, "tcbLevels.0.tcb.tdxtcbcomponents", "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, "
	  "14, 15, 16, 17]", "tcb.tdxtcbcomponents: expected an array of at most 16 elements" },
	{ false, "tcbLevels.0.tcb.tdxtcbcomponents.15", "7",
	  "tdxtcbcomponents[15].svn: expected to be there" },
	{ false, "tcbLevels.0.tcb.sgxtcbcomponents.3.svn", "256",
	  "sgxtcbcomponents[3].svn: expected a number from 0 to 255" },
	{ false, "tcbLevels.0.tcbDate", "\"\"", "tcbLevels[0].tcbDate: expected a time" },
	{ false, "tcbLevels.0.tcbStatus", "7", "tcbLevels[0].tcbStatus: expected a string" },
	{ false, "tcbLevels.0.tcbStatus", "\"TDRelaunchAdvised\"",
	  "tcbLevels[0].tcbStatus: expected a status that is known, such as UpToDate" },
	{ false, "tcbLevels.0.advisoryIDs", "7", "tcbLevels[0].advisoryIDs: expected an array" },
	{ false, "tcbLevels.0.advisoryIDs", "[7]", "advisoryIDs[0]: expected a string" },
	{ false, "tcbLevels.0.advisoryIDs", "[\"\"]", "advisoryIDs[0]: expected an advisory as" },
	{ false, "tcbLevels.0.advisoryIDs", "[\"INTEL-SA-00106\", \"two words\"]",
	  "advisoryIDs[1]: expected an advisory as" },
	{ false, "tcbLevels.0.advisoryIDs", "[\"INTEL-SA-0010600000000000000000000000000\"]",
	  "advisoryIDs[0]: expected an advisory as" },
	{ true, "id", "\"QE\"", "qe_identity.id: expected TD_QE" },
	{ true, "version", "3", "qe_identity.version: expected 2" },
	{ true, "tcbEvaluationDataNumber", "\"\"", "qe_identity.tcbEvaluationDataNumber: expected" },
	{ true, "issueDate", "\"now\"", "qe_identity.issueDate: expected a time" },
	{ true, "miscselect", "\"0000000\"", "qe_identity.miscselect: expected 8 hexadecimal" },
	{ true, "miscselectMask", "7", "qe_identity.miscselectMask: expected 8 hexadecimal" },
	{ true, "attributes", "\"zz\"", "qe_identity.attributes: expected 32 hexadecimal" },
	{ true, "attributesMask", "\"\"", "qe_identity.attributesMask: expected 32 hexadecimal" },
	{ true, "mrsigner", "\"00\"", "qe_identity.mrsigner: expected 64 hexadecimal" },
	{ true, "isvprodid", "-1", "qe_identity.isvprodid: expected a number from 0 to 65535" },
	{ true, "tcbLevels", "7", "qe_identity.tcbLevels: expected an array" },
};

static json_t *file_of(const struct tdx_world *w)
{
	char *text = tdx_collateral(w);
	json_t *file = need(json_loads(text, 0, NULL));

	free(text);
	return file;
}

static void test_documents(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(documents); i++) {
		struct tdx_world w = tdx_world_of(kind);

		json_put(documents[i].qe ? w.qe_identity : w.tcb_info, documents[i].path,
			 need(json_loads(documents[i].value, JSON_DECODE_ANY, NULL)));
		refuse(file_of(&w), documents[i].error);
		tdx_done(&w);
	}
}

/* Each of these must be there */
static void test_missing(void)
{
	static const char *const info[] = {
		"id", "version", "fmspc", "pceId", "tcbEvaluationDataNumber", "issueDate",
		"nextUpdate", "tdxModule", "tcbLevels",
	}, *const identity[] = {
		"id", "version", "tcbEvaluationDataNumber", "issueDate", "nextUpdate", "miscselect",
		"miscselectMask", "attributes", "attributesMask", "mrsigner", "isvprodid", "tcbLevels",
	};

	for (size_t i = 0; i < ARRAY_SIZE(info) + ARRAY_SIZE(identity); i++) {
		bool qe = i >= ARRAY_SIZE(info);
		const char *key = qe ? identity[i - ARRAY_SIZE(info)] : info[i];
		struct tdx_world w = tdx_world_of(kind);
		char wanted[128];

		json_object_del(qe ? w.qe_identity : w.tcb_info, key);
		snprintf(wanted, sizeof(wanted), "%s.%s: expected to be there",
			 qe ? "qe_identity" : "tcb_info", key);
		refuse(file_of(&w), wanted);
		tdx_done(&w);
	}
}

/* ---- answers of Intel's service, which are taken as they come */

static void test_answers(void)
{
	static const struct {
		const char *from, *to;	/* of the answer's text, one for the other */
	} rows[] = {
		{ "{\"tcbInfo\":", "{\"tcbinfo\":" }, { "{\"tcbInfo\":", "{ \"tcbInfo\":" },
		{ "\"signature\":\"", "\"signatures\":\"" }, { "\"signature\":\"", "\"signature\":\"z" },
		{ ",\"signature\":\"", ", \"signature\":\"" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct tdx_world w = tdx_world_of(kind);
		const char *answer, *at;
		json_t *file;

		w.as_answer = true;
		file = file_of(&w);
		answer = json_string_value(json_object_get(file, "tcb_info"));
		at = need((void *)strstr(answer, rows[i].from));
		json_object_set_new(file, "tcb_info",
				    json_sprintf("%.*s%s%s", (int)(at - answer), answer, rows[i].to,
						 at + strlen(rows[i].from)));
		refuse(file, "tcb_info_signature: expected to be there");
		tdx_done(&w);
	}
}

/* ---- all or nothing */

static bool verifies(struct cvm_verifier *v, const struct tdx_world *w)
{
	const struct cvm_verify_opts opts = tdx_opts(w);
	struct cvm_verdict *verdict = NULL;
	bool verified;

	cvm_verify(v, w->quote, w->len, &opts, &verdict, NULL);
	verified = verdict && cvm_verdict_verified(verdict);
	cvm_verdict_free(verdict);
	return verified;
}

/* A file that is broken at its very end leaves nothing of its beginning. */
static void test_nothing(void)
{
	struct tdx_world w = tdx_world_of(kind);
	json_t *file = json_deep_copy(good);
	struct cvm_verifier *v;
	char *broken, *whole;

	tdx_make(&w);
	w.no_collateral = true;
	v = tdx_verifier(&w);
	json_object_set_new(file, "qe_identity_signature", json_string("00"));
	broken = need(json_dumps(file, 0));
	whole = need(json_dumps(good, 0));
	check(!verifies(v, &w), "without collateral: not verified");
	check_is(cvm_verifier_add_collateral(v, broken, strlen(broken), NULL), -EBADMSG,
		 "a file whose last member is broken");
	check(!verifies(v, &w), "it leaves nothing behind: not verified");
	check_is(cvm_verifier_add_collateral(v, whole, strlen(whole), NULL), 0, "the whole file");
	check(verifies(v, &w), "verified");
	check_is(cvm_verifier_add_collateral(v, broken, strlen(broken), NULL), -EBADMSG,
		 "the broken one on top of it");
	check(verifies(v, &w), "what was there has stayed: verified");
	cvm_verifier_free(v);
	free(broken);
	free(whole);
	json_decref(file);
	tdx_done(&w);
}

/* ---- forms */

static void accept(json_t *file, const char *name)
{
	struct tdx_world w = tdx_world_of(kind);
	char *text = need(json_dumps(file, 0));
	struct cvm_verifier *v;

	tdx_make(&w);
	w.no_collateral = true;
	v = tdx_verifier(&w);
	check(!cvm_verifier_add_collateral(v, text, strlen(text), NULL) && verifies(v, &w),
	      "%s: verified", name);
	cvm_verifier_free(v);
	free(text);
	json_decref(file);
	tdx_done(&w);
}

static json_t *crl_pem(const struct crl_spec *spec)
{
	X509_CRL *crl = make_crl(spec);
	BIO *bio = need(BIO_new(BIO_s_mem()));
	json_t *text;
	char *data;
	long len;

	PEM_write_bio_X509_CRL(bio, crl);
	len = BIO_get_mem_data(bio, &data);
	text = json_stringn(data, (size_t)len);
	BIO_free(bio);
	X509_CRL_free(crl);
	return text;
}

static void test_forms(void)
{
	struct tdx_world w = tdx_world_of(kind);
	json_t *file = json_deep_copy(good);

	json_object_set_new(file, "version", json_integer(1));
	accept(file, "with its version");
	file = json_deep_copy(good);
	json_object_set_new(file, "root_ca_crl", crl_pem(&w.root_crl));
	json_object_set_new(file, "pck_crl", crl_pem(&w.pck_crl));
	accept(file, "lists in PEM");
	file = json_deep_copy(good);
	json_object_set_new(file, "amd_crls", json_pack("[O, O]", json_object_get(good, "pck_crl"),
							json_object_get(good, "root_ca_crl")));
	json_object_del(file, "pck_crl");
	json_object_del(file, "root_ca_crl");
	accept(file, "lists as a list");
	file = json_deep_copy(good);
	json_object_set(file, "pck_certificate_chain", json_object_get(file, "pck_crl_issuer_chain"));
	json_object_del(file, "pck_crl_issuer_chain");
	accept(file, "issuers under another name");
	w.as_answer = true;
	accept(file_of(&w), "answers as they came");
	tdx_done(&w);
}

int main(void)
{
	struct tdx_world w;

	tdx_make_kinds();
	w = tdx_world_of(kind);
	good = file_of(&w);
	test_files();
	test_documents();
	test_missing();
	test_answers();
	test_nothing();
	test_forms();
	json_decref(good);
	tdx_done(&w);
	tdx_free_kinds();
	return tap_end();
}
