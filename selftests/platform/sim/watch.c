// SPDX-License-Identifier: GPL-2.0
/*
 * What the host can change must be read once: whoever checks a field of a
 * response and reads it again uses something unchecked. Debug registers count
 * the reads of chosen bytes, from the delivery of a response until the driver
 * writes over it or asks again.
 *
 * A register that reports reads reports writes too, so the first register of
 * each area traps writes alone and ends the observation; it has the lowest
 * number, hence its handler runs first. QEMU leaves the status bits of higher
 * registers set from earlier traps, while no instruction of a copy reaches two
 * fields: of one trap only the lowest register counts. A string instruction
 * traps once for each byte of a field that it copies: that is one read.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/hw_breakpoint.h>
#include <linux/irq_work.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/percpu.h>
#include <linux/perf_event.h>
#include <linux/slab.h>

#include "sim.h"

struct field {
	unsigned int offset, len;
	const char *name;
};

/* the guest message header's, see struct snp_guest_msg_hdr */
static const struct field snp_fields[] = {
	{ 0x20, 1, "sequence number" },
	{ 0x34, 4, "type, version and size" },
	{ 0x60, 1, "payload" },
};

static const struct field quote_fields[] = {
	{ 20, 1, "out_len" },
};

struct point {
	struct sim_watch *watch;
	struct perf_event * __percpu *event;
	unsigned int number;		/* in order of registration */
	bool write;
	atomic_t reads;
	bool told;
};

struct sim_watch {
	const void *page;
	const struct field *fields;
	unsigned int count;
	bool open;
	struct point write, read[SIM_WATCH_FIELDS];
};

struct trap {
	struct pt_regs regs;
	const struct point *point;
};

static DEFINE_PER_CPU(struct trap, last_trap);
static DEFINE_MUTEX(lock);		/* registration */
static struct sim_watch watches[2];
static unsigned int next_number;
static bool works, testing;

/* ---- in the debug exception ---- */

static struct irq_work tell_work;

/* the same string instruction, some bytes further */
static bool continues(const struct pt_regs *before, const struct pt_regs *now)
{
	unsigned long step = now->si - before->si;

	return step && step <= 8 && now->di - before->di == step &&
	       now->ip - before->ip <= 3 && now->sp == before->sp;
}

static bool counts(const struct point *point, const struct pt_regs *regs)
{
	struct trap *last = this_cpu_ptr(&last_trap);
	bool same_trap = last->point && last->point->number < point->number &&
			 !memcmp(&last->regs, regs, sizeof(*regs));
	bool same_read = last->point == point && continues(&last->regs, regs);

	if (same_trap)
		return false;
	last->regs = *regs;
	last->point = point;
	return !same_read;
}

static void on_access(struct perf_event *event, struct perf_sample_data *data,
		      struct pt_regs *regs)
{
	struct point *point = event->overflow_handler_context;

	if (!counts(point, regs) || !READ_ONCE(point->watch->open))
		return;
	if (point->write)
		WRITE_ONCE(point->watch->open, false);
	else if (atomic_inc_return(&point->reads) == 2)
		irq_work_queue(&tell_work);
}

/* ---- and after it ---- */

/* what the interrupt did not come to say yet */
static void tell_watch(struct sim_watch *watch)
{
	unsigned int i;

	for (i = 0; i < watch->count; i++) {
		struct point *point = &watch->read[i];

		if (testing || atomic_read(&point->reads) < 2 || xchg(&point->told, true))
			continue;
		sim_violation("response read twice: %s at offset 0x%x of page %lx",
			      watch->fields[i].name, watch->fields[i].offset,
			      PHYS_PFN(__pa(watch->page)));
	}
}

static void tell(struct irq_work *work)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(watches); i++)
		tell_watch(&watches[i]);
}

/* ---- registration, under the mutex ---- */

static int point_set(struct point *point, struct sim_watch *watch, const void *addr,
		     unsigned int len)
{
	struct perf_event_attr attr;
	struct perf_event * __percpu *event;

	hw_breakpoint_init(&attr);
	attr.bp_addr = (unsigned long)addr;
	attr.bp_len = len;
	attr.bp_type = point->write ? HW_BREAKPOINT_W : HW_BREAKPOINT_RW;
	point->watch = watch;
	point->number = ++next_number;
	event = register_wide_hw_breakpoint(&attr, on_access, point);
	if (IS_ERR_VALUE((__force unsigned long)event))
		return (long)(__force unsigned long)event;
	point->event = event;
	return 0;
}

static void point_clear(struct point *point)
{
	if (point->event)
		unregister_wide_hw_breakpoint(point->event);
	point->event = NULL;
}

static void watch_clear(struct sim_watch *watch)
{
	int i;

	WRITE_ONCE(watch->open, false);
	point_clear(&watch->write);
	for (i = 0; i < SIM_WATCH_FIELDS; i++)
		point_clear(&watch->read[i]);
	irq_work_sync(&tell_work);
	watch->page = NULL;
	watch->count = 0;
}

static int watch_set(struct sim_watch *watch, const void *page,
		     const struct field *fields, unsigned int count)
{
	unsigned int i;
	int ret;

	watch_clear(watch);
	watch->page = page;
	watch->fields = fields;
	watch->write.write = true;
	ret = point_set(&watch->write, watch, page + fields[0].offset, 1);
	for (i = 0; !ret && i < count; i++)
		ret = point_set(&watch->read[i], watch, page + fields[i].offset, fields[i].len);
	if (ret) {
		pr_warn_once("no debug register for a response (%d)\n", ret);
		watch_clear(watch);
		return ret;
	}
	watch->count = count;
	return 0;
}

struct sim_watch *sim_watch_response(void *page)
{
	struct sim_watch *watch = &watches[0];

	if (!works)
		return NULL;
	guard(mutex)(&lock);
	if (watch->page != page &&
	    watch_set(watch, page, snp_fields, ARRAY_SIZE(snp_fields)))
		return NULL;
	return watch;
}

/*
 * Two buffers fit into the registers, the first two. They stay, as setting
 * registers takes longer than a quote; a driver treats all its buffers alike.
 */
struct sim_watch *sim_watch_quote(void *buf)
{
	struct sim_watch *watch = NULL;
	int i;

	if (!works)
		return NULL;
	guard(mutex)(&lock);
	for (i = 0; i < ARRAY_SIZE(watches); i++) {
		if (watches[i].page == buf)
			return &watches[i];
		if (!watches[i].page && !watch)
			watch = &watches[i];
	}
	if (!watch || watch_set(watch, buf, quote_fields, ARRAY_SIZE(quote_fields)))
		return NULL;
	return watch;
}

void sim_watch_open(struct sim_watch *watch, const void *page)
{
	int i;

	if (!watch || watch->page != page)
		return;
	tell_watch(watch);
	for (i = 0; i < SIM_WATCH_FIELDS; i++) {
		atomic_set(&watch->read[i].reads, 0);
		WRITE_ONCE(watch->read[i].told, false);
	}
	smp_store_release(&watch->open, true);
}

void sim_watch_close(struct sim_watch *watch)
{
	if (!watch)
		return;
	WRITE_ONCE(watch->open, false);
	tell_watch(watch);
}

void sim_watch_forget(const void *start, size_t len)
{
	int i;

	guard(mutex)(&lock);
	for (i = 0; i < ARRAY_SIZE(watches); i++)
		if (watches[i].page >= start && watches[i].page < start + len)
			watch_clear(&watches[i]);
}

/* ---- are this machine's debug registers as they should be? ---- */

static bool reads_are(const struct sim_watch *watch, int expected)
{
	int i;

	for (i = 0; i < watch->count; i++) {
		if (atomic_read(&watch->read[i].reads) != expected) {
			pr_warn("%s: %d reads seen, not %d\n", watch->fields[i].name,
				atomic_read(&watch->read[i].reads), expected);
			return false;
		}
	}
	return true;
}

/* a call, not what the compiler makes of a copy of known size */
static void *(*volatile copy)(void *to, const void *from, size_t len) = memcpy;
static void *(*volatile fill)(void *to, int value, size_t len) = memset;

static bool test_copies(struct sim_watch *watch, void *page, void *to)
{
	int i;

	for (i = 0; i < 16; i++) {
		sim_watch_open(watch, page);
		copy(to, page, PAGE_SIZE);
		if (!reads_are(watch, 1))
			return false;
		copy(to, page, 0x61);
		if (!reads_are(watch, 2))
			return false;
		sim_watch_open(watch, page);
		fill(page, 0, PAGE_SIZE);
		copy(to, page, PAGE_SIZE);
		if (!reads_are(watch, 0) || READ_ONCE(watch->open))
			return false;
	}
	return true;
}

static bool test(void *page)
{
	struct sim_watch *watch = &watches[0];
	bool ok;

	guard(mutex)(&lock);
	testing = true;
	ok = !watch_set(watch, page, snp_fields, ARRAY_SIZE(snp_fields)) &&
	     test_copies(watch, page, page + PAGE_SIZE);
	watch_clear(watch);
	testing = false;
	return ok;
}

bool sim_watch_works(void)
{
	return works;
}

int sim_watch_init(void)
{
	void *pages = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 1);

	if (!pages)
		return -ENOMEM;
	init_irq_work(&tell_work, tell);
	works = test(pages);
	if (!works)
		pr_warn("debug registers do not work here: double reads go unnoticed\n");
	free_pages((unsigned long)pages, 1);
	return 0;
}

void sim_watch_exit(void)
{
	int i;

	guard(mutex)(&lock);
	for (i = 0; i < ARRAY_SIZE(watches); i++)
		watch_clear(&watches[i]);
}
