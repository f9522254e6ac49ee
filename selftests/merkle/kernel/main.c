// SPDX-License-Identifier: GPL-2.0
/* Batch v1 in the kernel, one call of merkle.h's an ioctl; see cases.h. */
#include <linux/cleanup.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "cases.h"
#include "sha384.h"

/* not every kernel has one for kvfree() */
DEFINE_FREE(cases, void *, kvfree(_T))

static long run_expected(struct cases_expected __user *arg)
{
	struct cases_expected c;
	u8 *proof __free(cases) = NULL;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	/* exactly as long as it is said to be: KASAN sees what is read beyond */
	proof = kvmalloc(max(c.len, 1U), GFP_KERNEL);
	if (!proof)
		return -ENOMEM;
	if (copy_from_user(proof, u64_to_user_ptr(c.proof), c.len))
		return -EFAULT;
	c.result = cvm_merkle_expected(c.user_data, proof, c.len, c.r64,
				       c.tpm48, c.scope);
	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}

static int give_proofs(const struct cvm_merkle *tree,
		       const struct cvm_leaf *leaves,
		       const struct cases_build *c)
{
	struct cases_proof __user *to = u64_to_user_ptr(c->proofs);
	struct cases_proof *proof __free(cases) = NULL;
	u32 i;

	proof = kzalloc(sizeof(*proof), GFP_KERNEL);
	if (!proof)
		return -ENOMEM;
	for (i = 0; i < c->count; i++) {
		proof->len = cvm_merkle_proof(tree, i, &leaves[i], proof->data);
		if (copy_to_user(&to[i], proof, sizeof(*proof)))
			return -EFAULT;
	}
	return 0;
}

static int build(struct cases_build *c, const struct cvm_leaf *leaves,
		 u8 (*nodes)[CVM_HASH_SIZE])
{
	struct cvm_merkle tree = {
		.nodes = nodes,
		.size = c->count + c->dummy_count,
		.flags = c->dummy_count ? CVM_HEADER_DUMMIES : 0,
	};
	u32 i;

	for (i = 0; i < c->count; i++)
		cvm_merkle_leaf(nodes[i], &leaves[i]);
	if (copy_from_user(nodes[c->count], u64_to_user_ptr(c->dummies),
			   c->dummy_count * CVM_HASH_SIZE))
		return -EFAULT;
	cvm_merkle_build(&tree);
	cvm_merkle_r64(&tree, c->r64);
	cvm_merkle_tpm48(&tree, c->tpm48);
	return give_proofs(&tree, leaves, c);
}

static long run_build(struct cases_build __user *arg)
{
	struct cvm_leaf *leaves __free(cases) = NULL;
	u8 (*nodes)[CVM_HASH_SIZE] __free(cases) = NULL;
	struct cases_build c;
	u32 size;
	int ret;

	if (copy_from_user(&c, arg, sizeof(c)))
		return -EFAULT;
	if (check_add_overflow(c.count, c.dummy_count, &size) || !size ||
	    size > CVM_MAX_TREE)
		return -EINVAL;
	leaves = kvmalloc_array(size, sizeof(*leaves), GFP_KERNEL);
	nodes = kvmalloc_array(CVM_TREE_NODES(size), sizeof(*nodes), GFP_KERNEL);
	if (!leaves || !nodes)
		return -ENOMEM;
	if (copy_from_user(leaves, u64_to_user_ptr(c.leaves),
			   c.count * sizeof(*leaves)))
		return -EFAULT;
	ret = build(&c, leaves, nodes);
	if (ret)
		return ret;
	return copy_to_user(arg, &c, sizeof(c)) ? -EFAULT : 0;
}

static long cases_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case CASES_EXPECTED:
		return run_expected((struct cases_expected __user *)arg);
	case CASES_BUILD:
		return run_build((struct cases_build __user *)arg);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations cases_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = cases_ioctl,
};

static struct miscdevice cases_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "cvm-merkle-test",
	.fops = &cases_fops,
	.mode = 0600,
};

static int __init cases_init(void)
{
	int ret = cvm_sha384_init();

	if (ret)
		return ret;
	ret = misc_register(&cases_device);
	if (ret)
		cvm_sha384_exit();
	return ret;
}
module_init(cases_init);

static void __exit cases_exit(void)
{
	misc_deregister(&cases_device);
	cvm_sha384_exit();
}
module_exit(cases_exit);

MODULE_DESCRIPTION("Batch v1 in the kernel, for its tests");
MODULE_LICENSE("GPL");
