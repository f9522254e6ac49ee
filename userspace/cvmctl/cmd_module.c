// SPDX-License-Identifier: MIT
/* cvmctl module: load and unload the driver, through libkmod. */
#include <errno.h>
#include <libkmod.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "cvmctl.h"

#define MODULE	"cvm_guest"
#define VERSION	"/sys/module/" MODULE "/version"

#define __cleanup_kmod		__cleanup(cleanup_kmod)
#define __cleanup_module	__cleanup(cleanup_module)

static void cleanup_kmod(struct kmod_ctx **kmod)
{
	kmod_unref(*kmod);
}

static void cleanup_module(struct kmod_module **module)
{
	kmod_module_unref(*module);
}

static const char *kernel(void)
{
	static struct utsname name;

	return uname(&name) ? "this kernel" : name.release;
}

static int load_failed(int rc)
{
	switch (rc) {
	case -ENOENT:
		return fail(EXIT_FAILED, MODULE ": there is no module for kernel %s: install it with 'dkms install cvm-guest/" CVM_VERSION " -k %s', or build it and run depmod; 'cvmctl doctor' says why there is none",
			    kernel(), kernel());
	case -ENODEV:
		return fail(EXIT_NOT_SUPPORTED, MODULE ": this machine is no confidential VM that the driver supports on kernel %s",
			    kernel());
	case -EBUSY:
		return fail(EXIT_FAILED, MODULE ": another driver has the platform: 'modprobe -r sev-guest && modprobe sev-guest' puts this one in its place (tdx-guest, on TDX)");
	case -EPERM:
		if (geteuid())
			return fail(EXIT_FAILED, MODULE ": loading is not permitted: run as root");
		return fail(EXIT_FAILED, MODULE ": the kernel does not permit loading it: 'cvmctl doctor' says why (lockdown, module-*, signature-*)");
	case -EKEYREJECTED:
	case -EKEYREVOKED:
	case -ENOKEY:
	case -EBADMSG:
		return fail(EXIT_FAILED, MODULE ": the kernel refuses its signature: 'cvmctl doctor' says why, and what to do");
	default:
		return fail(EXIT_FAILED, MODULE ": cannot be loaded: %s; the kernel log says more",
			    strerror(-rc));
	}
}

static int load(struct kmod_module *module)
{
	int rc = kmod_module_probe_insert_module(module, KMOD_PROBE_APPLY_BLACKLIST_ALIAS_ONLY,
						 NULL, NULL, NULL, NULL);

	return rc ? load_failed(rc < 0 ? rc : -EIO) : EXIT_DONE;
}

static int unload(struct kmod_module *module)
{
	int rc = kmod_module_remove_module(module, KMOD_REMOVE_NOLOG);

	switch (rc) {
	case 0:
		return EXIT_DONE;
	case -ENOENT:
		return fail(EXIT_FAILED, MODULE ": is not loaded");
	case -EAGAIN:
	case -EBUSY:
		return fail(EXIT_FAILED, MODULE ": is in use: end the programs that have /dev/cvm/report open ('fuser /dev/cvm/report')");
	case -EPERM:
		return fail(EXIT_FAILED, MODULE ": unloading is not permitted: run as root");
	default:
		return fail(EXIT_FAILED, MODULE ": cannot be unloaded: %s", strerror(-rc));
	}
}

static void print_version(void)
{
	__cleanup_free char *version = NULL;
	size_t len;

	if (!cvm_read_file(VERSION, 64, (void **)&version, &len))
		printf("%-10s %.*s\n", "version", (int)strcspn(version, "\n"), version);
}

static int status(struct kmod_module *module)
{
	int state = kmod_module_get_initstate(module);
	const char *path = kmod_module_get_path(module);
	const char *name = state < 0 ? NULL : kmod_module_initstate_str(state);

	printf("%-10s %s\n", "module", MODULE);
	printf("%-10s %s\n", "state", name ? name : "not loaded");
	printf("%-10s %s (kernel %s)\n", "file", path ? path : "not installed", kernel());
	if (name) {
		print_version();
		printf("%-10s %d\n", "users", kmod_module_get_refcnt(module));
	}
	return EXIT_DONE;
}

static int run(const struct arguments *args)
{
	static const struct {
		const char *name;
		int (*run)(struct kmod_module *module);
	} actions[] = {
		{ "load", load }, { "unload", unload }, { "status", status },
	};
	__cleanup_kmod struct kmod_ctx *kmod = kmod_new(NULL, NULL);
	__cleanup_module struct kmod_module *module = NULL;

	if (!kmod || kmod_module_new_from_name(kmod, MODULE, &module))
		return fail(EXIT_FAILED, MODULE ": libkmod cannot start");
	/* it prints lines of its own; ours say what they do, and what to do */
	kmod_set_log_priority(kmod, 0);
	for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
		if (!strcmp(args->operand[0], actions[i].name))
			return actions[i].run(module);
	return usage_error("'%s' is neither load nor unload nor status", args->operand[0]);
}

const struct command cmd_module = {
	.name = "module",
	.summary = "load or unload the driver, or show whether it is",
	.operands = "load | unload | status",
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
