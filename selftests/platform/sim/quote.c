// SPDX-License-Identifier: GPL-2.0
/*
 * TDX: TDG.VP.VMCALL<GetQuote>. The call returns at once; the host owns the
 * buffer until it changes the status, which may be never.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hrtimer.h>
#include <linux/io.h>
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

#define EARLY_NS		(200 * NSEC_PER_MSEC)	/* how much FW_EARLY is too early */

struct quote_header {
	u64 version, status;
	u32 in_len, out_len;
};

/* one GetQuote call until the host is through with its buffer */
struct quote {
	struct list_head node;		/* empty: the buffer is the guest's again */
	struct sim_call call;
	struct hrtimer timer;
	struct work_struct reap;
	struct sim_watch *watch;
	void *buf;
	size_t size;
	ktime_t start;
	u64 status;
	u32 out_len, data_len;
	const void *data;		/* in call.payload */
	bool early;
};

static DEFINE_RAW_SPINLOCK(lock);	/* the next two */
static LIST_HEAD(in_flight);
static unsigned int places_taken;
static atomic_t alive = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(idle);

static bool take_place(void)
{
	guard(raw_spinlock_irqsave)(&lock);
	if (places_taken >= sim_max_quotes())
		return false;
	places_taken++;
	return true;
}

static void free_place(void)
{
	guard(raw_spinlock_irqsave)(&lock);
	places_taken--;
}

/* ---- the end ---- */

/* what the timer's context must not do; waits for its handler to return */
static void reap(struct work_struct *work)
{
	struct quote *quote = container_of(work, struct quote, reap);

	hrtimer_cancel(&quote->timer);
	kvfree(quote->call.payload);
	kfree(quote);
	atomic_dec(&alive);
	wake_up_all(&idle);
}

/* true once for each quote: the caller ends it */
static bool leave(struct quote *quote)
{
	guard(raw_spinlock_irqsave)(&lock);
	if (list_empty(&quote->node))
		return false;
	list_del_init(&quote->node);
	places_taken--;
	return true;
}

static phys_addr_t at(const struct quote *quote, size_t offset)
{
	return __pa(quote->buf) + offset;
}

static void put_data(struct quote *quote, enum sim_access access)
{
	sim_pages_write(at(quote, sizeof(struct quote_header)), quote->data,
			quote->data_len, access);
}

/*
 * Everything is there before the status, and the place and the buffer are free
 * by the time it can be seen: whoever sees it may ask again at once. Where the
 * pages were taken back, which is a violation already, nothing is written.
 */
static void hand_back(struct quote *quote)
{
	struct quote_header *header = quote->buf;

	sim_pages_write(at(quote, offsetof(struct quote_header, out_len)),
			&quote->out_len, sizeof(quote->out_len), SIM_QUOTE);
	sim_watch_open(quote->watch, quote->buf);
	if (quote->status)
		sim_stats_refused(SIM_FAILED);
	else
		sim_stats_answered(quote->start);
	sim_pages_hand_back(__pa(quote->buf), quote->size, &header->status, quote->status);
}

static enum hrtimer_restart on_time(struct hrtimer *timer)
{
	struct quote *quote = container_of(timer, struct quote, timer);
	bool ours = leave(quote);

	if (ours && !quote->early)
		put_data(quote, SIM_QUOTE);
	if (ours)
		hand_back(quote);
	if (ours && quote->early) {
		hrtimer_forward_now(timer, ns_to_ktime(EARLY_NS));
		return HRTIMER_RESTART;
	}
	if (quote->early) {
		/* a host that lies writes to what it should have let go of */
		put_data(quote, SIM_HOST);
		ours = true;
	}
	if (ours)
		queue_work(sim_queue, &quote->reap);
	return HRTIMER_NORESTART;
}

/* ---- the answer ---- */

static void take_answer(struct quote *quote)
{
	const struct sim_call *call = &quote->call;
	const u8 *data = call->payload;
	u32 len = call->head.len, room = quote->size - sizeof(struct quote_header);

	quote->status = call->head.status;
	quote->early = call->head.flags & FW_EARLY;
	quote->out_len = len;
	if ((call->head.flags & FW_OUT_LEN) && len >= sizeof(u32)) {
		memcpy(&quote->out_len, data, sizeof(u32));
		data += sizeof(u32);
		len -= sizeof(u32);
	} else if (len > room) {
		quote->status = QUOTE_ERROR;
		quote->out_len = 0;
		len = 0;
	}
	quote->data = data;
	quote->data_len = min(len, room);
}

static void on_answer(struct sim_call *call)
{
	struct quote *quote = container_of(call, struct quote, call);
	u64 delay = 0;

	if (call->error) {
		quote->status = QUOTE_UNAVAILABLE;
	} else {
		take_answer(quote);
		delay = call->head.delay_ns;
	}
	if (delay < KTIME_MAX / 2)
		hrtimer_start(&quote->timer, ktime_add_ns(quote->start, delay),
			      HRTIMER_MODE_ABS);
}

/* ---- the beginning ---- */

static bool header_valid(const struct quote_header *header, size_t size)
{
	if (header->version != 1) {
		sim_violation("GetQuote: header version %llu", header->version);
		return false;
	}
	if (header->in_len > size - sizeof(*header)) {
		sim_violation("GetQuote: in_len %u in a buffer of %zu", header->in_len, size);
		return false;
	}
	return true;
}

static struct quote *new_quote(void *buf, size_t size)
{
	struct quote *quote = kzalloc(sizeof(*quote), GFP_KERNEL);

	if (!quote)
		return NULL;
	quote->buf = buf;
	quote->size = size;
	quote->call.done = on_answer;
	hrtimer_setup(&quote->timer, on_time, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	INIT_WORK(&quote->reap, reap);
	quote->watch = sim_watch_quote(buf);
	sim_watch_close(quote->watch);
	quote->start = ktime_get();
	atomic_inc(&alive);
	return quote;
}

/* sends the TDREPORT; whatever goes wrong is the host's error, told by status */
static void submit(struct quote *quote, u32 in_len)
{
	struct quote_header *header = quote->buf;
	struct sim_frame *frame = NULL;

	WRITE_ONCE(header->status, QUOTE_IN_FLIGHT);
	sim_stats_begin();
	scoped_guard(raw_spinlock_irqsave, &lock)
		list_add_tail(&quote->node, &in_flight);
	if (in_len == TDREPORT_LEN)
		frame = sim_frame_new(FW_TDX_QUOTE, TDREPORT_LEN);
	if (frame) {
		memcpy(frame->payload, header + 1, TDREPORT_LEN);
		if (!sim_send(frame, &quote->call))
			return;
	}
	quote->call.error = -EIO;
	on_answer(&quote->call);
}

static u64 start(void *buf, size_t size)
{
	struct quote_header header;
	struct quote *quote;

	if (!sim_pages_lend(__pa(buf), size)) {
		sim_violation("GetQuote: buffer %lx is not shared, or in flight already",
			      (unsigned long)buf);
		return VMCALL_INVALID;
	}
	memcpy(&header, buf, sizeof(header));
	quote = header_valid(&header, size) ? new_quote(buf, size) : NULL;
	if (!quote) {
		sim_pages_release(__pa(buf), size);
		return VMCALL_INVALID;
	}
	submit(quote, header.in_len);
	return VMCALL_SUCCESS;
}

u64 sim_quote_start(void *buf, size_t size)
{
	u64 ret;

	if (!virt_addr_valid(buf) || !PAGE_ALIGNED(buf) || !size || !PAGE_ALIGNED(size)) {
		sim_violation("GetQuote: %lx of %zu bytes: not whole pages of the direct map",
			      (unsigned long)buf, size);
		return VMCALL_ALIGN_ERROR;
	}
	if (size > MAX_SIZE) {
		sim_violation("GetQuote: a buffer of %zu bytes", size);
		return VMCALL_INVALID;
	}
	if (!take_place()) {
		sim_stats_count(SIM_RETRY);
		return VMCALL_RETRY;
	}
	ret = start(buf, size);
	if (ret)
		free_place();
	return ret;
}

/* ---- unloading ---- */

static struct quote *first_in_flight(void)
{
	struct quote *quote;

	guard(raw_spinlock_irqsave)(&lock);
	quote = list_first_entry_or_null(&in_flight, struct quote, node);
	if (quote) {
		list_del_init(&quote->node);
		places_taken--;
	}
	return quote;
}

static void abandon(struct quote *quote)
{
	/* the link is closed: done() ran if the call is not there any more */
	sim_cancel(&quote->call);
	hrtimer_cancel(&quote->timer);
	sim_pages_release(__pa(quote->buf), quote->size);
	sim_stats_refused(SIM_ABANDONED);
	queue_work(sim_queue, &quote->reap);
}

/* nobody can start one any more; what the host never answers is given up */
void sim_quote_exit(void)
{
	struct quote *quote;

	wait_event_timeout(idle, !atomic_read(&alive), 5 * HZ);
	while ((quote = first_in_flight()))
		abandon(quote);
	wait_event(idle, !atomic_read(&alive));
}
