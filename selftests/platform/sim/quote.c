// SPDX-License-Identifier: GPL-2.0
/*
 * TDX: TDG.VP.VMCALL<GetQuote>. The call returns at once; the host owns the
 * buffer until it changes the status, which may be never.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hrtimer.h>
#include <linux/mm.h>
#include <linux/sizes.h>
#include <linux/slab.h>
#include <linux/spinlock.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include "sim.h"

#define TDREPORT_LEN		1024
#define MAX_SIZE		SZ_128K		/* QEMU's bound */

/* what the call returns, GHCI 1.5 */
#define VMCALL_SUCCESS		0ULL
#define VMCALL_RETRY		1ULL
#define VMCALL_INVALID		0x8000000000000000ULL
#define VMCALL_ALIGN_ERROR	0x8000000000000002ULL

/* the buffer's status */
#define QUOTE_IN_FLIGHT		0xffffffffffffffffULL
#define QUOTE_ERROR		0x8000000000000000ULL
#define QUOTE_UNAVAILABLE	0x8000000000000001ULL

#define EARLY_NS		NSEC_PER_MSEC	/* how much FW_EARLY is too early */

struct quote_header {
	u64 version, status;
	u32 in_len, out_len;
};

/* one GetQuote call until the host is through with its buffer */
struct quote {
	struct list_head node;
	struct sim_call call;
	struct hrtimer timer;
	struct work_struct reap;	/* frees: the timer's context must not */
	struct sim_watch *watch;
	phys_addr_t buf;
	size_t size;
	ktime_t start;
	u64 status;
	u32 out_len, data_len;
	const void *data;		/* in call.payload */
	bool early;
};

static DEFINE_RAW_SPINLOCK(lock);	/* the next two */
static LIST_HEAD(in_flight);
static unsigned int count;
static DECLARE_WAIT_QUEUE_HEAD(idle);

/* ---- the end ---- */

static void reap(struct work_struct *work)
{
	struct quote *quote = container_of(work, struct quote, reap);

	kvfree(quote->call.payload);
	kfree(quote);
	wake_up_all(&idle);
}

/* the buffer is the guest's again; true: quote is the caller's to end */
static bool leave(struct quote *quote)
{
	scoped_guard(raw_spinlock_irqsave, &lock) {
		if (list_empty(&quote->node))
			return false;
		list_del_init(&quote->node);
		count--;
	}
	return true;
}

static bool put(struct quote *quote, size_t offset, const void *from, size_t len)
{
	return sim_pages_write(quote->buf + offset, from, len, SIM_QUOTE);
}

static bool put_data(struct quote *quote)
{
	return put(quote, sizeof(struct quote_header), quote->data, quote->data_len);
}

static bool put_length(struct quote *quote)
{
	return put(quote, offsetof(struct quote_header, out_len), &quote->out_len,
		   sizeof(quote->out_len));
}

/* the last thing that the guest sees; what it may read is there by then */
static bool put_status(struct quote *quote)
{
	sim_watch_open(quote->watch, phys_to_virt(quote->buf));
	smp_wmb();
	return put(quote, offsetof(struct quote_header, status), &quote->status,
		   sizeof(quote->status));
}

/* pages that were taken back meanwhile are a violation already: write nothing */
static void complete_quote(struct quote *quote)
{
	if (put_data(quote) && put_length(quote))
		put_status(quote);
}

static enum hrtimer_restart on_time(struct hrtimer *timer)
{
	struct quote *quote = container_of(timer, struct quote, timer);

	if (quote->early) {
		quote->early = false;
		if (put_length(quote) && put_status(quote)) {
			hrtimer_forward_now(timer, ns_to_ktime(EARLY_NS));
			return HRTIMER_RESTART;
		}
	}
	/*
	 * Out of the list before the status is written: whoever sees the
	 * status may ask again, also when all places were taken.
	 */
	if (!leave(quote))
		return HRTIMER_NORESTART;
	if (quote->status == SIM_LATE)
		put_data(quote);
	else
		complete_quote(quote);
	sim_pages_release(quote->buf, quote->size);
	sim_stats_end(quote->start, false);
	queue_work(sim_queue, &quote->reap);
	return HRTIMER_NORESTART;
}
