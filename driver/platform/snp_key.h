/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What has to be known of the firmware before it can be asked for a key, and the
 * request. The worker's alone.
 */
#ifndef CVM_SNP_KEY_H
#define CVM_SNP_KEY_H

#include "snp_wire.h"

struct cvm_req;

/*
 * A request that the firmware does not know is refused as if the host had
 * spoilt it, and would be the last one on its channel. What the firmware knows,
 * and whose key it derives from unless told, is in any report: is it known for
 * @req?
 */
bool cvm_snp_key_ready(const struct cvm_req *req);
/* @asked: for @report */
void cvm_snp_key_learn(const struct cvm_snp_report_req *asked,
		       const struct cvm_snp_report *report);
void cvm_snp_key_forget(void);

/*
 * @ask for @req, after a report: its length, and *@version of the message; or
 * -EOPNOTSUPP
 */
int cvm_snp_key_ask(const struct cvm_req *req, struct cvm_snp_key_req *ask,
		    u8 *version);

/*
 * The oldest firmware cannot be told whose key it is to derive from: the VLEK's,
 * which many chips have, if the host has loaded one. That it had not yet is what
 * a report says that is made after the key, since it cannot be unloaded.
 */
bool cvm_snp_key_doubtful(const struct cvm_snp_key_req *ask);
bool cvm_snp_key_of_chip(void);

#endif /* CVM_SNP_KEY_H */
