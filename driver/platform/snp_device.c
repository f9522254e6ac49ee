// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ownership. Two drivers that use one VMPCK would each use the same sequence
 * numbers, which is the one thing that must never happen; whoever is bound to
 * the kernel's sev-guest device owns all four keys.
 */
#include <linux/err.h>
#include <linux/module.h>
#include <linux/mod_devicetable.h>
#include <linux/platform_device.h>

#include "snp_device.h"

static struct platform_device *device;	/* bound to us */

static int claim(struct platform_device *pdev)
{
	device = pdev;
	return 0;
}

static const struct platform_device_id ids[] = {
	{ .name = "sev-guest" },
	{ }
};
MODULE_DEVICE_TABLE(platform, ids);

static struct platform_driver driver = {
	.probe = claim,
	.id_table = ids,
	.driver = {
		.name = "cvm-guest",
		/* the device must not change hands while a message is under way */
		.suppress_bind_attrs = true,
		/* so that registering tells whether we got it */
		.probe_type = PROBE_FORCE_SYNCHRONOUS,
	},
};

static int say_why(void)
{
	struct device *dev = bus_find_device_by_name(&platform_bus_type, NULL,
						     ids[0].name);

	if (!dev) {
		pr_err("snp: the kernel has no sev-guest device: boot firmware that passes the secrets page on\n");
		return -ENODEV;
	}
	put_device(dev);
	pr_err("snp: another driver holds the sev-guest device: modprobe -r sev-guest, then load this module again\n");
	return -EBUSY;
}

struct platform_device *cvm_snp_device_claim(void)
{
	int err = platform_driver_register(&driver);

	if (err) {
		pr_err("snp: the kernel takes no driver for the sev-guest device (error %d)\n", err);
		return ERR_PTR(err);
	}
	/* registering succeeds without the device, too */
	if (!device) {
		err = say_why();
		platform_driver_unregister(&driver);
		return ERR_PTR(err);
	}
	return device;
}

void cvm_snp_device_release(void)
{
	device = NULL;
	platform_driver_unregister(&driver);
}
