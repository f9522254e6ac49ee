// SPDX-License-Identifier: GPL-2.0
/*
 * TDX: the TDX module's TDG.MR.REPORT and TDG.MR.RTMR.EXTEND, and the CPU
 * feature by which drivers know that they run in a TD. Quotes: quote.c.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpu.h>
#include <linux/mm.h>
#include <asm/cpufeature.h>
#include <asm/processor.h>

#include "sim.h"

#define REPORTDATA_LEN		64
#define TDREPORT_LEN		1024
#define DIGEST_LEN		48
#define RTMR_COUNT		4

/* the high half of a TDCALL's status */
#define TDCALL_INVALID_OPERAND	0xc0000100
#define TDCALL_OPERAND_BUSY	0x80000200

/* the module takes this TD's measurement lock or says busy; it never waits */
static atomic_t measurement_lock = ATOMIC_INIT(0);

static int status_to_errno(u64 status)
{
	switch (status >> 32) {
	case 0:
		return 0;
	case TDCALL_INVALID_OPERAND:
		return SIM_TDX_INVALID;
	case TDCALL_OPERAND_BUSY:
		return SIM_TDX_BUSY;
	default:
		return -EIO;
	}
}

/* an operand is a private page's physical address, as virt_to_phys() gives it */
static bool operand_valid(const char *what, void *addr, size_t len, size_t align)
{
	if (!virt_addr_valid(addr)) {
		sim_violation("TDCALL: %s %lx is not in the direct map", what,
			      (unsigned long)addr);
		return false;
	}
	if (!IS_ALIGNED((unsigned long)addr, align)) {
		sim_violation("TDCALL: %s %lx is not aligned to %zu", what,
			      (unsigned long)addr, align);
		return false;
	}
	if (!sim_pages_are(__pa(addr), len, SIM_PRIVATE)) {
		sim_violation("TDCALL: %s %lx is not private memory", what,
			      (unsigned long)addr);
		return false;
	}
	return true;
}

/* asks, waits as long as the module takes; out[out_len], or an errno */
static int tdcall(struct sim_frame *frame, void *out, size_t out_len)
{
	ktime_t start = ktime_get();
	struct sim_call answer = {};
	int ret;

	if (atomic_xchg(&measurement_lock, 1)) {
		kvfree(frame);
		return SIM_TDX_BUSY;
	}
	ret = sim_ask(frame, &answer) ? -EIO : status_to_errno(answer.head.status);
	if (!ret && answer.head.len != out_len) {
		pr_err("a TDCALL was answered with %u bytes, not %zu\n", answer.head.len, out_len);
		ret = -EIO;
	}
	if (answer.head.delay_ns)
		sim_delay_until(ktime_add_ns(start, answer.head.delay_ns));
	if (!ret && out_len)
		memcpy(out, answer.payload, out_len);
	kvfree(answer.payload);
	atomic_set_release(&measurement_lock, 0);
	sim_stats_tdcall(ktime_to_ns(ktime_sub(ktime_get(), start)));
	return ret;
}

static int get_report(u8 *reportdata, u8 *tdreport)
{
	struct sim_frame *frame;

	if (!operand_valid("TDREPORT", tdreport, TDREPORT_LEN, TDREPORT_LEN) ||
	    !operand_valid("REPORTDATA", reportdata, REPORTDATA_LEN, REPORTDATA_LEN))
		return SIM_TDX_INVALID;
	frame = sim_frame_new(FW_TDX_REPORT, REPORTDATA_LEN);
	if (!frame)
		return -EIO;
	memcpy(frame->payload, reportdata, REPORTDATA_LEN);
	sim_stats_count(SIM_TDREPORT);
	return tdcall(frame, tdreport, TDREPORT_LEN);
}

static int extend_rtmr(u8 index, u8 *data)
{
	struct sim_frame *frame;
	u32 number = index;

	if (!operand_valid("RTMR data", data, DIGEST_LEN, REPORTDATA_LEN) ||
	    index >= RTMR_COUNT)
		return SIM_TDX_INVALID;
	frame = sim_frame_new(FW_TDX_RTMR, sizeof(number) + DIGEST_LEN);
	if (!frame)
		return -EIO;
	memcpy(frame->payload, &number, sizeof(number));
	memcpy(frame->payload + sizeof(number), data, DIGEST_LEN);
	sim_stats_count(SIM_RTMR);
	return tdcall(frame, NULL, 0);
}

static int fake_report(u8 *reportdata, u8 *tdreport)
{
	int ret = get_report(reportdata, tdreport);

	sim_seam_leave();
	return ret;
}

static int fake_extend(u8 index, u8 *data)
{
	int ret = extend_rtmr(index, data);

	sim_seam_leave();
	return ret;
}

static u64 fake_quote(u8 *buf, size_t size)
{
	u64 ret = sim_quote_start(buf, size);

	sim_seam_leave();
	return ret;
}

static struct sim_seam report_seam = SIM_SEAM("tdx_mcall_get_report0", fake_report);
static struct sim_seam quote_seam = SIM_SEAM("tdx_hcall_get_quote", fake_quote);
static struct sim_seam rtmr_seam = SIM_SEAM("tdx_mcall_extend_rtmr", fake_extend);

/* ---- what drivers look at ---- */

static struct sim_patch forced;

/*
 * In the feature words that x86_match_cpu() and boot_cpu_has() read. Code that
 * was patched at boot keeps its branch. What a CPU gets that comes online later
 * is in cpu_caps_set: without it boot_cpu_data would lose the bit again.
 */
static void set_feature(bool on)
{
	int cpu;

	cpus_read_lock();
	for_each_present_cpu(cpu) {
		if (on)
			set_cpu_cap(&cpu_data(cpu), X86_FEATURE_TDX_GUEST);
		else
			clear_bit(X86_FEATURE_TDX_GUEST,
				  (unsigned long *)cpu_data(cpu).x86_capability);
	}
	if (on)
		set_cpu_cap(&boot_cpu_data, X86_FEATURE_TDX_GUEST);
	else
		clear_bit(X86_FEATURE_TDX_GUEST,
			  (unsigned long *)boot_cpu_data.x86_capability);
	cpus_read_unlock();
}

static int force_feature(void)
{
	unsigned int word = X86_FEATURE_TDX_GUEST / 32;
	unsigned long addr = sim_symbol("cpu_caps_set");
	u32 old;

	if (!addr)
		return -ENOENT;
	old = ((u32 *)addr)[word];
	return sim_patch(&forced, "cpu_caps_set", word * sizeof(u32),
			 old | BIT(X86_FEATURE_TDX_GUEST % 32), sizeof(u32));
}

int sim_tdx_arm(const struct fw_hello *hello)
{
	int ret = -EOPNOTSUPP;

	if (!sim_symbol("tdx_hcall_get_quote")) {
		pr_err("this kernel has no TDX guest support\n");
		return ret;
	}
	ret = sim_seam_set(&report_seam) ?: sim_seam_set(&quote_seam);
	if (!ret && sim_symbol("tdx_mcall_extend_rtmr"))
		ret = sim_seam_set(&rtmr_seam);
	ret = ret ?: force_feature();
	if (ret) {
		sim_tdx_disarm();
		return ret;
	}
	set_feature(true);
	return 0;
}

void sim_tdx_disarm(void)
{
	set_feature(false);
	sim_unpatch(&forced);
	sim_seam_clear(&rtmr_seam);
	sim_seam_clear(&quote_seam);
	sim_seam_clear(&report_seam);
	sim_quote_exit();
}
