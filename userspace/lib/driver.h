/* SPDX-License-Identifier: MIT */
/* What the files that talk to the cvm-guest driver share. */
#ifndef CVM_LIB_DRIVER_H
#define CVM_LIB_DRIVER_H

#include <linux/cvm_guest.h>
#include <stdint.h>

struct cvm_job;
struct cvm_source;

/* backend_cvm.c: all of @job but where its answer goes */
void cvm_driver_request(struct cvm_evidence_req *req, const struct cvm_job *job);

/* backend_cvm.c: by when a request is to be answered: ms of the monotonic clock */
int64_t cvm_driver_deadline(const struct cvm_source *source, uint32_t timeout_ms);

#endif /* CVM_LIB_DRIVER_H */
