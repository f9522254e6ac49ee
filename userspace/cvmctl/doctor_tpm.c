// SPDX-License-Identifier: MIT
/*
 * The TPM: who may open it, which PCRs it has, and whether its hierarchies are
 * open. It is asked for its properties, nothing that changes them.
 */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor_vtpm.h"
#include "keys/tpm.h"

#define TPM	"/sys/class/tpm/tpm0"

/* where @path may be opened by everybody */
static bool check_mode(struct doctor *d, const char *path)
{
	char full[PATH_MAX], command[COMMAND_MAX];
	struct stat st;

	if (stat(doctor_path(d, full, "%s", path), &st) || !(st.st_mode & 07))
		return true;
	snprintf(command, sizeof(command), "chmod 0660 %s", path);
	finding(d, TPM_OPEN, command,
		"everybody may open %s: whoever does can extend PCRs and use what is sealed to them",
		path);
	return false;
}

/* Debian gives it to group tss, for the daemon of that name */
static bool check_group(struct doctor *d)
{
	char path[PATH_MAX], members[COMMAND_MAX];
	__cleanup_free char *group = NULL;
	struct stat st;

	if (stat(doctor_path(d, path, CVM_TPM_NODE), &st) || !(st.st_mode & 060) || !st.st_gid ||
	    !doctor_members(d, st.st_gid, members))
		return true;
	group = doctor_find_group(d, NULL, &st.st_gid);
	finding(d, TPM_GROUP, NULL, "group %s may open %s: what is sealed is root's, and that of %s",
		group ? group : "?", CVM_TPM_NODE, members);
	return false;
}

static bool check_banks(struct doctor *d)
{
	if (doctor_exists(d, TPM "/pcr-sha256"))
		return true;
	/* allocating one changes what is sealed to the others, and needs the platform's password */
	finding(d, TPM_BANKS, NULL,
		"the TPM has no SHA-256 PCRs, as far as the kernel shows them");
	return false;
}

/* the other node is one program's at a time */
static bool check_manager(struct doctor *d)
{
	if (d->tpm || doctor_exists(d, CVM_TPM_NODE))
		return true;
	finding(d, TPM_NO_MANAGER,
		doctor_exists(d, "/sys/class/tpmrm/tpmrm0") ?
		"udevadm trigger --action=add /sys/class/tpmrm/tpmrm0" : NULL,
		"there is a TPM and no %s: it cannot be shared", CVM_TPM_NODE);
	return false;
}

/* TPMA_PERMANENT; false: the TPM cannot be asked */
static bool permanent(const struct doctor *d, TPMA_PERMANENT *attributes)
{
	struct vtpm tpm;
	bool good = doctor_vtpm_open(d, &tpm) && doctor_vtpm_permanent(&tpm, attributes);

	doctor_vtpm_close(&tpm);
	return good;
}

/*
 * In Azure it is the paravisor that comes as the owner, and it has no password: what would be
 * better elsewhere is a fault of its own there (azure-owner-password).
 */
static bool owner_is_kept(const struct doctor *d, TPMA_PERMANENT attributes)
{
	return d->azure || attributes & TPMA_PERMANENT_OWNERAUTHSET;
}

static bool check_hierarchies(struct doctor *d)
{
	TPMA_PERMANENT attributes;
	bool owner, lockout;

	if (!permanent(d, &attributes)) {
		finding(d, TPM_UNSEEN, "sudo cvmctl doctor",
			"the TPM was not asked whether its hierarchies have passwords: %s is not to be opened, or does not answer",
			CVM_TPM_NODE);
		return false;
	}
	owner = owner_is_kept(d, attributes);
	lockout = attributes & TPMA_PERMANENT_LOCKOUTAUTHSET;
	if (attributes & TPMA_PERMANENT_INLOCKOUT)
		/* a wrong password here locks the lockout hierarchy itself */
		finding(d, TPM_LOCKOUT, lockout ? NULL : "tpm2_dictionarylockout -c",
			"the TPM is locked after wrong passwords: what is sealed with one does not open");
	if (!owner || !lockout)
		finding(d, TPM_NO_PASSWORD, NULL,
			"the TPM's %s no password: whoever may open it can %s",
			owner ? "lockout hierarchy has" : lockout ? "owner hierarchy has" :
			"owner and lockout hierarchies have",
			lockout ? "make and remove keys in it" : "clear it, and with it what is sealed");
	return owner && lockout && !(attributes & TPMA_PERMANENT_INLOCKOUT);
}

void doctor_tpm(struct doctor *d)
{
	__cleanup_free char *version = NULL;
	bool good;

	if (!doctor_exists(d, TPM)) {
		finding(d, TPM_NONE, NULL,
			"no TPM: keys can be bound to the launch measurement only, not to what has booted since");
		return;
	}
	version = doctor_line(d, TPM "/tpm_version_major");
	good = check_mode(d, "/dev/tpm0");
	good = check_mode(d, CVM_TPM_NODE) && good;
	good = check_manager(d) && good;
	good = check_group(d) && good;
	good = check_banks(d) && good;
	good = check_hierarchies(d) && good;
	if (good)
		fine(d, "tpm", "a TPM %s.0 with SHA-256 PCRs, not open to everybody, its hierarchies with passwords",
		     version ? version : "?");
}
