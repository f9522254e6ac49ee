/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM cvm_guest

#if !defined(CVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define CVM_TRACE_H

#include <linux/ktime.h>
#include <linux/tracepoint.h>

#include "request.h"

/* REPORT_DATA is not traced: it may be a nonce that somebody relies on */

TRACE_EVENT(cvm_submit,
	TP_PROTO(const struct cvm_req *req),
	TP_ARGS(req),
	TP_STRUCT__entry(
		__field(const void *, req)
		__field(u32, kind)
		__field(u32, flags)
	),
	TP_fast_assign(
		__entry->req = req;
		__entry->kind = req->kind;
		__entry->flags = req->flags;
	),
	TP_printk("req=%p kind=%u flags=%#x", __entry->req, __entry->kind,
		  __entry->flags)
);

TRACE_EVENT(cvm_freeze,
	TP_PROTO(const struct cvm_req *leader, unsigned int leaves),
	TP_ARGS(leader, leaves),
	TP_STRUCT__entry(
		__field(const void *, req)
		__field(unsigned int, leaves)
	),
	TP_fast_assign(
		__entry->req = leader;
		__entry->leaves = leaves;
	),
	TP_printk("req=%p leaves=%u", __entry->req, __entry->leaves)
);

TRACE_EVENT(cvm_issue,
	TP_PROTO(const struct cvm_req *req),
	TP_ARGS(req),
	TP_STRUCT__entry(
		__field(const void *, req)
		__field(u32, kind)
		__field(s64, waited_us)
	),
	TP_fast_assign(
		__entry->req = req;
		__entry->kind = req->kind;
		__entry->waited_us = ktime_us_delta(req->issued, req->queued);
	),
	TP_printk("req=%p kind=%u waited_us=%lld", __entry->req, __entry->kind,
		  __entry->waited_us)
);

TRACE_EVENT(cvm_complete,
	TP_PROTO(const struct cvm_req *req, int result),
	TP_ARGS(req, result),
	TP_STRUCT__entry(
		__field(const void *, req)
		__field(u32, kind)
		__field(int, result)
		__field(u64, status)
		__field(s64, took_us)
	),
	TP_fast_assign(
		__entry->req = req;
		__entry->kind = req->kind;
		__entry->result = result;
		__entry->status = req->status;
		__entry->took_us = ktime_us_delta(ktime_get(), req->issued);
	),
	TP_printk("req=%p kind=%u result=%d status=%#llx took_us=%lld",
		  __entry->req, __entry->kind, __entry->result,
		  __entry->status, __entry->took_us)
);

#endif /* CVM_TRACE_H */

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
