/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Messages that a caller made: he gets their answers, not what is in them. The
 * worker's alone.
 */
#ifndef CVM_SNP_RAW_H
#define CVM_SNP_RAW_H

#include "snp_channel.h"

struct cvm_req;

/*
 * 0: @msg is the answer to @req; *@report points into it where it is a report.
 * A refusal by the firmware is an answer, too. -EBADMSG: it is none.
 * @asked: the report request, of a report
 */
int cvm_snp_raw_check(const struct cvm_req *req, const struct cvm_snp_msg *msg,
		      const struct cvm_snp_report_req *asked,
		      const struct cvm_snp_report **report);
/* gives a checked answer, and its certificates, to @req: 0 or -ENOMEM */
int cvm_snp_raw_take(struct cvm_req *req, const struct cvm_snp_msg *msg);

#endif /* CVM_SNP_RAW_H */
