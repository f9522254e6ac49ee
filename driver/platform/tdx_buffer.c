// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory shared with the host, a buffer for one quote.
 */
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/printk.h>
#include <linux/set_memory.h>

#include "tdx_abi.h"
#include "tdx_quote.h"

#define BUF_PAGES	(TDX_QUOTE_BUF_SIZE / PAGE_SIZE)

/* Pages whose state is unknown stay away from the allocator for good. */
int cvm_tdx_buffer_share(struct tdx_quote_buf **buf)
{
	void *pages = alloc_pages_exact(TDX_QUOTE_BUF_SIZE,
					GFP_KERNEL | __GFP_ZERO);

	if (!pages)
		return -ENOMEM;

	if (set_memory_decrypted((unsigned long)pages, BUF_PAGES)) {
		pr_err("a quote buffer could not be shared with the host: %d KiB are lost\n",
		       TDX_QUOTE_BUF_SIZE / SZ_1K);
		return -EIO;
	}
	*buf = pages;
	return 0;
}

bool cvm_tdx_buffer_unshare(struct tdx_quote_buf *buf)
{
	if (set_memory_encrypted((unsigned long)buf, BUF_PAGES))
		return false;
	free_pages_exact(buf, TDX_QUOTE_BUF_SIZE);
	return true;
}
