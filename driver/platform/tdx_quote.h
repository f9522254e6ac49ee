/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef CVM_TDX_QUOTE_H
#define CVM_TDX_QUOTE_H

#include <linux/ktime.h>
#include <linux/types.h>

struct cvm_req;
struct tdx_quote_buf;

int cvm_tdx_quote_start(void);
void cvm_tdx_quote_stop(void);

unsigned int cvm_tdx_quote_room(void);
unsigned int cvm_tdx_quote_early(void);
ktime_t cvm_tdx_quote_ready(void);
void cvm_tdx_quote_issue(struct cvm_req *req, const u8 *tdreport);
ktime_t cvm_tdx_quote_poll(void);
void cvm_tdx_quote_drain(void);

/* a zeroed buffer that the host can write, for as long as it is shared */
int cvm_tdx_buffer_share(struct tdx_quote_buf **buf);
/* false: it is still shared, or may be, and lost */
bool cvm_tdx_buffer_unshare(struct tdx_quote_buf *buf);

/*
 * Copies the quote in @buf, which the host may still write, once, and gives it
 * to @req if it carries its REPORT_DATA. 0, -EBADMSG or -ENOMEM.
 */
int cvm_tdx_quote_take(struct cvm_req *req, const struct tdx_quote_buf *buf);

/* for others than the worker */
u32 cvm_tdx_quote_late(void);		/* buffers that the host is late with */
bool cvm_tdx_quote_stuck(void);		/* there is none left */
u32 cvm_tdx_quote_inflight(void);	/* how many are kept in flight */
u64 cvm_tdx_quote_estimate(void);	/* nanoseconds */

#endif /* CVM_TDX_QUOTE_H */
