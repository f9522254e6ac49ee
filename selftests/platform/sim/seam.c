// SPDX-License-Identifier: GPL-2.0
/*
 * A seam: a kprobe at the entry of a function of the kernel that continues in
 * a function of ours with the same arguments, as if that had been called.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/rcupdate.h>
#include <linux/wait.h>

#include "sim.h"

static atomic_t inside = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(left);

int sim_seam_redirect(struct kprobe *probe, struct pt_regs *regs)
{
	struct sim_seam *seam = container_of(probe, struct sim_seam, probe);

	atomic_inc(&inside);
	regs->ip = (unsigned long)seam->target;
	return 1;
}
NOKPROBE_SYMBOL(sim_seam_redirect);

void sim_seam_post(struct kprobe *probe, struct pt_regs *regs, unsigned long flags)
{
}
NOKPROBE_SYMBOL(sim_seam_post);

void sim_seam_leave(void)
{
	if (atomic_dec_and_test(&inside))
		wake_up_all(&left);
}

int sim_seam_set(struct sim_seam *seam)
{
	int ret = register_kprobe(&seam->probe);

	if (ret)
		pr_err("%s: no seam here (%d)\n", seam->probe.symbol_name, ret);
	seam->set = !ret;
	return ret;
}

void sim_seam_clear(struct sim_seam *seam)
{
	if (!seam->set)
		return;
	unregister_kprobe(&seam->probe);
	if (seam->probe.nmissed)
		pr_err("%s: %lu calls were missed\n", seam->probe.symbol_name,
		       seam->probe.nmissed);
	seam->set = false;
	wait_event(left, !atomic_read(&inside));
	/* for those between sim_seam_leave() and their last instruction */
	synchronize_rcu_tasks();
}
