// SPDX-License-Identifier: GPL-2.0-only
/*
 * The worker: the one thread that talks to the hardware. Callers only wait,
 * so one that is killed, or impatient, never leaves the hardware half-asked.
 */
#include <linux/cpumask.h>
#include <linux/hrtimer.h>
#include <linux/kthread.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/wait.h>

#include "batch.h"
#include "platform.h"
#include "queue.h"
#include "trace.h"
#include "worker.h"

static struct task_struct *worker;	/* under kernel_param_lock() */
static int issue_cpu = -1;		/* likewise */
static DECLARE_WAIT_QUEUE_HEAD(worker_wait);
static bool kicked;

/* where the kernel puts the thread by itself: never on isolated CPUs */
static struct cpumask any_cpu;		/* likewise; empty before the thread runs */

static int apply_issue_cpu(void)
{
	/* a thread that does not run yet will look for itself */
	if (!worker || cpumask_empty(&any_cpu))
		return 0;
	return set_cpus_allowed_ptr(worker, issue_cpu < 0 ? &any_cpu :
						cpumask_of(issue_cpu));
}

/* In the thread: kthreads are placed when they first run, whatever was set. */
static void take_place(void)
{
	kernel_param_lock(THIS_MODULE);
	cpumask_copy(&any_cpu, current->cpus_ptr);
	if (issue_cpu >= 0 && apply_issue_cpu())
		pr_warn("issue_cpu=%d cannot be used, any CPU is\n", issue_cpu);
	kernel_param_unlock(THIS_MODULE);
}

/*
 * The kernel places kthreads anew when CPUs are isolated or come and go, and
 * remembers nothing of what was chosen here. A CPU that is gone is gone.
 */
static void keep_place(void)
{
	int cpu = READ_ONCE(issue_cpu);

	if (cpu < 0 || cpu == raw_smp_processor_id() || !cpu_online(cpu))
		return;
	kernel_param_lock(THIS_MODULE);
	apply_issue_cpu();
	kernel_param_unlock(THIS_MODULE);
}

static int issue_cpu_set(const char *val, const struct kernel_param *kp)
{
	int old = issue_cpu;
	int cpu, ret;

	ret = kstrtoint(val, 0, &cpu);
	if (ret)
		return ret;
	if (cpu < -1 || cpu >= (int)nr_cpu_ids || (cpu >= 0 && !cpu_online(cpu)))
		return -EINVAL;

	WRITE_ONCE(issue_cpu, cpu);
	ret = apply_issue_cpu();
	if (ret)
		WRITE_ONCE(issue_cpu, old);
	return ret;
}

static const struct kernel_param_ops issue_cpu_ops = {
	.set = issue_cpu_set,
	.get = param_get_int,
};

module_param_cb(issue_cpu, &issue_cpu_ops, &issue_cpu, 0644);
MODULE_PARM_DESC(issue_cpu,
		 "CPU that talks to the firmware and is stalled by it, -1: any (default)");

void cvm_worker_kick(void)
{
	WRITE_ONCE(kicked, true);
	wake_up(&worker_wait);
}

/**
 * struct plan - what there is to do later
 * @next: when to look again
 * @lengths: how many must wait in each class to look before that
 */
struct plan {
	ktime_t next;
	unsigned int lengths[CVM_CLASSES];
};

/*
 * As planned, or until the end. What was queued since the queue was looked at
 * is counted by cvm_queue_listen(); whoever queues later sees what is listened
 * for, and a kick finds the flag read after it or us on the wait queue.
 */
static void worker_sleep(struct plan *plan)
{
	DEFINE_WAIT(wait);

	smp_store_mb(kicked, false);
	if (cvm_queue_listen(plan->lengths))
		return;
	prepare_to_wait(&worker_wait, &wait, TASK_IDLE);
	if (!READ_ONCE(kicked) && !kthread_should_stop())
		schedule_hrtimeout(plan->next == KTIME_MAX ? NULL : &plan->next,
				   HRTIMER_MODE_ABS);
	finish_wait(&worker_wait, &wait);
}

/*
 * May @kind be asked for now? Where the platform has no room, poll() says when;
 * where the host is not expected to let it through, *@next is lowered.
 */
static bool askable(u32 kind, ktime_t *next)
{
	ktime_t at;

	if (!(cvm_platform->kinds & BIT(kind)) || !cvm_platform->room(kind))
		return false;
	if (!cvm_platform->ready)
		return true;
	at = cvm_platform->ready(kind);
	if (!ktime_after(at, ktime_get()))
		return true;
	*next = min(*next, at);
	return false;
}

/*
 * Is a request of @kind taken to be prepared, until there is room? What is
 * prepared takes that room before anybody looks at the queue, so never past a
 * set: with a direct request always ready it would not see its turn.
 */
static bool early(u32 kind)
{
	return cvm_platform->early && (cvm_platform->kinds & BIT(kind)) &&
	       !cvm_batch_waits() && cvm_platform->early(kind);
}

/* bits of the classes that the hardware can be asked for now */
static u32 due_classes(struct plan *plan)
{
	u32 classes = 0;
	u32 kind;

	for (kind = 0; kind < CVM_KINDS; kind++) {
		if (kind == CVM_KIND_BATCH)
			continue;
		if (!askable(kind, &plan->next) && !early(kind))
			continue;
		plan->lengths[kind] = 1;
		classes |= BIT(kind);
	}
	/* no set is frozen before there is room: it would close too early */
	if (askable(cvm_platform->batch_kind, &plan->next))
		classes |= cvm_batch_due(&plan->next, plan->lengths);
	return classes;
}

static bool issue_next(struct plan *plan)
{
	struct cvm_req *req;
	int class;

	class = cvm_queue_next(due_classes(plan));
	if (class < 0)
		return false;
	if (BIT(class) & CVM_BATCH_CLASSES)
		req = cvm_batch_freeze(class);
	else
		req = cvm_queue_take(class, CVM_COMMAND);
	if (!req)
		return true;

	trace_cvm_issue(req);
	cvm_count(issued);
	cvm_platform->issue(req);
	return true;
}

static int worker_main(void *unused)
{
	struct plan plan;

	take_place();
	while (!kthread_should_stop()) {
		keep_place();
		/* what the hardware cannot be asked for wakes nobody */
		memset(plan.lengths, 0xff, sizeof(plan.lengths));
		plan.next = cvm_platform->poll();
		if (!issue_next(&plan))
			worker_sleep(&plan);
	}
	cvm_queue_close();
	cvm_platform->drain();
	return 0;
}

int cvm_worker_start(void)
{
	struct task_struct *task;

	task = kthread_create(worker_main, NULL, "cvm");
	if (IS_ERR(task))
		return PTR_ERR(task);

	cvm_queue_open();
	kernel_param_lock(THIS_MODULE);
	worker = task;
	kernel_param_unlock(THIS_MODULE);
	wake_up_process(task);
	return 0;
}

/* Idempotent: reboot comes before the module's exit, if that comes at all. */
void cvm_worker_stop(void)
{
	struct task_struct *task;

	kernel_param_lock(THIS_MODULE);
	task = worker;
	worker = NULL;
	cpumask_clear(&any_cpu);
	kernel_param_unlock(THIS_MODULE);

	if (!task)
		return;
	if (cvm_platform->leave)
		cvm_platform->leave();
	kthread_stop(task);
}
