// SPDX-License-Identifier: GPL-2.0
/*
 * Conceptual message wrappers in both serializations: heads of CBOR, records, tags and
 * collections taken apart, and, spoilt in any one way, refused with the place where.
 */
#include <errno.h>

#include "formats/cbor.h"
#include "formats/detect.h"
#include "tap.h"
#include "verify/cmw.h"

/* a report of version 3, and a quote of version 4 */
static const uint8_t report[1184] = { 3 }, quote[64] = { 4, 0, 2, 0, 0x81 };
static const uint8_t table[24], proof[] = "CVMGBAT1";
static const char tpm[] = "{\"message\":\"ff\",\"signature\":\"00\",\"pcrs\":[\""
	"0000000000000000000000000000000000000000000000000000000000000000\"]}";

/* ---- making CBOR, of any kind */

struct out {
	uint8_t data[8192];
	size_t len;
};

static void head(struct out *o, int major, uint64_t value)
{
	o->len += cvm_cbor_head(o->data + o->len, (enum cvm_cbor_major)major, value);
}

static void bytes(struct out *o, int major, const void *data, size_t len)
{
	head(o, major, len);
	memcpy(o->data + o->len, data, len);
	o->len += len;
}

static void text(struct out *o, const char *string)
{
	bytes(o, CVM_CBOR_TEXT, string, strlen(string));
}

static void record(struct out *o, const char *type, const void *data, size_t len)
{
	head(o, CVM_CBOR_ARRAY, 2);
	text(o, type);
	bytes(o, CVM_CBOR_BYTES, data, len);
}

static int read_cbor(const struct out *o, struct cvm_evidence_file *file, struct cvm_error *error)
{
	return cvm_evidence_file_parse(file, o->data, o->len, error);
}

static bool is(const struct cvm_blob *blob, const void *data, size_t len)
{
	return blob->data && blob->len == len && !memcmp(blob->data, data, len);
}

/* ---- heads */

static void test_heads(void)
{
	static const struct {
		uint64_t value;
		uint8_t len, bytes[9];
	} heads[] = {
		{ 0, 1, { 0x00 } }, { 23, 1, { 0x17 } }, { 24, 2, { 0x18, 24 } },
		{ 255, 2, { 0x18, 255 } }, { 256, 3, { 0x19, 1, 0 } },
		{ 65535, 3, { 0x19, 255, 255 } }, { 65536, 5, { 0x1a, 0, 1, 0, 0 } },
		{ UINT32_MAX, 5, { 0x1a, 255, 255, 255, 255 } },
		{ 1ULL << 32, 9, { 0x1b, 0, 0, 0, 1, 0, 0, 0, 0 } },
		{ UINT64_MAX, 9, { 0x1b, 255, 255, 255, 255, 255, 255, 255, 255 } },
	};
	struct cvm_format_error err;
	struct cvm_cbor_item item;
	uint8_t out[CVM_CBOR_HEAD_MAX];

	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct cvm_cbor from = { .in = { heads[i].bytes, heads[i].len } };

		check(cvm_cbor_head(out, CVM_CBOR_UINT, heads[i].value) == heads[i].len &&
		      !memcmp(out, heads[i].bytes, heads[i].len), "the head of %llu",
		      (unsigned long long)heads[i].value);
		check(!cvm_cbor_next(&from, "x", &item, &err) && item.value == heads[i].value &&
		      item.major == CVM_CBOR_UINT && from.at == heads[i].len, "read again");
		from = (struct cvm_cbor){ .in = { heads[i].bytes, heads[i].len - 1U } };
		check_is(cvm_cbor_next(&from, "x", &item, &err), -EBADMSG, "without its last byte");
	}
}

static void test_no_heads(void)
{
	/* reserved; of no length that is said; simple values and floating point; longer than all */
	static const uint8_t bad[][9] = {
		{ 0x1c }, { 0x1d }, { 0x1e }, { 0x1f }, { 0x5f }, { 0x7f }, { 0x9f }, { 0xbf },
		{ 0xe0 }, { 0xf4 }, { 0xf6 }, { 0xfa }, { 0xff }, { 0x49 }, { 0x69 },
		{ 0x5b, 255, 255, 255, 255, 255, 255, 255, 255 },
	};
	struct cvm_format_error err;
	struct cvm_cbor_item item;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct cvm_cbor from = { .in = { bad[i], sizeof(bad[i]) } };

		check_is(cvm_cbor_next(&from, "x", &item, &err), -EBADMSG, "a head that is none");
	}
}

/* ---- what is read */

static void test_records(void)
{
	struct cvm_evidence_file file;
	struct out o = { .len = 0 };

	record(&o, "application/x", report, sizeof(report));
	check(cvm_format_detect(o.data, o.len) == CVM_FORMAT_CMW, "a record is seen");
	check(!read_cbor(&o, &file, NULL) && file.type == CVM_EVIDENCE_SNP_REPORT &&
	      is(&file.report, report, sizeof(report)), "a record of whatever media type");
	cvm_evidence_file_free(&file);
	o.len = 0;
	head(&o, CVM_CBOR_ARRAY, 3);
	head(&o, CVM_CBOR_UINT, 10572);
	bytes(&o, CVM_CBOR_BYTES, quote, sizeof(quote));
	head(&o, CVM_CBOR_UINT, 5);
	check(!read_cbor(&o, &file, NULL) && file.type == CVM_EVIDENCE_TDX_QUOTE &&
	      is(&file.report, quote, sizeof(quote)), "a record of a content format");
	cvm_evidence_file_free(&file);
	o.len = 0;
	head(&o, CVM_CBOR_TAG, 0x637476a7);
	bytes(&o, CVM_CBOR_BYTES, "HCLAx", 5);
	check(cvm_format_detect(o.data, o.len) == CVM_FORMAT_CMW, "a tag is seen");
	check(!read_cbor(&o, &file, NULL) && file.type == CVM_EVIDENCE_HCL_REPORT, "a tag");
	cvm_evidence_file_free(&file);
}

static void ours(struct out *o)
{
	head(o, CVM_CBOR_MAP, 6);
	text(o, "__cmwc_t");
	text(o, "tag:example.com,2026:x");
	text(o, "certs");
	record(o, "application/mine", table, sizeof(table));
	text(o, "proof");
	record(o, "application/mine", proof, 8);
	text(o, "evidence");
	record(o, "application/mine", quote, sizeof(quote));
	text(o, "td_quote");
	record(o, "application/mine", quote, 9);
	text(o, "tpm_quote");
	record(o, "application/mine", tpm, strlen(tpm));
}

static void test_collections(void)
{
	struct cvm_evidence_file file;
	struct out o = { .len = 0 };

	ours(&o);
	check(cvm_format_detect(o.data, o.len) == CVM_FORMAT_CMW, "a collection is seen");
	check(!read_cbor(&o, &file, NULL) && is(&file.report, quote, sizeof(quote)) &&
	      is(&file.certs, table, sizeof(table)) && is(&file.td_quote, quote, 9) &&
	      is(&file.proof, proof, 8) && file.has_tpm && file.tpm.quote.pcr_count == 1,
	      "our own labels, whatever the media types");
	cvm_evidence_file_free(&file);
	o.len = 0;
	head(&o, CVM_CBOR_MAP, 4);
	head(&o, CVM_CBOR_UINT, 0);
	record(&o, "application/vnd.amd.sev-snp.attestation-report", report, sizeof(report));
	head(&o, CVM_CBOR_NEGATIVE, 0);
	record(&o, "application/vnd.amd.ghcb.guid-table", table, sizeof(table));
	text(&o, "gpu");
	record(&o, "application/vnd.gpu", "?", 1);
	head(&o, CVM_CBOR_UINT, 1);
	head(&o, CVM_CBOR_TAG, 0x637476a7);
	bytes(&o, CVM_CBOR_BYTES, "?", 1);
	check(!read_cbor(&o, &file, NULL) && is(&file.report, report, sizeof(report)) &&
	      is(&file.certs, table, sizeof(table)),
	      "somebody else's labels: by media type, and the unknown passed over");
	cvm_evidence_file_free(&file);
}

/* No prefix of one is another, and nothing may be behind it. */
static void test_cut(void)
{
	struct cvm_evidence_file file;
	struct cvm_error error;
	struct out o = { .len = 0 };
	size_t whole, read = 0;

	ours(&o);
	whole = o.len;
	for (o.len = 1; o.len < whole; o.len++) {
		file = (struct cvm_evidence_file){ 0 };
		read += cvm_cmw_read_cbor((struct cvm_span){ o.data, o.len }, &file, &error) !=
			-EBADMSG;
		cvm_evidence_file_free(&file);
	}
	check(!read, "cut anywhere, it is refused");
	o.len = whole + 1;
	check_is(read_cbor(&o, &file, &error), -EBADMSG, "a byte behind it");
	check_says(error.text, "the byte behind it", "which is named");
}

/* ---- what is not */

static void refused(struct out *o, const char *where, const char *name)
{
	struct cvm_evidence_file file = { 0 };
	struct cvm_error error = { 0 };

	check_is(cvm_cmw_read_cbor((struct cvm_span){ o->data, o->len }, &file, &error), -EBADMSG,
		 name);
	check_says(error.text, where, name);
	cvm_evidence_file_free(&file);
	o->len = 0;
}

static void member(struct out *o, const char *label, const void *data, size_t len)
{
	text(o, label);
	record(o, "application/x", data, len);
}

static void test_refused_records(void)
{
	struct out o = { .len = 0 };

	head(&o, CVM_CBOR_ARRAY, 1);
	text(&o, "application/x");
	refused(&o, "the record", "a record of one");
	head(&o, CVM_CBOR_ARRAY, 4);
	refused(&o, "the record", "a record of four");
	head(&o, CVM_CBOR_TAG, 0x63740100);
	bytes(&o, CVM_CBOR_BYTES, quote, 8);
	refused(&o, "the record", "a tag below those of content formats");
	head(&o, CVM_CBOR_TAG, 0x63750000);
	bytes(&o, CVM_CBOR_BYTES, quote, 8);
	refused(&o, "the record", "a tag above them");
	bytes(&o, CVM_CBOR_BYTES, quote, 8);
	refused(&o, "the record", "a byte string alone");
	head(&o, CVM_CBOR_ARRAY, 2);
	head(&o, CVM_CBOR_UINT, 65536);
	bytes(&o, CVM_CBOR_BYTES, quote, 8);
	refused(&o, "the media type", "a content format that is none");
	head(&o, CVM_CBOR_ARRAY, 2);
	bytes(&o, CVM_CBOR_BYTES, "a/b", 3);
	bytes(&o, CVM_CBOR_BYTES, quote, 8);
	refused(&o, "the media type", "a media type of bytes");
	head(&o, CVM_CBOR_ARRAY, 2);
	text(&o, "a/b");
	text(&o, "value");
	refused(&o, "the value", "a value of text");
	record(&o, "a/b", "", 0);
	refused(&o, "the value", "a value of nothing");
	record(&o, "a/b", "#G\xda\x55", 4);
	refused(&o, "evidence: expected an SNP report", "a value that is no evidence");
	for (uint64_t ind = 0; ind <= 1ULL << 32; ind += 1ULL << 32) {
		head(&o, CVM_CBOR_ARRAY, 3);
		text(&o, "a/b");
		bytes(&o, CVM_CBOR_BYTES, quote, 8);
		head(&o, CVM_CBOR_UINT, ind);
		refused(&o, "the indicator", "an indicator of 0, and of 33 bits");
	}
	head(&o, CVM_CBOR_ARRAY, 3);
	text(&o, "a/b");
	bytes(&o, CVM_CBOR_BYTES, quote, 8);
	head(&o, CVM_CBOR_UINT, 8);
	refused(&o, "an indicator that says so", "an attestation result");
}

static void test_refused_collections(void)
{
	static struct out o;

	head(&o, CVM_CBOR_MAP, 0);
	refused(&o, "the number of members", "a collection of nothing");
	head(&o, CVM_CBOR_MAP, CVM_CMW_MEMBERS + 1);
	refused(&o, "the number of members", "too many members");
	head(&o, CVM_CBOR_MAP, UINT64_MAX);
	refused(&o, "the number of members", "as many as there can be");
	head(&o, CVM_CBOR_MAP, 1);
	member(&o, "certs", table, sizeof(table));
	refused(&o, "CMW: expected evidence", "no evidence among them");
	head(&o, CVM_CBOR_MAP, 2);
	member(&o, "evidence", quote, 8);
	member(&o, "evidence", quote, 8);
	refused(&o, "the label", "a label twice");
	head(&o, CVM_CBOR_MAP, 2);
	member(&o, "evidence", quote, 8);
	text(&o, "another");
	record(&o, "application/vnd.cvm-guest.tdx-quote", quote, 8);
	refused(&o, "evidence: expected one of them", "two pieces of evidence");
	head(&o, CVM_CBOR_MAP, 2);
	member(&o, "tpm_quote", tpm, strlen(tpm));
	text(&o, "another");
	record(&o, "application/vnd.cvm-guest.tpm-quote+json", tpm, strlen(tpm));
	refused(&o, "tpm_quote: expected one of them", "two quotes of vTPMs");
	head(&o, CVM_CBOR_MAP, 1);
	member(&o, "tpm_quote", "{}", 2);
	refused(&o, "message", "a vTPM's quote without a message");
	head(&o, CVM_CBOR_MAP, 1);
	bytes(&o, CVM_CBOR_BYTES, "evidence", 8);
	record(&o, "a/b", quote, 8);
	refused(&o, "the label", "a label of bytes");
	head(&o, CVM_CBOR_MAP, 1);
	text(&o, "__cmwc_t");
	head(&o, CVM_CBOR_UINT, 1);
	refused(&o, "the collection's type", "a type that is a number");
	head(&o, CVM_CBOR_MAP, 1);
	text(&o, "inner");
	head(&o, CVM_CBOR_MAP, 1);
	member(&o, "evidence", quote, 8);
	refused(&o, "the record", "a collection in a collection");
}

static void test_too_long(void)
{
	static uint8_t long_record[CVM_FILE_REPORT_MAX + 64];
	struct cvm_evidence_file file = { 0 };
	struct cvm_error error;
	size_t len = 0;

	len += cvm_cbor_head(long_record, CVM_CBOR_ARRAY, 2);
	len += cvm_cbor_head(long_record + len, CVM_CBOR_UINT, 1);
	len += cvm_cbor_head(long_record + len, CVM_CBOR_BYTES, CVM_FILE_REPORT_MAX + 1);
	long_record[len] = 3;
	len += CVM_FILE_REPORT_MAX + 1;
	check_is(cvm_cmw_read_cbor((struct cvm_span){ long_record, len }, &file, &error), -EBADMSG,
		 "a report too long");
	check_says(error.text, "fewer bytes", "a report too long");
	cvm_evidence_file_free(&file);
}

/* ---- JSON */

static int read_json(const char *json, struct cvm_evidence_file *file, struct cvm_error *error)
{
	return cvm_evidence_file_parse(file, json, strlen(json), error);
}

static void refused_json(const char *json, const char *where)
{
	struct cvm_evidence_file file;
	struct cvm_error error = { 0 };

	check_is(read_json(json, &file, &error), -EBADMSG, json);
	check_says(error.text, where, json);
}

/* "BAACAIEAAAA" is a quote's first bytes, "SENMQQ" an HCL report's */
static void test_json(void)
{
	struct cvm_evidence_file file;

	check(!read_json("[\"a/b\", \"BAACAIEAAAA\"]", &file, NULL) &&
	      file.type == CVM_EVIDENCE_TDX_QUOTE && file.report.len == 8, "a record");
	cvm_evidence_file_free(&file);
	check(!read_json(" [\"a/b\", \"SENMQQ\", 4]", &file, NULL) &&
	      file.type == CVM_EVIDENCE_HCL_REPORT, "a record with an indicator");
	cvm_evidence_file_free(&file);
	check(!read_json("{\"proof\": [\"a/b\", \"Q1ZN\"], \"evidence\": [\"a/b\", \"SENMQQ\", 4], "
			 "\"__cmwc_t\": \"tag:x\", \"gpu\": [\"c/d\", \"?\", 4]}", &file, NULL) &&
	      file.report.len == 4 && is(&file.proof, "CVM", 3), "a collection");
	cvm_evidence_file_free(&file);
	check(!read_json("{\"a\": [\"application/vnd.cvm-guest.hcl-report\", \"SENMQQ\"]}", &file,
			 NULL) && file.report.len == 4, "somebody else's label");
	cvm_evidence_file_free(&file);
	refused_json("[\"a/b\"]", "media type, value");
	refused_json("[\"a/b\", \"SENMQQ\", 4, 4]", "at most 3");
	refused_json("[1, \"SENMQQ\"]", "[0]: expected a string");
	refused_json("[\"a/b\", 1]", "[1]: expected a string");
	refused_json("[\"a/b\", \"\"]", "[1]: expected base64url");
	refused_json("[\"a/b\", \"SENMQQ==\"]", "[1]: expected base64url");
	refused_json("[\"a/b\", \"SENM+Q\"]", "[1]: expected base64url");
	refused_json("[\"a/b\", \"SENMQQ\", 0]", "[2]: expected");
	refused_json("[\"a/b\", \"SENMQQ\", 4294967296]", "[2]: expected");
	refused_json("[\"a/b\", \"SENMQQ\", 1]", "an indicator that says so");
	refused_json("[\"a/b\", \"AAAA\"]", "evidence: expected an SNP report");
	refused_json("{\"certs\": [\"a/b\", \"AAAA\"]}", "CMW: expected evidence");
	refused_json("{\"evidence\": [\"a/b\", \"SENMQQ\"], \"a\": {\"b\": [\"a/b\", \"AA\"]}}",
		     "a: expected an array");
	refused_json("{\"evidence\": [\"a/b\", \"SENMQQ\"], \"evidence\": [\"a/b\", \"SENMQQ\"]}",
		     "duplicate");
	refused_json("{\"1\":[\"\"],\"2\":[\"\"],\"3\":[\"\"],\"4\":[\"\"],\"5\":[\"\"],\"6\":[\"\"],"
		     "\"7\":[\"\"],\"8\":[\"\"],\"9\":[\"\"],\"a\":[\"\"],\"b\":[\"\"],\"c\":[\"\"],"
		     "\"d\":[\"\"],\"e\":[\"\"],\"f\":[\"\"],\"g\":[\"\"],\"h\":[\"\"]}",
		     "fewer members");
}

/* Formats that begin alike are what they were. */
static void test_detected(void)
{
	/* the GUID of a VLEK, whose first bytes could be a map's */
	static const uint8_t certs[64] = {
		0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
		0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1, 48, 0, 0, 0, 1,
	};

	static const char begins[] = "{[ ";

	check(cvm_format_detect(certs, sizeof(certs)) == CVM_FORMAT_CERT_TABLE,
	      "a certificate table");
	/* a host's own, whose GUID begins as a text does, before a VLEK's */
	for (size_t i = 0; i < sizeof(begins) - 1; i++) {
		uint8_t other[88] = { begins[i], 0x4b, [16] = 72, [20] = 1 };

		memcpy(other + 24, certs, 24);
		other[24 + 16] = 73;
		check(cvm_format_detect(other, sizeof(other)) == CVM_FORMAT_CERT_TABLE,
		      "one that begins with '%c'", begins[i]);
		memset(other + 1, ' ', sizeof(other) - 1);
		check(cvm_format_detect(other, sizeof(other)) ==
		      (begins[i] == ' ' ? CVM_FORMAT_UNKNOWN : CVM_FORMAT_JSON), "a text of such");
	}
	check(cvm_format_detect("\x82\xff\xff\xff", 4) == CVM_FORMAT_UNKNOWN &&
	      cvm_format_detect("\xa1\x41\x41\x41", 4) == CVM_FORMAT_UNKNOWN &&
	      cvm_format_detect("\xda\x63\x73\x00", 4) == CVM_FORMAT_UNKNOWN, "other CBOR");
}

int main(void)
{
	test_heads();
	test_no_heads();
	test_records();
	test_collections();
	test_cut();
	test_refused_records();
	test_refused_collections();
	test_too_long();
	test_json();
	test_detected();
	return tap_end();
}
