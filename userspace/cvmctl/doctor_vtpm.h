/* SPDX-License-Identifier: MIT */
/*
 * Azure's vTPM as cvmctl doctor looks at it: what is in it is read, and nothing made anew. A
 * read of an NV index from its beginning is what has the paravisor make a report, or fetch a
 * certificate; so none begins there.
 */
#ifndef CVMCTL_DOCTOR_VTPM_H
#define CVMCTL_DOCTOR_VTPM_H

#include <openssl/x509.h>
#include <tss2/tss2_esys.h>

#include "doctor.h"
#include "verify/hcl_claims.h"

#define VTPM_REPORT	0x01400001U
#define VTPM_USER_DATA	0x01400002U
#define VTPM_CERT	0x01c101d0U
#define VTPM_AK		0x81000003U

/* more than any of them has */
#define VTPM_NV_MAX	8192U

struct vtpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
};

/* False: it cannot be opened. Either way for doctor_vtpm_close() */
bool doctor_vtpm_open(const struct doctor *d, struct vtpm *vtpm);
void doctor_vtpm_close(struct vtpm *vtpm);

/* TPMA_PERMANENT; false: the TPM cannot be asked */
bool doctor_vtpm_permanent(struct vtpm *vtpm, TPMA_PERMANENT *attributes);

/* 0; -ENOENT: there is no such index; -EIO */
int doctor_vtpm_index(struct vtpm *vtpm, uint32_t handle, TPMS_NV_PUBLIC *public);

/*
 * @size bytes at most from @offset, which is not 0. How many there were; -ENOENT: there is no
 * such index, or nobody has written it; -EACCES: the owner has a password; -EIO
 */
int doctor_vtpm_read(struct vtpm *vtpm, uint32_t handle, size_t offset, uint8_t *data,
		     size_t size);

/* Is the key at VTPM_AK this one? 1: it is, 0: another; -ENOENT: there is none; -EIO */
int doctor_vtpm_has_ak(struct vtpm *vtpm, const EVP_PKEY *ak);

#endif /* CVMCTL_DOCTOR_VTPM_H */
