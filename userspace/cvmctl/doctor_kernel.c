// SPDX-License-Identifier: MIT
/* Which fixes for attacks by the host this kernel has, by its version. */
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "doctor.h"

/* a stable series, and the first release of it that has a fix */
struct fixed_in {
	unsigned int major, minor, patch;
};

/**
 * struct fix - a fix for what a host can do to a guest
 * @name: by which it is known
 * @tee: whom it concerns; CVM_TEE_NONE: both
 * @attack: for people
 * @mainline: the first release that had it from the start; patch 0
 * @stable: series that got it later, as Debian's changelogs have it; a series
 *	that is not named never got it as far as is known
 */
struct fix {
	const char *name;
	enum cvm_tee tee;
	const char *attack;
	struct fixed_in mainline;
	struct fixed_in stable[3];
};

static const struct fix fixes[] = {
	{ "CVE-2023-46813", CVM_TEE_SNP, "a program can write kernel memory through #VC emulation",
	  { 6, 6, 0 }, { { 6, 1, 64 } } },
	{ "CVE-2024-25744", CVM_TEE_NONE, "the host can inject int 0x80 at any point",
	  { 6, 7, 0 }, { { 6, 1, 69 }, { 6, 6, 7 } } },
	{ "CVE-2024-25742", CVM_TEE_SNP, "the host can inject #VC at any point",
	  { 6, 9, 0 }, { { 0 } } },
	{ "CVE-2024-36331", CVM_TEE_SNP, "stale cache lines can overwrite pages after validation",
	  { 6, 17, 0 }, { { 6, 1, 148 }, { 6, 12, 43 } } },
};

/*
 * Debian's own version where the kernel says one: the release in its name
 * changes with the ABI only.
 */
static bool kernel_version(const struct doctor *d, struct fixed_in *v)
{
	const char *debian = strstr(d->version, "Debian ");

	v->patch = 0;
	if (debian && sscanf(debian, "Debian %u.%u.%u", &v->major, &v->minor, &v->patch) >= 2)
		return true;
	return sscanf(d->release, "%u.%u.%u", &v->major, &v->minor, &v->patch) >= 2;
}

static bool not_before(const struct fixed_in *a, const struct fixed_in *b)
{
	if (a->major != b->major)
		return a->major > b->major;
	if (a->minor != b->minor)
		return a->minor > b->minor;
	return a->patch >= b->patch;
}

static bool has_fix(const struct fixed_in *kernel, const struct fix *fix)
{
	for (size_t i = 0; i < ARRAY_SIZE(fix->stable); i++) {
		const struct fixed_in *s = &fix->stable[i];

		if (s->major == kernel->major && s->minor == kernel->minor)
			return kernel->patch >= s->patch;
	}
	return not_before(kernel, &fix->mainline);
}

void doctor_kernel(struct doctor *d)
{
	unsigned int missing = 0;
	struct fixed_in kernel;

	if (!kernel_version(d, &kernel)) {
		finding(d, "kernel", NOTE, NULL, "version '%s' is not understood", d->release);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(fixes); i++) {
		const struct fix *fix = &fixes[i];

		if ((fix->tee != CVM_TEE_NONE && fix->tee != d->tee) || has_fix(&kernel, fix))
			continue;
		missing++;
		finding(d, "kernel", UNSAFE, "apt-get update && apt-get full-upgrade",
			"%u.%u.%u does not have the fix for %s, as far as its version tells: %s; it came with %u.%u",
			kernel.major, kernel.minor, kernel.patch, fix->name, fix->attack,
			fix->mainline.major, fix->mainline.minor);
	}
	if (!missing)
		finding(d, "kernel", FINE, NULL, "%u.%u.%u has the known fixes against its host",
			kernel.major, kernel.minor, kernel.patch);
}
