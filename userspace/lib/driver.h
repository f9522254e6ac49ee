/* SPDX-License-Identifier: MIT */
/* What the files that talk to the cvm-guest driver share. */
#ifndef CVM_LIB_DRIVER_H
#define CVM_LIB_DRIVER_H

#include <linux/cvm_guest.h>

struct cvm_job;

/* backend_cvm.c: all of @job but where its answer goes */
void cvm_driver_request(struct cvm_evidence_req *req, const struct cvm_job *job);

#endif /* CVM_LIB_DRIVER_H */
