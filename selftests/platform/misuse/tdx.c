// SPDX-License-Identifier: GPL-2.0
/* TDREPORTs and quotes. */
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched/task.h>
#include <linux/set_memory.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "misuse.h"

#define IN_FLIGHT	0xffffffffffffffffULL

struct quote_header {
	u64 version, status;
	u32 in_len, out_len;
};

static int get_report(void *reportdata, void *tdreport)
{
	int (*call)(u8 *data, u8 *report) = misuse_function("tdx_mcall_get_report0");

	return call ? call(reportdata, tdreport) : -ENOENT;
}

static u64 get_quote(void *buf, size_t size)
{
	u64 (*call)(u8 *buf, size_t size) = misuse_function("tdx_hcall_get_quote");

	return call ? call(buf, size) : -ENOENT;
}

/* ---- TDREPORT ---- */

static int report_at(size_t data_offset, size_t report_offset)
{
	u8 *page = (u8 *)__get_free_page(GFP_KERNEL | __GFP_ZERO);
	int ret;

	if (!page)
		return -ENOMEM;
	ret = get_report(page + data_offset, page + report_offset);
	free_page((unsigned long)page);
	return ret;
}

static int tdx_report(void)
{
	return report_at(0, 1024);
}

/* wrong */
static int tdx_report_unaligned(void)
{
	return report_at(0, 1024 + 64);
}

/* wrong */
static int tdx_data_unaligned(void)
{
	return report_at(32, 1024);
}

/* wrong */
static int tdx_report_shared(void)
{
	u8 *page = misuse_share();
	int ret = get_report(page, page + 1024);

	misuse_unshare(page);
	return ret;
}

/* wrong: virt_to_phys() of it is some other page, or none */
static int tdx_report_vmalloc(void)
{
	u8 *page = vzalloc(PAGE_SIZE);
	int ret = get_report(page, page + 1024);

	vfree(page);
	return ret;
}

static int report_thread(void *result)
{
	*(int *)result = report_at(0, 1024);
	return 0;
}

/* two at once, where the daemon takes its time: the second is told so */
static int tdx_report_busy(void)
{
	int first = -1, second;
	struct task_struct *thread = kthread_create(report_thread, &first, "misuse");

	if (IS_ERR(thread))
		return PTR_ERR(thread);
	get_task_struct(thread);
	wake_up_process(thread);
	msleep(50);
	second = report_at(0, 1024);
	kthread_stop(thread);
	put_task_struct(thread);
	return first ?: second;
}

/* ---- quotes ---- */

static struct quote_header *new_quote(unsigned int pages)
{
	struct quote_header *quote = alloc_pages_exact(pages * PAGE_SIZE,
						       GFP_KERNEL | __GFP_ZERO);

	if (!quote)
		return NULL;
	set_memory_decrypted((unsigned long)quote, pages);
	quote->version = 1;
	quote->in_len = 1024;
	return quote;
}

static void free_quote(struct quote_header *quote, unsigned int pages)
{
	set_memory_encrypted((unsigned long)quote, pages);
	free_pages_exact(quote, pages * PAGE_SIZE);
}

static bool done(struct quote_header *quote)
{
	int tries = 2000;

	while (smp_load_acquire(&quote->status) == IN_FLIGHT && tries--)
		usleep_range(500, 1000);
	return tries > 0;
}

static int finished(struct quote_header *quote)
{
	if (!done(quote))
		return -ETIMEDOUT;
	return READ_ONCE(quote->status) ? -EIO : READ_ONCE(quote->out_len);
}

static int tdx_quote(void)
{
	struct quote_header *quote = new_quote(2);
	u64 err = get_quote(quote, 2 * PAGE_SIZE);
	int ret = err ? -EINVAL : finished(quote);

	free_quote(quote, 2);
	return ret;
}

/* wrong: what was checked is not what is used */
static int tdx_length_twice(void)
{
	struct quote_header *quote = new_quote(2);
	u64 err = get_quote(quote, 2 * PAGE_SIZE);
	int ret = err ? -EINVAL : finished(quote);

	if (ret > 0)
		ret = READ_ONCE(quote->out_len);
	free_quote(quote, 2);
	return ret;
}

/* one buffer many times: cleared, asked, read */
static int tdx_quote_again(void)
{
	struct quote_header *quote = new_quote(2);
	int i, ret = 0;

	for (i = 0; i < 20 && ret >= 0; i++) {
		memset(quote, 0, 2 * PAGE_SIZE);
		quote->version = 1;
		quote->in_len = 1024;
		ret = get_quote(quote, 2 * PAGE_SIZE) ? -EINVAL : finished(quote);
	}
	free_quote(quote, 2);
	return ret;
}

/* the first byte of the quote when the status says it is there, and later */
static int tdx_early(void)
{
	struct quote_header *quote = new_quote(2);
	u64 err = get_quote(quote, 2 * PAGE_SIZE);
	int ret = err ? -EINVAL : finished(quote), early = READ_ONCE(*(u8 *)(quote + 1));
	int i;

	for (i = 0; i < 300 && !READ_ONCE(*(u8 *)(quote + 1)); i++)
		msleep(10);
	if (ret >= 0)
		ret = early << 8 | *(u8 *)(quote + 1);
	free_quote(quote, 2);
	return ret;
}

/* wrong */
static int tdx_quote_private(void)
{
	struct quote_header *quote = new_quote(2);
	u64 err;

	set_memory_encrypted((unsigned long)quote + PAGE_SIZE, 1);
	err = get_quote(quote, 2 * PAGE_SIZE);
	set_memory_decrypted((unsigned long)quote + PAGE_SIZE, 1);
	free_quote(quote, 2);
	return err ? -EINVAL : 0;
}

/* wrong: the buffer is the host's */
static int tdx_quote_twice(void)
{
	struct quote_header *quote = new_quote(2);
	u64 first = get_quote(quote, 2 * PAGE_SIZE), second = get_quote(quote, 2 * PAGE_SIZE);
	int ret = first ? -EIO : finished(quote);

	free_quote(quote, 2);
	return second ? -EINVAL : ret;
}

/* wrong: the host will write there */
static int tdx_free_in_flight(void)
{
	struct quote_header *quote = new_quote(1);
	u64 err = get_quote(quote, PAGE_SIZE);

	free_pages_exact(quote, PAGE_SIZE);
	msleep(1000);
	return err ? -EINVAL : 0;
}

/* wrong: likewise */
static int tdx_private_in_flight(void)
{
	struct quote_header *quote = new_quote(1);
	u64 err = get_quote(quote, PAGE_SIZE);

	free_quote(quote, 1);
	msleep(1000);
	return err ? -EINVAL : 0;
}

/* wrong */
static int tdx_bad_version(void)
{
	struct quote_header *quote = new_quote(1);
	u64 err;

	quote->version = 2;
	err = get_quote(quote, PAGE_SIZE);
	free_quote(quote, 1);
	return err ? -EINVAL : 0;
}

/* wrong */
static int tdx_bad_length(void)
{
	struct quote_header *quote = new_quote(1);
	u64 err;

	quote->in_len = PAGE_SIZE;
	err = get_quote(quote, PAGE_SIZE);
	free_quote(quote, 1);
	return err ? -EINVAL : 0;
}

/* the host takes two: the third is to come again, and may when one is done */
static int tdx_retry(void)
{
	struct quote_header *quotes[3];
	u64 err[3], again;
	int i;

	for (i = 0; i < 3; i++) {
		quotes[i] = new_quote(1);
		err[i] = get_quote(quotes[i], PAGE_SIZE);
	}
	if (!done(quotes[0]))
		return -ETIMEDOUT;
	again = get_quote(quotes[2], PAGE_SIZE);
	for (i = 0; i < 3; i++) {
		if (!done(quotes[i]))
			return -ETIMEDOUT;
		free_quote(quotes[i], 1);
	}
	return err[0] || err[1] || err[2] != 1 || again ? -EINVAL : 0;
}

/* never answered, hence leaked: the simulator must be able to unload */
static int tdx_stuck(void)
{
	return get_quote(new_quote(1), PAGE_SIZE) ? -EINVAL : 0;
}

const struct misuse_case misuse_tdx[] = {
	{ "tdx_report", tdx_report },
	{ "tdx_report_unaligned", tdx_report_unaligned },
	{ "tdx_data_unaligned", tdx_data_unaligned },
	{ "tdx_report_shared", tdx_report_shared },
	{ "tdx_report_vmalloc", tdx_report_vmalloc },
	{ "tdx_report_busy", tdx_report_busy },
	{ "tdx_quote", tdx_quote },
	{ "tdx_quote_again", tdx_quote_again },
	{ "tdx_length_twice", tdx_length_twice },
	{ "tdx_early", tdx_early },
	{ "tdx_quote_private", tdx_quote_private },
	{ "tdx_quote_twice", tdx_quote_twice },
	{ "tdx_free_in_flight", tdx_free_in_flight },
	{ "tdx_private_in_flight", tdx_private_in_flight },
	{ "tdx_bad_version", tdx_bad_version },
	{ "tdx_bad_length", tdx_bad_length },
	{ "tdx_retry", tdx_retry },
	{ "tdx_stuck", tdx_stuck },
	{ }
};
