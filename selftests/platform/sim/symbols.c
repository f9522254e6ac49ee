// SPDX-License-Identifier: GPL-2.0
/*
 * The kernel's unexported symbols and its variables that are read-only after
 * init. Those are written through a second, writable mapping of their page.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/vmalloc.h>
#include <asm/ibt.h>

#include "sim.h"

static unsigned long (*lookup)(const char *name);

/* a kprobe goes behind the ENDBR, where an indirect call must not land */
static unsigned long function_entry(unsigned long addr)
{
#if HAS_KERNEL_IBT
	if (*(u32 *)(addr - ENDBR_INSN_SIZE) == gen_endbr())
		addr -= ENDBR_INSN_SIZE;
#endif
	return addr;
}

int sim_symbols_init(void)
{
	struct kprobe probe = { .symbol_name = "kallsyms_lookup_name" };
	int ret = register_kprobe(&probe);

	if (ret)
		return ret;
	lookup = (void *)probe.addr;
	unregister_kprobe(&probe);
	lookup = (void *)function_entry((unsigned long)lookup);
	return 0;
}

unsigned long sim_symbol(const char *name)
{
	return lookup(name);
}

static int poke(unsigned long addr, u64 value, unsigned int size, u64 *old)
{
	struct page *page = pfn_to_page(__pa_symbol(addr) >> PAGE_SHIFT);
	void *map = vmap(&page, 1, VM_MAP, PAGE_KERNEL);

	if (!map)
		return -ENOMEM;
	*old = 0;
	memcpy(old, map + offset_in_page(addr), size);
	memcpy(map + offset_in_page(addr), &value, size);
	vunmap(map);
	return 0;
}

int sim_patch(struct sim_patch *patch, const char *name, unsigned int offset,
	      u64 value, unsigned int size)
{
	unsigned long addr = sim_symbol(name);
	int ret;

	if (!addr)
		return -ENOENT;
	ret = poke(addr + offset, value, size, &patch->old);
	if (ret)
		return ret;
	patch->name = name;
	patch->offset = offset;
	patch->size = size;
	return 0;
}

void sim_unpatch(struct sim_patch *patch)
{
	u64 ours;

	if (!patch->size)
		return;
	if (poke(sim_symbol(patch->name) + patch->offset, patch->old, patch->size, &ours))
		pr_err("%s keeps the simulated value: no memory\n", patch->name);
	patch->size = 0;
}
