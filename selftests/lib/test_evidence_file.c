// SPDX-License-Identifier: GPL-2.0
/*
 * Evidence and what came along as one JSON text, of each form: taken apart, and, spoilt in
 * any one way, refused with the place where.
 */
#include <errno.h>

#include <jansson.h>
#include <openssl/evp.h>

#include "common/json_hex.h"
#include "common/util.h"
#include "tap.h"
#include "verify/evidence_file.h"

static const uint8_t report[2600] = { 'H', 'C', 'L', 'A', 7 }, cert[] = { 0x30, 0x82, 1, 2, 3 };
static const uint8_t message[] = { 0xff, 'T', 'C', 'G', 0x80, 0x18 }, signature[256] = { 9 };
static const uint8_t td_quote[5006] = { 4, 0, 2 }, proof[] = { 'C', 'V', 'M' };

static json_t *numbers(const uint8_t *data, size_t len)
{
	json_t *list = json_array();

	for (size_t i = 0; i < len; i++)
		json_array_append_new(list, json_integer(data[i]));
	return list;
}

static json_t *pcrs(bool as_numbers)
{
	json_t *list = json_array();
	uint8_t pcr[32];

	for (int i = 0; i < 24; i++) {
		memset(pcr, i, sizeof(pcr));
		json_array_append_new(list, as_numbers ? numbers(pcr, 32) :
							 cvm_json_of_hex(pcr, 32));
	}
	return list;
}

static json_t *tpm_quote(void)
{
	return json_pack("{s:o, s:o, s:o}", "signature", cvm_json_of_hex(signature, 256),
			 "message", cvm_json_of_hex(message, sizeof(message)), "pcrs", pcrs(false));
}

static json_t *version(int number)
{
	return json_pack("{s:i, s:o, s:o, s:o}", "version", number, "tpm_quote", tpm_quote(),
			 "hcl_report", cvm_json_of_base64url(report, sizeof(report), true),
			 "vcek", cvm_json_of_base64url(cert, sizeof(cert), true));
}

static json_t *version_0(void)
{
	return json_pack("{s:{s:o, s:o, s:o}, s:o, s:s}", "quote",
			 "signature", numbers(signature, 256),
			 "message", numbers(message, sizeof(message)), "pcrs", pcrs(true),
			 "report", numbers(report, sizeof(report)), "vcek", "PEM");
}

static json_t *own(void)
{
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "type", "hcl-report",
			 "report", cvm_json_of_hex(report, sizeof(report)),
			 "certs", cvm_json_of_hex(cert, sizeof(cert)),
			 "td_quote", cvm_json_of_hex(td_quote, sizeof(td_quote)),
			 "tpm_quote", tpm_quote(),
			 "proof", cvm_json_of_base64url(proof, sizeof(proof), false),
			 "event_log", cvm_json_of_base64url(cert, sizeof(cert), false));
}

static json_t *of_tdx(void)
{
	return json_pack("{s:s, s:o}", "type", "tdx-quote",
			 "quote", cvm_json_of_hex(td_quote, sizeof(td_quote)));
}

static json_t *of_snp(void)
{
	return json_pack("{s:s, s:o}", "type", "snp-report", "report", cvm_json_of_hex(report, 1184));
}

/* Takes @json over. */
static int parse(json_t *json, struct cvm_evidence_file *file, struct cvm_error *error)
{
	char *text = json_dumps(json, JSON_COMPACT);
	int ret = cvm_evidence_file_parse(file, text, strlen(text), error);

	json_decref(json);
	free(text);
	return ret;
}

static bool is(const struct cvm_blob *blob, const void *data, size_t len)
{
	return blob->data && blob->len == len && !memcmp(blob->data, data, len);
}

static bool has_tpm(const struct cvm_evidence_file *file)
{
	const struct cvm_tpm_quote *q = &file->tpm.quote;
	uint8_t last[32];

	memset(last, 23, sizeof(last));
	return file->has_tpm && q->size == sizeof(*q) && q->message_len == sizeof(message) &&
	       !memcmp(q->message, message, sizeof(message)) && q->signature_len == 256 &&
	       !memcmp(q->signature, signature, 256) && q->pcr_count == 24 &&
	       !memcmp(q->pcrs + 23 * 32, last, 32) && !q->nonce && !q->flags;
}

static json_t *with(json_t *json, const char *key, json_t *value)
{
	json_object_set_new(json, key, value);
	return json;
}

static json_t *without_padding(void)
{
	return with(version(1), "hcl_report", cvm_json_of_base64url(report, sizeof(report), false));
}

static json_t *of_td(void)
{
	json_t *json = with(version(2), "td_quote", cvm_json_of_base64url(td_quote, 5006, true));

	json_object_del(json, "vcek");
	return with(json, "batch_proof", cvm_json_of_base64url(proof, sizeof(proof), false));
}

static void test_good(void)
{
	struct cvm_evidence_file file;

	check(!parse(version(1), &file, NULL) && file.type == CVM_EVIDENCE_HCL_REPORT &&
	      is(&file.report, report, 2600) && is(&file.certs, cert, sizeof(cert)) &&
	      !file.td_quote.data && !file.proof.data && has_tpm(&file), "version 1");
	cvm_evidence_file_free(&file);
	check(!file.report.data && !file.certs.data, "freed");
	check(!parse(without_padding(), &file, NULL) && is(&file.report, report, 2600),
	      "base64url without padding");
	cvm_evidence_file_free(&file);
	check(!parse(of_td(), &file, NULL) && is(&file.td_quote, td_quote, 5006) &&
	      !file.certs.data && is(&file.proof, proof, sizeof(proof)) && has_tpm(&file),
	      "version 2, of a TD's batch");
	cvm_evidence_file_free(&file);
	check(!parse(version_0(), &file, NULL) && file.type == CVM_EVIDENCE_HCL_REPORT &&
	      is(&file.report, report, 2600) && is(&file.certs, "PEM", 3) && has_tpm(&file),
	      "version 0");
	cvm_evidence_file_free(&file);
	check(!parse(with(version_0(), "td_quote", numbers(td_quote, 5006)), &file, NULL) &&
	      is(&file.td_quote, td_quote, 5006), "version 0, of a TD");
	cvm_evidence_file_free(&file);
	check(!parse(own(), &file, NULL) && is(&file.report, report, 2600) &&
	      is(&file.certs, cert, sizeof(cert)) && is(&file.td_quote, td_quote, 5006) &&
	      is(&file.proof, proof, sizeof(proof)) && has_tpm(&file) &&
	      is(&file.event_log, cert, sizeof(cert)), "our own");
	cvm_evidence_file_free(&file);
	check(!parse(of_tdx(), &file, NULL) && file.type == CVM_EVIDENCE_TDX_QUOTE &&
	      is(&file.report, td_quote, 5006) && !file.has_tpm, "our own, of TDX");
	cvm_evidence_file_free(&file);
	check(!parse(of_snp(), &file, NULL) && file.type == CVM_EVIDENCE_SNP_REPORT &&
	      is(&file.report, report, 1184), "our own, of SNP");
	cvm_evidence_file_free(&file);
	check(!parse(with(version(2), "later", json_true()), &file, NULL), "a member of the future");
	cvm_evidence_file_free(&file);
}

static json_t *wide(void)
{
	json_t *json = version_0();

	json_array_set_new(json_object_get(json, "report"), 3, json_integer(256));
	return json;
}

static json_t *tpm_with(const char *key, json_t *value)
{
	json_t *json = version(1);

	json_object_set_new(json_object_get(json, "tpm_quote"), key, value);
	return json;
}

static json_t *v0_with(const char *key, json_t *value)
{
	json_t *json = version_0();

	json_object_set_new(json_object_get(json, "quote"), key, value);
	return json;
}

static json_t *less(json_t *json, const char *key)
{
	json_object_del(json, key);
	return json;
}

static json_t *long_text(size_t len, char c)
{
	char *text = malloc(len + 1);
	json_t *json;

	memset(text, c, len);
	json = json_stringn(text, len);
	free(text);
	return json;
}

static void refused(json_t *json, const char *where, const char *name)
{
	struct cvm_evidence_file file;
	struct cvm_error error = { 0 };

	check_is(parse(json, &file, &error), -EBADMSG, name);
	check_says(error.text, where, name);
	check(!file.report.data && !file.certs.data && !file.td_quote.data && !file.proof.data,
	      "%s: nothing is left", name);
}

static void test_refused(void)
{
	refused(version(0), "version 1 or 2", "version 0 that says so");
	refused(version(3), "version", "version 3");
	refused(with(version(1), "version", json_string("1")), "version", "a version in letters");
	refused(less(version(1), "hcl_report"), "hcl_report", "no HCL report");
	refused(with(version(1), "hcl_report", json_string("SENM+A==")), "hcl_report",
		"plain base64");
	refused(with(version(1), "hcl_report", json_string("SENMQQ=")), "hcl_report",
		"half a padding");
	refused(with(version(1), "hcl_report", json_string("SENMQQ===")), "hcl_report",
		"too much padding");
	refused(with(version(1), "hcl_report", json_string("SENM====")), "hcl_report",
		"padding of nothing");
	refused(with(version(1), "hcl_report", json_string("SE=M")), "hcl_report",
		"padding in the middle");
	refused(with(version(1), "hcl_report", json_string("SENMQ")), "hcl_report", "a digit too many");
	refused(with(version(1), "hcl_report", json_string(" ENMQQAA")), "hcl_report", "a blank");
	refused(with(version(1), "hcl_report", long_text(4 * 16384, 'A')), "hcl_report",
		"a report too long");
	refused(with(version(1), "vcek", json_integer(7)), "vcek", "a VCEK that is no text");
	refused(with(version(1), "td_quote", json_string("?")), "td_quote", "a quote of nothing");
	refused(less(version(1), "tpm_quote"), "tpm_quote", "no vTPM's quote");
	refused(with(version(1), "tpm_quote", json_array()), "tpm_quote", "a vTPM's quote that is a list");
	refused(tpm_with("message", json_string("abc")), "tpm_quote.message", "half a byte");
	refused(tpm_with("signature", long_text(2 * 1025, 'a')), "tpm_quote.signature",
		"a signature too long");
	refused(tpm_with("pcrs", json_array()), "tpm_quote.pcrs", "no PCRs");
	refused(less(version_0(), "quote"), "quote", "version 0 without a quote");
	refused(less(version_0(), "report"), "report", "version 0 without a report");
	refused(wide(), "report[3]", "a number that is no byte");
	refused(with(version_0(), "vcek", numbers(cert, 5)), "vcek", "version 0, a VCEK of numbers");
	refused(with(version_0(), "vcek", long_text(CVM_FILE_CERTS_MAX + 1, 'A')), "vcek",
		"version 0, a VCEK too long");
	refused(v0_with("message", long_text(8, 'a')), "quote.message", "version 0, a message of digits");
	refused(v0_with("pcrs", json_array()), "quote.pcrs", "version 0, no PCRs");
	refused(v0_with("pcrs", json_pack("[o]", numbers(cert, 5))), "quote.pcrs[0]",
		"version 0, a short PCR");
	refused(v0_with("pcrs", json_pack("[o]", numbers(report, 33))), "quote.pcrs[0]",
		"version 0, a long PCR");
	refused(with(own(), "type", json_string("tvm")), "type", "a type that is none");
	refused(with(own(), "type", json_integer(4)), "type", "a type that is a number");
	refused(less(own(), "report"), "report", "our own without a report");
	refused(with(own(), "certs", json_string("0g")), "certs", "no digit");
	refused(with(own(), "report", long_text(2 * (CVM_FILE_REPORT_MAX + 1), 'a')), "report",
		"our own, a report too long");
	refused(with(of_tdx(), "proof", json_string("a")), "proof", "a proof of one digit");
	refused(with(own(), "event_log", json_string("a")), "event_log", "a log of one digit");
	refused(with(own(), "event_log", long_text(4 * (CVM_FILE_LOG_MAX / 3 + 1), 'A')), "event_log", "a log that is too long");
	refused(json_object(), "report", "nothing at all");
}

int main(void)
{
	struct cvm_evidence_file file;
	struct cvm_error error;

	test_good();
	test_refused();
	check_is(cvm_evidence_file_parse(&file, "[]", 2, &error), -EBADMSG, "a list");
	check_is(cvm_evidence_file_parse(&file, "{\"type\":", 8, &error), -EBADMSG, "half a text");
	check(!strcmp(cvm_evidence_type_name(0), "unknown") &&
	      !strcmp(cvm_evidence_type_name(5), "unknown") &&
	      !strcmp(cvm_evidence_type_name(8), "unknown") &&
	      !strcmp(cvm_evidence_type_name(CVM_EVIDENCE_TDREPORT), "tdreport"), "names of types");
	return tap_end();
}
