// SPDX-License-Identifier: MIT
/*
 * AMD's Key Distribution Service: "Versioned Chip Endorsement Key (VCEK) Certificate
 * and KDS Interface Specification" (publication 57230). It answers a client about once
 * in ten seconds, and with status 429 in between.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/util.h"
#include "internal.h"

/* From Turin on a chip's id has 8 bytes, and zeros behind them. */
static size_t id_length(enum cvm_snp_product product)
{
	return product == CVM_SNP_TURIN ? 8 : 64;
}

int cvm_kds_vcek(const struct cvm_fetch *f, enum cvm_snp_product product,
		 const uint8_t chip_id[64], uint64_t tcb, struct cvm_fetched *out,
		 struct cvm_error *error)
{
	struct cvm_item item = { .fresh = INT32_MAX, .read = cvm_read_vcek, .product = product,
				 .chip_id = chip_id, .tcb = tcb };
	const char *name = cvm_snp_product_name(product);
	char id[129], fmc[16] = "";
	struct cvm_snp_tcb t;

	if (cvm_snp_tcb_parse(product, tcb, &t))
		return cvm_set_error(error, -EINVAL, "the product is not known");
	cvm_hex_encode(chip_id, id_length(product), id);
	if (t.has_fmc)
		snprintf(fmc, sizeof(fmc), "fmcSPL=%02u&", t.fmc);
	snprintf(item.key, sizeof(item.key), "kds-vcek-%s-%s-%016llx", name, id,
		 (unsigned long long)tcb);
	snprintf(item.url, sizeof(item.url),
		 "%s/vcek/v1/%s/%s?%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u", f->kds,
		 name, id, fmc, t.boot_loader, t.tee, t.snp, t.microcode);
	return cvm_fetch_item(f, &item, out, error);
}

static int fetch_of_product(const struct cvm_fetch *f, struct cvm_item *item,
			    enum cvm_snp_product product, bool vlek, const char *what,
			    struct cvm_fetched *out, struct cvm_error *error)
{
	const char *key = vlek ? "vlek" : "vcek", *name = cvm_snp_product_name(product);

	snprintf(item->key, sizeof(item->key), "kds-%s-%s-%s", key, name, what);
	snprintf(item->url, sizeof(item->url), "%s/%s/v1/%s/%s", f->kds, key, name, what);
	return cvm_fetch_item(f, item, out, error);
}

int cvm_kds_chain(const struct cvm_fetch *f, enum cvm_snp_product product, bool vlek,
		  struct cvm_fetched *out, struct cvm_error *error)
{
	struct cvm_item item = { .fresh = 30 * CVM_FETCH_DAY, .read = cvm_read_chain };

	return fetch_of_product(f, &item, product, vlek, "cert_chain", out, error);
}

int cvm_kds_crl(const struct cvm_fetch *f, enum cvm_snp_product product, bool vlek,
		struct cvm_fetched *out, struct cvm_error *error)
{
	struct cvm_item item = { .fresh = CVM_FETCH_DAY, .read = cvm_read_crl };

	return fetch_of_product(f, &item, product, vlek, "crl", out, error);
}
