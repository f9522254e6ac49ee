/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_TDX_QUOTE_H
#define CVM_TDX_QUOTE_H

#include <linux/ktime.h>
#include <linux/types.h>

struct cvm_req;

int cvm_tdx_quote_start(void);
void cvm_tdx_quote_stop(void);

unsigned int cvm_tdx_quote_room(void);
void cvm_tdx_quote_issue(struct cvm_req *req, const u8 *tdreport);
ktime_t cvm_tdx_quote_poll(void);
void cvm_tdx_quote_drain(void);

/* for others than the worker */
u32 cvm_tdx_quote_late(void);		/* buffers that the host is late with */
bool cvm_tdx_quote_stuck(void);		/* there is none left */
u64 cvm_tdx_quote_estimate(void);	/* nanoseconds */

#endif /* CVM_TDX_QUOTE_H */
