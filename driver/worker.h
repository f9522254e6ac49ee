/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_WORKER_H
#define CVM_WORKER_H

int cvm_worker_start(void);
void cvm_worker_stop(void);

/* there may be something to do; from any context */
void cvm_worker_kick(void);

#endif /* CVM_WORKER_H */
