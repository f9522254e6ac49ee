/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's certificate table, kept for as long as it fits the reports.
 * Called by the worker only.
 */
#ifndef CVM_SNP_CERTS_H
#define CVM_SNP_CERTS_H

#include "snp_wire.h"

struct cvm_req;

bool cvm_snp_certs_cached(void);

/* is the cached table the one for the key that signed @report? */
bool cvm_snp_certs_fit(const struct cvm_snp_report *report);

/* copies @table, which the host may still write, once; 0 or -ENOMEM */
int cvm_snp_certs_learn(const struct cvm_snp_report *report, const void *table,
			size_t len);

/* to @req, none where there is no table */
void cvm_snp_certs_give(struct cvm_req *req);

void cvm_snp_certs_forget(void);

#endif /* CVM_SNP_CERTS_H */
