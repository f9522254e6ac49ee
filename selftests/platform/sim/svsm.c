// SPDX-License-Identifier: GPL-2.0
/*
 * An SVSM, as far as the kernel calls it for evidence: snp_issue_svsm_attest_req().
 * What the kernel's own function does between its caller and the exit is done here
 * the same way: operands and their lengths in the calling area, the flag by which
 * the SVSM says that it has run, and a call that is made again for as long as the
 * SVSM is busy or not done. What stands for the SVSM looks at the operands only
 * where it would: in the calling area, and in memory that the guest keeps private.
 *
 * Not here: the calling area of each CPU, which the kernel sets up at boot, that
 * interrupts are off for as long as the kernel repeats a call, and the SVSM's other
 * protocols.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/device.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <linux/sysfs.h>
#include <asm/sev.h>

#include "sim.h"

#ifdef SIM_HAVE_SVSM

/* ---- the SVSM's side ---- */

struct attest {
	struct svsm_call *regs;
	const struct svsm_attest_call *op;	/* in the calling area */
	struct sim_call answer;
	ktime_t start;
};

static bool private_range(const char *what, const struct svsm_loc_entry *loc)
{
	if (sim_pages_are(loc->pa, loc->len, SIM_PRIVATE))
		return true;
	sim_violation("SVSM call: %s at %llx is not private memory", what, loc->pa);
	return false;
}

static bool buffer_aligned(const char *what, const struct svsm_loc_entry *loc)
{
	if (!loc->len || PAGE_ALIGNED(loc->pa))
		return true;
	sim_violation("SVSM call: %s at %llx is not page aligned", what, loc->pa);
	return false;
}

static bool buffer_private(const char *what, const struct svsm_loc_entry *loc)
{
	return !loc->len || private_range(what, loc);
}

static bool nonce_in_page(const struct svsm_loc_entry *loc)
{
	if (loc->len && loc->len <= PAGE_SIZE - offset_in_page(loc->pa))
		return true;
	sim_violation("SVSM call: nonce at %llx, %u bytes, is not in one page",
		      loc->pa, loc->len);
	return false;
}

static bool reserved_clear(const struct svsm_attest_call *op)
{
	if (!memchr_inv(op->report_buf.rsvd, 0, 4) && !memchr_inv(op->nonce.rsvd, 0, 4) &&
	    !memchr_inv(op->manifest_buf.rsvd, 0, 4) &&
	    !memchr_inv(op->certificates_buf.rsvd, 0, 4) && !memchr_inv(op->rsvd, 0, 4))
		return true;
	sim_violation("SVSM call: reserved bytes are not zero");
	return false;
}

static bool shape_valid(const struct svsm_attest_call *op)
{
	return reserved_clear(op) && nonce_in_page(&op->nonce) &&
	       buffer_aligned("report buffer", &op->report_buf) &&
	       buffer_aligned("manifest buffer", &op->manifest_buf) &&
	       buffer_aligned("certificate buffer", &op->certificates_buf);
}

static bool memory_valid(const struct svsm_attest_call *op)
{
	return private_range("nonce", &op->nonce) &&
	       buffer_private("report buffer", &op->report_buf) &&
	       buffer_private("manifest buffer", &op->manifest_buf) &&
	       buffer_private("certificate buffer", &op->certificates_buf);
}

static int ask(struct attest *call)
{
	struct sim_frame *frame = sim_frame_new(FW_SVSM_ATTEST, sizeof(struct fw_svsm_attest));
	const struct svsm_attest_call *op = call->op;
	struct fw_svsm_attest *out;

	if (!frame)
		return -ENOMEM;
	out = (void *)frame->payload;
	*out = (struct fw_svsm_attest){
		.rax = call->regs->rax, .rcx = call->regs->rcx,
		.rdx = call->regs->rdx, .r8 = call->regs->r8,
		.report_len = op->report_buf.len,
		.manifest_len = op->manifest_buf.len,
		.certs_len = op->certificates_buf.len,
		.nonce_len = op->nonce.len,
		.manifest_version = op->service_manifest_ver,
	};
	memcpy(out->nonce, phys_to_virt(op->nonce.pa),
	       min_t(u32, op->nonce.len, sizeof(out->nonce)));
	memcpy(out->guid, op->service_guid, sizeof(out->guid));
	return sim_ask(frame, &call->answer);
}

/* the answer as cvm-fwd may send it; NULL: it did not */
static const struct fw_svsm_answer *valid_answer(const struct attest *call)
{
	const struct fw_svsm_answer *answer = call->answer.payload;
	u32 len = call->answer.head.len;

	if (len < sizeof(*answer) || answer->report_len > call->op->report_buf.len ||
	    answer->manifest_len > call->op->manifest_buf.len ||
	    answer->certs_len > call->op->certificates_buf.len ||
	    len != (u64)sizeof(*answer) + answer->report_len + answer->manifest_len +
		   answer->certs_len) {
		pr_err("an SVSM call was answered with %u bytes, which is no answer\n", len);
		return NULL;
	}
	return answer;
}

static void write_buffer(const struct svsm_loc_entry *loc, const u8 **from, u32 len)
{
	if (!sim_pages_write(loc->pa, *from, len, SIM_PRIVATE))
		sim_violation("SVSM call: the buffer at %llx was given away before the answer",
			      loc->pa);
	*from += len;
}

/* true: the SVSM has run */
static bool finish(struct attest *call)
{
	const struct fw_svsm_answer *answer = valid_answer(call);
	struct svsm_call *regs = call->regs;
	const u8 *bytes = (const u8 *)(answer + 1);

	if (!answer || answer->pending)
		return false;
	sim_wait_for(&call->answer.head, call->start);
	write_buffer(&call->op->report_buf, &bytes, answer->report_len);
	write_buffer(&call->op->manifest_buf, &bytes, answer->manifest_len);
	write_buffer(&call->op->certificates_buf, &bytes, answer->certs_len);
	regs->rax_out = answer->rax;
	regs->rcx_out = answer->rcx;
	regs->rdx_out = answer->rdx;
	regs->r8_out = answer->r8;
	return true;
}

static bool exchange(struct attest *call)
{
	bool ran;

	call->start = ktime_get();
	sim_stats_begin();
	ran = !ask(call) && finish(call);
	if (ran && call->regs->rax_out == SVSM_SUCCESS)
		sim_stats_answered(call->start);
	else
		sim_stats_refused(ran && call->regs->rax_out == SVSM_ERR_BUSY ?
				  SIM_BUSY : SIM_FAILED);
	kvfree(call->answer.payload);
	return ran;
}

/* the guest has left for VMPL 0, and comes back */
static void run_svsm(struct svsm_call *regs)
{
	struct attest call = { .regs = regs, .op = phys_to_virt(regs->rcx) };

	if (!shape_valid(call.op))
		regs->rax_out = SVSM_ERR_INVALID_PARAMETER;
	else if (!memory_valid(call.op))
		regs->rax_out = SVSM_ERR_INVALID_ADDRESS;
	else if (!exchange(&call))
		return;
	regs->caa->call_pending = 0;
}

/* ---- the kernel's side ---- */

static int perform(struct svsm_call *regs)
{
	do {
		regs->rax_out = regs->rax;
		regs->rcx_out = regs->rcx;
		regs->rdx_out = regs->rdx;
		regs->r8_out = regs->r8;
		regs->r9_out = regs->r9;
		regs->caa->call_pending = 1;
		run_svsm(regs);
		if (xchg(&regs->caa->call_pending, 0))
			return -EINVAL;
	} while (regs->rax_out == SVSM_ERR_BUSY || regs->rax_out == SVSM_ERR_INCOMPLETE);
	return regs->rax_out == SVSM_SUCCESS ? 0 : -EINVAL;
}

static int call_svsm(u64 call_id, struct svsm_call *regs, struct svsm_attest_call *input)
{
	struct svsm_attest_call *op = (void *)regs->caa->svsm_buffer;
	int ret;

	*op = *input;
	regs->rax = call_id;
	regs->rcx = virt_to_phys(op);
	/* what comes back in these tells whether they are lengths */
	regs->rdx = -1;
	regs->r8 = -1;
	ret = perform(regs);
	if (regs->rcx_out != regs->rcx)
		input->manifest_buf.len = regs->rcx_out;
	if (regs->rdx_out != regs->rdx)
		input->certificates_buf.len = regs->rdx_out;
	if (regs->r8_out != regs->r8)
		input->report_buf.len = regs->r8_out;
	return ret;
}

static int attest(u64 call_id, struct svsm_call *regs, struct svsm_attest_call *input)
{
	int ret;

	if (!snp_vmpl)
		return -EINVAL;
	regs->caa = (struct svsm_ca *)get_zeroed_page(GFP_KERNEL);
	if (!regs->caa)
		return -EINVAL;
	ret = call_svsm(call_id, regs, input);
	free_page((unsigned long)regs->caa);
	regs->caa = NULL;
	return ret;
}

static int fake_attest(u64 call_id, struct svsm_call *regs, struct svsm_attest_call *input)
{
	int ret = attest(call_id, regs, input);

	sim_seam_leave();
	return ret;
}

static struct sim_seam seam = SIM_SEAM("snp_issue_svsm_attest_req", fake_attest);

/*
 * ---- what programs read: /sys/devices/system/cpu/sev/vmpl. An SNP guest has it at VMPL 0,
 * too; here it is only where there is an SVSM.
 */

static ssize_t level_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", snp_vmpl);
}

static struct device_attribute level = __ATTR(vmpl, 0444, level_show, NULL);
static struct attribute *sev_files[] = { &level.attr, NULL };
static const struct attribute_group sev_group = { .name = "sev", .attrs = sev_files };
static struct device *cpus;	/* which has that group */

static int add_level(void)
{
	struct device *root = bus_get_dev_root(&cpu_subsys);
	int ret = root ? sysfs_create_group(&root->kobj, &sev_group) : -ENODEV;

	if (ret)
		put_device(root);
	else
		cpus = root;
	return ret;
}

static void remove_level(void)
{
	if (cpus)
		sysfs_remove_group(&cpus->kobj, &sev_group);
	put_device(cpus);
	cpus = NULL;
}

int sim_svsm_arm(void)
{
	return sim_seam_set(&seam) ?: add_level();
}

void sim_svsm_disarm(void)
{
	sim_seam_clear(&seam);
	remove_level();
}

#else /* this kernel runs at VMPL 0 only */

int sim_svsm_arm(void)
{
	pr_err("this kernel cannot run under an SVSM\n");
	return -ENODEV;
}

void sim_svsm_disarm(void)
{
}

#endif
