// SPDX-License-Identifier: GPL-2.0-only
#include <linux/ktime.h>
#include <linux/string.h>

#include "../blob.h"
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
	struct cvm_blob *table;
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
	cvm_blob_put(cache.table);
	cache.table = NULL;
}

int cvm_snp_certs_learn(const struct cvm_snp_report *report, const void *table,
			size_t len)
{
	struct cvm_blob *copy = cvm_blob_alloc(len);

	if (!copy)
		return -ENOMEM;
	memcpy(copy->data, table, len);
	cvm_snp_certs_forget();

	/* an empty table is not kept: the host may get its certificates later */
	len = cvm_snp_certs_len(copy->data, len);
	if (!len) {
		cvm_blob_put(copy);
		return 0;
	}
	copy->len = len;
	cache.signer = signer_of(report);
	cache.table = copy;
	cache.learned = ktime_get();
	return 0;
}

void cvm_snp_certs_give(struct cvm_req *req)
{
	if (cache.table)
		req->certs = cvm_blob_get(cache.table);
}
