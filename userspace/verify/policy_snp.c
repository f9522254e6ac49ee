// SPDX-License-Identifier: MIT
/* Every rule about an SNP report. */
#include <stdio.h>

#include "policy.h"

const struct cvm_flag cvm_snp_flags[] = {
	{ CVM_RULE_SNP_POLICY_DEBUG, CVM_SNP_POLICY_DEBUG, false },
	{ CVM_RULE_SNP_POLICY_MIGRATE_MA, CVM_SNP_POLICY_MIGRATE_MA, false },
	{ CVM_RULE_SNP_POLICY_SMT, CVM_SNP_POLICY_SMT, false },
	{ CVM_RULE_SNP_POLICY_SINGLE_SOCKET, CVM_SNP_POLICY_SINGLE_SOCKET, false },
	{ CVM_RULE_SNP_POLICY_CXL_ALLOW, CVM_SNP_POLICY_CXL_ALLOW, false },
	{ CVM_RULE_SNP_POLICY_MEM_AES_256_XTS, CVM_SNP_POLICY_MEM_AES_256_XTS, false },
	{ CVM_RULE_SNP_POLICY_RAPL_DIS, CVM_SNP_POLICY_RAPL_DIS, false },
	{ CVM_RULE_SNP_POLICY_CIPHERTEXT_HIDING_DRAM, CVM_SNP_POLICY_CIPHERTEXT_HIDING_DRAM,
	  false },
	{ CVM_RULE_SNP_POLICY_PAGE_SWAP_DISABLE, CVM_SNP_POLICY_PAGE_SWAP_DISABLE, false },
	{ CVM_RULE_SNP_POLICY_UNKNOWN, ~CVM_SNP_POLICY_KNOWN, false },
	{ CVM_RULE_SNP_PLATFORM_SMT_EN, CVM_SNP_PLATFORM_SMT_EN, true },
	{ CVM_RULE_SNP_PLATFORM_TSME_EN, CVM_SNP_PLATFORM_TSME_EN, true },
	{ CVM_RULE_SNP_PLATFORM_ECC_EN, CVM_SNP_PLATFORM_ECC_EN, true },
	{ CVM_RULE_SNP_PLATFORM_RAPL_DIS, CVM_SNP_PLATFORM_RAPL_DIS, true },
	{ CVM_RULE_SNP_PLATFORM_CIPHERTEXT_HIDING, CVM_SNP_PLATFORM_CIPHERTEXT_HIDING_DRAM_EN,
	  true },
	{ CVM_RULE_SNP_PLATFORM_ALIAS_CHECK, CVM_SNP_PLATFORM_ALIAS_CHECK_COMPLETE, true },
	{ CVM_RULE_SNP_PLATFORM_TIO_EN, CVM_SNP_PLATFORM_TIO_EN, true },
	{ CVM_RULE_SNP_PLATFORM_UNKNOWN, ~CVM_SNP_PLATFORM_KNOWN, true },
};

const size_t cvm_snp_flag_count = ARRAY_SIZE(cvm_snp_flags);

/* The first component of @tcb that is below @floor, or NULL */
static const char *below(const struct cvm_snp_tcb *tcb, const struct cvm_snp_tcb *floor)
{
	if (floor->has_fmc && tcb->fmc < floor->fmc)
		return "fmc";
	if (tcb->boot_loader < floor->boot_loader)
		return "boot_loader";
	if (tcb->tee < floor->tee)
		return "tee";
	if (tcb->snp < floor->snp)
		return "snp";
	return tcb->microcode < floor->microcode ? "microcode" : NULL;
}

static void judge_tcb(struct cvm_verdict *v, enum cvm_rule_id id, uint64_t raw)
{
	const char *path = cvm_rule_infos[id].path, *low;
	enum cvm_snp_product product = v->facts.product;
	const struct cvm_tcb_floors *floors = &v->policy->rule[id].tcb;
	struct cvm_snp_tcb tcb;

	if (!cvm_rule_asks(v, id))
		return;
	if (cvm_snp_tcb_parse(product, raw, &tcb) || !floors->product[product].given) {
		cvm_verdict_add(v, path, CVM_BREAK, "the policy has no lowest TCB of %s",
				cvm_snp_product_name(product));
		return;
	}
	low = below(&tcb, &floors->product[product].floor);
	if (low)
		cvm_verdict_add(v, path, CVM_BREAK, "is 0x%016llx: %s is too old",
				(unsigned long long)raw, low);
	else
		cvm_pass(v, path, "is 0x%016llx", (unsigned long long)raw);
}

static void judge_tcbs(struct cvm_verdict *v)
{
	const struct cvm_snp_report *r = &v->facts.snp;

	judge_tcb(v, CVM_RULE_SNP_TCB_REPORTED, r->reported_tcb);
	judge_tcb(v, CVM_RULE_SNP_TCB_CURRENT, r->current_tcb);
	judge_tcb(v, CVM_RULE_SNP_TCB_COMMITTED, r->committed_tcb);
	judge_tcb(v, CVM_RULE_SNP_TCB_LAUNCH, r->launch_tcb);
	cvm_judge_number(v, CVM_RULE_SNP_LAUNCH_MIT_VECTOR, r->launch_mit_vector);
	cvm_judge_number(v, CVM_RULE_SNP_CURRENT_MIT_VECTOR, r->current_mit_vector);
}

/* A VCEK's certificate names the chip where the report does not; a VLEK's never does. */
static void judge_chip(struct cvm_verdict *v, const uint8_t hwid[64])
{
	const struct cvm_rule *denied = &v->policy->rule[CVM_RULE_SNP_DENIED_CHIP_ID];
	const char *path = cvm_rule_infos[CVM_RULE_SNP_DENIED_CHIP_ID].path;

	cvm_judge_digest(v, CVM_RULE_SNP_CHIP_ID, hwid);
	if (!cvm_rule_asks(v, CVM_RULE_SNP_DENIED_CHIP_ID))
		return;
	if (denied->digests.count && cvm_is_zero(hwid, 64)) {
		cvm_verdict_add(v, path, CVM_BREAK, "nothing says which chip this is");
		return;
	}
	for (size_t i = 0; i < denied->digests.count; i++)
		if (!memcmp(denied->digests.data + 64 * i, hwid, 64)) {
			cvm_verdict_add(v, path, CVM_BREAK, "the policy refuses this chip");
			return;
		}
	cvm_pass(v, path, "the policy does not refuse this chip");
}

static void judge_identity(struct cvm_verdict *v)
{
	const struct cvm_snp_report *r = &v->facts.snp;

	cvm_judge_digest(v, CVM_RULE_SNP_MEASUREMENT, r->measurement);
	cvm_judge_digest(v, CVM_RULE_SNP_HOST_DATA, r->host_data);
	cvm_judge_digest(v, CVM_RULE_SNP_ID_KEY_DIGEST, r->id_key_digest);
	cvm_judge_digest(v, CVM_RULE_SNP_AUTHOR_KEY_DIGEST, r->author_key_digest);
	cvm_judge_digest(v, CVM_RULE_SNP_FAMILY_ID, r->family_id);
	cvm_judge_digest(v, CVM_RULE_SNP_IMAGE_ID, r->image_id);
	cvm_judge_number(v, CVM_RULE_SNP_GUEST_SVN, r->guest_svn);
	cvm_judge_number(v, CVM_RULE_SNP_VMPL, r->vmpl);
}

void cvm_judge_snp(struct cvm_verdict *v, const uint8_t hwid[64], bool vlek)
{
	const struct cvm_snp_report *r = &v->facts.snp;

	cvm_judge_word(v, CVM_RULE_SNP_PRODUCT, v->facts.product - CVM_SNP_MILAN);
	cvm_judge_word(v, CVM_RULE_SNP_SIGNING_KEY, vlek);
	if (vlek)
		cvm_judge_text(v, CVM_RULE_SNP_CSP_ID, v->facts.csp_id);
	judge_identity(v);
	for (size_t i = 0; i < cvm_snp_flag_count; i++)
		cvm_judge_flag(v, cvm_snp_flags[i].rule, cvm_snp_flags[i].bits &
			       (cvm_snp_flags[i].platform ? r->platform_info : r->policy));
	judge_tcbs(v);
	judge_chip(v, hwid);
}
