// SPDX-License-Identifier: MIT
/*
 * An Azure guest's traps: what keeps its paravisor from making reports, or makes them worth
 * less, without a word to whoever asks for one.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor_vtpm.h"
#include "formats/hcl.h"
#include "keys/tpm.h"
#include "verify/boot_log.h"

#define RIGHTS	(TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE)

#define DEFINE_INDEX \
	"tpm2_nvdefine -C o 0x1400002 -s 64 -a 'ownerread|ownerwrite|authread|authwrite|no_da'"

static void close_vtpm(struct vtpm *vtpm)
{
	doctor_vtpm_close(vtpm);
}

/* The paravisor comes as the owner, with an empty password, and cannot come otherwise. */
static bool check_owner(struct doctor *d, struct vtpm *vtpm)
{
	TPMA_PERMANENT attributes;

	if (!doctor_vtpm_permanent(vtpm, &attributes) ||
	    !(attributes & TPMA_PERMANENT_OWNERAUTHSET))
		return true;
	finding(d, AZURE_OWNER_PASSWORD, NULL,
		"the TPM's owner hierarchy has a password, with which the paravisor cannot read what reports are to be about: they stay as old as it is");
	return false;
}

static bool check_index(struct doctor *d, struct vtpm *vtpm)
{
	TPMS_NV_PUBLIC public;
	int rc = doctor_vtpm_index(vtpm, VTPM_USER_DATA, &public);

	if (rc == -ENOENT)
		finding(d, AZURE_INDEX_MISSING, DEFINE_INDEX,
			"there is no index 0x1400002, in which the paravisor looks for what a report is to be about");
	else if (!rc && public.dataSize != CVM_REPORT_DATA_LEN)
		finding(d, AZURE_INDEX_SIZE, "tpm2_nvundefine -C o 0x1400002",
			"index 0x1400002 has %u bytes where 64 are needed: no report is about what is asked for",
			public.dataSize);
	else if (!rc && (public.attributes & RIGHTS) != RIGHTS)
		finding(d, AZURE_INDEX_RIGHTS, "tpm2_nvundefine -C o 0x1400002",
			"index 0x1400002 is not the owner's to read and write: no report is about what is asked for");
	else
		return !rc;
	return false;
}

/* ---- the report that is there, and what its claims say */

/**
 * struct seen - of the report
 * @claims: for EVP_PKEY_free(@claims.ak)
 */
struct seen {
	struct cvm_hcl_claims claims;
	struct cvm_hcl_config config;
};

static bool read_claims(struct vtpm *vtpm, struct seen *seen, int *rc)
{
	/* what the report's tail begins with */
	const size_t at = CVM_HCL_CLAIMS - CVM_HCL_TYPE;
	uint8_t data[VTPM_NV_MAX];
	struct cvm_error why;
	struct cvm_span json;
	uint32_t size;

	*rc = doctor_vtpm_read(vtpm, VTPM_REPORT, CVM_HCL_TYPE, data, sizeof(data));
	if (*rc < (int)at)
		return false;
	size = cvm_le32(data + at - 4);
	if (size > (size_t)*rc - at)
		return false;
	json = (struct cvm_span){ data + at, size };
	cvm_hcl_config_parse(json, &seen->config);
	return !cvm_hcl_claims_parse(json, &seen->claims, &why);
}

static bool says(const struct seen *seen, enum cvm_hcl_flag flag, bool set)
{
	return seen->config.has & 1U << flag && !(seen->config.set & 1U << flag) == !set;
}

static bool check_secure_boot(struct doctor *d, const struct seen *seen)
{
	int state = doctor_secure_boot_state(d);

	if (says(seen, CVM_HCL_SECURE_BOOT, false))
		finding(d, AZURE_SECURE_BOOT, NULL,
			"the paravisor's claims say that Secure Boot is off: a policy refuses that unless it is told not to");
	else if (says(seen, CVM_HCL_SECURE_BOOT, true) && !state)
		finding(d, AZURE_SECURE_BOOT_KEYS, NULL,
			"the paravisor's claims say that Secure Boot is on, and UEFI says that it is off: there are no keys");
	else
		return true;
	return false;
}

static bool check_config(struct doctor *d, const struct seen *seen)
{
	bool good = check_secure_boot(d, seen);

	if (says(seen, CVM_HCL_TPM_PERSISTED, false))
		finding(d, AZURE_TPM_FLEETING, NULL,
			"the TPM's state is lost when the VM is deallocated: what is sealed to it is lost too");
	if (says(seen, CVM_HCL_INTERACTIVE_CONSOLE, true))
		finding(d, AZURE_CONSOLE_INPUT, NULL,
			"the host may type at the VM's console: whoever can log in there is in the VM");
	else if (says(seen, CVM_HCL_CONSOLE, true))
		finding(d, AZURE_CONSOLE, NULL,
			"the host sees what the VM writes to its console: a policy refuses that unless it is told not to");
	return good && !says(seen, CVM_HCL_TPM_PERSISTED, false) &&
	       !says(seen, CVM_HCL_CONSOLE, true) &&
	       !says(seen, CVM_HCL_INTERACTIVE_CONSOLE, true);
}

static bool check_ak(struct doctor *d, struct vtpm *vtpm, const struct seen *seen)
{
	int rc = doctor_vtpm_has_ak(vtpm, seen->claims.ak);

	if (rc == -ENOENT)
		finding(d, AZURE_AK_MISSING, "reboot",
			"there is no key 0x81000003, by which the TPM's quotes are signed");
	else if (!rc)
		finding(d, AZURE_AK_OTHER, "reboot",
			"the key 0x81000003 is not the one that the paravisor's claims name: its quotes are nobody's");
	return rc > 0;
}

/* of a password of the owner, by which it cannot be read, check_owner() has spoken */
static bool check_report(struct doctor *d, struct vtpm *vtpm)
{
	struct seen seen = { 0 };
	bool good;
	int rc;

	if (!read_claims(vtpm, &seen, &rc)) {
		if (rc == -EACCES)
			return true;
		if (rc == -ENOENT)
			finding(d, AZURE_REPORT_MISSING, NULL,
				"the TPM has no report 0x1400001: this is no confidential VM, or its TPM has been made anew");
		else
			finding(d, AZURE_REPORT_BAD, NULL,
				"the report 0x1400001 cannot be read, or its claims name no key");
		return false;
	}
	good = check_ak(d, vtpm, &seen);
	good = check_config(d, &seen) && good;
	EVP_PKEY_free(seen.claims.ak);
	return good;
}

/* ---- the certificate of that key, which attestation services ask for */

static void free_x509(X509 **x509)
{
	X509_free(*x509);
}

/* Whose first byte is known: to read it could cost a call to the host. */
static bool check_cert(struct doctor *d, struct vtpm *vtpm)
{
	X509 *x509 __cleanup(free_x509) = NULL;
	uint8_t data[VTPM_NV_MAX] = { 0x30 };
	const uint8_t *at = data;
	int len = doctor_vtpm_read(vtpm, VTPM_CERT, 1, data + 1, sizeof(data) - 1);

	if (len == -EACCES)
		return true;
	if (len >= 0)
		x509 = d2i_X509(NULL, &at, len + 1);
	if (!x509)
		finding(d, AZURE_CERT_MISSING, "tpm2_nvread -C o 0x1c101d0 >/dev/null",
			"there is no certificate of the TPM's key in index 0x1c101d0: attestation services of Azure ask for it, verify does not");
	else if (X509_cmp_current_time(X509_get0_notAfter(x509)) <= 0)
		finding(d, AZURE_CERT_EXPIRED, "tpm2_nvread -C o 0x1c101d0 >/dev/null",
			"the certificate of the TPM's key has expired: attestation services of Azure ask for one that has not");
	else
		return true;
	return false;
}

/* ---- who else, what for, and the host */

/* as the library does it: each that wants a report locks the node until it has it */
static bool check_contended(struct doctor *d)
{
	__cleanup_free char *trouble =
		doctor_line(d, "/sys/class/misc/cvm_report/channel/trouble");
	char path[PATH_MAX];
	__cleanup_fd int fd = open(doctor_path(d, path, CVM_TPM_NODE), O_RDONLY | O_CLOEXEC);
	bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) && errno == EWOULDBLOCK;

	if (held)
		finding(d, AZURE_CONTENDED, NULL,
			"a process has %s locked for a report, of which there is one in 2 seconds: others wait",
			CVM_TPM_NODE);
	else if (trouble && !strcmp(trouble, "contended"))
		finding(d, AZURE_CONTENDED, NULL,
			"another program has had the paravisor's reports made, by the TPM itself: the driver's callers wait");
	return !held && (!trouble || strcmp(trouble, "contended"));
}

static void check_log(struct doctor *d)
{
	if (doctor_exists(d, CVM_BOOT_LOG_PATH))
		return;
	if (!doctor_exists(d, "/sys/kernel/security/lsm"))
		finding(d, AZURE_NO_LOG, "mount -t securityfs securityfs /sys/kernel/security",
			"securityfs is not mounted: evidence has no event log, which says what PCRs were made of");
	else
		finding(d, AZURE_NO_LOG, NULL,
			"the kernel has no event log of the TPM: evidence does not say what PCRs were made of");
}

static void check_host(struct doctor *d)
{
	char why[64];

	if (doctor_imds(d, why, sizeof(why)))
		return;
	finding(d, AZURE_IMDS, NULL,
		"the host's service (%s) is not to be reached: %s; it has the VCEK, and quotes TDREPORTs",
		d->imds ? d->imds : "169.254.169.254", why);
}

void doctor_azure(struct doctor *d)
{
	__cleanup(close_vtpm) struct vtpm vtpm = { 0 };
	bool good;

	if (!d->azure)
		return;
	check_host(d);
	if (!d->tpm && !doctor_exists(d, "/sys/class/tpm/tpm0")) {
		finding(d, AZURE_NO_TPM, "modprobe tpm_crb",
			"the kernel has no TPM, in which the paravisor's report is: it lacks the driver, or the VM has none");
		return;
	}
	check_log(d);
	/* tpm-unseen has said so */
	if (!doctor_vtpm_open(d, &vtpm))
		return;
	good = check_owner(d, &vtpm);
	good = check_index(d, &vtpm) && good;
	good = check_report(d, &vtpm) && good;
	good = check_cert(d, &vtpm) && good;
	good = check_contended(d) && good;
	if (good)
		fine(d, "azure", "the report, what it is to be about, the key that it names and its certificate are there");
}
