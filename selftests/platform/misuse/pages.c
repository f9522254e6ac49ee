// SPDX-License-Identifier: GPL-2.0
/* Pages shared, made private, and given back. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "misuse.h"

static int pages_right(void)
{
	misuse_unshare(misuse_share());
	return 0;
}

static int pages_many(void)
{
	void *pages = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL);
	int ret;

	if (!pages)
		return -ENOMEM;
	ret = set_memory_decrypted((unsigned long)pages, 5) ?:
	      set_memory_encrypted((unsigned long)pages, 5);
	if (!ret)
		free_pages_exact(pages, 5 * PAGE_SIZE);
	return ret;
}

static int pages_vmalloc(void)
{
	void *pages = vmalloc(2 * PAGE_SIZE);
	int ret;

	if (!pages)
		return -ENOMEM;
	ret = set_memory_decrypted((unsigned long)pages, 2) ?:
	      set_memory_encrypted((unsigned long)pages, 2);
	if (!ret)
		vfree(pages);
	return ret;
}

/* wrong: the host keeps access to what somebody else gets next */
static int pages_free_shared(void)
{
	free_page((unsigned long)misuse_share());
	return 0;
}

/* wrong: likewise, hidden in the middle of a larger block */
static int pages_free_block(void)
{
	unsigned long block = __get_free_pages(GFP_KERNEL, 2);

	if (!block)
		return -ENOMEM;
	set_memory_decrypted(block + 2 * PAGE_SIZE, 1);
	free_pages(block, 2);
	return 0;
}

/* wrong */
static int pages_share_twice(void)
{
	void *page = misuse_share();
	int ret = set_memory_decrypted((unsigned long)page, 1);

	misuse_unshare(page);
	return ret;
}

/* wrong */
static int pages_private_twice(void)
{
	void *page = misuse_share();

	set_memory_encrypted((unsigned long)page, 1);
	misuse_unshare(page);
	return 0;
}

/* wrong when the change fails: what state the page is in is not known */
static int pages_free_unknown(void)
{
	unsigned long page = __get_free_page(GFP_KERNEL);
	int ret = set_memory_decrypted(page, 1);

	if (!ret)
		set_memory_encrypted(page, 1);
	free_page(page);
	return ret;
}

/* right, whether a change fails or not: a failure leaks the page */
static int pages_leak_unknown(void)
{
	void *page = misuse_share();

	misuse_unshare(page);
	return page ? 0 : -EIO;
}

/* wrong: other objects of the slab may lie in what is shared */
static int pages_slab(void)
{
	void *object = kmalloc(PAGE_SIZE, GFP_KERNEL);

	if (!object)
		return -ENOMEM;
	set_memory_decrypted((unsigned long)object, 1);
	set_memory_encrypted((unsigned long)object, 1);
	kfree(object);
	return 0;
}

/* wrong */
static int pages_unaligned(void)
{
	unsigned long page = __get_free_page(GFP_KERNEL);
	int ret = set_memory_decrypted(page + 8, 1);

	free_page(page);
	return ret;
}

const struct misuse_case misuse_pages[] = {
	{ "pages_right", pages_right },
	{ "pages_many", pages_many },
	{ "pages_vmalloc", pages_vmalloc },
	{ "pages_free_shared", pages_free_shared },
	{ "pages_free_block", pages_free_block },
	{ "pages_share_twice", pages_share_twice },
	{ "pages_private_twice", pages_private_twice },
	{ "pages_free_unknown", pages_free_unknown },
	{ "pages_leak_unknown", pages_leak_unknown },
	{ "pages_slab", pages_slab },
	{ "pages_unaligned", pages_unaligned },
	{ }
};
