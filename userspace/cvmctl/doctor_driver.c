// SPDX-License-Identifier: MIT
/* The platform, who drives it, and how its channel is. */
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "doctor.h"

/* of our driver, where it has a paravisor */
#define TROUBLE	"/sys/class/misc/cvm_report/channel/trouble"

/*
 * The SNP firmware's device is made by the kernel of every SNP guest, whoever
 * drives it; the flag is the kernel's own word that it is a TD.
 */
static enum cvm_tee find_tee(const struct doctor *d)
{
	if (doctor_exists(d, "/sys/bus/platform/devices/sev-guest"))
		return CVM_TEE_SNP;
	if (doctor_word(d, "/proc/cpuinfo", "tdx_guest"))
		return CVM_TEE_TDX;
	return CVM_TEE_NONE;
}

/* Azure's own mark on all of its VMs; the paravisor shows the guest no platform */
static bool is_azure(const struct doctor *d)
{
	__cleanup_free char *tag = doctor_line(d, "/sys/class/dmi/id/chassis_asset_tag");

	return (tag && !strcmp(tag, "7783-7084-3265-9085-8269-3286-77")) ||
	       doctor_exists(d, TROUBLE);
}

/* the driver stays there only where Hyper-V says that the VM is isolated */
static void check_azure(struct doctor *d)
{
	__cleanup_free char *trouble = doctor_line(d, TROUBLE);

	if (!trouble)
		finding(d, PLATFORM_AZURE, "modprobe cvm_guest",
			"this is a VM of Azure, and the driver, which can tell whether it is a confidential one, is not there");
	else if (strcmp(trouble, "none"))
		finding(d, PLATFORM_PARAVISOR, NULL,
			"a confidential VM of Azure, whose paravisor makes no report that is asked for: %s",
			trouble);
	else
		fine(d, "platform", "a confidential VM of Azure, kernel %s", d->release);
}

void doctor_platform(struct doctor *d)
{
	d->tee = find_tee(d);
	d->ours = doctor_exists(d, "/sys/module/cvm_guest");
	d->in_tree = (d->tee == CVM_TEE_SNP && doctor_exists(d, "/sys/module/sev_guest")) ||
		     (d->tee == CVM_TEE_TDX && doctor_exists(d, "/sys/module/tdx_guest"));
	d->azure = d->tee == CVM_TEE_NONE && is_azure(d);
	if (d->azure)
		check_azure(d);
	else if (d->tee == CVM_TEE_NONE)
		finding(d, PLATFORM_NONE, NULL,
			"this kernel knows of no SEV-SNP or TDX guest: there is no evidence to be had, and the host can read the memory");
	else
		fine(d, "platform", "%s guest, kernel %s",
		     d->tee == CVM_TEE_SNP ? "SEV-SNP" : "TDX", d->release);
}

/*
 * Evidence must not be what it costs: the driver that is there is not unloaded when
 * ours would be refused, and modprobe falls back to it (modprobe.d/cvm-guest.conf)
 * when ours is, against what is to be seen.
 */
const char *doctor_take_over(const struct doctor *d)
{
	bool snp = d->tee == CVM_TEE_SNP;

	if (!doctor_module_comes(d))
		return NULL;
	if (d->ours && d->in_tree)
		return snp ? "modprobe -r cvm_guest sev-guest && modprobe sev-guest" :
			     "modprobe -r cvm_guest tdx-guest && modprobe tdx-guest";
	if (d->ours)
		return snp ? "modprobe -r cvm_guest && modprobe sev-guest" :
			     "modprobe -r cvm_guest && modprobe tdx-guest";
	return snp ? "modprobe -r sev-guest && modprobe sev-guest" :
		     "modprobe -r tdx-guest && modprobe tdx-guest";
}

/* there is no driver: any is better; NULL: none would come */
static const char *load_one(const struct doctor *d)
{
	if (doctor_loading_off(d))
		return NULL;
	if (doctor_outlook(d) >= TAKEN)
		return "cvmctl module load";
	if (!doctor_has_rival(d))
		return NULL;
	return d->tee == CVM_TEE_SNP ? "modprobe sev-guest" : "modprobe tdx-guest";
}

void doctor_driver(struct doctor *d)
{
	const char *rival = d->tee == CVM_TEE_SNP ? "sev-guest" : "tdx-guest";

	if (d->tee == CVM_TEE_NONE)
		return;
	if (d->ours && doctor_exists(d, "/sys/class/misc/cvm_report")) {
		fine(d, "driver", "cvm_guest has the platform");
	} else if (d->ours) {
		finding(d, DRIVER_NO_NODE, doctor_take_over(d), "cvm_guest is loaded and has no node: %s",
			d->in_tree ? "another driver has the platform" : "the kernel log says why");
	} else if (d->in_tree) {
		finding(d, DRIVER_IN_TREE, doctor_take_over(d),
			"the kernel's own %s has the platform: one request at a time, no batches, and a key that is lost on a bad answer",
			rival);
	} else {
		finding(d, DRIVER_NONE, load_one(d),
			"no driver is loaded: there is no evidence to be had");
	}
}

void doctor_channel(struct doctor *d)
{
	__cleanup_free char *state = doctor_line(d, "/sys/class/misc/cvm_report/channel/state");

	if (!state)
		return;
	if (!strcmp(state, "dead"))
		finding(d, CHANNEL_DEAD, "reboot",
			"the key of the channel to the firmware is gone: no evidence until the next boot");
	else if (!strcmp(state, "parked"))
		finding(d, CHANNEL_PARKED, "cvmctl status",
			"the host has not answered a message yet; it is repeated, and requests wait behind it");
	else
		fine(d, "channel", "%s", state);
}
