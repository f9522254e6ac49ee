// SPDX-License-Identifier: GPL-2.0-only
/*
 * Intel TDX: TDREPORT from the TDX module, and quotes through the host.
 */
#include <linux/delay.h>
#include <linux/device.h>
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/mod_devicetable.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/slab.h>

#include <asm/cpu_device_id.h>
#include <asm/cpufeature.h>
#include <asm/tdx.h>

#include "../platform.h"
#include "tdx_abi.h"
#include "tdx_quote.h"

/* The TDX module is busy for microseconds: 20 tries are 2 ms at the least. */
#define MODULE_TRIES	20
#define MODULE_PAUSE_US	100

/*
 * One page for the operands of TDG.MR.REPORT and TDG.MR.RTMR.EXTEND, which are
 * physical addresses with an alignment. Only the worker uses it, so that our
 * calls never make each other busy.
 */
static u8 *operands;
#define tdreport_operand	(operands)
#define reportdata_operand	(operands + TDX_TDREPORT_SIZE)
#define digest_operand		(reportdata_operand + TDX_REPORTDATA_SIZE)

static_assert(TDX_TDREPORT_SIZE % TDX_REPORTDATA_ALIGN == 0);
static_assert(TDX_REPORTDATA_SIZE % TDX_DIGEST_ALIGN == 0);
static_assert(CVM_RTMR_SIZE == TDX_DIGEST_SIZE);
static_assert(PAGE_SIZE % TDX_TDREPORT_ALIGN == 0);

static const struct x86_cpu_id tdx_ids[] = {
	X86_MATCH_FEATURE(X86_FEATURE_TDX_GUEST, NULL),
	{}
};
MODULE_DEVICE_TABLE(x86cpu, tdx_ids);

static bool tdx_detect(void)
{
	return x86_match_cpu(tdx_ids);
}

/*
 * The kernel's own driver registers a misc device of this name. Misc devices
 * are devices like all others, so they are members of the set that holds all
 * devices, which the platform bus's root leads to; no lock orders us against
 * somebody who loads that driver later.
 */
static bool tdx_taken(void)
{
	struct kobject *owner;

	owner = kset_find_obj(platform_bus.kobj.kset, "tdx_guest");
	kobject_put(owner);
	return owner;
}

static int tdx_start(void)
{
	int ret;

	if (tdx_taken()) {
		pr_err("the kernel's own driver has this TD: unload it first (modprobe -r tdx_guest)\n");
		return -EBUSY;
	}

	operands = (u8 *)get_zeroed_page(GFP_KERNEL);
	ret = operands ? cvm_tdx_quote_start() : -ENOMEM;
	if (ret == -ENOMEM)
		pr_err("no memory for buffers shared with the host: load the module earlier after boot\n");
	if (ret)
		free_page((unsigned long)operands);
	return ret;
}

static void tdx_stop(void)
{
	cvm_tdx_quote_stop();
	free_page((unsigned long)operands);
}

/* before another try of the TDX module, number @tries */
static void module_pause(int tries)
{
	if (!tries)
		return;
	cvm_count(retries);
	usleep_range(MODULE_PAUSE_US, 2 * MODULE_PAUSE_US);
}

/*
 * Another user of the measurements (the kernel's own driver, an RTMR being
 * extended) makes the TDX module answer "operand busy"; older kernels report
 * that as -EIO like everything else, so both are worth another try.
 */
static int make_tdreport(const u8 *report_data)
{
	int tries, ret;

	for (tries = 0; tries < MODULE_TRIES; tries++) {
		module_pause(tries);
		memcpy(reportdata_operand, report_data, TDX_REPORTDATA_SIZE);
		memset(tdreport_operand, 0, TDX_TDREPORT_SIZE);
		ret = tdx_mcall_get_report0(reportdata_operand,
					    tdreport_operand);
		if (ret != -EBUSY && ret != -EIO)
			break;
	}
	if (ret) {
		pr_warn_ratelimited("the TDX module makes no TDREPORT: %d\n",
				    ret);
		return -EIO;
	}
	if (tdreport_operand[0] != TDX_TDREPORT_TYPE ||
	    memcmp(tdreport_operand + TDX_TDREPORT_DATA, report_data,
		   TDX_REPORTDATA_SIZE)) {
		cvm_count(rejected);
		return -EBADMSG;
	}
	return 0;
}

static int give_tdreport(struct cvm_req *req)
{
	req->evidence = cvm_req_memory(req, TDX_TDREPORT_SIZE);
	if (!req->evidence)
		return -ENOMEM;

	memcpy(req->evidence, tdreport_operand, TDX_TDREPORT_SIZE);
	req->evidence_len = TDX_TDREPORT_SIZE;
	return 0;
}

/*
 * "Busy" means that nothing was done, and is the one failure after which the
 * call is made again: twice extended would be another value for good.
 */
static int extend_rtmr(const struct cvm_rtmr_ask *ask)
{
	int tries, ret = -EBUSY;

	for (tries = 0; ret == -EBUSY && tries < MODULE_TRIES; tries++) {
		module_pause(tries);
		memcpy(digest_operand, ask->digest, TDX_DIGEST_SIZE);
		ret = tdx_mcall_extend_rtmr(ask->index, digest_operand);
	}
	if (!ret || ret == -EBUSY)
		return ret;
	pr_warn_ratelimited("the TDX module does not extend RTMR %u: %d\n",
			    ask->index, ret);
	return -EIO;
}

static void tdx_issue(struct cvm_req *req)
{
	int ret;

	if (req->kind == CVM_KIND_RTMR) {
		cvm_req_finish(req, extend_rtmr(&req->rtmr));
		return;
	}
	ret = make_tdreport(req->report_data);
	if (!ret && req->kind == CVM_KIND_TDX_QUOTE) {
		cvm_tdx_quote_issue(req, tdreport_operand);
		return;
	}
	if (!ret)
		ret = give_tdreport(req);
	cvm_req_finish(req, ret);
}

/* TDX knows neither VMPLs nor a choice of keys, nor certificates */
static int tdx_check(const struct cvm_req *req)
{
	if (req->kind == CVM_KIND_RTMR && req->rtmr.index >= CVM_RTMRS)
		return -EINVAL;
	return req->flags || req->key_sel ? -EINVAL : 0;
}

/* a TDREPORT takes microseconds and waits for nothing, nor does an RTMR */
static unsigned int tdx_room(u32 kind)
{
	return kind == CVM_KIND_TDX_QUOTE ? cvm_tdx_quote_room() : 1;
}

static unsigned int tdx_early(u32 kind)
{
	return kind == CVM_KIND_TDX_QUOTE ? cvm_tdx_quote_early() : 0;
}

static ktime_t tdx_ready(u32 kind)
{
	return kind == CVM_KIND_TDX_QUOTE ? cvm_tdx_quote_ready() : 0;
}

static u32 tdx_channel(void)
{
	return cvm_tdx_quote_stuck() ? CVM_CHANNEL_PARKED : CVM_CHANNEL_READY;
}

static u32 tdx_max_inflight(void)
{
	return cvm_tdx_quote_inflight();
}

static ssize_t late_buffers_show(struct device *dev,
				 struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", cvm_tdx_quote_late());
}
static DEVICE_ATTR_RO(late_buffers);

static ssize_t estimate_us_show(struct device *dev,
				struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n",
			  div_u64(cvm_tdx_quote_estimate(), NSEC_PER_USEC));
}
static DEVICE_ATTR_RO(estimate_us);

static struct attribute *const tdx_attrs[] = {
	&dev_attr_late_buffers.attr,
	&dev_attr_estimate_us.attr,
	NULL,
};

const struct cvm_platform cvm_tdx = {
	.name = "tdx",
	.id = CVM_PLATFORM_TDX,
	.kinds = BIT(CVM_KIND_TDREPORT) | BIT(CVM_KIND_TDX_QUOTE) |
		 (CVM_EXTENDS_RTMR ? BIT(CVM_KIND_RTMR) : 0),
	.batch_kind = CVM_KIND_TDX_QUOTE,
	.max_evidence = TDX_QUOTE_MAX,
	.attrs = tdx_attrs,
	.detect = tdx_detect,
	.start = tdx_start,
	.stop = tdx_stop,
	.check = tdx_check,
	.room = tdx_room,
	.early = tdx_early,
	.ready = tdx_ready,
	.issue = tdx_issue,
	.poll = cvm_tdx_quote_poll,
	.drain = cvm_tdx_quote_drain,
	.channel = tdx_channel,
	.max_inflight = tdx_max_inflight,
};
