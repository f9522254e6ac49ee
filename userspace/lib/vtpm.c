// SPDX-License-Identifier: MIT
/* The way to a vTPM, and the lock between processes that want its report. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>
#include <tss2/tss2_tcti_device.h>
#include <tss2/tss2_tctildr.h>

#include "common/cleanup.h"
#include "common/tpm_error.h"
#include "vtpm.h"

/* between two tries of the lock */
#define LOCK_WAIT_MS	5

int64_t cvm_vtpm_clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int cvm_vtpm_usable(const struct cvm_vtpm_place *place, struct cvm_error *error)
{
	int rc = 0;

	if (!place->tcti && faccessat(AT_FDCWD, place->node, R_OK | W_OK, AT_EACCESS))
		rc = -errno;
	return rc ? cvm_set_error(error, rc, "%s: %s; on Azure evidence takes the TPM as well, whose quote says which system the guest runs: run as root, or have the administrator give you access, which on Azure is access to all that this VM can attest",
				  place->node, strerror(-rc)) : 0;
}

/* What is wrong with the node: the TPM's library does not say which errno it was. */
static int try_node(const char *path, struct cvm_error *error)
{
	__cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		return cvm_set_error(error, -ENODEV, "%s: there is no TPM 2.0 here, or no driver of it (tpm_crb, tpm_tis)",
				     path);
	return cvm_path_error(error, -errno, path, "open");
}

static int open_device(struct cvm_vtpm *vtpm, struct cvm_error *error)
{
	const char *path = vtpm->place->node;
	int rc = try_node(path, error);
	size_t size;

	if (rc)
		return rc;
	if (Tss2_Tcti_Device_Init(NULL, &size, path))
		return cvm_set_error(error, -EIO, "%s: no way to the TPM", path);
	vtpm->tcti = calloc(1, size);
	if (!vtpm->tcti)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	if (!Tss2_Tcti_Device_Init(vtpm->tcti, &size, path))
		return 0;
	free(vtpm->tcti);
	vtpm->tcti = NULL;
	return cvm_set_error(error, -EIO, "%s: the TPM cannot be opened", path);
}

static int open_named(struct cvm_vtpm *vtpm, struct cvm_error *error)
{
	TSS2_RC rc = Tss2_TctiLdr_Initialize(vtpm->place->tcti, &vtpm->tcti);

	vtpm->loaded = !rc;
	if (!rc)
		return 0;
	vtpm->tcti = NULL;
	return cvm_set_error(error, -ENODEV, "%.200s: no way to a TPM (code 0x%x); tpm2-tss must know it, and the TPM be there",
			     vtpm->place->tcti, rc);
}

int cvm_vtpm_open(struct cvm_vtpm *vtpm, struct cvm_vtpm_place *place, struct cvm_error *error)
{
	int rc;

	*vtpm = (struct cvm_vtpm){ .place = place, .lock = -1 };
	rc = place->tcti ? open_named(vtpm, error) : open_device(vtpm, error);
	if (!rc)
		rc = cvm_tpm_error(error, Esys_Initialize(&vtpm->esys, vtpm->tcti, NULL),
				   "its library");
	if (rc)
		cvm_vtpm_close(vtpm);
	return rc;
}

void cvm_vtpm_close(struct cvm_vtpm *vtpm)
{
	cvm_vtpm_unlock(vtpm);
	if (vtpm->esys)
		Esys_Finalize(&vtpm->esys);
	if (vtpm->loaded) {
		Tss2_TctiLdr_Finalize(&vtpm->tcti);
	} else if (vtpm->tcti) {
		Tss2_Tcti_Finalize(vtpm->tcti);
		free(vtpm->tcti);
	}
	*vtpm = (struct cvm_vtpm){ .lock = -1 };
}

static int open_lock(const struct cvm_vtpm_place *place)
{
	/* the node is there, or it would not have been opened */
	int flags = place->tcti ? O_RDONLY | O_CREAT | O_NOFOLLOW : O_RDONLY;
	int fd = open(place->lock, flags | O_CLOEXEC, 0600);

	return fd < 0 ? -errno : fd;
}

/*
 * There is one index for all. Who may use the TPM can lock its node, and so nobody needs a
 * file of his own for it, nor a directory that he may write to. Programs of others do not
 * know of it: what they do to the index is seen in the report.
 */
int cvm_vtpm_lock(struct cvm_vtpm *vtpm, int64_t deadline, struct cvm_error *error)
{
	const struct timespec pause = { 0, LOCK_WAIT_MS * 1000000 };
	const char *path = vtpm->place->lock;
	int rc = 0;

	vtpm->lock = open_lock(vtpm->place);
	if (vtpm->lock < 0)
		return cvm_set_error(error, vtpm->lock, "%s: cannot be opened for the lock that keeps those apart who want a report: %s",
				     path, strerror(-vtpm->lock));
	while (flock(vtpm->lock, LOCK_EX | LOCK_NB)) {
		rc = -errno;
		if (rc != -EWOULDBLOCK && rc != -EINTR)
			break;
		rc = -ETIMEDOUT;
		if (cvm_vtpm_clock_ms() >= deadline)
			break;
		clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
		rc = 0;
	}
	if (!rc)
		return 0;
	cvm_vtpm_unlock(vtpm);
	return rc != -ETIMEDOUT ? cvm_path_error(error, rc, path, "lock") :
	       cvm_set_error(error, rc, "%s: others who want a report have had it locked until the deadline",
			     path);
}

void cvm_vtpm_unlock(struct cvm_vtpm *vtpm)
{
	if (vtpm->lock >= 0)
		close(vtpm->lock);
	vtpm->lock = -1;
}
