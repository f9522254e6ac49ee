// SPDX-License-Identifier: GPL-2.0
/*
 * The parsers: every field at its offset, every length, unknown versions.
 * Inputs are copied to allocations of exactly their length, so that a build
 * with SAN=1 sees a read of one byte too many.
 */
#include <stdlib.h>

#include "formats/cert_table.h"
#include "formats/detect.h"
#include "formats/quote.h"
#include "formats/snp_report.h"
#include "formats/tdreport.h"
#include "tap.h"

union parsed {
	struct cvm_snp_report snp;
	struct cvm_tdreport tdreport;
	struct cvm_quote quote;
	struct cvm_cert_table certs;
};

typedef int (*parser)(const void *data, size_t len, union parsed *out,
		      struct cvm_format_error *err);

static int parse_snp(const void *data, size_t len, union parsed *out,
		     struct cvm_format_error *err)
{
	return cvm_snp_report_parse(data, len, &out->snp, err);
}

static int parse_tdreport(const void *data, size_t len, union parsed *out,
			  struct cvm_format_error *err)
{
	return cvm_tdreport_parse(data, len, &out->tdreport, err);
}

static int parse_quote(const void *data, size_t len, union parsed *out,
		       struct cvm_format_error *err)
{
	return cvm_quote_parse(data, len, &out->quote, err);
}

static int parse_certs(const void *data, size_t len, union parsed *out,
		       struct cvm_format_error *err)
{
	return cvm_cert_table_parse(data, len, &out->certs, err);
}

static int parse_copy(parser parse, const void *data, size_t len,
		      struct cvm_format_error *err)
{
	void *copy = malloc(len ? len : 1);
	union parsed *out = malloc(sizeof(*out));
	char text[256];
	int ret;

	memset(err, 0, sizeof(*err));
	memcpy(copy, data, len);
	ret = parse(len ? copy : (char *)copy + 1, len, out, err);
	if (ret)
		cvm_format_error_text(err, text, sizeof(text));
	cvm_format_detect(copy, len);
	free(out);
	free(copy);
	return ret;
}

/* No byte is twice at a distance below 251, so a shifted field is noticed. */
static void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 % 251 + 1);
}

static void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)v);
	put16(p + 2, (uint16_t)(v >> 16));
}

/* Cut short anywhere, it is refused, at an offset that is in the input. */
static void test_truncation(const char *name, parser parse,
			    const uint8_t *data, size_t len)
{
	struct cvm_format_error err;
	size_t wrong = 0;

	for (size_t n = 0; n < len; n++)
		if (parse_copy(parse, data, n, &err) != -EBADMSG ||
		    err.offset > n || !err.field || !err.expected)
			wrong++;
	check(wrong == 0, "%s: cut short at each of %zu lengths, refused", name, len);
	check(parse_copy(parse, data, len, &err) == 0, "%s: whole, parsed", name);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* It only has to end, within the input. */
static void test_mutations(const char *name, parser parse,
			   const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);
	uint32_t state = 1;
	size_t wrong = 0;

	for (int round = 0; round < 5000; round++) {
		struct cvm_format_error err;
		int ret;

		memcpy(copy, data, len);
		for (uint32_t n = next_random(&state) % 4 + 1; n; n--)
			copy[next_random(&state) % len] = (uint8_t)next_random(&state);
		ret = parse_copy(parse, copy, len, &err);
		if (ret && (err.offset > len || !err.field))
			wrong++;
	}
	check(wrong == 0, "%s: 5000 random mutations", name);
	free(copy);
}

#define SAME(field, at) (!memcmp(field, p + (at), sizeof(field)))

static bool snp_guest_fields(const uint8_t *p, const struct cvm_snp_report *r)
{
	return r->guest_svn == cvm_le32(p + 4) && r->policy == cvm_le64(p + 8) &&
	       SAME(r->family_id, 0x10) && SAME(r->image_id, 0x20) &&
	       r->vmpl == cvm_le32(p + 0x30) &&
	       r->signature_algo == cvm_le32(p + 0x34) &&
	       SAME(r->report_data, 0x50) && SAME(r->measurement, 0x90) &&
	       SAME(r->host_data, 0xc0) && SAME(r->id_key_digest, 0xe0) &&
	       SAME(r->author_key_digest, 0x110) && SAME(r->report_id, 0x140) &&
	       SAME(r->report_id_ma, 0x160);
}

static bool snp_platform_fields(const uint8_t *p, const struct cvm_snp_report *r)
{
	return r->current_tcb == cvm_le64(p + 0x38) &&
	       r->platform_info == cvm_le64(p + 0x40) &&
	       r->reported_tcb == cvm_le64(p + 0x180) &&
	       SAME(r->chip_id, 0x1a0) && r->committed_tcb == cvm_le64(p + 0x1e0) &&
	       r->current.build == p[0x1e8] && r->current.minor == p[0x1e9] &&
	       r->current.major == p[0x1ea] && r->committed.build == p[0x1ec] &&
	       r->committed.minor == p[0x1ed] && r->committed.major == p[0x1ee] &&
	       r->launch_tcb == cvm_le64(p + 0x1f0) &&
	       SAME(r->signature_r, 0x2a0) && SAME(r->signature_s, 0x2e8);
}

static void test_snp_fields(void)
{
	uint8_t p[CVM_SNP_REPORT_SIZE];
	struct cvm_format_error err;
	struct cvm_snp_report r;

	fill(p, sizeof(p));
	for (uint32_t version = 2; version <= 5; version++) {
		put32(p, version);
		put32(p + 0x48, 1 << 2 | 2);
		check(!cvm_snp_report_parse(p, sizeof(p), &r, &err) &&
		   snp_guest_fields(p, &r) && snp_platform_fields(p, &r),
		   "SNP report v%u: every field is read from its offset", version);
		check(r.signing_key == 1 && r.mask_chip_key && !r.author_key_en,
		   "SNP report v%u: the word of the signing key", version);
		check(r.has_cpuid == (version >= 3) &&
		   r.cpuid_fam_id == (version >= 3 ? p[0x188] : 0) &&
		   r.cpuid_step == (version >= 3 ? p[0x18a] : 0),
		   "SNP report v%u: CPUID fields from version 3 on", version);
		check(r.has_mit_vectors == (version >= 5) &&
		   r.launch_mit_vector == (version >= 5 ? cvm_le64(p + 0x1f8) : 0) &&
		   r.current_mit_vector == (version >= 5 ? cvm_le64(p + 0x200) : 0),
		   "SNP report v%u: mitigation vectors from version 5 on", version);
	}
}

static void test_snp_versions(void)
{
	static const uint32_t unknown[] = { 0, 1, 6, 0x10002, 0xffffffff };
	uint8_t p[CVM_SNP_REPORT_SIZE + 1] = { 0 };
	struct cvm_format_error err;
	struct cvm_snp_report r;

	for (size_t i = 0; i < ARRAY_SIZE(unknown); i++) {
		put32(p, unknown[i]);
		check(cvm_snp_report_parse(p, CVM_SNP_REPORT_SIZE, &r, &err) ==
		   -EPROTONOSUPPORT && r.version == unknown[i] &&
		   err.offset == 0 && err.found == unknown[i],
		   "SNP report v%u: not known", unknown[i]);
	}
	put32(p, 3);
	check(cvm_snp_report_parse(p, sizeof(p), &r, &err) == -EBADMSG &&
	   err.offset == CVM_SNP_REPORT_SIZE, "SNP report: one byte too many");
}

static void test_products(void)
{
	static const struct { uint8_t family, model; enum cvm_snp_product is; } cases[] = {
		{ 0x19, 0x01, CVM_SNP_MILAN }, { 0x19, 0x11, CVM_SNP_GENOA },
		{ 0x19, 0xa0, CVM_SNP_GENOA }, { 0x1a, 0x02, CVM_SNP_TURIN },
		{ 0x1a, 0x11, CVM_SNP_TURIN }, { 0x19, 0x20, CVM_SNP_PRODUCT_UNKNOWN },
		{ 0x1a, 0x50, CVM_SNP_PRODUCT_UNKNOWN }, { 0x17, 0x31, CVM_SNP_PRODUCT_UNKNOWN },
	};
	struct cvm_snp_tcb t;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check(cvm_snp_product_from_cpuid(cases[i].family, cases[i].model) ==
		   cases[i].is, "family 0x%x model 0x%x is %s", cases[i].family,
		   cases[i].model, cvm_snp_product_name(cases[i].is));
	check(!cvm_snp_tcb_parse(CVM_SNP_GENOA, 0x0807060504030201, &t) &&
	   !t.has_fmc && t.boot_loader == 1 && t.tee == 2 && t.snp == 7 &&
	   t.microcode == 8, "TCB_VERSION up to Genoa");
	check(!cvm_snp_tcb_parse(CVM_SNP_TURIN, 0x0807060504030201, &t) &&
	   t.has_fmc && t.fmc == 1 && t.boot_loader == 2 && t.tee == 3 &&
	   t.snp == 4 && t.microcode == 8, "TCB_VERSION of Turin");
	check(cvm_snp_tcb_parse(CVM_SNP_PRODUCT_UNKNOWN, 1, &t) == -EPROTONOSUPPORT,
	   "TCB_VERSION of an unknown product is not taken apart");
}

static void test_tdreport(void)
{
	uint8_t p[CVM_TDREPORT_SIZE];
	struct cvm_format_error err;
	struct cvm_tdreport r;

	for (uint8_t version = 0; version <= 1; version++) {
		fill(p, sizeof(p));
		put32(p, 0x81 | (uint32_t)version << 16);
		put32(p + 256, 0x301ff);
		check(!cvm_tdreport_parse(p, sizeof(p), &r, &err) &&
		   r.version == version && SAME(r.cpusvn, 16) &&
		   SAME(r.tee_tcb_info_hash, 32) && SAME(r.tee_info_hash, 80) &&
		   SAME(r.reportdata, 128) && SAME(r.mac, 224) &&
		   SAME(r.tee_tcb_svn, 264) && SAME(r.mrseam, 280) &&
		   SAME(r.mrsignerseam, 328) &&
		   r.seam_attributes == cvm_le64(p + 376) &&
		   r.has_tee_tcb_svn2 && SAME(r.tee_tcb_svn2, 384),
		   "TDREPORT v%u: REPORTMACSTRUCT and TEE_TCB_INFO", version);
		check(r.attributes == cvm_le64(p + 512) && r.xfam == cvm_le64(p + 520) &&
		   SAME(r.mrtd, 528) && SAME(r.mrconfigid, 576) &&
		   SAME(r.mrowner, 624) && SAME(r.mrownerconfig, 672) &&
		   SAME(r.rtmr, 720) && (version ? SAME(r.servtd_hash, 912) :
		   cvm_is_zero(r.servtd_hash, sizeof(r.servtd_hash))),
		   "TDREPORT v%u: TDINFO_STRUCT", version);
		test_truncation("TDREPORT", parse_tdreport, p, sizeof(p));
		test_mutations("TDREPORT", parse_tdreport, p, sizeof(p));
	}
	put32(p + 256, 0x1ff);
	check(!cvm_tdreport_parse(p, sizeof(p), &r, &err) && !r.has_tee_tcb_svn2,
	   "TDREPORT: TEE_TCB_SVN2 only where VALID says so");
	p[2] = 2;
	check(cvm_tdreport_parse(p, sizeof(p), &r, &err) == -EPROTONOSUPPORT &&
	   err.offset == 2, "TDREPORT v2: not known");
	p[0] = 0;
	check(cvm_tdreport_parse(p, sizeof(p), &r, &err) == -EBADMSG &&
	   err.offset == 0, "TDREPORT: of SGX, refused");
}

/* An unsigned quote with certification data of @type and @size */
static size_t make_quote(uint8_t *p, uint16_t version, uint16_t body_type,
			 uint16_t type, uint32_t size, bool nested)
{
	size_t at = 48;

	fill(p, 4096);
	put16(p, version);
	put16(p + 2, 2);
	put32(p + 4, 0x81);
	if (version == 5) {
		put16(p + at, body_type);
		put32(p + at + 2, body_type == 3 ? 648 : 584);
		at += 6;
	}
	at += body_type == 3 ? 648 : 584;
	put32(p + at, 128 + 6 + (nested ? 384 + 64 + 2 + 32 + 6 : 0) + size);
	at += 4 + 128;
	if (nested) {
		put16(p + at, 6);
		put32(p + at + 2, 384 + 64 + 2 + 32 + 6 + size);
		at += 6 + 384 + 64;
		put16(p + at, 32);
		at += 2 + 32;
	}
	put16(p + at, type);
	put32(p + at + 2, size);
	return at + 6 + size;
}

static bool body_fields(const uint8_t *p, const struct cvm_td_body *b, bool td15)
{
	return SAME(b->tee_tcb_svn, 0) && SAME(b->mrseam, 16) &&
	       SAME(b->mrsignerseam, 64) && b->seamattributes == cvm_le64(p + 112) &&
	       b->tdattributes == cvm_le64(p + 120) && b->xfam == cvm_le64(p + 128) &&
	       SAME(b->mrtd, 136) && SAME(b->mrconfigid, 184) &&
	       SAME(b->mrowner, 232) && SAME(b->mrownerconfig, 280) &&
	       SAME(b->rtmr, 328) && SAME(b->reportdata, 520) &&
	       (!td15 || (SAME(b->tee_tcb_svn_2, 584) && SAME(b->mrservicetd, 600)));
}

static bool qe_fields(const uint8_t *p, const struct cvm_qe_cert *qe)
{
	return SAME(qe->qe.cpusvn, 0) && qe->qe.miscselect == cvm_le32(p + 16) &&
	       SAME(qe->qe.attributes, 48) && SAME(qe->qe.mrenclave, 64) &&
	       SAME(qe->qe.mrsigner, 128) && qe->qe.isvprodid == cvm_le16(p + 256) &&
	       qe->qe.isvsvn == cvm_le16(p + 258) && SAME(qe->qe.reportdata, 320) &&
	       qe->signature.data == p + 384 && qe->auth_data.data == p + 450 &&
	       qe->auth_data.len == 32;
}

static void test_quote(uint16_t version, uint16_t body_type)
{
	size_t body = version == 5 ? 54 : 48;
	size_t end = body + (body_type == 3 ? 648 : 584);
	struct cvm_format_error err;
	uint8_t p[4096];
	struct cvm_quote q;
	char name[32];
	size_t len = make_quote(p, version, body_type, 5, 100, true);

	snprintf(name, sizeof(name), "quote v%u body %u", version, body_type);
	check(!cvm_quote_parse(p, len, &q, &err) && q.version == version &&
	   q.body_type == body_type && SAME(q.qe_vendor_id, 12) &&
	   SAME(q.user_data, 28), "%s: header", name);
	check(body_fields(p + body, &q.body, body_type == 3), "%s: body", name);
	check(q.signed_part.len == end && q.signature.data == p + end + 4 &&
	   q.attestation_key.data == p + end + 68 && q.trailing.len == 0 &&
	   q.has_qe && q.qe.cert.type == 5 && q.qe.cert.data.len == 100 &&
	   qe_fields(p + end + 138, &q.qe), "%s: signature data", name);
	check(!cvm_quote_parse(p, len + 7, &q, &err) && q.trailing.len == 7,
	   "%s: bytes after it are told apart", name);
	test_truncation(name, parse_quote, p, len);
	test_mutations(name, parse_quote, p, len);
}

static void test_quote_refusals(void)
{
	struct cvm_format_error err;
	struct cvm_quote q;
	uint8_t p[4096];
	size_t len;

	len = make_quote(p, 3, 2, 5, 100, true);
	check(cvm_quote_parse(p, len, &q, &err) == -EPROTONOSUPPORT &&
	   err.offset == 0 && q.version == 3, "quote v3: not known");
	len = make_quote(p, 4, 2, 5, 100, true);
	put32(p + 4, 0);
	check(cvm_quote_parse(p, len, &q, &err) == -EPROTONOSUPPORT &&
	   err.offset == 4, "quote of SGX: refused");
	len = make_quote(p, 4, 2, 5, 100, true);
	put16(p + 2, 3);
	check(cvm_quote_parse(p, len, &q, &err) == -EPROTONOSUPPORT &&
	   err.offset == 2, "quote with a P-384 key: not known");
	len = make_quote(p, 5, 1, 5, 100, true);
	check(cvm_quote_parse(p, len, &q, &err) == -EPROTONOSUPPORT &&
	   err.offset == 48, "quote v5 with an enclave's body: refused");
	len = make_quote(p, 5, 3, 5, 100, true);
	put32(p + 50, 584);
	check(cvm_quote_parse(p, len, &q, &err) == -EBADMSG && err.offset == 50,
	   "quote v5 with a body of the wrong size");
	len = make_quote(p, 4, 2, 6, 100, true);
	check(cvm_quote_parse(p, len, &q, &err) == -EBADMSG,
	   "quote with type 6 inside type 6");
	len = make_quote(p, 4, 2, 5, 100, true);
	put32(p + 632, 0xffffffff);
	check(cvm_quote_parse(p, len, &q, &err) == -EBADMSG && err.offset == 632,
	   "quote with a signature longer than itself");
	len = make_quote(p, 4, 2, 5, 100, true);
	put32(p + 632, cvm_le32(p + 632) + 1);
	check(cvm_quote_parse(p, len + 1, &q, &err) == -EBADMSG,
	   "quote with a byte after its certification data");
}

static void test_cert_data(void)
{
	static const uint32_t size[] = { [1] = 36, [2] = 276, [3] = 404 };
	struct cvm_format_error err;
	struct cvm_ppid ppid;
	struct cvm_quote q;
	uint8_t p[4096];

	for (uint16_t type = 1; type <= 3; type++) {
		size_t len = make_quote(p, 4, 2, type, size[type], false);
		const uint8_t *end = p + len;

		check(!cvm_quote_parse(p, len, &q, &err) && !q.has_qe &&
		   !cvm_ppid_parse(&q.cert, &ppid, &err) &&
		   ppid.encrypted == (type != 1) &&
		   ppid.ppid.len == size[type] - 20 &&
		   !memcmp(ppid.cpusvn, end - 20, 16) &&
		   ppid.pcesvn == cvm_le16(end - 4) && ppid.pceid == cvm_le16(end - 2),
		   "certification data of type %u", type);
		make_quote(p, 4, 2, type, size[type] - 1, false);
		check(!cvm_quote_parse(p, len - 1, &q, &err) &&
		   cvm_ppid_parse(&q.cert, &ppid, &err) == -EBADMSG,
		   "certification data of type %u, a byte short", type);
	}
	for (uint16_t type = 4; type <= 7; type++) {
		size_t len = make_quote(p, 4, 2, type, 9, type != 6);

		check(cvm_quote_parse(p, len, &q, &err) == (type == 6 ? -EBADMSG : 0),
		   "certification data of type %u: %s", type, cvm_cert_data_name(type));
	}
	check(!strcmp(cvm_cert_data_name(8), "unknown"), "type 8 is not known");
}

static const char vcek_guid[] = "\x63\xda\x75\x8d\xe6\x64\x45\x64"
				"\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd";

static void test_cert_table(void)
{
	struct cvm_format_error err;
	struct cvm_cert_table *t = malloc(sizeof(*t));
	uint8_t p[96] = { 0 }, many[24 * 66];

	memcpy(p, vcek_guid, 16);
	put32(p + 16, 72);
	put32(p + 20, 24);
	fill(p + 24, 16);
	put32(p + 40, 80);
	put32(p + 44, 16);
	memset(p + 48, 0, 24);
	check(!cvm_cert_table_parse(p, sizeof(p), t, &err) && t->count == 2 &&
	   t->entry[0].kind == CVM_CERT_VCEK && t->entry[0].cert.data == p + 72 &&
	   t->entry[0].cert.len == 24 && t->entry[1].kind == CVM_CERT_OTHER,
	   "certificate table: a known and an unknown kind");
	test_truncation("certificate table", parse_certs, p, sizeof(p));
	test_mutations("certificate table", parse_certs, p, sizeof(p));
	put32(p + 20, 25);
	check(cvm_cert_table_parse(p, sizeof(p), t, &err) == -EBADMSG && err.offset == 20,
	   "certificate table: a certificate beyond its end");
	put32(p + 16, 0xfffffff0);
	check(cvm_cert_table_parse(p, sizeof(p), t, &err) == -EBADMSG && err.offset == 16,
	   "certificate table: an offset beyond its end");
	memcpy(p + 16, "\x47\0\0\0\1\0\0\0", 8);
	check(cvm_cert_table_parse(p, sizeof(p), t, &err) == -EBADMSG && err.offset == 16,
	   "certificate table: a certificate on the entries");
	memset(p, 0, sizeof(p));
	check(!cvm_cert_table_parse(p, sizeof(p), t, &err) && t->count == 0,
	   "certificate table: empty");
	memset(many, 1, sizeof(many));
	for (size_t i = 0; i < 66; i++)
		memset(many + 24 * i + 16, 0, 8);
	check(cvm_cert_table_parse(many, sizeof(many), t, &err) == -EBADMSG,
	   "certificate table: more entries than any host has");
	free(t);
}

static void test_detect(void)
{
	static const char text[] = " 0A0b\n0c\t";
	uint8_t p[64] = { 0 }, out[8];

	check(cvm_format_detect(p, 3) == CVM_FORMAT_UNKNOWN, "3 bytes are of no kind");
	check(cvm_format_detect(p, 64) == CVM_FORMAT_CERT_TABLE, "zeros: an empty table");
	put32(p, 3);
	check(cvm_format_detect(p, 4) == CVM_FORMAT_SNP_REPORT, "a report, cut short");
	put32(p, 0x10081);
	check(cvm_format_detect(p, 4) == CVM_FORMAT_TDREPORT, "a TDREPORT, cut short");
	memcpy(p, "\4\0\2\0\x99", 5);
	check(cvm_format_detect(p, 4) == CVM_FORMAT_TDX_QUOTE, "a quote, cut short");
	check(cvm_format_detect(p, 64) == CVM_FORMAT_UNKNOWN, "of no known TEE");
	memcpy(p, vcek_guid, 16);
	check(cvm_format_detect(p, 64) == CVM_FORMAT_CERT_TABLE, "a table");
	check(cvm_format_is_hex(text, sizeof(text) - 1) &&
	   cvm_format_from_hex(text, sizeof(text) - 1, out) == 3 &&
	   !memcmp(out, "\x0a\x0b\x0c", 3), "hexadecimal text with blanks");
	check(cvm_format_from_hex("0a0", 3, out) == -EBADMSG, "half a byte");
	check(!cvm_format_is_hex("0g", 2) && !cvm_format_is_hex(" \n", 2) &&
	   !cvm_format_is_hex("", 0), "no hexadecimal text");
}

int main(void)
{
	uint8_t report[CVM_SNP_REPORT_SIZE];

	fill(report, sizeof(report));
	put32(report, 5);
	test_snp_fields();
	test_snp_versions();
	test_truncation("SNP report", parse_snp, report, sizeof(report));
	test_mutations("SNP report", parse_snp, report, sizeof(report));
	test_products();
	test_tdreport();
	test_quote(4, 2);
	test_quote(5, 2);
	test_quote(5, 3);
	test_quote_refusals();
	test_cert_data();
	test_cert_table();
	test_detect();
	return tap_end();
}
