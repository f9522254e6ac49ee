// SPDX-License-Identifier: GPL-2.0
/*
 * Loading, unloading, and becoming the platform that cvm-fwd names.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <linux/workqueue.h>

#include "sim.h"

struct workqueue_struct *sim_queue;

static DEFINE_MUTEX(lock);
static struct fw_hello hello;		/* the first; its secrets go when armed */
static bool known, ready;
static bool strict = true;
static unsigned int max_quotes = 1;

bool sim_ready(void)
{
	return READ_ONCE(ready);
}

bool sim_strict(void)
{
	return READ_ONCE(strict);
}

void sim_set_strict(bool on)
{
	WRITE_ONCE(strict, on);
}

unsigned int sim_max_quotes(void)
{
	return READ_ONCE(max_quotes);
}

/* ---- arming ---- */

/*
 * Not in cvm-fwd's own context: a driver that binds to the device may ask the
 * firmware in its probe, and cvm-fwd must be free to answer.
 */
static const struct platform {
	const char *name;
	int (*arm)(const struct fw_hello *hello);
	void (*disarm)(void);
} platforms[] = {
	[FW_PLATFORM_SNP] = { "SNP", sim_snp_arm, sim_snp_disarm },
	[FW_PLATFORM_TDX] = { "TDX", sim_tdx_arm, sim_tdx_disarm },
	[FW_PLATFORM_AZURE_SNP] = { "SNP, on Azure,", sim_azure_arm, sim_azure_disarm },
	[FW_PLATFORM_AZURE_TDX] = { "TDX, on Azure,", sim_azure_arm, sim_azure_disarm },
};

static void arm(struct work_struct *work)
{
	int ret;

	guard(mutex)(&lock);
	ret = platforms[hello.platform].arm(&hello);
	memzero_explicit(hello.secrets, sizeof(hello.secrets));
	if (ret) {
		pr_err("this is no %s guest: error %d\n", platforms[hello.platform].name, ret);
		return;
	}
	WRITE_ONCE(ready, true);
	sim_control_ready();
}

static DECLARE_WORK(arm_work, arm);

static bool valid(const struct fw_hello *new)
{
	if (new->platform == FW_PLATFORM_TDX)
		return new->max_quotes >= 1 && new->max_quotes <= FW_MAX_QUOTES;
	return new->platform >= FW_PLATFORM_SNP && new->platform <= FW_PLATFORM_AZURE_TDX &&
	       new->vmpl < 4;
}

static void greet(const struct fw_hello *new)
{
	guard(mutex)(&lock);
	if (!valid(new)) {
		pr_err("cvm-fwd's greeting makes no sense\n");
		return;
	}
	if (known && (new->platform != hello.platform ||
		      memcmp(new->boot_id, hello.boot_id, sizeof(hello.boot_id)))) {
		pr_err("another cvm-fwd: this boot's platform and keys stay the first one's\n");
		return;
	}
	WRITE_ONCE(strict, new->strict);
	WRITE_ONCE(max_quotes, new->max_quotes);
	if (known)
		return;
	known = true;
	hello = *new;
	queue_work(sim_queue, &arm_work);
}

static void on_hello(struct sim_call *call)
{
	if (!call->error && call->head.len == sizeof(struct fw_hello))
		greet(call->payload);
	else if (!call->error)
		pr_err("cvm-fwd's greeting has %u bytes, not %zu\n", call->head.len,
		       sizeof(struct fw_hello));
	if (call->payload)
		memzero_explicit(call->payload, call->head.len);
	kvfree(call->payload);
	kfree(call);
}

int sim_hello(void)
{
	struct sim_call *call = kzalloc(sizeof(*call), GFP_KERNEL);
	struct sim_frame *frame = sim_frame_new(FW_HELLO, 0);
	int ret = -ENOMEM;

	if (call && frame) {
		call->done = on_hello;
		ret = sim_send(frame, call);
		frame = NULL;
	}
	if (ret) {
		kvfree(frame);
		kfree(call);
	}
	return ret;
}

/* ---- loading ---- */

/* in order; undone in the opposite one */
static const struct step {
	int (*init)(void);
	void (*exit)(void);
} steps[] = {
	{ sim_pages_init, sim_pages_exit },
	{ sim_watch_init, sim_watch_exit },
	{ sim_control_init, sim_control_exit },
	{ sim_link_init, sim_link_exit },
};

static void undo(unsigned int done)
{
	while (done--)
		steps[done].exit();
	sim_violation_exit();
	destroy_workqueue(sim_queue);
}

static int __init sim_init(void)
{
	unsigned int i;
	int ret = sim_symbols_init();

	if (ret)
		return ret;
	sim_queue = alloc_workqueue("cvm_platform_sim", WQ_UNBOUND | WQ_HIGHPRI, 0);
	if (!sim_queue)
		return -ENOMEM;
	sim_violation_init();
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		ret = steps[i].init();
		if (ret) {
			undo(i);
			return ret;
		}
	}
	return 0;
}

static void __exit sim_exit(void)
{
	/* the link is closed, or the module would be in use */
	sim_link_exit();
	cancel_work_sync(&arm_work);
	if (ready)
		platforms[hello.platform].disarm();
	undo(ARRAY_SIZE(steps) - 1);
}

module_init(sim_init);
module_exit(sim_exit);
MODULE_DESCRIPTION("SEV-SNP and TDX as the guest kernel sees them, without the hardware");
MODULE_LICENSE("GPL");
