/* SPDX-License-Identifier: MIT */
/*
 * What cvmctl doctor's checks share. A check is a function that looks at one
 * thing, read-only, and says what it saw: that it is fine, or a finding, of which
 * each has a row in doctor_findings.c. doctor_*.c has the checks, the table of
 * them is in cmd_doctor.c.
 */
#ifndef CVMCTL_DOCTOR_H
#define CVMCTL_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "cvmguest.h"

/* room for a command that a finding names */
#define COMMAND_MAX	1024

/* how bad it is; the worst decides the exit status */
enum severity {
	FINE,		/* looked at, and as it should be */
	NOTE,		/* good to know */
	WARNING,	/* something is missing, slower or weaker than it could be */
	UNSAFE,		/* the guarantees do not hold, or there is no evidence at all */
};

/* by its position in doctor_findings[] */
enum finding_id {
	PLATFORM_NONE,
	PLATFORM_AZURE,
	PLATFORM_PARAVISOR,
	DRIVER_NONE,
	DRIVER_NO_NODE,
	DRIVER_IN_TREE,
	MODULE_NOT_ADDED,
	MODULE_NO_HEADERS,
	MODULE_NOT_BUILT,
	MODULE_BLACKLISTED,
	MODULE_NOT_PREFERRED,
	MODULE_LOADING_OFF,
	MODULE_OLD,
	SIGNATURE_MISSING,
	SIGNATURE_WRONG,
	SIGNATURE_NOT_ENROLLED,
	SIGNATURE_REVOKED,
	SIGNATURE_UNSEEN,
	SIGNATURE_NOT_NEEDED,
	SIGNATURE_KEY_HERE,
	LOCKDOWN_OPEN,
	SECUREBOOT_OFF,
	SECUREBOOT_NONE,
	SECUREBOOT_UNSEEN,
	SECUREBOOT_MOK,
	SECUREBOOT_MOK_IGNORED,
	CHANNEL_DEAD,
	CHANNEL_PARKED,
	TSM_BUSY,
	TSM_UNSEEN,
	NODE_FALSE,
	NODE_OPEN,
	NODE_MISSING,
	DROPIN_KEYS,
	DROPIN_TAKEN,
	GROUP_MISSING,
	GROUP_NODE,
	CONTAINERS_NODE,
	CONTAINERS_UNSEEN,
	KERNEL_FIX,
	KERNEL_NO_FIX,
	KERNEL_DRIVER,
	KERNEL_UNKNOWN,
	TPM_NONE,
	TPM_OPEN,
	TPM_GROUP,
	TPM_BANKS,
	TPM_LOCKOUT,
	TPM_NO_PASSWORD,
	TPM_UNSEEN,
	TPM_NO_MANAGER,
	AZURE_NO_TPM,
	AZURE_REPORT_MISSING,
	AZURE_REPORT_BAD,
	AZURE_OWNER_PASSWORD,
	AZURE_INDEX_MISSING,
	AZURE_INDEX_SIZE,
	AZURE_INDEX_RIGHTS,
	AZURE_AK_MISSING,
	AZURE_AK_OTHER,
	AZURE_CERT_MISSING,
	AZURE_CERT_EXPIRED,
	AZURE_CONTENDED,
	AZURE_IMDS,
	AZURE_NO_LOG,
	AZURE_SECURE_BOOT,
	AZURE_SECURE_BOOT_KEYS,
	AZURE_TPM_FLEETING,
	AZURE_CONSOLE,
	AZURE_CONSOLE_INPUT,
	CREDENTIALS_HOST,
	CLOCK_HOST,
	CLOCK_TSC,
	CLOCK_UNSEEN,
	CLOCK_NOT_SYNCHRONISED,
	ENTROPY_NOT_READY,
	ENTROPY_HOST,
	FINDINGS
};

/**
 * struct finding_kind - something that can be wrong
 * @id: for people and programs; stays
 * @check: which check finds it; the id begins with it
 * @severity: of it
 * @means: what it means, a sentence
 * @remedy: what to do about it, where a finding's command needs words, or has none
 *
 * README.md and cvmctl-doctor(1) show this table: the build makes it into them.
 */
struct finding_kind {
	const char *id;
	const char *check;
	enum severity severity;
	const char *means;
	const char *remedy;
};

extern const struct finding_kind doctor_findings[FINDINGS];
extern const char *const doctor_severities[];

/**
 * struct doctor - the machine under examination
 * @root: put before every path; "": this machine
 * @release: of the kernel, as uname -r
 * @version: of the kernel, as uname -v
 * @tee: what kind of confidential VM it is
 * @ours: cvm_guest is loaded
 * @in_tree: the kernel's own driver of this platform is loaded
 * @azure: it is a VM of Azure's, whose evidence is in its TPM
 * @tpm: how to reach the TPM, as libtss2 names it; NULL: by its node
 * @imds: URL of the host's service in Azure; NULL: where that is
 * @findings: array of objects, the result
 * @worst: of all findings
 * @lost: there was one that could not be kept
 */
struct doctor {
	const char *root;
	char release[128];
	char version[256];
	enum cvm_tee tee;
	bool ours, in_tree, azure;
	const char *tpm, *imds;
	json_t *findings;
	enum severity worst;
	bool lost;
};

/* what the kernel does with our module when it is given it, as far as is to be seen */
enum outlook {
	NOT_THERE,	/* there is none for this kernel */
	REFUSED,
	TAKEN,		/* as things are */
	VOUCHED_FOR,	/* also where only signed modules are: its key is in UEFI's db */
};

/* the command that makes it part of the kernel's command line, from the next boot on: once */
#define KERNEL_OPTION(option) \
	"command -v update-grub && mkdir -p /etc/default/grub.d && echo 'GRUB_CMDLINE_LINUX=\"$GRUB_CMDLINE_LINUX " \
	option "\"' >/etc/default/grub.d/cvm-guest-" option ".cfg && update-grub && reboot"

/* @command: the one that mends it, or NULL; @format: the cause */
void finding(struct doctor *d, enum finding_id id, const char *command, const char *format, ...)
	__attribute__((format(printf, 4, 5)));
void fine(struct doctor *d, const char *check, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* doctor_files.c: @format below the root. @path has room for PATH_MAX bytes; returns it. */
const char *doctor_path(const struct doctor *d, char *path, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
bool doctor_exists(const struct doctor *d, const char *path);
/* the first line of a file, to be freed; NULL: it cannot be read */
char *doctor_line(const struct doctor *d, const char *path);
/* all of a file, to be freed, a zero byte behind it; NULL: it cannot be read */
void *doctor_contents(const struct doctor *d, const char *path, size_t *len);
/* is @word one of the words of a file? */
bool doctor_word(const struct doctor *d, const char *path, const char *word);

/* doctor_driver.c */
void doctor_platform(struct doctor *d);
void doctor_driver(struct doctor *d);
void doctor_channel(struct doctor *d);
/* the command that has our driver take over from the one that is loaded; NULL: none would */
const char *doctor_take_over(const struct doctor *d);

/* doctor_module.c */
void doctor_module(struct doctor *d);
/* the file that modprobe would load, to be freed; NULL: there is none */
char *doctor_module_path(const struct doctor *d);
/* modprobe of the kernel's own driver would load ours, and the kernel would take it */
bool doctor_module_comes(const struct doctor *d);
/* likewise what the kernel has of its own for this platform */
bool doctor_has_rival(const struct doctor *d);
/* kernel.modules_disabled */
bool doctor_loading_off(const struct doctor *d);

/* doctor_sources.c: @version has room for NAME_MAX bytes. Where DKMS has, or finds, sources. */
bool doctor_sources(const struct doctor *d, char *version);
/* there are modules here from packages that were built and signed elsewhere */
bool doctor_prebuilt(const struct doctor *d);
/* the command that installs such a package for this kernel; room for COMMAND_MAX bytes */
const char *doctor_install_prebuilt(const struct doctor *d, const char *option, char *command);

/* doctor_signature.c */
void doctor_signature(struct doctor *d);
enum outlook doctor_outlook(const struct doctor *d);

/* doctor_boot.c */
void doctor_secureboot(struct doctor *d);
void doctor_lockdown(struct doctor *d);
/* the kernel takes no module whose signature it does not trust */
bool doctor_enforced(const struct doctor *d);
/* 1: on, 0: off, -1: no UEFI, or it cannot be seen */
int doctor_secure_boot_state(const struct doctor *d);
void doctor_credentials(struct doctor *d);

/* doctor_tsm.c */
void doctor_tsm(struct doctor *d);

/* doctor_nodes.c */
void doctor_nodes(struct doctor *d);
void doctor_dropin(struct doctor *d);
void doctor_group(struct doctor *d);

/*
 * doctor_groups.c, by the root's own /etc/group and /etc/passwd. The group that is called
 * @name, or, where that is NULL, the one whose number is *gid: its name, to be freed, and
 * its number in *gid; NULL: there is none.
 */
char *doctor_find_group(const struct doctor *d, const char *name, gid_t *gid);
/*
 * Who is in it besides root, and besides a user of the group's own name, for whom it is.
 * @members has room for COMMAND_MAX bytes, and ends in ", ..." where it is not enough.
 * Returns how many, of those counted once that are named.
 */
size_t doctor_members(const struct doctor *d, gid_t gid, char *members);

/* doctor_containers.c */
void doctor_containers(struct doctor *d);

/* doctor_kernel.c */
void doctor_kernel(struct doctor *d);

/* doctor_tpm.c */
void doctor_tpm(struct doctor *d);

/* doctor_azure.c */
void doctor_azure(struct doctor *d);

/* doctor_imds.c: true, or @why, @size bytes of room, is why not */
bool doctor_imds(const struct doctor *d, char *why, size_t size);

/* doctor_system.c */
void doctor_clock(struct doctor *d);
void doctor_entropy(struct doctor *d);

#endif /* CVMCTL_DOCTOR_H */
