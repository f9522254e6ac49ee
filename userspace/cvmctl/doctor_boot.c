// SPDX-License-Identifier: MIT
/* What the firmware checked of what it booted, and what the kernel checks of modules. */
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor.h"

#define EFI		"/sys/firmware/efi"
#define SECURE_BOOT	EFI "/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define MOK_LIST	EFI "/efivars/MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23"

#define REMOVE_MOK_LIST	"chattr -i " MOK_LIST " && rm " MOK_LIST

/* a variable's file begins with its attributes, four bytes */
#define NON_VOLATILE	0x01

/* "[none] integrity confidentiality": the one in brackets; NULL: none is to be seen */
static char *locked_down(const struct doctor *d)
{
	__cleanup_free char *line = doctor_line(d, "/sys/kernel/security/lockdown");
	char *from = line ? strchr(line, '[') : NULL;

	return from ? strndup(from + 1, strcspn(from + 1, "]")) : NULL;
}

bool doctor_enforced(const struct doctor *d)
{
	__cleanup_free char *enforce = doctor_line(d, "/sys/module/module/parameters/sig_enforce");
	__cleanup_free char *level = locked_down(d);

	return (enforce && *enforce == 'Y') || (level && strcmp(level, "none"));
}

int doctor_secure_boot_state(const struct doctor *d)
{
	size_t len;
	__cleanup_free uint8_t *value = doctor_contents(d, SECURE_BOOT, &len);

	return value && len == 5 ? value[4] : -1;
}

/*
 * A kernel whose modules are not checked is measured at boot and can be
 * anything a moment later, as far as whoever is root in it wishes.
 */
void doctor_lockdown(struct doctor *d)
{
	__cleanup_free char *level = locked_down(d);

	if (doctor_enforced(d))
		fine(d, "lockdown", "only modules whose signature is trusted are taken; lockdown: %s",
		     level ? level : "not to be seen");
	else if (doctor_secure_boot_state(d) < 0)
		/* there is no key but the kernel's own: it would take no module of ours */
		finding(d, LOCKDOWN_OPEN, NULL,
			"the kernel takes unsigned modules: root can make it something else than what was measured at launch");
	else if (doctor_outlook(d) != VOUCHED_FOR)
		/* our own would be what is refused next */
		finding(d, LOCKDOWN_OPEN, NULL,
			"the kernel takes unsigned modules: root can make it something else than what was measured at launch; before that is ended, enrol the key of cvm_guest in UEFI's db");
	else
		finding(d, LOCKDOWN_OPEN, KERNEL_OPTION("module.sig_enforce=1"),
			"the kernel takes unsigned modules: root can make it something else than what was measured at launch; modules that are not signed with a key in UEFI's db will be refused");
}

/* a volatile one is made at each boot, by shim, from what it has checked */
static void check_mok_list(struct doctor *d)
{
	size_t len;
	__cleanup_free uint8_t *value = doctor_contents(d, MOK_LIST, &len);

	if (!value || len <= 4 || !(value[0] & NON_VOLATILE))
		return;
	/* as the kernel's load_moklist_certs() */
	if (doctor_secure_boot_state(d) == 0)
		finding(d, SECUREBOOT_MOK_IGNORED, REMOVE_MOK_LIST,
			"MokListRT is a stored variable, which shim does not make, and which does not count while Secure Boot is off");
	else
		finding(d, SECUREBOOT_MOK, REMOVE_MOK_LIST,
			"MokListRT is a stored variable, which shim does not make: at boot the kernel trusts the keys in it, whoever put them there");
}

void doctor_secureboot(struct doctor *d)
{
	int state = doctor_secure_boot_state(d);

	if (!doctor_exists(d, EFI))
		finding(d, SECUREBOOT_NONE, NULL,
			"the kernel was not booted by UEFI: nothing but the launch measurement vouches for it");
	else if (state < 0)
		finding(d, SECUREBOOT_UNSEEN, "mount -t efivarfs efivarfs " EFI "/efivars",
			"UEFI's variables are not to be seen");
	else if (!state)
		/* it would wait in the firmware for somebody at a console */
		finding(d, SECUREBOOT_OFF, NULL,
			"Secure Boot is off: what boots is checked by nobody, only measured where there is a TPM");
	else
		fine(d, "secureboot", "Secure Boot is on");
	check_mok_list(d);
}

/* the number in the name of systemd's own library; 0: there is none, or it says nothing */
static unsigned int systemd_version(const struct doctor *d)
{
	static const char *const places[] = {
		"/usr/lib/*/systemd/libsystemd-shared-*.so", "/usr/lib/systemd/libsystemd-shared-*.so",
	};
	unsigned int version = 0;
	char pattern[PATH_MAX];
	glob_t found;

	for (size_t i = 0; i < ARRAY_SIZE(places) && !version; i++) {
		if (glob(doctor_path(d, pattern, "%s", places[i]), 0, NULL, &found))
			continue;
		sscanf(strrchr(found.gl_pathv[0], '/'), "/libsystemd-shared-%u", &version);
		globfree(&found);
	}
	return version;
}

/*
 * Since 254 it takes none in a confidential VM, if it knows that it is in one: of SEV
 * it asks the driver of MSRs, which Debian's kernels have as a module that is not
 * loaded yet, and what it cannot ask it takes for no.
 */
void doctor_credentials(struct doctor *d)
{
	unsigned int version = systemd_version(d);

	if (!version || d->tee == CVM_TEE_NONE)
		return;
	if (doctor_word(d, "/proc/cmdline", "systemd.import_credentials=no"))
		fine(d, "credentials", "systemd %u is told to take no credentials from the host", version);
	else if (version >= 254 && d->tee == CVM_TEE_TDX)
		fine(d, "credentials", "systemd %u takes no credentials from a TD's host", version);
	else
		finding(d, CREDENTIALS_HOST, KERNEL_OPTION("systemd.import_credentials=no"),
			"systemd %u takes credentials from the host, by which it writes files and sets passwords",
			version);
}
