// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "../platform.h"
#include "snp_answer.h"
#include "snp_certs.h"

/*
 * What makes the VCEK or VLEK that signs a report: which of them, on which
 * chip, derived for which TCB.
 */
struct signer {
	u64 tcb;
	u32 key;
	u8 chip_id[64];
};

static struct {
	struct signer signer;
	void *table;
	size_t len;
	ktime_t learned;
} cache;

static struct signer signer_of(const struct cvm_snp_report *report)
{
	struct signer signer;

	/* compared as bytes, padding included */
	memset(&signer, 0, sizeof(signer));
	signer.tcb = report->reported_tcb;
	signer.key = report->key_info & CVM_SNP_KEY_INFO_SIGNER;
	memcpy(signer.chip_id, report->chip_id, sizeof(signer.chip_id));
	return signer;
}

/*
 * Providers renew certificates under the same TCB, and a host can be wrong
 * once: nothing it gave stands for good.
 */
bool cvm_snp_certs_cached(void)
{
	return cache.table &&
	       ktime_ms_delta(ktime_get(), cache.learned) < CVM_CERTS_AGE_MS;
}

bool cvm_snp_certs_fit(const struct cvm_snp_report *report)
{
	struct signer signer = signer_of(report);

	return cvm_snp_certs_cached() && !memcmp(&signer, &cache.signer, sizeof(signer));
}

void cvm_snp_certs_forget(void)
{
	kvfree(cache.table);
	cache.table = NULL;
	cache.len = 0;
}

int cvm_snp_certs_learn(const struct cvm_snp_report *report, const void *table,
			size_t len)
{
	void *copy = kvmalloc(len, GFP_KERNEL);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, table, len);
	cvm_snp_certs_forget();

	/* an empty table is not kept: the host may get its certificates later */
	len = cvm_snp_certs_len(copy, len);
	if (!len) {
		kvfree(copy);
		return 0;
	}
	cache.signer = signer_of(report);
	cache.table = copy;
	cache.len = len;
	cache.learned = ktime_get();
	return 0;
}

int cvm_snp_certs_give(struct cvm_req *req)
{
	if (!cache.table)
		return 0;
	req->certs = kvmalloc(cache.len, GFP_KERNEL);
	if (!req->certs)
		return -ENOMEM;
	memcpy(req->certs, cache.table, cache.len);
	req->certs_len = cache.len;
	return 0;
}
