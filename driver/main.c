// SPDX-License-Identifier: GPL-2.0-only
/*
 * Start and end: which platform this is, and who is told to stop when.
 */
#include <linux/module.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>

#include "abi/tsm.h"
#include "chardev.h"
#include "platform.h"
#include "sha384.h"
#include "version.h"
#include "worker.h"

const struct cvm_platform *cvm_platform;

static const struct cvm_platform *const platforms[] = {
#ifdef CVM_HAVE_SNP
	&cvm_snp,
#endif
#ifdef CVM_HAVE_TDX
	&cvm_tdx,
#endif
#ifdef CVM_HAVE_AZURE
	&cvm_azure_snp,
	&cvm_azure_tdx,
#endif
};

/* No processor is two platforms at once: if it seems so, trust neither. */
static const struct cvm_platform *find_platform(void)
{
	const struct cvm_platform *found = NULL;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(platforms); i++) {
		if (!platforms[i]->detect())
			continue;
		if (found) {
			pr_err("this looks like %s and %s at once\n", found->name,
			       platforms[i]->name);
			return NULL;
		}
		found = platforms[i];
	}
	return found;
}

/*
 * The image would hold the keys of the channel to the firmware, and the VM
 * that wakes from it would use their sequence numbers a second time.
 */
static int pm_event(struct notifier_block *nb, unsigned long event, void *data)
{
	if (event != PM_HIBERNATION_PREPARE && event != PM_RESTORE_PREPARE)
		return NOTIFY_DONE;

	pr_warn_ratelimited("hibernation refused: the image would hold keys of this confidential VM\n");
	return notifier_from_errno(-EBUSY);
}

/* What comes after us, be it by kexec, finds no message of ours on its way. */
static int reboot_event(struct notifier_block *nb, unsigned long event,
			void *data)
{
	cvm_worker_stop();
	return NOTIFY_DONE;
}

static struct notifier_block pm_block = { .notifier_call = pm_event };
static struct notifier_block reboot_block = { .notifier_call = reboot_event };

static int __init cvm_init(void)
{
	int ret;

	cvm_platform = find_platform();
	if (!cvm_platform) {
		pr_info("no SEV-SNP or TDX guest, nor one of Azure, that this kernel supports: nothing to drive here\n");
		return -ENODEV;
	}

	ret = cvm_sha384_init();
	if (ret)
		return ret;

	ret = cvm_platform->start();
	if (ret)
		goto no_sha384;

	ret = cvm_worker_start();
	if (ret)
		goto stop_platform;

	ret = register_pm_notifier(&pm_block);
	if (ret)
		goto stop_worker;

	ret = register_reboot_notifier(&reboot_block);
	if (ret)
		goto no_pm;

	/* the last step: once the node can be opened, nothing may fail */
	ret = cvm_chardev_register();
	if (ret)
		goto no_reboot;
	cvm_tsm_start();

	pr_info("%s, version %s\n", cvm_platform->name, CVM_VERSION);
	return 0;

no_reboot:
	unregister_reboot_notifier(&reboot_block);
no_pm:
	unregister_pm_notifier(&pm_block);
stop_worker:
	cvm_worker_stop();
stop_platform:
	cvm_platform->stop();
no_sha384:
	cvm_sha384_exit();
	return ret;
}
module_init(cvm_init);

static void __exit cvm_exit(void)
{
	cvm_chardev_unregister();
	unregister_reboot_notifier(&reboot_block);
	unregister_pm_notifier(&pm_block);
	cvm_worker_stop();
	/* whoever was waiting by it has been sent away by now, and who comes is */
	cvm_tsm_stop();
	cvm_platform->stop();
	cvm_sha384_exit();
}
module_exit(cvm_exit);

/*
 * Hashes, and the cipher of SNP messages; modprobe reads no second line of these.
 * sha512 may be two modules, one of which needs the other: modprobe -r, which takes
 * the last first, has to come to that one before it comes to both.
 */
MODULE_SOFTDEP("pre: sha512 sha512_ssse3 hmac gcm ctr ghash-generic");
MODULE_DESCRIPTION("Attestation evidence of confidential VMs (SEV-SNP, TDX, Azure)");
MODULE_AUTHOR("cvm-guest authors");
MODULE_VERSION(CVM_VERSION);
MODULE_LICENSE("GPL");
