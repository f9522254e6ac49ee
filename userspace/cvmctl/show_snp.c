// SPDX-License-Identifier: MIT
/* An SNP attestation report as JSON. */
#include "show.h"

struct flag {
	const char *name;
	uint64_t bit;
};

static const struct flag policy_flags[] = {
	{ "smt", CVM_SNP_POLICY_SMT },
	{ "migrate_ma", CVM_SNP_POLICY_MIGRATE_MA },
	{ "debug", CVM_SNP_POLICY_DEBUG },
	{ "single_socket", CVM_SNP_POLICY_SINGLE_SOCKET },
	{ "cxl_allow", CVM_SNP_POLICY_CXL_ALLOW },
	{ "mem_aes_256_xts", CVM_SNP_POLICY_MEM_AES_256_XTS },
	{ "rapl_dis", CVM_SNP_POLICY_RAPL_DIS },
	{ "ciphertext_hiding_dram", CVM_SNP_POLICY_CIPHERTEXT_HIDING_DRAM },
	{ "page_swap_disable", CVM_SNP_POLICY_PAGE_SWAP_DISABLE },
};

static const struct flag platform_flags[] = {
	{ "smt_en", CVM_SNP_PLATFORM_SMT_EN },
	{ "tsme_en", CVM_SNP_PLATFORM_TSME_EN },
	{ "ecc_en", CVM_SNP_PLATFORM_ECC_EN },
	{ "rapl_dis", CVM_SNP_PLATFORM_RAPL_DIS },
	{ "ciphertext_hiding_dram_en", CVM_SNP_PLATFORM_CIPHERTEXT_HIDING_DRAM_EN },
	{ "alias_check_complete", CVM_SNP_PLATFORM_ALIAS_CHECK_COMPLETE },
	{ "tio_en", CVM_SNP_PLATFORM_TIO_EN },
};

static void add_flags(json_t *object, uint64_t raw, const struct flag *flags,
		      size_t count)
{
	for (size_t i = 0; i < count; i++)
		json_object_set_new(object, flags[i].name,
				    json_boolean((raw & flags[i].bit) != 0));
}

static json_t *show_policy(uint64_t policy)
{
	json_t *object = json_pack("{s:o, s:i, s:i}", "raw", json_hex64(policy),
				   "abi_major", (int)(policy >> 8 & 0xff),
				   "abi_minor", (int)(policy & 0xff));

	add_flags(object, policy, policy_flags, ARRAY_SIZE(policy_flags));
	return object;
}

static json_t *show_platform_info(uint64_t info)
{
	json_t *object = json_pack("{s:o}", "raw", json_hex64(info));

	add_flags(object, info, platform_flags, ARRAY_SIZE(platform_flags));
	return object;
}

/* Where the product is not known, the layout is not either: raw only. */
static json_t *show_tcb(enum cvm_snp_product product, uint64_t raw)
{
	json_t *object = json_pack("{s:o}", "raw", json_hex64(raw));
	struct cvm_snp_tcb tcb;

	if (cvm_snp_tcb_parse(product, raw, &tcb))
		return object;
	if (tcb.has_fmc)
		json_object_set_new(object, "fmc", json_integer(tcb.fmc));
	json_object_set_new(object, "boot_loader", json_integer(tcb.boot_loader));
	json_object_set_new(object, "tee", json_integer(tcb.tee));
	json_object_set_new(object, "snp", json_integer(tcb.snp));
	json_object_set_new(object, "microcode", json_integer(tcb.microcode));
	return object;
}

static json_t *show_version(struct cvm_snp_fw_version v)
{
	return json_sprintf("%u.%u.%u", v.major, v.minor, v.build);
}

static const char *signing_key_name(uint8_t key)
{
	switch (key) {
	case CVM_SNP_SIGNED_VCEK:
		return "vcek";
	case CVM_SNP_SIGNED_VLEK:
		return "vlek";
	case CVM_SNP_SIGNED_NONE:
		return "none";
	default:
		return "reserved";
	}
}

static json_t *show_guest(const struct cvm_snp_report *r)
{
	return json_pack("{s:I, s:o, s:o, s:o, s:I, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "guest_svn", (json_int_t)r->guest_svn,
			 "policy", show_policy(r->policy),
			 "family_id", cvm_json_of_hex(r->family_id, sizeof(r->family_id)),
			 "image_id", cvm_json_of_hex(r->image_id, sizeof(r->image_id)),
			 "vmpl", (json_int_t)r->vmpl,
			 "report_data", cvm_json_of_hex(r->report_data, sizeof(r->report_data)),
			 "measurement", cvm_json_of_hex(r->measurement, sizeof(r->measurement)),
			 "host_data", cvm_json_of_hex(r->host_data, sizeof(r->host_data)),
			 "id_key_digest", cvm_json_of_hex(r->id_key_digest, sizeof(r->id_key_digest)),
			 "author_key_digest",
			 cvm_json_of_hex(r->author_key_digest, sizeof(r->author_key_digest)),
			 "report_id", cvm_json_of_hex(r->report_id, sizeof(r->report_id)),
			 "report_id_ma", cvm_json_of_hex(r->report_id_ma, sizeof(r->report_id_ma)));
}

static json_t *show_platform(const struct cvm_snp_report *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			 "platform_info", show_platform_info(r->platform_info),
			 "current_tcb", show_tcb(r->product, r->current_tcb),
			 "reported_tcb", show_tcb(r->product, r->reported_tcb),
			 "committed_tcb", show_tcb(r->product, r->committed_tcb),
			 "launch_tcb", show_tcb(r->product, r->launch_tcb),
			 "current_version", show_version(r->current),
			 "committed_version", show_version(r->committed),
			 "chip_id", cvm_json_of_hex(r->chip_id, sizeof(r->chip_id)));
}

static json_t *show_signature(const struct cvm_snp_report *r)
{
	return json_pack("{s:I, s:b, s:b, s:s, s:{s:o, s:o}}",
			 "signature_algo", (json_int_t)r->signature_algo,
			 "author_key_en", r->author_key_en,
			 "mask_chip_key", r->mask_chip_key,
			 "signing_key", signing_key_name(r->signing_key),
			 "signature",
			 "r", cvm_json_of_hex(r->signature_r, sizeof(r->signature_r)),
			 "s", cvm_json_of_hex(r->signature_s, sizeof(r->signature_s)));
}

json_t *show_snp_report(const struct cvm_snp_report *r)
{
	json_t *object = json_pack("{s:s, s:I}", "type", "snp-report",
				   "version", (json_int_t)r->version);

	if (r->version < CVM_SNP_REPORT_VERSION_MIN ||
	    r->version > CVM_SNP_REPORT_VERSION_MAX)
		return object;
	json_object_update_new(object, show_guest(r));
	if (r->has_cpuid) {
		json_object_set_new(object, "product",
				    json_string(cvm_snp_product_name(r->product)));
		json_object_set_new(object, "cpuid_fam_id", json_integer(r->cpuid_fam_id));
		json_object_set_new(object, "cpuid_mod_id", json_integer(r->cpuid_mod_id));
		json_object_set_new(object, "cpuid_step", json_integer(r->cpuid_step));
	}
	json_object_update_new(object, show_platform(r));
	if (r->has_mit_vectors) {
		json_object_set_new(object, "launch_mit_vector",
				    json_hex64(r->launch_mit_vector));
		json_object_set_new(object, "current_mit_vector",
				    json_hex64(r->current_mit_vector));
	}
	json_object_update_new(object, show_signature(r));
	return object;
}
