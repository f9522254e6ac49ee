// SPDX-License-Identifier: GPL-2.0
/*
 * First inputs of the fuzzers: evidence of every kind as the tests make it, and what
 * goes with it. fuzz_seeds DIR writes DIR/TARGET/NAME.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/json_hex.h"
#include "formats/hcl.h"
#include "mutate_azure.h"
#include "mutate_snp.h"
#include "mutate_tdx.h"
#include "seeds.h"

static const char *dir;

void seed(const char *target, const char *name, const void *data, size_t len)
{
	char path[4096];
	FILE *out;

	snprintf(path, sizeof(path), "%s/%s", dir, target);
	if (mkdir(path, 0755) && errno != EEXIST)
		need(NULL);
	snprintf(path, sizeof(path), "%s/%s/%s", dir, target, name);
	out = need(fopen(path, "w"));
	if (fwrite(data, 1, len, out) != len || fclose(out))
		need(NULL);
}

void seed_text(const char *target, const char *name, const char *text)
{
	seed(target, name, text, strlen(text));
}

/* As fuzz_verify.c takes it apart */
static void seed_verify(const char *name, uint8_t flags, const void *certs, size_t certs_len,
			const void *second, size_t second_len, const void *evidence, size_t len)
{
	uint8_t *input = need(malloc(5 + certs_len + second_len + len)), *at = input;

	*at++ = flags;
	*at++ = (uint8_t)certs_len;
	*at++ = (uint8_t)(certs_len >> 8);
	*at++ = (uint8_t)second_len;
	*at++ = (uint8_t)(second_len >> 8);
	memcpy(at, certs, certs_len);
	memcpy(at + certs_len, second, second_len);
	memcpy(at + certs_len + second_len, evidence, len);
	seed("verify", name, input, 5 + certs_len + second_len + len);
	seed("verify_deep", name, input, 5 + certs_len + second_len + len);
	free(input);
}

/* ---- SNP */

static char *snp_chain(struct snp_world *w, size_t *len)
{
	X509 *certs[3];
	char *pem;

	w->leaf.arg = &w->amd;
	certs[0] = make_cert(&w->ark);
	certs[1] = make_cert(&w->ask);
	certs[2] = make_cert(&w->leaf);
	pem = certs_pem(certs, 3, len);
	for (int i = 0; i < 3; i++)
		X509_free(certs[i]);
	return pem;
}

static void seed_snp(const struct snp_kind *kind)
{
	struct snp_world w = snp_world_of(kind);
	size_t len, crl_len;
	char *chain = snp_chain(&w, &len);
	uint8_t *crl = crl_der(&w.crl, &crl_len);

	snp_sign(&w);
	seed("snp_report", kind->name, w.report, sizeof(w.report));
	seed("certs", kind->name, chain, len);
	seed("certs", "list", crl, crl_len);
	seed_text("policy", kind->name, kind->policy);
	seed_verify(kind->name, 2, chain, len, kind->policy, strlen(kind->policy), w.report,
		    sizeof(w.report));
	seed_verify("snp-proof", 0, chain, len, azure_batch.proof[1], azure_batch.proof_len[1],
		    w.report, sizeof(w.report));
	free(crl);
	free(chain);
}

/* ---- TDX */

static void seed_tdx(const struct tdx_kind *kind)
{
	struct tdx_world w = tdx_world_of(kind);
	char *collateral = tdx_collateral(&w), *text;

	tdx_make(&w);
	seed("quote", kind->name, w.quote, w.len);
	seed_text("policy", kind->name, kind->policy);
	seed_text("collateral", kind->name, collateral);
	text = need(json_dumps(w.tcb_info, JSON_COMPACT));
	seed_text("tcb_info", kind->name, text);
	free(text);
	text = need(json_dumps(w.qe_identity, JSON_COMPACT));
	seed_text("qe_identity", kind->name, text);
	free(text);
	seed_verify(kind->name, 2, "", 0, kind->policy, strlen(kind->policy), w.quote, w.len);
	text = need(malloc(64));
	snprintf(text, 64, "%s, collateral", kind->name);
	seed_verify(text, 3, "", 0, collateral, strlen(collateral), w.quote, w.len);
	free(text);
	free(collateral);
	tdx_done(&w);
}

/* ---- what servers answer, and what is kept of it */

/* As fuzz_fetched.c takes it apart: which it is, the issuers' header, the body */
static void seed_pcs(const char *name, uint8_t which, const char *chain, size_t chain_len,
		     const void *body, size_t len)
{
	uint8_t *input = need(malloc(3 + chain_len + len));

	input[0] = which;
	input[1] = (uint8_t)chain_len;
	input[2] = (uint8_t)(chain_len >> 8);
	memcpy(input + 3, chain, chain_len);
	memcpy(input + 3 + chain_len, body, len);
	seed("pcs", name, input, 3 + chain_len + len);
	free(input);
}

static void seed_fetched(void)
{
	static const char cached[] = "{\"version\": 1, \"fresh_until\": 1750000001, "
		"\"url\": \"http://pcs.example/tdx/certification/v4/qe/identity\", "
		"\"expires\": 1750000002, \"text\": \"x\", \"chain\": \"y\"}";
	struct snp_world snp = snp_genuine();
	struct tdx_world tdx = tdx_genuine();
	json_t *answer = json_object();
	X509 *root = make_cert(&tdx.root);
	size_t len, crl_len;
	char *chain = snp_chain(&snp, &len), *text;
	uint8_t *crl = crl_der(&tdx.pck_crl, &crl_len);

	json_object_set_new(answer, "vcekCert", json_stringn(chain, len));
	json_object_set_new(answer, "certificateChain", json_string(""));
	text = need(json_dumps(answer, 0));
	seed_text("thim", "answer", text);
	free(text);
	free(chain);
	json_decref(answer);
	chain = certs_pem(&root, 1, &len);
	answer = json_pack("{s:O}", "tcbInfo", tdx.tcb_info);
	text = need(json_dumps(answer, 0));
	seed_pcs("tcb_info", 0, chain, len, text, strlen(text));
	free(text);
	json_decref(answer);
	answer = json_pack("{s:O}", "enclaveIdentity", tdx.qe_identity);
	text = need(json_dumps(answer, 0));
	seed_pcs("qe_identity", 1, chain, len, text, strlen(text));
	free(text);
	json_decref(answer);
	seed_pcs("pck_crl", 2, chain, len, crl, crl_len);
	seed_text("cached", "one", cached);
	free(chain);
	free(crl);
	X509_free(root);
	tdx_done(&tdx);
}

/* ---- Azure */

static json_t *numbers(const uint8_t *data, size_t len)
{
	json_t *list = json_array();

	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, json_integer(data[i]));
	return list;
}

/* Of each form: ours, and versions 0 and 1 of confidential-containers */
static void seed_evidence_file(const struct azure_world *w, const char *name, json_t *tpm)
{
	json_t *form[] = {
		json_pack("{s:s, s:o, s:O, s:s}", "type", "hcl-report",
			  "report", cvm_json_of_hex(w->hcl, w->len), "tpm_quote", tpm,
			  "proof", "Q1ZNR0JBVDE"),
		json_pack("{s:i, s:o, s:O, s:s}", "version", 1,
			  "hcl_report", cvm_json_of_base64url(w->hcl, w->len, true),
			  "tpm_quote", tpm, w->is_td ? "td_quote" : "vcek", "MIIBAA=="),
		json_pack("{s:o, s:{s:o, s:o, s:[o]}, s:s}", "report", numbers(w->hcl, w->len),
			  "quote", "message", numbers(w->message, w->message_len),
			  "signature", numbers(w->signature, w->signature_len),
			  "pcrs", numbers(w->pcrs, 32), "vcek", "-----BEGIN"),
	};

	for (size_t i = 0; i < sizeof(form) / sizeof(form[0]); i++) {
		char *text = need(json_dumps(need(form[i]), JSON_COMPACT)), full[64];

		snprintf(full, sizeof(full), "%s-%zu", name, i);
		seed_text("evidence_file", full, text);
		free(text);
		json_decref(form[i]);
	}
}

/* A record, a tag, and a collection with all that there can be */
static void seed_cmw(void)
{
	static const char record[] = "\x83\x63""a/b\x44HCLA\x04";
	static const char tag[] = "\xda\x63\x74\x2a\x76\x44HCLA";
	static const char all[] = "\xa6\x68__cmwc_t\x65tag:x"
		"\x65""certs\x82\x63""a/b\x44----" "\x65proof\x83\x63""a/b\x48""CVMGBAT1\x04"
		"\x68""evidence\x83\x19\x29\x4c\x44HCLA\x04" "\x01\x82\x63""c/d\x41?"
		"\x69tpm_quote\x82\x63""a/b\x58\x6d{\"message\":\"ff\",\"signature\":\"00\",\"pcrs\":[\""
		"0000000000000000000000000000000000000000000000000000000000000000\"]}";
	static const char json[] = "{\"__cmwc_t\":\"tag:x\",\"evidence\":[\"a/b\",\"SENMQQ\",4],"
		"\"proof\":[\"a/b\",\"Q1ZNR0JBVDE\"]}";

	seed("cmw", "record", record, sizeof(record) - 1);
	seed("cmw", "tag", tag, sizeof(tag) - 1);
	seed("cmw", "collection", all, sizeof(all) - 1);
	seed("evidence_file", "cmw-cbor", all, sizeof(all) - 1);
	seed_text("evidence_file", "cmw-json", json);
	seed_text("evidence_file", "cmw-record", "[\"a/b\",\"SENMQQ\",4]");
}

static void seed_tpm_file(const struct azure_world *w, const char *name)
{
	json_t *pcrs = json_array(), *file = json_pack("{s:i}", "reset_count", 7);
	char *hex = need(malloc(2 * sizeof(w->message) + 1)), *text;

	for (size_t i = 0; i < w->pcr_count; i++) {
		cvm_hex_encode(w->pcrs + 32 * i, 32, hex);
		json_array_append_new(pcrs, json_string(hex));
	}
	json_object_set_new(file, "pcrs", pcrs);
	cvm_hex_encode(w->message, w->message_len, hex);
	json_object_set_new(file, "message", json_string(hex));
	cvm_hex_encode(w->signature, w->signature_len, hex);
	json_object_set_new(file, "signature", json_string(hex));
	text = need(json_dumps(file, 0));
	seed_text("tpm_file", name, text);
	free(text);
	free(hex);
	seed_evidence_file(w, name, file);
	json_decref(file);
}

static void seed_azure(bool is_td)
{
	struct azure_world w = azure_genuine(is_td);
	const char *name = is_td ? "azure-tdx" : "azure-snp";
	struct cvm_format_error err;
	struct cvm_hcl_report hcl;
	size_t len = 0;
	char *chain;

	azure_make(&w);
	chain = is_td ? need(strdup("")) : snp_chain(&w.snp, &len);
	if (cvm_hcl_parse(w.hcl, w.len, &hcl, &err))
		need(NULL);
	seed("hcl_report", name, w.hcl, w.len);
	seed("claims", name, hcl.claims.data, hcl.claims.len);
	seed("tpm_quote", name, w.message, w.message_len);
	seed_text("policy", name, azure_policies[is_td]);
	seed_tpm_file(&w, name);
	if (is_td)
		seed("tdreport", name, hcl.hw_report.data, hcl.hw_report.len);
	/* binding azure: 2 << 3 */
	seed_verify(name, 5 | 2 << 3, chain, len, w.message, w.message_len, w.hcl, w.len);
	seed_text("imds", name, "{\"quote\": \"BAACAIEAAAAAAAAAk5pyM_ecTKmUCg2zlX8GBw\"}");
	if (is_td)
		seed_verify("azure-td-quote", 1 | 2 << 3, "", 0, w.tdx.quote, w.tdx.len, w.hcl, w.len);
	free(chain);
	azure_done(&w);
}

static void seed_proofs(void)
{
	char name[16];

	for (size_t i = 0; i < azure_batch.tree.size; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		seed("proof", name, azure_batch.proof[i], azure_batch.proof_len[i]);
	}
}

/* ---- what firmware and kernel keep of Secure Boot */

static void seed_boot(void)
{
	/* EFI_SIGNATURE_LIST of EFI_CERT_X509_GUID: one certificate of 8 bytes */
	static const uint8_t list[52] = {
		0xa1, 0x59, 0xc0, 0xa5, 0xe4, 0x94, 0xa7, 0x4a, 0x87, 0xb5, 0xab, 0x15, 0x5c,
		0x2b, 0xf0, 0x72, sizeof(list), 0, 0, 0, 0, 0, 0, 0, 24, 0, 0, 0,
	};
	/* a module of one byte, a signature of one, their lengths, the marker */
	struct made_log log;
	static const char module[] = "ms\0\0\2\0\0\0\0\0\0\0\0\1~Module signature appended~\n";

	seed("efi_list", "one", list, sizeof(list));
	seed("module_signature", "one", module, sizeof(module) - 1);
	log_genuine(&log);
	seed("event_log", "one", log.bytes, log.len);
	seed("show", "event-log", log.bytes, log.len);
}

int main(int argc, char **argv)
{
	if (argc != 2) {
		fprintf(stderr, "usage: fuzz_seeds DIR\n");
		return 2;
	}
	dir = argv[1];
	azure_make_policies();
	seed_azure(false);
	seed_azure(true);
	seed_proofs();
	seed_boot();
	seed_cmw();
	seed_skr();
	azure_free_policies();
	snp_make_kinds();
	tdx_make_kinds();
	seed_fetched();
	seed_examples();
	for (size_t i = 0; i < SNP_KINDS; i++)
		seed_snp(&snp_kinds[i]);
	for (size_t i = 0; i < TDX_KINDS; i++)
		seed_tdx(&tdx_kinds[i]);
	snp_free_kinds();
	tdx_free_kinds();
	return 0;
}
