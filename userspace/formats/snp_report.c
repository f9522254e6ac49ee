// SPDX-License-Identifier: MIT
#include "snp_report.h"

#define EXPECTED_SIZE		"1184 bytes, an SNP attestation report"
#define EXPECTED_VERSION	"2 to 5"

static void parse_key_info(uint32_t word, struct cvm_snp_report *r)
{
	r->author_key_en = word & 1;
	r->mask_chip_key = word >> 1 & 1;
	r->signing_key = word >> 2 & 7;
}

static void parse_guest(const uint8_t *p, struct cvm_snp_report *r)
{
	r->guest_svn = cvm_le32(p + 0x004);
	r->policy = cvm_le64(p + 0x008);
	memcpy(r->family_id, p + 0x010, sizeof(r->family_id));
	memcpy(r->image_id, p + 0x020, sizeof(r->image_id));
	r->vmpl = cvm_le32(p + 0x030);
	memcpy(r->report_data, p + 0x050, sizeof(r->report_data));
	memcpy(r->measurement, p + 0x090, sizeof(r->measurement));
	memcpy(r->host_data, p + 0x0c0, sizeof(r->host_data));
	memcpy(r->id_key_digest, p + 0x0e0, sizeof(r->id_key_digest));
	memcpy(r->author_key_digest, p + 0x110, sizeof(r->author_key_digest));
	memcpy(r->report_id, p + 0x140, sizeof(r->report_id));
	memcpy(r->report_id_ma, p + 0x160, sizeof(r->report_id_ma));
}

static struct cvm_snp_fw_version parse_fw_version(const uint8_t *p)
{
	return (struct cvm_snp_fw_version){
		.build = p[0], .minor = p[1], .major = p[2],
	};
}

static void parse_platform(const uint8_t *p, struct cvm_snp_report *r)
{
	r->current_tcb = cvm_le64(p + 0x038);
	r->platform_info = cvm_le64(p + 0x040);
	parse_key_info(cvm_le32(p + 0x048), r);
	r->reported_tcb = cvm_le64(p + 0x180);
	r->has_cpuid = r->version >= 3;
	if (r->has_cpuid) {
		r->cpuid_fam_id = p[0x188];
		r->cpuid_mod_id = p[0x189];
		r->cpuid_step = p[0x18a];
		r->product = cvm_snp_product_from_cpuid(r->cpuid_fam_id,
							r->cpuid_mod_id);
	}
	memcpy(r->chip_id, p + 0x1a0, sizeof(r->chip_id));
	r->committed_tcb = cvm_le64(p + 0x1e0);
	r->current = parse_fw_version(p + 0x1e8);
	r->committed = parse_fw_version(p + 0x1ec);
	r->launch_tcb = cvm_le64(p + 0x1f0);
	r->has_mit_vectors = r->version >= 5;
	if (r->has_mit_vectors) {
		r->launch_mit_vector = cvm_le64(p + 0x1f8);
		r->current_mit_vector = cvm_le64(p + 0x200);
	}
}

static void parse_signature(const uint8_t *p, struct cvm_snp_report *r)
{
	r->signature_algo = cvm_le32(p + 0x034);
	memcpy(r->signature_r, p + 0x2a0, sizeof(r->signature_r));
	memcpy(r->signature_s, p + 0x2e8, sizeof(r->signature_s));
	r->signature_end_zero = cvm_is_zero(p + 0x330, CVM_SNP_REPORT_SIZE - 0x330);
}

int cvm_snp_report_parse(const void *data, size_t len,
			 struct cvm_snp_report *r, struct cvm_format_error *err)
{
	const uint8_t *p = data;

	memset(r, 0, sizeof(*r));
	if (len < 4)
		return cvm_format_short(err, len, "VERSION", EXPECTED_SIZE);
	r->version = cvm_le32(p);
	if (r->version < CVM_SNP_REPORT_VERSION_MIN ||
	    r->version > CVM_SNP_REPORT_VERSION_MAX) {
		cvm_format_bad(err, 0, "VERSION", EXPECTED_VERSION, r->version);
		return -EPROTONOSUPPORT;
	}
	if (len < CVM_SNP_REPORT_SIZE)
		return cvm_format_short(err, len, "ATTESTATION_REPORT",
					EXPECTED_SIZE);
	if (len > CVM_SNP_REPORT_SIZE)
		return cvm_format_bad(err, CVM_SNP_REPORT_SIZE,
				      "the byte after ATTESTATION_REPORT",
				      "the end: " EXPECTED_SIZE,
				      p[CVM_SNP_REPORT_SIZE]);
	parse_guest(p, r);
	parse_platform(p, r);
	parse_signature(p, r);
	return 0;
}
