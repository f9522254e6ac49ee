// SPDX-License-Identifier: GPL-2.0
/*
 * The true state of every page of this VM: private, shared with the host, or
 * unknown after a failed change. set_memory_decrypted() and _encrypted() do
 * nothing on a machine without memory encryption; their seams keep the record,
 * and the allocator's tracepoint finds pages that come back in a wrong state.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/io.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/vmalloc.h>

#include "sim.h"

#define SHARED	BIT(0)
#define UNKNOWN	BIT(1)	/* a failed change: may be either */
#define LENT	BIT(2)	/* a quote is in flight: the host writes here */

/*
 * A byte a page: readable without a lock in the allocator's hot path, and
 * nothing to allocate where nothing may be.
 */
static u8 *state;
static unsigned long limit;
static DEFINE_RAW_SPINLOCK(lock);	/* writers, and who must see no writer */
static atomic_long_t shared;

atomic_t sim_fail_decrypt, sim_fail_encrypt;

long sim_pages_shared(void)
{
	return atomic_long_read(&shared);
}

static void store(unsigned long pfn, u8 new)
{
	int more = !!(new & SHARED) - !!(state[pfn] & SHARED);

	WRITE_ONCE(state[pfn], new);
	if (more)
		atomic_long_add(more, &shared);
}

static bool page_is(unsigned long pfn, enum sim_access access)
{
	switch (access) {
	case SIM_PRIVATE:
		return !state[pfn];
	case SIM_SHARED:
		return state[pfn] == SHARED;
	case SIM_QUOTE:
		return state[pfn] == (SHARED | LENT);
	case SIM_HOST:
		return (state[pfn] & ~LENT) == SHARED;
	}
	return false;
}

static bool range_is(phys_addr_t start, size_t len, enum sim_access access)
{
	unsigned long pfn = PHYS_PFN(start), last = PHYS_PFN(start + len - 1);

	if (!len || start + len < start || last >= limit)
		return false;
	for (; pfn <= last; pfn++)
		if (!pfn_valid(pfn) || !page_is(pfn, access))
			return false;
	return true;
}

bool sim_pages_are(phys_addr_t start, size_t len, enum sim_access access)
{
	guard(raw_spinlock_irqsave)(&lock);
	return range_is(start, len, access);
}

bool sim_pages_lend(phys_addr_t start, size_t len)
{
	unsigned long pfn;

	guard(raw_spinlock_irqsave)(&lock);
	if (!range_is(start, len, SIM_SHARED))
		return false;
	for (pfn = PHYS_PFN(start); pfn <= PHYS_PFN(start + len - 1); pfn++)
		store(pfn, state[pfn] | LENT);
	return true;
}

static void release(phys_addr_t start, size_t len)
{
	unsigned long pfn;

	for (pfn = PHYS_PFN(start); pfn <= PHYS_PFN(start + len - 1); pfn++)
		store(pfn, state[pfn] & ~LENT);
}

void sim_pages_release(phys_addr_t start, size_t len)
{
	guard(raw_spinlock_irqsave)(&lock);
	release(start, len);
}

/*
 * One store: who polls the status must not see half of it. Who sees it and
 * lends the buffer again waits for the lock, hence finds it released.
 */
void sim_pages_hand_back(phys_addr_t start, size_t len, u64 *status, u64 value)
{
	guard(raw_spinlock_irqsave)(&lock);
	if (range_is(start, len, SIM_QUOTE))
		smp_store_release(status, value);
	release(start, len);
}

/*
 * Under the lock, so that a page which is being freed is not written to. Whole
 * words first: a copy of odd length may go backward in unaligned stores, each
 * of which takes QEMU 10 us where a debug register watches the page.
 */
bool sim_pages_write(phys_addr_t to, const void *from, size_t len, enum sim_access access)
{
	size_t words = round_down(len, sizeof(u64));

	if (!len)
		return true;
	guard(raw_spinlock_irqsave)(&lock);
	if (!range_is(to, len, access))
		return false;
	memcpy(phys_to_virt(to), from, words);
	memcpy(phys_to_virt(to + words), from + words, len - words);
	return true;
}

/* ---- set_memory_decrypted(), set_memory_encrypted() ---- */

static long addr_to_pfn(unsigned long addr)
{
	void *p = (void *)addr;

	if (is_vmalloc_addr(p))
		return vmalloc_to_pfn(p);
	return virt_addr_valid(p) ? (long)PHYS_PFN(__pa(addr)) : -1;
}

static u8 change(unsigned long pfn, bool share, bool fails)
{
	u8 old;

	guard(raw_spinlock_irqsave)(&lock);
	old = state[pfn];
	if (fails)
		store(pfn, UNKNOWN | (old & LENT));
	else
		store(pfn, share ? SHARED : 0);
	return old;
}

/* says of each call once what is wrong with it, with the first page that shows it */
__printf(3, 4)
static void complain(unsigned long *said, unsigned int what, const char *fmt, ...)
{
	char text[128];
	va_list args;

	if (__test_and_set_bit(what, said))
		return;
	va_start(args, fmt);
	vscnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	sim_violation("%s", text);
}

static void change_page(unsigned long addr, bool share, bool fails, unsigned long *said)
{
	const char *to = share ? "shared" : "private";
	long pfn = addr_to_pfn(addr);
	u8 old;

	if (pfn < 0 || pfn >= limit) {
		complain(said, 0, "made %s: %lx, which is no memory", to, addr);
		return;
	}
	/* the rest of a slab is others' data; and its return would go unseen */
	if (share && folio_test_slab(page_folio(pfn_to_page(pfn))))
		complain(said, 1, "made shared: page %lx, which belongs to a slab", pfn);
	old = change(pfn, share, fails);
	if (old & LENT)
		complain(said, 2, "made %s: page %lx of a quote that is in flight", to, pfn);
	/* PVALIDATE and TDG.MEM.PAGE.ACCEPT refuse, and the kernel dies of that */
	if (!(old & UNKNOWN) && !!(old & SHARED) == share)
		complain(said, 3, "made %s: page %lx, which is already", to, pfn);
}

static bool fails_now(atomic_t *countdown)
{
	return atomic_read(countdown) > 0 && atomic_dec_return(countdown) == 0;
}

static int change_range(unsigned long addr, int count, bool share)
{
	bool fails = fails_now(share ? &sim_fail_decrypt : &sim_fail_encrypt);
	unsigned long said = 0;
	int i;

	if (count <= 0 || !PAGE_ALIGNED(addr)) {
		sim_violation("set_memory_%scrypted(%lx, %d): not whole pages",
			      share ? "de" : "en", addr, count);
		return -EINVAL;
	}
	for (i = 0; i < count; i++)
		change_page(addr + i * PAGE_SIZE, share, fails, &said);
	if (!share)
		sim_watch_forget((void *)addr, count * PAGE_SIZE);
	return fails ? -EIO : 0;
}

static int fake_decrypted(unsigned long addr, int count)
{
	int ret = change_range(addr, count, true);

	sim_seam_leave();
	return ret;
}

static int fake_encrypted(unsigned long addr, int count)
{
	int ret = change_range(addr, count, false);

	sim_seam_leave();
	return ret;
}

static struct sim_seam seams[] = {
	SIM_SEAM("set_memory_decrypted", fake_decrypted),
	SIM_SEAM("set_memory_encrypted", fake_encrypted),
};

/* ---- pages given back ---- */

static u8 forget(unsigned long pfn)
{
	u8 old;

	guard(raw_spinlock_irqsave)(&lock);
	old = state[pfn];
	store(pfn, 0);
	return old;
}

static void page_freed(unsigned long pfn, unsigned int order)
{
	u8 old = forget(pfn);

	if (old)
		sim_violation("given back to the allocator: page %lx (order %u), which is %s",
			      pfn, order, old & LENT ? "the buffer of a quote in flight" :
			      old & SHARED ? "shared" : "in an unknown state");
}

/* may run under any lock, in any context but NMI */
static void on_page_free(void *unused, struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page);
	unsigned long end = min(pfn + (1UL << order), limit);

	if (pfn >= end || !memchr_inv(state + pfn, 0, end - pfn))
		return;
	for (; pfn < end; pfn++)
		if (READ_ONCE(state[pfn]))
			page_freed(pfn, order);
}

static struct tracepoint *page_free;

static void find_page_free(struct tracepoint *tp, void *unused)
{
	if (!strcmp(tp->name, "mm_page_free"))
		page_free = tp;
}

static int watch_allocator(void)
{
	int ret;

	for_each_kernel_tracepoint(find_page_free, NULL);
	ret = page_free ? tracepoint_probe_register(page_free, on_page_free, NULL) : -ENOENT;
	if (ret) {
		pr_err("the tracepoint mm_page_free cannot be used (%d)\n", ret);
		page_free = NULL;
	}
	return ret;
}

int sim_pages_init(void)
{
	unsigned long max_pfn_addr = sim_symbol("max_pfn");
	int i, ret;

	if (!max_pfn_addr)
		return -ENOENT;
	limit = *(unsigned long *)max_pfn_addr;
	state = vzalloc(limit);
	if (!state)
		return -ENOMEM;
	ret = watch_allocator();
	for (i = 0; !ret && i < ARRAY_SIZE(seams); i++)
		ret = sim_seam_set(&seams[i]);
	if (ret)
		sim_pages_exit();
	return ret;
}

void sim_pages_exit(void)
{
	int i;

	for (i = 0; i < ARRAY_SIZE(seams); i++)
		sim_seam_clear(&seams[i]);
	if (page_free) {
		tracepoint_probe_unregister(page_free, on_page_free, NULL);
		tracepoint_synchronize_unregister();
	}
	/* a driver leaks what it could not make private: a number, no verdict */
	if (sim_pages_shared())
		pr_info("%ld pages are left shared\n", sim_pages_shared());
	vfree(state);
}
