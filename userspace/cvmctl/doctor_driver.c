// SPDX-License-Identifier: MIT
/* The platform, who drives it, and whether the kernel would take our module. */
#include <errno.h>
#include <libkmod.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "cvmctl.h"
#include "doctor.h"

#define MODULE		"cvm_guest"
#define COMMAND_MAX	(2 * NAME_MAX)

static void cleanup_kmod(struct kmod_ctx **kmod)
{
	kmod_unref(*kmod);
}

static void cleanup_module(struct kmod_module **module)
{
	kmod_module_unref(*module);
}

static void cleanup_info(struct kmod_list **list)
{
	kmod_module_info_free_list(*list);
}

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

void doctor_platform(struct doctor *d)
{
	d->tee = find_tee(d);
	d->ours = doctor_exists(d, "/sys/module/" MODULE);
	if (d->tee == CVM_TEE_NONE)
		finding(d, "platform", UNSAFE, NULL,
			"this kernel knows of no SEV-SNP or TDX guest: there is no evidence to be had, and the host can read the memory");
	else
		finding(d, "platform", FINE, NULL, "%s guest, kernel %s",
			d->tee == CVM_TEE_SNP ? "SEV-SNP" : "TDX", d->release);
}

/* the kernel's own driver of this platform */
static const char *rival(const struct doctor *d)
{
	return d->tee == CVM_TEE_SNP ? "sev-guest" : "tdx-guest";
}

static bool rival_loaded(const struct doctor *d)
{
	return doctor_exists(d, d->tee == CVM_TEE_SNP ? "/sys/module/sev_guest" :
							 "/sys/module/tdx_guest");
}

void doctor_driver(struct doctor *d)
{
	char command[COMMAND_MAX];

	if (d->tee == CVM_TEE_NONE)
		return;
	if (d->ours && doctor_exists(d, "/sys/class/misc/cvm_report")) {
		finding(d, "driver", FINE, NULL, MODULE " has the platform");
	} else if (d->ours) {
		snprintf(command, sizeof(command), "modprobe -r %s %s && cvmctl module load",
			 MODULE, rival(d));
		finding(d, "driver", UNSAFE, command, MODULE " is loaded and has no node: %s",
			rival_loaded(d) ? "another driver has the platform" :
					  "the kernel log says why");
	} else if (rival_loaded(d)) {
		snprintf(command, sizeof(command), "modprobe -r %s && cvmctl module load",
			 rival(d));
		finding(d, "driver", WARNING, command,
			"the kernel's own %s has the platform: one request at a time, no batches, and a key that is lost on a bad answer",
			rival(d));
	} else {
		finding(d, "driver", UNSAFE, "cvmctl module load",
			"no driver is loaded: there is no evidence to be had");
	}
}

/* why DKMS has not made one, as far as its folders tell */
static void explain_missing(struct doctor *d)
{
	char path[PATH_MAX], command[COMMAND_MAX];

	snprintf(path, sizeof(path), "/lib/modules/%s/build", d->release);
	if (!doctor_exists(d, "/var/lib/dkms/cvm-guest")) {
		finding(d, "module", WARNING,
			"dkms add . && dkms install cvm-guest/" CVM_VERSION
			" (in the folder of cvm-guest's sources)",
			"there is no " MODULE " for kernel %s, and DKMS does not know of it",
			d->release);
	} else if (!doctor_exists(d, path)) {
		snprintf(command, sizeof(command), "apt-get install linux-headers-%s", d->release);
		finding(d, "module", WARNING, command,
			"there is no " MODULE " for kernel %s: its headers are not installed, so DKMS could not build it",
			d->release);
	} else {
		snprintf(command, sizeof(command), "dkms install cvm-guest/" CVM_VERSION " -k %s",
			 d->release);
		finding(d, "module", WARNING, command,
			"there is no " MODULE " for kernel %s: DKMS has not built it, or the build failed (/var/lib/dkms/cvm-guest/*/build/make.log)",
			d->release);
	}
}

static struct kmod_module *installed(const struct doctor *d, struct kmod_ctx **kmod)
{
	char path[PATH_MAX];
	struct kmod_module *module = NULL;

	*kmod = kmod_new(doctor_path(d, path, "/lib/modules/%s", d->release), NULL);
	if (!*kmod)
		return NULL;
	kmod_set_log_priority(*kmod, 0);
	if (kmod_module_new_from_name(*kmod, MODULE, &module))
		return NULL;
	if (kmod_module_get_path(module))
		return module;
	kmod_module_unref(module);
	return NULL;
}

void doctor_module(struct doctor *d)
{
	struct kmod_ctx *kmod __cleanup(cleanup_kmod) = NULL;
	struct kmod_module *module __cleanup(cleanup_module) = installed(d, &kmod);

	if (d->tee == CVM_TEE_NONE)
		return;
	if (!module)
		explain_missing(d);
	else
		finding(d, "module", FINE, NULL, "installed for this kernel: %s",
			kmod_module_get_path(module));
}

/* the name of the certificate that the module is signed with; false: none */
static bool signer_of(const struct doctor *d, char *signer, size_t size)
{
	struct kmod_ctx *kmod __cleanup(cleanup_kmod) = NULL;
	struct kmod_module *module __cleanup(cleanup_module) = installed(d, &kmod);
	struct kmod_list *list __cleanup(cleanup_info) = NULL, *entry;
	bool found = false;

	if (!module || kmod_module_get_info(module, &list) < 0)
		return false;
	kmod_list_foreach(entry, list) {
		if (strcmp(kmod_module_info_get_key(entry), "signer"))
			continue;
		snprintf(signer, size, "%s", kmod_module_info_get_value(entry));
		found = true;
	}
	return found;
}

/* "[none] integrity confidentiality": the one in brackets; true: it is one */
static bool locked_down(const struct doctor *d)
{
	__cleanup_free char *line = doctor_line(d, "/sys/kernel/security/lockdown");

	return line && strchr(line, '[') && !strstr(line, "[none]");
}

/*
 * A guest whose kernel takes any module is measured at launch and can be
 * anything a moment later, as far as whoever is root in it wishes.
 */
void doctor_signature(struct doctor *d)
{
	__cleanup_free char *enforce = doctor_line(d, "/sys/module/module/parameters/sig_enforce");
	bool enforced = (enforce && *enforce == 'Y') || locked_down(d);
	char signer[NAME_MAX];
	bool is_signed = signer_of(d, signer, sizeof(signer));

	if (!enforced)
		finding(d, "signature", WARNING,
			KERNEL_OPTION("module.sig_enforce=1"),
			"the kernel takes unsigned modules: root can make it something else than what was measured at launch");
	else if (is_signed)
		finding(d, "signature", FINE, NULL,
			"only signed modules are taken; " MODULE " is signed by '%s'", signer);
	else if (d->ours)
		finding(d, "signature", FINE, NULL,
			"only signed modules are taken, and " MODULE " was");
	else
		finding(d, "signature", d->tee == CVM_TEE_NONE ? NOTE : WARNING,
			"mokutil --import /var/lib/dkms/mok.pub",
			"only signed modules are taken, and " MODULE " is not signed or not installed: install the signed package, or enrol the key that DKMS signs with");
}

void doctor_channel(struct doctor *d)
{
	__cleanup_free char *state =
		doctor_line(d, "/sys/class/misc/cvm_report/channel/state");

	if (!state)
		return;
	if (!strcmp(state, "dead"))
		finding(d, "channel", UNSAFE, "reboot",
			"the key of the channel to the firmware is gone: no evidence until the next boot");
	else if (!strcmp(state, "parked"))
		finding(d, "channel", WARNING, "cvmctl status",
			"the host has not answered a message yet; it is repeated, and requests wait behind it");
	else
		finding(d, "channel", FINE, NULL, "%s", state);
}
