/* SPDX-License-Identifier: MIT */
/* Between what judges a module's signature and what finds certificates. */
#ifndef CVMCTL_DOCTOR_SIGNATURE_H
#define CVMCTL_DOCTOR_SIGNATURE_H

#include <limits.h>
#include <openssl/cms.h>

#include "common/cleanup.h"
#include "doctor.h"

/* how a module's signature stands */
enum standing {
	UNSEEN,		/* the file cannot be read */
	UNSIGNED,
	WRONG,		/* not what was signed */
	REVOKED,
	ENROLLED,	/* by a key that the firmware vouches for */
	KNOWN,		/* by a key whose certificate is here, and nowhere enrolled */
	UNKNOWN,	/* by a key whose certificate is not here */
};

/* as @where of struct signature has it */
#define UEFI_DB		"UEFI's db"

/**
 * struct signature - what was found out about it
 * @standing: of it
 * @path: of the module
 * @signer: the common name that it carries
 * @where: where the certificate was found: its file, or a list of the firmware
 * @key_here: the private key is where DKMS keeps it
 * @unclear: a list of revoked certificates that is there and is not understood; or NULL
 */
struct signature {
	enum standing standing;
	char *path;
	char signer[NAME_MAX];
	char where[NAME_MAX];
	bool key_here;
	const char *unclear;
};

static inline void cleanup_x509(X509 **cert)
{
	X509_free(*cert);
}

/*
 * doctor_certs.c: the certificate of @si, to be freed, with what follows from where
 * it is in @s->standing and @s->where; NULL: it is not here (UNKNOWN)
 */
X509 *doctor_find_certificate(const struct doctor *d, CMS_SignerInfo *si, struct signature *s);

/* doctor_certs.c: shim is in use, so keys are enrolled with mokutil */
bool doctor_has_shim(const struct doctor *d);

#endif /* CVMCTL_DOCTOR_SIGNATURE_H */
