// SPDX-License-Identifier: MIT
/* Which fixes for what a host can do to its guest this kernel has, by its version. */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "doctor.h"

/* a release, or the first one of a stable series that has a fix */
struct version {
	unsigned int major, minor, patch;
};

/**
 * struct fix - a fix for what a host can do to a guest
 * @name: by which it is known
 * @tee: whom it concerns; CVM_TEE_NONE: both
 * @in_driver: it is in the kernel's own driver: no matter where ours is used
 * @what: that a host, or a program with its help, can do without it
 * @mainline: the first release that is known to have it from the start; 0: there is none
 * @stable: series that got it later, as Debian's changelogs and sources have it; one
 *	that is not named has not got it, up to 6.1.192 and 6.12.117
 */
struct fix {
	const char *name;
	enum cvm_tee tee;
	bool in_driver;
	const char *what;
	struct version mainline;
	struct version stable[3];
};

static const struct fix fixes[] = {
	{ "CVE-2023-46813", CVM_TEE_SNP, false,
	  "a program can write kernel memory through #VC emulation",
	  { 6, 6, 0 }, { { 6, 1, 64 }, { 6, 5, 10 } } },
	{ "CVE-2024-25744", CVM_TEE_NONE, false, "the host can inject int 0x80 at any point",
	  { 6, 7, 0 }, { { 6, 1, 69 }, { 6, 6, 7 } } },
	{ "CVE-2024-25742", CVM_TEE_SNP, false, "the host can inject #VC at any point",
	  { 6, 9, 0 }, { { 0 } } },
	{ "CVE-2024-35875", CVM_TEE_NONE, false,
	  "random numbers may start from nothing but what the host gives",
	  { 6, 9, 0 }, { { 6, 1, 85 } } },
	{ "CVE-2024-46794", CVM_TEE_TDX, false, "the host can read kernel memory by MMIO",
	  { 6, 11, 0 }, { { 6, 1, 112 }, { 6, 10, 11 } } },
	{ "CVE-2024-47727", CVM_TEE_TDX, false,
	  "a program can have the kernel do MMIO to addresses of its choice",
	  { 6, 12, 0 }, { { 6, 1, 115 } } },
	{ "CVE-2025-38560 (CVE-2024-36331)", CVM_TEE_SNP, false,
	  "stale cache lines can overwrite pages after validation",
	  { 6, 17, 0 }, { { 6, 1, 148 }, { 6, 12, 43 } } },
	{ "CVE-2026-89751", CVM_TEE_TDX, false,
	  "the host can set a bit that the port that is read does not have",
	  { 7, 2, 0 }, { { 6, 1, 190 }, { 6, 12, 111 } } },
	{ "CVE-2024-25743", CVM_TEE_SNP, false,
	  "the host can inject interrupts 0 and 14 and so run the signal handlers of programs",
	  { 0 }, { { 0 } } },
	{ "the double buffer of messages", CVM_TEE_SNP, true,
	  "the host can change a message between its check and its use",
	  { 6, 4, 0 }, { { 6, 1, 37 } } },
	{ "the check of the quote's length", CVM_TEE_TDX, true,
	  "the host can have more read than the buffer has",
	  { 7, 0, 0 }, { { 6, 12, 85 } } },
	{ "the check of the quote's status", CVM_TEE_TDX, true,
	  "what the host calls an error is handed out as a quote",
	  { 7, 2, 0 }, { { 0 } } },
	{ "the leak of pages that stay shared", CVM_TEE_SNP, true,
	  "memory that the host can read may go back to the kernel",
	  { 7, 2, 0 }, { { 0 } } },
};

/*
 * Debian's own version where the kernel says one: the release in its name
 * changes with the ABI only.
 */
static bool kernel_version(const struct doctor *d, struct version *v)
{
	const char *debian = strstr(d->version, "Debian ");

	v->patch = 0;
	if (debian && sscanf(debian, "Debian %u.%u.%u", &v->major, &v->minor, &v->patch) >= 2)
		return true;
	return sscanf(d->release, "%u.%u.%u", &v->major, &v->minor, &v->patch) >= 2;
}

static bool not_before(const struct version *a, const struct version *b)
{
	if (a->major != b->major)
		return a->major > b->major;
	if (a->minor != b->minor)
		return a->minor > b->minor;
	return a->patch >= b->patch;
}

/* the fix in the kernel's own series, or NULL */
static const struct version *in_series(const struct version *kernel, const struct fix *fix)
{
	for (size_t i = 0; i < ARRAY_SIZE(fix->stable); i++)
		if (fix->stable[i].major == kernel->major && fix->stable[i].minor == kernel->minor)
			return &fix->stable[i];
	return NULL;
}

static bool has_fix(const struct version *kernel, const struct fix *fix)
{
	const struct version *stable = in_series(kernel, fix);

	if (stable)
		return kernel->patch >= stable->patch;
	return fix->mainline.major && not_before(kernel, &fix->mainline);
}

/*
 * Debian 12 has one newer series, in two packages: without its headers DKMS makes
 * no module for it. Elsewhere, and beyond that series, whoever runs it knows what
 * there is.
 */
static const char *other_series(const struct doctor *d, const struct version *kernel,
				const struct fix *fix)
{
	static const struct version newer = { 6, 12, 117 };

	if (not_before(kernel, &(struct version){ 6, 12, 0 }) || !has_fix(&newer, fix) ||
	    !doctor_word(d, "/etc/os-release", "VERSION_CODENAME=bookworm"))
		return NULL;
	return "apt-get update && apt-get install linux-image-6.12-cloud-amd64 linux-headers-6.12-cloud-amd64";
}

static void report_fix(struct doctor *d, const struct version *kernel, const struct fix *fix)
{
	const struct version *stable = in_series(kernel, fix);

	if (!fix->mainline.major)
		finding(d, KERNEL_NO_FIX, NULL, "%s: %s; no kernel prevents that", fix->name,
			fix->what);
	else if (fix->in_driver)
		finding(d, KERNEL_DRIVER, doctor_take_over(d),
			"the kernel's own driver has the platform and in %u.%u.%u lacks %s, as far as its version tells: %s",
			kernel->major, kernel->minor, kernel->patch, fix->name, fix->what);
	else if (stable)
		finding(d, KERNEL_FIX, "apt-get update && apt-get full-upgrade",
			"%u.%u.%u does not have the fix for %s, as far as its version tells: %s; it came with %u.%u.%u",
			kernel->major, kernel->minor, kernel->patch, fix->name, fix->what,
			stable->major, stable->minor, stable->patch);
	else
		finding(d, KERNEL_FIX, other_series(d, kernel, fix),
			"%u.%u.%u does not have the fix for %s, and its series never got it, as far as the version tells: %s; it came with %u.%u",
			kernel->major, kernel->minor, kernel->patch, fix->name, fix->what,
			fix->mainline.major, fix->mainline.minor);
}

static bool concerns(const struct doctor *d, const struct fix *fix)
{
	return d->tee != CVM_TEE_NONE && (fix->tee == CVM_TEE_NONE || fix->tee == d->tee) &&
	       (!fix->in_driver || d->in_tree);
}

void doctor_kernel(struct doctor *d)
{
	unsigned int missing = 0;
	struct version kernel;

	if (!kernel_version(d, &kernel)) {
		finding(d, KERNEL_UNKNOWN, NULL, "version '%s' is not understood", d->release);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fixes); i++) {
		const struct fix *fix = &fixes[i];

		if (!concerns(d, fix) || has_fix(&kernel, fix))
			continue;
		missing += fix->mainline.major && !fix->in_driver;
		report_fix(d, &kernel, fix);
	}
	if (!missing && d->tee != CVM_TEE_NONE)
		fine(d, "kernel", "%u.%u.%u has the known fixes against its host", kernel.major,
		     kernel.minor, kernel.patch);
}
