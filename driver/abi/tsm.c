// SPDX-License-Identifier: GPL-2.0-only
/*
 * The provider of configfs-tsm: /sys/kernel/config/tsm/report. The kernel has the
 * entries and their files, and asks us for a report when somebody reads one whose
 * inputs have changed. It lets one of all readers ask at a time, and the others,
 * and who makes or removes entries, wait behind him in a sleep that no signal
 * ends; so each has the default deadline, and a host that does not answer costs
 * each that, one after the other. What is slow about it is not ours to mend.
 *
 * Errors are those of the kernel's own drivers, where they have one for it.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/tsm.h>

#include "../direct.h"
#include "../platform.h"
#include "tsm.h"

static bool tsm = true;
module_param(tsm, bool, 0444);
MODULE_PARM_DESC(tsm, "configfs-tsm: provide for it, if nobody else does (default: Y)");

static char *tsm_name;
module_param(tsm_name, charp, 0444);
MODULE_PARM_DESC(tsm_name, "configfs-tsm: what the provider is called (default: sev_guest or tdx_guest, as the kernel's own; on Azure azure-snp or azure-tdx)");

/* for who reads it while the module begins */
static const char *state = "off";
static bool registered;

/* STATUS of MSG_REPORT_RSP: what was asked for is not to be had */
#define SNP_INVALID_PARAM	0x16
#define SNP_INVALID_KEY		0x27

/* the firmware's own word in its message, not that it could not be asked */
static int refused(u64 status)
{
	if (cvm_platform->id != CVM_PLATFORM_SNP || !status || status >> 32)
		return -EIO;
	return status == SNP_INVALID_PARAM || status == SNP_INVALID_KEY ?
	       -EINVAL : -ENXIO;
}

/* of an SVSM: "svsm", the only one that there is */
static int fill_service(struct cvm_req *req, const struct tsm_report *report)
{
	if (strcmp(report->desc.service_provider, "svsm"))
		return -EINVAL;
	req->service = kzalloc(sizeof(*req->service), GFP_KERNEL_ACCOUNT);
	if (!req->service)
		return -ENOMEM;
	req->service->single = !guid_is_null(&report->desc.service_guid);
	req->service->manifest_version = report->desc.service_manifest_version;
	export_guid(req->service->guid, &report->desc.service_guid);
	return 0;
}

/* as the kernel's own drivers say it */
static int familiar(int err, const struct cvm_req *req)
{
	switch (err) {
	case -EIO:
		return refused(req->status);
	case -ENOKEY:
		return -ENOTTY;
	default:
		return err;
	}
}

static int fill(struct cvm_req *req, const struct tsm_report *report)
{
	memcpy(req->report_data, report->desc.inblob, sizeof(req->report_data));
	/* nobody can write it where the platform has no services */
	if (report->desc.service_provider)
		return fill_service(req, report);
	if (cvm_platform->vmpl) {
		req->flags |= CVM_REQ_VMPL;
		req->vmpl = report->desc.privlevel;
	}
	if (cvm_platform->max_certs)
		req->flags |= CVM_REQ_CERTS;
	return 0;
}

/* the certificates are everybody's, so this reader gets a copy; the rest is his */
static int give(struct tsm_report *report, struct cvm_req *req)
{
	u32 certs_len = cvm_req_certs_len(req);

	if (certs_len) {
		report->auxblob = kvmemdup(cvm_req_certs(req), certs_len,
					   GFP_KERNEL_ACCOUNT);
		if (!report->auxblob)
			return -ENOMEM;
	}
	report->auxblob_len = certs_len;
	if (req->service) {
		report->manifestblob_len = req->service->manifest_len;
		report->manifestblob = no_free_ptr(req->service->manifest);
	}
	report->outblob_len = req->evidence_len;
	report->outblob = no_free_ptr(req->evidence);
	return 0;
}

/* by a reader of outblob or auxblob, who has the kernel's lock of all of it */
static int report_new(struct tsm_report *report, void *data)
{
	struct cvm_req *req __free(cvm_direct) = NULL;
	int ret;

	if (report->desc.inblob_len != CVM_REPORT_DATA_SIZE)
		return -EINVAL;
	req = cvm_direct_alloc(cvm_platform->batch_kind);
	if (IS_ERR(req))
		return PTR_ERR(req);
	ret = fill(req, report);
	if (ret)
		return ret;
	ret = cvm_direct_ask(req, CVM_DEFAULT_TIMEOUT_MS);
	return ret ? familiar(ret, req) : give(report, req);
}

static bool services(void)
{
	return cvm_platform->services && cvm_platform->services();
}

static bool attr_visible(int n)
{
	switch (n) {
	case TSM_REPORT_GENERATION:
	case TSM_REPORT_PROVIDER:
		return true;
	case TSM_REPORT_PRIVLEVEL:
	case TSM_REPORT_PRIVLEVEL_FLOOR:
		return cvm_platform->vmpl;
	case TSM_REPORT_SERVICE_PROVIDER:
	case TSM_REPORT_SERVICE_GUID:
	case TSM_REPORT_SERVICE_MANIFEST_VER:
		return services();
	default:
		return false;
	}
}

static bool bin_attr_visible(int n)
{
	switch (n) {
	case TSM_REPORT_INBLOB:
	case TSM_REPORT_OUTBLOB:
		return true;
	case TSM_REPORT_AUXBLOB:
		return cvm_platform->max_certs;
	case TSM_REPORT_MANIFESTBLOB:
		return services();
	default:
		return false;
	}
}

static struct tsm_report_ops ops = {
	.report_new = report_new,
	.report_attr_visible = attr_visible,
	.report_bin_attr_visible = bin_attr_visible,
};

static const char *name(void)
{
	if (tsm_name && *tsm_name)
		return tsm_name;
	switch (cvm_platform->id) {
	case CVM_PLATFORM_SNP:
		return "sev_guest";
	case CVM_PLATFORM_TDX:
		return "tdx_guest";
	default:
		return cvm_platform->name;
	}
}

void cvm_tsm_start(void)
{
	int ret;

	if (!tsm)
		return;
	ops.name = name();
	ops.privlevel_floor = cvm_platform->vmpl ? cvm_platform->vmpl() : 0;
	ret = tsm_report_register(&ops, NULL);
	registered = !ret;
	WRITE_ONCE(state, registered ? "registered" : "busy");
	if (registered)
		return;
	pr_warn("not the provider of configfs-tsm (error %d): 'cvmctl doctor' says what to remove\n",
		ret);
}

void cvm_tsm_stop(void)
{
	if (registered)
		tsm_report_unregister(&ops);
}

const char *cvm_tsm_state(void)
{
	return READ_ONCE(state);
}
