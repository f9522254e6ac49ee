// SPDX-License-Identifier: MIT
/* Whether there is a module of ours for this kernel, and if not, why not. */
#include <libkmod.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor.h"

static void cleanup_kmod(struct kmod_ctx **kmod)
{
	kmod_unref(*kmod);
}

static void cleanup_iter(struct kmod_config_iter **iter)
{
	kmod_config_iter_free_iter(*iter);
}

static void cleanup_module(struct kmod_module **module)
{
	kmod_module_unref(*module);
}

char *doctor_module_path(const struct doctor *d)
{
	struct kmod_ctx *kmod __cleanup(cleanup_kmod) = NULL;
	struct kmod_module *module __cleanup(cleanup_module) = NULL;
	char path[PATH_MAX];
	const char *found;

	kmod = kmod_new(doctor_path(d, path, "/lib/modules/%s", d->release), NULL);
	if (!kmod)
		return NULL;
	kmod_set_log_priority(kmod, 0);
	if (kmod_module_new_from_name(kmod, "cvm_guest", &module))
		return NULL;
	found = kmod_module_get_path(module);
	/* as the machine itself would name it */
	if (found && !strncmp(found, d->root, strlen(d->root)))
		found += strlen(d->root);
	return found ? strdup(found) : NULL;
}

/* why DKMS has not made one, as far as its folders tell */
static void explain_missing(struct doctor *d)
{
	char path[PATH_MAX], command[COMMAND_MAX];

	snprintf(path, sizeof(path), "/lib/modules/%s/build", d->release);
	if (!doctor_exists(d, "/var/lib/dkms/cvm-guest")) {
		finding(d, MODULE_NOT_ADDED,
			"dkms add . && dkms install cvm-guest/" CVM_VERSION
			" (in the folder of cvm-guest's sources)",
			"there is no cvm_guest for kernel %s, and DKMS does not know of it",
			d->release);
	} else if (!doctor_exists(d, path)) {
		snprintf(command, sizeof(command), "apt-get install linux-headers-%s", d->release);
		finding(d, MODULE_NO_HEADERS, command,
			"there is no cvm_guest for kernel %s: its headers are not installed, so DKMS could not build it",
			d->release);
	} else {
		snprintf(command, sizeof(command), "dkms install cvm-guest/" CVM_VERSION " -k %s",
			 d->release);
		finding(d, MODULE_NOT_BUILT, command,
			"there is no cvm_guest for kernel %s: DKMS has not built it, or the build failed (/var/lib/dkms/cvm-guest/*/build/make.log)",
			d->release);
	}
}

/* by "blacklist cvm_guest" in modprobe.d, or modprobe.blacklist= on the command line */
static bool modprobe_skips_it(const struct doctor *d)
{
	static const char *const folders[] = { "/etc/modprobe.d", "/run/modprobe.d",
					       "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
					       "/lib/modprobe.d" };
	struct kmod_ctx *kmod __cleanup(cleanup_kmod) = NULL;
	struct kmod_config_iter *iter __cleanup(cleanup_iter) = NULL;
	char paths[ARRAY_SIZE(folders)][PATH_MAX];
	const char *config[ARRAY_SIZE(folders) + 1] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		config[i] = doctor_path(d, paths[i], "%s", folders[i]);
	kmod = kmod_new(NULL, config);
	iter = kmod ? kmod_config_get_blacklists(kmod) : NULL;
	while (iter && kmod_config_iter_next(iter))
		if (!strcmp(kmod_config_iter_get_key(iter), "cvm_guest"))
			return true;
	return false;
}

/* by module_blacklist= on its command line */
static bool kernel_refuses_it(const struct doctor *d)
{
	__cleanup_free char *line = doctor_line(d, "/proc/cmdline");
	const char *list = line ? strstr(line, "module_blacklist=") : NULL;
	const char *at = list ? strstr(list, "cvm_guest") : NULL;

	return at && at < list + strcspn(list, " ");
}

static void check_blacklists(struct doctor *d)
{
	if (modprobe_skips_it(d))
		finding(d, MODULE_BLACKLISTED,
			"sed -i '/^ *blacklist *cvm[_-]guest/d' /etc/modprobe.d/*.conf",
			"modprobe has been told not to load cvm_guest for a device (blacklist in modprobe.d, or modprobe.blacklist=)");
	if (kernel_refuses_it(d))
		finding(d, MODULE_BLACKLISTED, NULL,
			"the kernel has been told not to take cvm_guest: module_blacklist= on its command line");
}

void doctor_module(struct doctor *d)
{
	__cleanup_free char *path = NULL, *off = NULL;

	if (d->tee == CVM_TEE_NONE)
		return;
	path = doctor_module_path(d);
	off = doctor_line(d, "/proc/sys/kernel/modules_disabled");
	if (!path)
		explain_missing(d);
	else
		fine(d, "module", "installed for this kernel: %s", path);
	if (path)
		check_blacklists(d);
	if (!d->ours && off && !strcmp(off, "1"))
		finding(d, MODULE_LOADING_OFF,
			"echo cvm_guest >/etc/modules-load.d/cvm-guest.conf && reboot",
			"kernel.modules_disabled is set, and cvm_guest is not loaded: no module can be loaded until the next boot");
}
