// SPDX-License-Identifier: GPL-2.0
/*
 * Conceptual message wrappers as they are written: bytes that are known, and all that
 * evidence can have with it, which is read again as it was.
 */
#include <errno.h>

#include "tap.h"
#include "verify/cmw_write.h"

/* an SNP report of version 3 and a quote of version 4, as far as anybody looks here */
static uint8_t report[] = { 3, 0, 0, 0, 0 }, quote[] = { 4, 0, 2, 0, 0x81, 0, 0, 0 };
static uint8_t measured[] = { 0, 0, 0, 0, 3 }, table[24], proof[] = "CVMGBAT1", pem[] = "-----BEGIN ", der[] = { 0x30, 0x82, 1, 2 };

static struct cvm_evidence_file alone(void)
{
	return (struct cvm_evidence_file){ .type = CVM_EVIDENCE_SNP_REPORT,
					   .report = { report, sizeof(report) } };
}

static void fill(struct cvm_evidence_file *file)
{
	*file = (struct cvm_evidence_file){
		.type = CVM_EVIDENCE_TDX_QUOTE, .report = { quote, sizeof(quote) },
		.certs = { table, sizeof(table) }, .td_quote = { quote, 4 },
		.proof = { proof, 8 }, .event_log = { measured, sizeof(measured) }, .has_tpm = true,
		.tpm = { .message = { 0xff }, .signature = { 1, 2 } },
	};
	memset(file->tpm.pcrs, 7, 2 * 32);
	file->tpm.quote = (struct cvm_tpm_quote){
		.size = sizeof(file->tpm.quote), .message = file->tpm.message, .message_len = 1,
		.signature = file->tpm.signature, .signature_len = 2, .pcrs = file->tpm.pcrs,
		.pcr_count = 2,
	};
}

static bool cbor_is(const struct cvm_evidence_file *file, const char *const *types,
		    const char *want, size_t len)
{
	struct cvm_blob cbor = { 0 };
	bool is = !cvm_cmw_cbor(file, types, &cbor, NULL) && cbor.len == len &&
		  !memcmp(cbor.data, want, len);

	free(cbor.data);
	return is;
}

static char *json_of(const struct cvm_evidence_file *file, const char *const *types)
{
	json_t *json = NULL;
	char *text = cvm_cmw_json(file, types, &json, NULL) ? NULL : json_dumps(json, JSON_COMPACT);

	json_decref(json);
	return text;
}

static void test_bytes(void)
{
	static const char record[] = "\x83\x78\x2e""application/vnd.amd.sev-snp.attestation-report"
				     "\x45\x03\0\0\0\0\x04";
	static const char number[] = "\x83\x19\x29\x4c\x45\x03\0\0\0\0\x04";
	static const char two[] = "\xa2\x65proof\x83\x63""a/b\x48""CVMGBAT1\x04"
				  "\x68""evidence\x83\x01\x45\x03\0\0\0\0\x04";
	const char *types[CVM_CMW_TYPES] = { "10572" };
	struct cvm_evidence_file file = alone();
	char *text = json_of(&file, NULL);

	check(cbor_is(&file, NULL, record, sizeof(record) - 1), "a record");
	check(cbor_is(&file, types, number, sizeof(number) - 1), "with a content format");
	check(text && !strcmp(text, "[\"application/vnd.amd.sev-snp.attestation-report\",\"AwAAAAA\",4]"),
	      "in JSON");
	free(text);
	file.proof = (struct cvm_blob){ proof, 8 };
	types[0] = "1";
	types[CVM_CMW_TYPES - 1] = "a/b";
	check(cbor_is(&file, types, two, sizeof(two) - 1), "a collection, its labels in order");
	types[0] = "a/b; c=d";
	text = json_of(&file, types);
	check(text && !strcmp(text, "{\"proof\":[\"a/b\",\"Q1ZNR0JBVDE\",4],"
				    "\"evidence\":[\"a/b; c=d\",\"AwAAAAA\",4]}"), "in JSON");
	free(text);
}

static bool same(const struct cvm_blob *a, const struct cvm_blob *b)
{
	return a->len == b->len && (!a->len || !memcmp(a->data, b->data, a->len));
}

static bool same_file(const struct cvm_evidence_file *a, const struct cvm_evidence_file *b)
{
	return a->type == b->type && same(&a->report, &b->report) && same(&a->certs, &b->certs) &&
	       same(&a->td_quote, &b->td_quote) && same(&a->proof, &b->proof) &&
	       same(&a->event_log, &b->event_log) &&
	       a->has_tpm == b->has_tpm && a->tpm.quote.pcr_count == b->tpm.quote.pcr_count &&
	       a->tpm.quote.message_len == b->tpm.quote.message_len &&
	       a->tpm.quote.signature_len == b->tpm.quote.signature_len &&
	       !memcmp(a->tpm.pcrs, b->tpm.pcrs, sizeof(a->tpm.pcrs)) &&
	       !memcmp(a->tpm.message, b->tpm.message, sizeof(a->tpm.message)) &&
	       !memcmp(a->tpm.signature, b->tpm.signature, sizeof(a->tpm.signature));
}

static void read_again(const struct cvm_evidence_file *file, const char *const *types,
		       const char *name)
{
	struct cvm_evidence_file again;
	struct cvm_blob cbor = { 0 };
	char *text = json_of(file, types);

	check(text && !cvm_evidence_file_parse(&again, text, strlen(text), NULL) &&
	      same_file(file, &again), "%s, by JSON", name);
	cvm_evidence_file_free(&again);
	free(text);
	check(!cvm_cmw_cbor(file, types, &cbor, NULL) &&
	      !cvm_evidence_file_parse(&again, cbor.data, cbor.len, NULL) &&
	      same_file(file, &again), "%s, by CBOR", name);
	cvm_evidence_file_free(&again);
	free(cbor.data);
}

static void test_read_again(void)
{
	const char *types[CVM_CMW_TYPES];
	static struct cvm_evidence_file file;

	file = alone();
	read_again(&file, NULL, "a record");
	fill(&file);
	read_again(&file, NULL, "all that there can be");
	for (size_t i = 0; i < CVM_CMW_TYPES; i++)
		types[i] = "one/for-all";
	read_again(&file, types, "whose media types say nothing");
	file.certs = (struct cvm_blob){ pem, sizeof(pem) - 1 };
	read_again(&file, NULL, "certificates in PEM");
	file.certs = (struct cvm_blob){ der, sizeof(der) };
	read_again(&file, NULL, "one in DER");
}

static void test_names(void)
{
	static const char *const media[] = { "a/b", "application/vnd.x+json; v=\"1\"" };
	static const char *const none[] = { "", "a", "a/", "/b", " a/b", "a/b\n", "a/\x7f", "7" };
	size_t count = 0;

	while (cvm_cmw_types[count].name)
		check(cvm_cmw_is_media_type(cvm_cmw_types[count++].media_type), "a default");
	check_is((long)count, CVM_CMW_TYPES, "as many as are said");
	for (size_t i = 0; i < sizeof(media) / sizeof(media[0]); i++)
		check(cvm_cmw_is_media_type(media[i]), "a media type");
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		check(!cvm_cmw_is_media_type(none[i]), "none");
	check(cvm_cmw_is_content_format("0") && cvm_cmw_is_content_format("65535"),
	      "content formats");
	check(!cvm_cmw_is_content_format("65536") && !cvm_cmw_is_content_format("") &&
	      !cvm_cmw_is_content_format("-1") && !cvm_cmw_is_content_format("1x") &&
	      !cvm_cmw_is_content_format("18446744073709551617"), "none");
}

static void test_unknown(void)
{
	struct cvm_evidence_file file = alone();
	struct cvm_error error = { 0 };
	struct cvm_blob cbor = { 0 };
	json_t *json = NULL;

	file.type = 77;
	check_is(cvm_cmw_cbor(&file, NULL, &cbor, &error), -EINVAL, "evidence that is not known");
	check_says(error.text, "type 77 has no form", "and the message says so");
	check_is(cvm_cmw_json(&file, NULL, &json, &error), -EINVAL, "nor in JSON");
	check(!cbor.data && !json, "nothing comes of it");
}

int main(void)
{
	test_unknown();
	test_bytes();
	test_read_again();
	test_names();
	return tap_end();
}
