// SPDX-License-Identifier: MIT
/* What a TPM means by its response codes: "TPM 2.0 Library", part 2, section 6.6. */
#include <errno.h>

#include "api.h"
#include "tpm_error.h"
#include "util.h"

static const struct {
	TSS2_RC code;
	int rc;
	const char *text;
} causes[] = {
	{ TPM2_RC_BAD_AUTH, -EACCES, "it asks for a password" },
	{ TPM2_RC_AUTH_FAIL, -EACCES, "it asks for a password" },
	{ TPM2_RC_LOCKOUT, -EBUSY, "it is locked after wrong passwords; wait, or reset that (tpm2_dictionarylockout)" },
	{ TPM2_RC_OBJECT_MEMORY, -EBUSY, "it is busy: others have all its memory for keys; try again" },
	{ TPM2_RC_OBJECT_HANDLES, -EBUSY, "it is busy: others have all its memory for keys; try again" },
	{ TPM2_RC_SESSION_MEMORY, -EBUSY, "it is busy: others have all its sessions; try again" },
	{ TPM2_RC_SESSION_HANDLES, -EBUSY, "it is busy: others have all its sessions; try again" },
	{ TPM2_RC_CONTEXT_GAP, -EBUSY, "it is busy: somebody has had a session for too long" },
	{ TPM2_RC_MEMORY, -EBUSY, "it is busy: others have all its memory; try again" },
	{ TPM2_RC_RETRY, -EBUSY, "it is busy; try again" },
	{ TPM2_RC_YIELDED, -EBUSY, "it is busy; try again" },
	{ TPM2_RC_TESTING, -EBUSY, "it is testing itself; try again" },
	{ TPM2_RC_PCR_CHANGED, -EAGAIN, "somebody has extended a PCR meanwhile; try again" },
	{ TPM2_RC_POLICY_FAIL, -ESTALE, "its PCRs are not what they were" },
	{ TPM2_RC_INTEGRITY, -EKEYREJECTED, "it is not the one that has sealed this, or has been cleared since, or this has been changed" },
	{ TPM2_RC_TICKET, -EBADMSG, "it did not seal this as it is said to have" },
};

#define FORMAT_1	0x0bfU
#define FORMAT_0	0x97fU

TSS2_RC cvm_tpm_code(TSS2_RC rc)
{
	rc &= ~TSS2_RC_LAYER_MASK;
	return rc & TPM2_RC_FMT1 ? rc & FORMAT_1 : rc & FORMAT_0;
}

/* the code is a TPM's, handed on by the kernel or not */
static bool is_of_tpm(TSS2_RC rc)
{
	TSS2_RC layer = rc & TSS2_RC_LAYER_MASK;

	return layer == TSS2_TPM_RC_LAYER || layer == TSS2_RESMGR_TPM_RC_LAYER ||
	       layer == TSS2_RESMGR_RC_LAYER;
}

int cvm_tpm_error(struct cvm_error *error, TSS2_RC rc, const char *what)
{
	if (!rc)
		return 0;
	for (size_t i = 0; is_of_tpm(rc) && i < ARRAY_SIZE(causes); i++)
		if (cvm_tpm_code(rc) == causes[i].code)
			return cvm_set_error(error, causes[i].rc, "the TPM: %s: %s", what,
					     causes[i].text);
	if (is_of_tpm(rc))
		return cvm_set_error(error, -EIO, "the TPM: %s: it refuses, code 0x%03x", what, rc);
	/* an answer whose HMAC is wrong, or none */
	return cvm_set_error(error, -EIO, "the TPM: %s: no good answer came, code 0x%x", what, rc);
}
