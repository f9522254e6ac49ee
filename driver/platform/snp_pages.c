// SPDX-License-Identifier: GPL-2.0-only
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/printk.h>
#include <linux/set_memory.h>
#include <linux/string.h>

#include "snp_pages.h"

/*
 * set_memory_*() that fails may have changed some of the pages. Given back to
 * the allocator they would expose whatever is written to them next, or fault
 * whoever writes it: they are lost instead.
 */
static void leak(const void *shared, unsigned int pages, int err)
{
	pr_err("snp: the state of %u pages is unknown (error %d), they are kept out of use\n",
	       pages, err);
}

void *cvm_snp_share(unsigned int pages)
{
	struct page *page = alloc_pages(GFP_KERNEL | __GFP_NOWARN, ilog2(pages));
	void *shared;
	int err;

	if (!page)
		return NULL;
	shared = page_address(page);
	err = set_memory_decrypted((unsigned long)shared, pages);
	if (err) {
		leak(shared, pages, err);
		return NULL;
	}
	memset(shared, 0, pages * PAGE_SIZE);
	return shared;
}

void cvm_snp_unshare(void *shared, unsigned int pages)
{
	int err;

	if (!shared)
		return;
	err = set_memory_encrypted((unsigned long)shared, pages);
	if (err)
		leak(shared, pages, err);
	else
		__free_pages(virt_to_page(shared), ilog2(pages));
}
