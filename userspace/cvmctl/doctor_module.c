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

static void cleanup_info(struct kmod_list **list)
{
	kmod_module_info_free_list(*list);
}

/* the modules of this kernel; NULL: out of memory */
static struct kmod_ctx *modules(const struct doctor *d)
{
	char path[PATH_MAX];
	struct kmod_ctx *kmod = kmod_new(doctor_path(d, path, "/lib/modules/%s", d->release), NULL);

	if (kmod)
		kmod_set_log_priority(kmod, 0);
	return kmod;
}

/* the file that modprobe would load for @name, to be freed; NULL: there is none */
static char *module_path(const struct doctor *d, const char *name)
{
	struct kmod_ctx *kmod __cleanup(cleanup_kmod) = modules(d);
	struct kmod_module *module __cleanup(cleanup_module) = NULL;
	const char *found;

	if (!kmod || kmod_module_new_from_name(kmod, name, &module))
		return NULL;
	found = kmod_module_get_path(module);
	/* as the machine itself would name it */
	if (found && !strncmp(found, d->root, strlen(d->root)))
		found += strlen(d->root);
	return found ? strdup(found) : NULL;
}

char *doctor_module_path(const struct doctor *d)
{
	return module_path(d, "cvm_guest");
}

/* what modinfo says of the installed file, to be freed; or NULL */
static char *installed_info(const struct doctor *d, const char *key)
{
	struct kmod_ctx *kmod __cleanup(cleanup_kmod) = modules(d);
	struct kmod_module *module __cleanup(cleanup_module) = NULL;
	struct kmod_list *info __cleanup(cleanup_info) = NULL;
	struct kmod_list *entry;

	if (!kmod || kmod_module_new_from_name(kmod, "cvm_guest", &module) ||
	    kmod_module_get_info(module, &info) < 0)
		return NULL;
	kmod_list_foreach(entry, info)
		if (!strcmp(kmod_module_info_get_key(entry), key))
			return strdup(kmod_module_info_get_value(entry));
	return NULL;
}

/* an upgrade while the module is in use takes effect when it is loaded again */
static void check_running(struct doctor *d)
{
	/* srcversion tells builds of one version apart, and by newer kernels counts no headers */
	static const struct {
		const char *key, *path;
	} infos[] = {
		{ "version", "/sys/module/cvm_guest/version" },
		{ "srcversion", "/sys/module/cvm_guest/srcversion" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(infos); i++) {
		__cleanup_free char *running = doctor_line(d, infos[i].path);
		__cleanup_free char *installed = installed_info(d, infos[i].key);

		if (!running || !installed || !strcmp(running, installed))
			continue;
		finding(d, MODULE_OLD, doctor_take_over(d),
			"the cvm_guest that runs (%s %s) is another than the one that is installed (%s)",
			infos[i].key, running, installed);
		return;
	}
}

/*
 * cvm-guest-dkms and packages with the module in them exclude each other: what
 * is not for this kernel may still be what another boots with.
 */
static const char *add_module(const struct doctor *d, char *command)
{
	return doctor_prebuilt(d) ? doctor_install_prebuilt(d, "", command) :
				    "apt-get install cvm-guest-dkms";
}

/* why DKMS has not made one, as far as its folders tell */
static void explain_missing(struct doctor *d)
{
	char path[PATH_MAX], command[COMMAND_MAX], version[NAME_MAX];

	snprintf(path, sizeof(path), "/lib/modules/%s/build", d->release);
	if (!doctor_sources(d, version)) {
		finding(d, MODULE_NOT_ADDED, add_module(d, command),
			"there is no cvm_guest for kernel %s, and no sources that DKMS could build it from",
			d->release);
	} else if (!doctor_exists(d, path)) {
		snprintf(command, sizeof(command), "apt-get install linux-headers-%s", d->release);
		finding(d, MODULE_NO_HEADERS, command,
			"there is no cvm_guest for kernel %s: its headers are not installed, so DKMS could not build it",
			d->release);
	} else {
		snprintf(command, sizeof(command), "dkms install cvm-guest/%s -k %s", version,
			 d->release);
		finding(d, MODULE_NOT_BUILT, command,
			"there is no cvm_guest for kernel %s: DKMS has not built it, or the build failed (/var/lib/dkms/cvm-guest/*/build/make.log)",
			d->release);
	}
}

/* what modprobe reads below the root; and, as it does, the running kernel's command line */
static struct kmod_ctx *modprobe_config(const struct doctor *d)
{
	static const char *const folders[] = { "/etc/modprobe.d", "/run/modprobe.d",
					       "/usr/local/lib/modprobe.d", "/usr/lib/modprobe.d",
					       "/lib/modprobe.d" };
	char paths[ARRAY_SIZE(folders)][PATH_MAX];
	const char *config[ARRAY_SIZE(folders) + 1] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		config[i] = doctor_path(d, paths[i], "%s", folders[i]);
	return kmod_new(NULL, config);
}

static bool is_blacklisted(struct kmod_ctx *kmod)
{
	struct kmod_config_iter *iter __cleanup(cleanup_iter) = kmod_config_get_blacklists(kmod);

	while (iter && kmod_config_iter_next(iter))
		if (!strcmp(kmod_config_iter_get_key(iter), "cvm_guest"))
			return true;
	return false;
}

/* an "install" for the kernel's own driver that tries ours first */
static bool is_preferred(struct kmod_ctx *kmod, const char *rival)
{
	struct kmod_config_iter *iter __cleanup(cleanup_iter) =
		kmod_config_get_install_commands(kmod);

	while (iter && kmod_config_iter_next(iter))
		if (!strcmp(kmod_config_iter_get_key(iter), rival) &&
		    strstr(kmod_config_iter_get_value(iter), "cvm_guest"))
			return true;
	return false;
}

/* is cvm_guest in the list of one of the kernel's options @name, which ends with "="? */
static bool on_command_line(const struct doctor *d, const char *name)
{
	__cleanup_free char *line = doctor_line(d, "/proc/cmdline");
	char *options, *words, *option, *module;

	for (option = line ? strtok_r(line, " ", &options) : NULL; option;
	     option = strtok_r(NULL, " ", &options)) {
		if (strncmp(option, name, strlen(name)))
			continue;
		for (module = strtok_r(option + strlen(name), ",", &words); module;
		     module = strtok_r(NULL, ",", &words))
			if (!strcmp(module, "cvm_guest") || !strcmp(module, "cvm-guest"))
				return true;
	}
	return false;
}

static void check_blacklists(struct doctor *d, struct kmod_ctx *kmod)
{
	if (on_command_line(d, "modprobe.blacklist="))
		finding(d, MODULE_BLACKLISTED, NULL,
			"modprobe has been told not to load cvm_guest for a device: modprobe.blacklist= on the kernel's command line");
	else if (is_blacklisted(kmod))
		finding(d, MODULE_BLACKLISTED,
			"sed -i '/^ *blacklist *cvm[_-]guest/d' /etc/modprobe.d/*.conf",
			"modprobe has been told not to load cvm_guest for a device: blacklist in modprobe.d");
	if (on_command_line(d, "module_blacklist="))
		finding(d, MODULE_BLACKLISTED, NULL,
			"the kernel has been told not to take cvm_guest: module_blacklist= on its command line");
}

static const char *rival_of(const struct doctor *d)
{
	return d->tee == CVM_TEE_SNP ? "sev_guest" : "tdx_guest";
}

bool doctor_has_rival(const struct doctor *d)
{
	__cleanup_free char *path = module_path(d, rival_of(d));

	return path;
}

bool doctor_loading_off(const struct doctor *d)
{
	__cleanup_free char *off = doctor_line(d, "/proc/sys/kernel/modules_disabled");

	return off && !strcmp(off, "1");
}

bool doctor_module_comes(const struct doctor *d)
{
	struct kmod_ctx *kmod __cleanup(cleanup_kmod) = modprobe_config(d);

	return kmod && is_preferred(kmod, rival_of(d)) && !is_blacklisted(kmod) &&
	       !on_command_line(d, "modprobe.blacklist=") &&
	       !on_command_line(d, "module_blacklist=") && !doctor_loading_off(d) &&
	       doctor_outlook(d) >= TAKEN;
}

/* both drivers have the device's alias, and the kernel's own comes first */
static void check_preference(struct doctor *d, struct kmod_ctx *kmod)
{
	const char *rival = rival_of(d);
	__cleanup_free char *path = module_path(d, rival);

	if (path && !is_preferred(kmod, rival))
		finding(d, MODULE_NOT_PREFERRED, "apt-get install --reinstall cvm-guest",
			"no rule has modprobe try cvm_guest before %s: at boot the kernel's own driver takes the platform",
			path);
}

static void check_modprobe(struct doctor *d)
{
	struct kmod_ctx *kmod __cleanup(cleanup_kmod) = modprobe_config(d);

	if (!kmod)
		return;
	check_blacklists(d, kmod);
	check_preference(d, kmod);
}

void doctor_module(struct doctor *d)
{
	__cleanup_free char *path = NULL;

	if (d->tee == CVM_TEE_NONE)
		return;
	path = doctor_module_path(d);
	if (!path)
		explain_missing(d);
	else
		fine(d, "module", "installed for this kernel: %s", path);
	if (path) {
		check_running(d);
		check_modprobe(d);
	}
	if (!d->ours && doctor_loading_off(d))
		finding(d, MODULE_LOADING_OFF,
			"echo cvm_guest >/etc/modules-load.d/cvm-guest.conf && reboot",
			"kernel.modules_disabled is set, and cvm_guest is not loaded: no module can be loaded until the next boot");
}
