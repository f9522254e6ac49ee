// SPDX-License-Identifier: GPL-2.0
/*
 * SEV-SNP: the guest request, the secrets page, and what makes the kernel
 * believe that it is a guest of that kind.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/ioport.h>
#include <linux/module.h>
#include <linux/platform_device.h>
#include <linux/psp-sev.h>
#include <linux/sev-guest.h>
#include <asm/coco.h>
#include <asm/msr-index.h>
#include <asm/sev.h>
#include <asm/svm.h>

#include "sim.h"

/* what KVM says when it could not do it; no header names it */
#define VMM_ERR_GENERIC		(~0U)

static unsigned long secrets = 0x1f000000;
module_param(secrets, ulong, 0444);
MODULE_PARM_DESC(secrets, "Physical address of two reserved pages (memmap=1M$ADDRESS)");

/* ---- the guest request ---- */

struct snp_call {
	u64 exit_code;
	struct snp_req_data *in;
	u64 *exitinfo2;
	struct sim_call answer;
	struct sim_watch *watch;
	ktime_t start;
};

static bool extended(const struct snp_call *call)
{
	return call->exit_code == SVM_VMGEXIT_EXT_GUEST_REQUEST;
}

static bool shared_page(const char *what, phys_addr_t start, size_t len)
{
	if (!PAGE_ALIGNED(start)) {
		sim_violation("guest request: %s at %llx is not page aligned", what, start);
		return false;
	}
	if (!sim_pages_are(start, len, SIM_SHARED)) {
		sim_violation("guest request: %s at %llx is not shared", what, start);
		return false;
	}
	return true;
}

/* the host cannot read or write what the guest did not share with it */
static bool operands_valid(const struct snp_call *call)
{
	const struct snp_req_data *in = call->in;
	bool ok = shared_page("request page", in->req_gpa, PAGE_SIZE) &&
		  shared_page("response page", in->resp_gpa, PAGE_SIZE);

	if (ok && in->req_gpa == in->resp_gpa) {
		sim_violation("guest request: one page %lx for request and response",
			      in->req_gpa);
		ok = false;
	}
	if (ok && extended(call) && in->data_npages)
		ok = shared_page("certificate page", in->data_gpa,
				 (size_t)in->data_npages << PAGE_SHIFT);
	return ok;
}

static int ask(struct snp_call *call)
{
	struct sim_frame *frame = sim_frame_new(FW_SNP_REQUEST, sizeof(struct fw_snp_request));
	struct fw_snp_request *request;

	if (!frame)
		return -ENOMEM;
	request = (void *)frame->payload;
	request->exit_code = call->exit_code;
	if (extended(call))
		request->data_npages = call->in->data_npages;
	memcpy(request->request, phys_to_virt(call->in->req_gpa), FW_PAGE);
	return sim_ask(frame, &call->answer);
}

/* the answer as cvm-fwd may send it; NULL: it did not */
static const struct fw_snp_answer *valid_answer(const struct snp_call *call)
{
	const struct fw_snp_answer *answer = call->answer.payload;
	size_t room = extended(call) ? (size_t)call->in->data_npages << PAGE_SHIFT : 0;

	if (call->answer.head.len < sizeof(*answer) ||
	    call->answer.head.len != sizeof(*answer) + answer->certs_len ||
	    answer->certs_len > room) {
		pr_err("a guest request was answered with %u bytes, which is no answer\n",
		       call->answer.head.len);
		return NULL;
	}
	return answer;
}

static void write_pages(struct snp_call *call, const struct fw_snp_answer *answer)
{
	const struct snp_req_data *in = call->in;

	if (!sim_pages_write(in->data_gpa, answer + 1, answer->certs_len, SIM_SHARED))
		sim_violation("guest request: certificates at %lx taken back before the answer",
			      in->data_gpa);
	if (!answer->deliver)
		return;
	if (sim_pages_write(in->resp_gpa, answer->response, FW_PAGE, SIM_SHARED))
		sim_watch_open(call->watch, phys_to_virt(in->resp_gpa));
	else
		sim_violation("guest request: response page at %lx taken back before the answer",
			      in->resp_gpa);
}

/* SW_EXITINFO2 to what snp_issue_guest_request() returns for it */
static int exit_to_errno(struct snp_call *call, const struct fw_snp_answer *answer)
{
	switch (*call->exitinfo2) {
	case 0:
		return 0;
	case SNP_GUEST_VMM_ERR(SNP_GUEST_VMM_ERR_BUSY):
		return -EAGAIN;
	case SNP_GUEST_VMM_ERR(SNP_GUEST_VMM_ERR_INVALID_LEN):
		if (!extended(call))
			return -EIO;
		call->in->data_npages = answer->data_npages;
		return -ENOSPC;
	default:
		return -EIO;
	}
}

static int finish(struct snp_call *call)
{
	const struct fw_snp_answer *answer = valid_answer(call);

	if (!answer)
		return -EIO;
	sim_wait_for(&call->answer.head, call->start);
	/* the exit itself failed: the kernel never saw an SW_EXITINFO2 */
	if (answer->es_result)
		return answer->es_result;
	write_pages(call, answer);
	*call->exitinfo2 = call->answer.head.status;
	return exit_to_errno(call, answer);
}

static int exchange(struct snp_call *call)
{
	int ret;

	call->watch = sim_watch_response(phys_to_virt(call->in->resp_gpa));
	sim_watch_close(call->watch);
	call->start = ktime_get();
	sim_stats_begin();
	ret = ask(call) ? -EIO : finish(call);
	if (ret)
		sim_stats_refused(ret == -EAGAIN ? SIM_BUSY : SIM_FAILED);
	else
		sim_stats_answered(call->start);
	kvfree(call->answer.payload);
	return ret;
}

static int guest_request(u64 exit_code, struct snp_req_data *in, u64 *exitinfo2)
{
	struct snp_call call = { .exit_code = exit_code, .in = in, .exitinfo2 = exitinfo2 };

	*exitinfo2 = SEV_RET_NO_FW_CALL;
	/* another exit that takes no operands; what KVM 6.12 says */
	if (exit_code == SVM_VMGEXIT_HV_FEATURES) {
		*exitinfo2 = GHCB_HV_FT_SNP | GHCB_HV_FT_SNP_AP_CREATION;
		return -EIO;
	}
	if (exit_code != SVM_VMGEXIT_GUEST_REQUEST && !extended(&call)) {
		sim_violation("guest request: exit code %llx", exit_code);
		return -EIO;
	}
	if (!operands_valid(&call)) {
		*exitinfo2 = SNP_GUEST_VMM_ERR(VMM_ERR_GENERIC);
		return -EIO;
	}
	return exchange(&call);
}

#ifdef SIM_HAVE_SNP_GUEST_REQ
static int fake_request(struct snp_guest_req *req)
{
	int ret = guest_request(req->exit_code, &req->input, &req->exitinfo2);

	sim_seam_leave();
	return ret;
}
#else
static int fake_request(u64 exit_code, struct snp_req_data *in,
			struct snp_guest_request_ioctl *rio)
{
	int ret = guest_request(exit_code, in, &rio->exitinfo2);

	sim_seam_leave();
	return ret;
}
#endif

static struct sim_seam seam = SIM_SEAM("snp_issue_guest_request", fake_request);

/* ---- the secrets page ---- */

/* beside the secrets page: whose it is */
struct secrets_owner {
	u8 magic[16];
	u8 boot_id[16];
};

static const u8 owner_magic[16] = "cvm-sim-secrets";

/* an address without memory behind it loses what is written */
static int keep_or_write(u8 *map, const struct fw_hello *hello)
{
	struct secrets_owner owner = {}, *kept = (void *)(map + PAGE_SIZE);

	memcpy(owner.magic, owner_magic, sizeof(owner.magic));
	memcpy(owner.boot_id, hello->boot_id, sizeof(owner.boot_id));
	/* the guest's message counters outlive our module and this kernel */
	if (!memcmp(kept, &owner, sizeof(owner)))
		return 0;
	memcpy(map, hello->secrets, FW_PAGE);
	memcpy(kept, &owner, sizeof(owner));
	wbinvd();
	return memcmp(kept, &owner, sizeof(owner)) || memcmp(map, hello->secrets, FW_PAGE) ?
	       -ENXIO : 0;
}

static int place_secrets(const struct fw_hello *hello)
{
	u8 *map;
	int ret;

	if (!PAGE_ALIGNED(secrets) ||
	    region_intersects(secrets, 2 * PAGE_SIZE, IORESOURCE_SYSTEM_RAM,
			      IORES_DESC_NONE) != REGION_DISJOINT) {
		pr_err("memory at %lx is not reserved: boot with memmap=1M$0x%lx\n",
		       secrets, secrets);
		return -EBUSY;
	}
	map = memremap(secrets, 2 * PAGE_SIZE, MEMREMAP_WB);
	if (!map)
		return -ENOMEM;
	ret = keep_or_write(map, hello);
	memunmap(map);
	if (ret)
		pr_err("there is no memory at %lx: give the VM more\n", secrets);
	return ret;
}

/* ---- what drivers look at ---- */

static struct sim_patch vendor, status, vmpl, secrets_pa;
static struct platform_device *device;

static int patch_kernel(const struct fw_hello *hello)
{
	int ret = sim_patch(&vmpl, "snp_vmpl", 0, hello->vmpl, 1);

	/* 6.1 knows VMPL 0 only, in this and in its drivers */
	if (ret && !(ret == -ENOENT && !hello->vmpl))
		return ret;
	/*
	 * Only the SNP bit, not that memory is encrypted or the guest's state
	 * protected: nothing but drivers for the guest request asks for it
	 * after boot.
	 */
	ret = sim_patch(&status, "sev_status", 0, MSR_AMD64_SEV_SNP_ENABLED, 8) ?:
	      sim_patch(&vendor, "cc_vendor", 0, CC_VENDOR_AMD, sizeof(enum cc_vendor));
	if (ret)
		pr_err("this kernel cannot be made an SNP guest (%d)\n", ret);
	return ret;
}

#ifdef SIM_HAVE_SEV_PLATFORM_DATA
static struct platform_device *add_device(void)
{
	struct sev_guest_platform_data data = { .secrets_gpa = secrets };

	return platform_device_register_data(NULL, "sev-guest", PLATFORM_DEVID_NONE,
					     &data, sizeof(data));
}
#else
static struct platform_device *add_device(void)
{
	int ret = sim_patch(&secrets_pa, "sev_secrets_pa", 0, secrets, 8);

	if (ret)
		return ERR_PTR(ret);
	return platform_device_register_simple("sev-guest", PLATFORM_DEVID_NONE, NULL, 0);
}
#endif

static int publish(void)
{
	struct platform_device *new = add_device();

	if (IS_ERR(new))
		return PTR_ERR(new);
	device = new;
	return 0;
}

int sim_snp_arm(const struct fw_hello *hello)
{
	int ret = place_secrets(hello) ?: sim_seam_set(&seam);

	/* the SVSM is there before anybody may think so */
	if (!ret && hello->vmpl)
		ret = sim_svsm_arm();
	if (!ret)
		ret = patch_kernel(hello) ?: publish();

	if (ret)
		sim_snp_disarm();
	return ret;
}

void sim_snp_disarm(void)
{
	/* its driver gives back its pages here, and may ask for the last time */
	if (device)
		platform_device_unregister(device);
	device = NULL;
	sim_unpatch(&secrets_pa);
	sim_unpatch(&vendor);
	sim_unpatch(&status);
	sim_unpatch(&vmpl);
	sim_svsm_disarm();
	sim_seam_clear(&seam);
}
