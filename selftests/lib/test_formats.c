// SPDX-License-Identifier: GPL-2.0
/* The parsers: every field at its offset, every length, unknown versions. */
#include "parse.h"

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

static int parse_certs(const void *data, size_t len, union parsed *out,
		       struct cvm_format_error *err)
{
	return cvm_cert_table_parse(data, len, &out->certs, err);
}

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

static const char vcek_guid[] = "\x63\xda\x75\x8d\xe6\x64\x45\x64"
				"\xad\xc5\xf4\xb9\x3b\xe8\xac\xcd";

static void test_cert_table(void)
{
	struct cvm_format_error err;
	struct cvm_cert_table *t = malloc(sizeof(*t));
	uint8_t p[96] = { 0 }, many[24 * 66];

	memcpy(p, vcek_guid, 16);
	put32(p + 16, 72);
	put32(p + 20, 8);
	fill(p + 24, 16);
	put32(p + 40, 80);
	put32(p + 44, 16);
	memset(p + 48, 0, 24);
	check(!cvm_cert_table_parse(p, sizeof(p), t, &err) && t->count == 2 &&
	   t->entry[0].kind == CVM_CERT_VCEK && t->entry[0].cert.data == p + 72 &&
	   t->entry[0].cert.len == 8 && t->entry[1].kind == CVM_CERT_OTHER,
	   "certificate table: a known and an unknown kind");
	test_truncation("certificate table", parse_certs, p, sizeof(p));
	test_mutations("certificate table", parse_certs, p, sizeof(p));
	put32(p + 20, 9);
	check(cvm_cert_table_parse(p, sizeof(p), t, &err) == -EBADMSG && err.offset == 40,
	   "certificate table: two certificates that share a byte");
	put32(p + 20, 8);
	memcpy(p + 24, vcek_guid, 16);
	check(cvm_cert_table_parse(p, sizeof(p), t, &err) == -EBADMSG && err.offset == 24,
	   "certificate table: a GUID twice");
	fill(p + 24, 16);
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

/* Hosts may have entries of their own, before those that there is a document of. */
static void test_detect_table(void)
{
	uint8_t p[128] = { 0 };

	memset(p, 0xab, 16);
	put32(p + 16, 96);
	put32(p + 20, 32);
	memcpy(p + 24, vcek_guid, 16);
	check(cvm_format_detect(p, sizeof(p)) == CVM_FORMAT_CERT_TABLE,
	      "a table whose first entry is a vendor's");
	put32(p + 20, 33);
	check(cvm_format_detect(p, sizeof(p)) == CVM_FORMAT_UNKNOWN,
	      "no table: the first entry is beyond its end");
	put32(p + 20, 32);
	memset(p + 24, 0, 24);
	check(cvm_format_detect(p, sizeof(p)) == CVM_FORMAT_UNKNOWN,
	      "no table: nothing in it is of a known kind");
	memset(p + 24, 0xcd, 16);
	memset(p + 16, 0, 8);
	check(cvm_format_detect(p, 48) == CVM_FORMAT_UNKNOWN, "no table: it has no end");
}

static void test_detect(void)
{
	static const char text[] = " 0A0b\n0c\t";
	static const struct { const char *data; size_t len; enum cvm_format is; } tagged[] = {
		{ "HCLA\1\0\0\0", 8, CVM_FORMAT_HCL_REPORT }, { "HCLA", 4, CVM_FORMAT_HCL_REPORT },
		{ "CVMGBAT1\1", 9, CVM_FORMAT_PROOF }, { "CVMGBAT2\1", 9, CVM_FORMAT_UNKNOWN },
		{ "-----BEGIN X509 CRL-----", 24, CVM_FORMAT_PEM },
		{ "\x30\x82\1\0", 4, CVM_FORMAT_DER }, { " \n{", 3, CVM_FORMAT_JSON },
		{ "  ", 2, CVM_FORMAT_UNKNOWN }, { "{}", 2, CVM_FORMAT_JSON },
	};
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
	for (size_t i = 0; i < ARRAY_SIZE(tagged); i++)
		check(cvm_format_detect(tagged[i].data, tagged[i].len) == tagged[i].is,
		   "'%.*s': %s", (int)strcspn(tagged[i].data, "\1\n"), tagged[i].data,
		   cvm_format_name(tagged[i].is));
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
	test_cert_table();
	test_detect();
	test_detect_table();
	return tap_end();
}
