// SPDX-License-Identifier: MIT
/* What differs between AMD's products: publication 56860, TCB_VERSION. */
#include "snp_report.h"

enum cvm_snp_product cvm_snp_product_from_cpuid(uint8_t family, uint8_t model)
{
	if (family == 0x19 && model <= 0x0f)
		return CVM_SNP_MILAN;
	/* 0x10: Genoa; 0xa0: Bergamo and Siena, whose keys are Genoa's */
	if (family == 0x19 && ((model & 0xf0) == 0x10 || (model & 0xf0) == 0xa0))
		return CVM_SNP_GENOA;
	if (family == 0x1a && model <= 0x1f)
		return CVM_SNP_TURIN;
	return CVM_SNP_PRODUCT_UNKNOWN;
}

const char *cvm_snp_product_name(enum cvm_snp_product product)
{
	switch (product) {
	case CVM_SNP_MILAN:
		return "Milan";
	case CVM_SNP_GENOA:
		return "Genoa";
	case CVM_SNP_TURIN:
		return "Turin";
	default:
		return "unknown";
	}
}

static uint8_t byte_of(uint64_t raw, unsigned int n)
{
	return (uint8_t)(raw >> 8 * n);
}

int cvm_snp_tcb_parse(enum cvm_snp_product product, uint64_t raw,
		      struct cvm_snp_tcb *tcb)
{
	switch (product) {
	case CVM_SNP_MILAN:
	case CVM_SNP_GENOA:
		*tcb = (struct cvm_snp_tcb){
			.boot_loader = byte_of(raw, 0),
			.tee = byte_of(raw, 1),
			.snp = byte_of(raw, 6),
			.microcode = byte_of(raw, 7),
		};
		return 0;
	case CVM_SNP_TURIN:
		*tcb = (struct cvm_snp_tcb){
			.has_fmc = true,
			.fmc = byte_of(raw, 0),
			.boot_loader = byte_of(raw, 1),
			.tee = byte_of(raw, 2),
			.snp = byte_of(raw, 3),
			.microcode = byte_of(raw, 7),
		};
		return 0;
	default:
		return -EPROTONOSUPPORT;
	}
}

bool cvm_snp_tcb_equal(const struct cvm_snp_tcb *a, const struct cvm_snp_tcb *b)
{
	return a->fmc == b->fmc && a->boot_loader == b->boot_loader && a->tee == b->tee &&
	       a->snp == b->snp && a->microcode == b->microcode;
}
