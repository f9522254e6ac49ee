// SPDX-License-Identifier: GPL-2.0
/*
 * How long the firmware took, measured where the guest leaves for it: T is
 * from the request to its answer. A request that was throttled or failed has
 * no T: it may not have seen the firmware.
 */
#include <linux/delay.h>
#include <linux/log2.h>
#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/sysfs.h>

#include "sim.h"

static DEFINE_RAW_SPINLOCK(lock);
static unsigned int in_flight;

static struct {
	u64 requests, sum, min, max, held, tdcalls;
	u64 counts[SIM_COUNTS];
	u64 log2[64];		/* [k]: 2^k ns <= T < 2^(k+1) ns */
	u64 cpus;		/* bits: on which the guest left, numbers from 63 on as 63 */
} stats;

static const char * const count_names[SIM_COUNTS] = {
	[SIM_BUSY] = "busy",
	[SIM_RETRY] = "retry",
	[SIM_FAILED] = "failed",
	[SIM_TDREPORT] = "tdreports",
	[SIM_RTMR] = "rtmr_extends",
	[SIM_ABANDONED] = "abandoned",
};

void sim_stats_begin(void)
{
	guard(raw_spinlock_irqsave)(&lock);
	in_flight++;
	stats.cpus |= BIT_ULL(min(smp_processor_id(), 63));
}

void sim_stats_answered(ktime_t start)
{
	u64 t = max_t(s64, ktime_to_ns(ktime_sub(ktime_get(), start)), 1);

	guard(raw_spinlock_irqsave)(&lock);
	in_flight--;
	stats.min = stats.requests ? min(stats.min, t) : t;
	stats.max = max(stats.max, t);
	stats.sum += t;
	stats.requests++;
	stats.log2[ilog2(t)]++;
}

void sim_stats_refused(enum sim_count how)
{
	guard(raw_spinlock_irqsave)(&lock);
	in_flight--;
	stats.counts[how]++;
}

void sim_stats_held(u64 ns)
{
	guard(raw_spinlock_irqsave)(&lock);
	stats.held += ns;
}

/* the TDX module's own time, which a quote needs before the host is asked */
void sim_stats_tdcall(u64 ns)
{
	guard(raw_spinlock_irqsave)(&lock);
	stats.tdcalls += ns;
}

void sim_stats_count(enum sim_count what)
{
	guard(raw_spinlock_irqsave)(&lock);
	stats.counts[what]++;
}

void sim_stats_reset(void)
{
	guard(raw_spinlock_irqsave)(&lock);
	memset(&stats, 0, sizeof(stats));
}

int sim_stats_show(char *buf)
{
	int i, n;

	guard(raw_spinlock_irqsave)(&lock);
	n = sysfs_emit(buf, "requests=%llu\nin_flight=%u\n"
		       "t_sum_ns=%llu\nt_min_ns=%llu\nt_max_ns=%llu\nheld_ns=%llu\n"
		       "tdcall_sum_ns=%llu\ncpus=%#llx\n",
		       stats.requests, in_flight, stats.sum, stats.min, stats.max,
		       stats.held, stats.tdcalls, stats.cpus);
	for (i = 0; i < SIM_COUNTS; i++)
		n += sysfs_emit_at(buf, n, "%s=%llu\n", count_names[i], stats.counts[i]);
	n += sysfs_emit_at(buf, n, "t_log2_ns=");
	for (i = 0; i < ARRAY_SIZE(stats.log2); i++)
		if (stats.log2[i])
			n += sysfs_emit_at(buf, n, "%d:%llu ", i, stats.log2[i]);
	return n + sysfs_emit_at(buf, n, "\n");
}

/*
 * Whoever sleeps here is inside what a driver takes for one instruction: no
 * signal and no stray wake_up_process() may end it. Idle, so that a long one
 * is neither load nor a hung task.
 */
void sim_delay_until(ktime_t due)
{
	while (ktime_before(ktime_get(), due)) {
		set_current_state(TASK_IDLE);
		schedule_hrtimeout_range(&due, 0, HRTIMER_MODE_ABS);
	}
}

/*
 * A vCPU that waits for the firmware is not run: nothing of it goes on, its
 * interrupts neither. What is beyond a second is slept, for the sake of the
 * guest's own watchdogs.
 */
void sim_hold_cpu(u64 ns)
{
	u64 hold = min_t(u64, ns, NSEC_PER_SEC);
	ktime_t until;

	if (ns > hold)
		sim_delay_until(ktime_add_ns(ktime_get(), ns - hold));
	scoped_guard(irqsave) {
		until = ktime_add_ns(ktime_get(), hold);
		while (ktime_before(ktime_get(), until))
			cpu_relax();
	}
	sim_stats_held(hold);
}

void sim_wait_for(const struct fw_frame *answer, ktime_t start)
{
	if (answer->flags & FW_HOLD_CPU)
		sim_hold_cpu(answer->delay_ns);
	else
		sim_delay_until(ktime_add_ns(start, answer->delay_ns));
}
