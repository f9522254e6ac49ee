// SPDX-License-Identifier: GPL-2.0
/*
 * Write the name of a case to the parameter `run`, read what its last call
 * returned from `result`.
 */
#include <linux/gfp.h>
#include <linux/kprobes.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/set_memory.h>
#include <linux/string.h>

#include "misuse.h"

static int result;
module_param(result, int, 0444);
MODULE_PARM_DESC(result, "what the last case returned");

void *misuse_function(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	void *function;

	if (register_kprobe(&probe))
		return NULL;
	function = probe.addr;
	unregister_kprobe(&probe);
	return function;
}

void *misuse_share(void)
{
	unsigned long page = __get_free_page(GFP_KERNEL | __GFP_ZERO);

	if (page && set_memory_decrypted(page, 1))
		return NULL;
	return (void *)page;
}

void misuse_unshare(void *page)
{
	if (page && !set_memory_encrypted((unsigned long)page, 1))
		free_page((unsigned long)page);
}

static const struct misuse_case *find(const struct misuse_case *cases, const char *name)
{
	for (; cases->name; cases++)
		if (sysfs_streq(name, cases->name))
			return cases;
	return NULL;
}

static int set_run(const char *name, const struct kernel_param *param)
{
	const struct misuse_case *found = find(misuse_pages, name) ?:
					  find(misuse_snp, name) ?:
					  find(misuse_svsm, name) ?: find(misuse_tdx, name);

	if (!found)
		return -ENOENT;
	result = found->run();
	return 0;
}

static const struct kernel_param_ops run_ops = { .set = set_run };
module_param_cb(run, &run_ops, NULL, 0200);
MODULE_PARM_DESC(run, "the case to run");

MODULE_DESCRIPTION("keeps and breaks the rules of the simulated platform");
MODULE_LICENSE("GPL");
