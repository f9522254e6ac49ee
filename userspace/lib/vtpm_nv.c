// SPDX-License-Identifier: MIT
/*
 * The two NV indices of a paravisor. It reads user-data as the owner with an empty
 * password, and where that fails it keeps the report that it has, without a word: each
 * cause of that is looked for, and named.
 */
#include <stdio.h>
#include <string.h>

#include "common/tpm_error.h"
#include "formats/hcl.h"
#include "vtpm.h"

/* bytes of one command: every TPM takes as many */
#define CHUNK	1024U

/* for Azure's other tools as well: some of them come as the owner, some by the index */
#define ATTRIBUTES	(TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE | TPMA_NV_AUTHREAD | \
			 TPMA_NV_AUTHWRITE | TPMA_NV_NO_DA)

/* what takes an index of others away, for who knows that it may go */
#define UNDEFINE	"if nobody needs it as it is: tpm2_nvundefine -C o 0x1400002"

static bool is_absent(TSS2_RC rc)
{
	/* either the TPM itself or the kernel's resource manager does not know it */
	return cvm_tpm_code(rc) == TPM2_RC_HANDLE;
}

/* An error of a command that has come as the owner, with an empty password */
static int owner_error(struct cvm_error *error, TSS2_RC rc, const char *what)
{
	TSS2_RC code = cvm_tpm_code(rc);

	if (rc && (code == TPM2_RC_BAD_AUTH || code == TPM2_RC_AUTH_FAIL))
		return cvm_set_error(error, -EACCES, "the vTPM: its owner hierarchy has a password, with which the paravisor cannot renew its report: take that away (tpm2_changeauth -c o -p PASSWORD)");
	return cvm_tpm_error(error, rc, what);
}

static TSS2_RC find(struct cvm_vtpm *vtpm, uint32_t handle, ESYS_TR *index, TPMS_NV_PUBLIC *out)
{
	__cleanup_esys TPM2B_NV_PUBLIC *public = NULL;
	TSS2_RC rc = Esys_TR_FromTPMPublic(vtpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, index);

	if (!rc)
		rc = Esys_NV_ReadPublic(vtpm->esys, *index, ESYS_TR_NONE, ESYS_TR_NONE,
					ESYS_TR_NONE, &public, NULL);
	if (!rc)
		*out = public->nvPublic;
	return rc;
}

int cvm_vtpm_find_report(struct cvm_vtpm *vtpm, ESYS_TR *index, size_t *size,
			 struct cvm_error *error)
{
	TPMS_NV_PUBLIC public;
	TSS2_RC rc = find(vtpm, CVM_VTPM_REPORT, index, &public);

	if (is_absent(rc))
		return cvm_set_error(error, -ENODEV, "the vTPM: there is no report 0x%x: this is no confidential VM of Azure's, or its TPM has been made anew",
				     CVM_VTPM_REPORT);
	if (rc)
		return cvm_tpm_error(error, rc, "index 0x1400001");
	if (public.dataSize > CVM_VTPM_REPORT_MAX)
		return cvm_set_error(error, -EBADMSG, "the vTPM: report 0x%x: %u bytes, at most %u are expected",
				     CVM_VTPM_REPORT, public.dataSize, CVM_VTPM_REPORT_MAX);
	/* asked each time: what was so when the TPM was opened need not be so now */
	if (public.dataSize < CVM_HCL_CLAIMS)
		return cvm_set_error(error, -EBADMSG, "the vTPM: report 0x%x is cut short: %u bytes, at least %u are expected",
				     CVM_VTPM_REPORT, public.dataSize, CVM_HCL_CLAIMS);
	*size = public.dataSize;
	return 0;
}

/* Its number, for who is told what is wrong with it */
static uint32_t handle_of(struct cvm_vtpm *vtpm, ESYS_TR index)
{
	TPM2_HANDLE handle = 0;

	Esys_TR_GetTpmHandle(vtpm->esys, index, &handle);
	return handle;
}

static int read_error(struct cvm_vtpm *vtpm, ESYS_TR index, TSS2_RC rc, struct cvm_error *error)
{
	uint32_t handle = handle_of(vtpm, index);
	char what[32];

	if (is_absent(rc))
		return cvm_set_error(error, -ENOENT, "the vTPM: index 0x%x has been taken away: ask again",
				     handle);
	if (cvm_tpm_code(rc) == TPM2_RC_NV_UNINITIALIZED)
		return cvm_set_error(error, -EBUSY, "the vTPM: index 0x%x has not been written yet: ask again later",
				     handle);
	snprintf(what, sizeof(what), "reading index 0x%x", handle);
	return owner_error(error, rc, what);
}

int cvm_vtpm_read_nv(struct cvm_vtpm *vtpm, ESYS_TR index, size_t offset, void *data, size_t size,
		     struct cvm_error *error)
{
	uint8_t *to = data;

	for (size_t done = 0; done < size;) {
		__cleanup_esys TPM2B_MAX_NV_BUFFER *part = NULL;
		size_t want = size - done < CHUNK ? size - done : CHUNK;
		TSS2_RC rc = Esys_NV_Read(vtpm->esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD,
					  ESYS_TR_NONE, ESYS_TR_NONE, (UINT16)want,
					  (UINT16)(offset + done), &part);

		if (rc)
			return read_error(vtpm, index, rc, error);
		if (part->size != want)
			return cvm_set_error(error, -EBADMSG, "the vTPM: gave %u bytes of index 0x%x, %zu were asked for",
					     part->size, handle_of(vtpm, index), want);
		memcpy(to + done, part->buffer, want);
		done += want;
	}
	return 0;
}

static int define(struct cvm_vtpm *vtpm, ESYS_TR *index, struct cvm_error *error)
{
	const TPM2B_NV_PUBLIC public = {
		.nvPublic = {
			.nvIndex = CVM_VTPM_USER_DATA, .nameAlg = TPM2_ALG_SHA256,
			.attributes = ATTRIBUTES, .dataSize = CVM_REPORT_DATA_LEN,
		},
	};
	const TPM2B_AUTH none = { 0 };
	TSS2_RC rc = Esys_NV_DefineSpace(vtpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
					 ESYS_TR_NONE, ESYS_TR_NONE, &none, &public, index);

	/* somebody else was faster, who does not know of our lock: what he made is looked at */
	if (rc && cvm_tpm_code(rc) == TPM2_RC_NV_DEFINED)
		return -EAGAIN;
	return owner_error(error, rc, "defining the index of what is to be reported");
}

static int check(const TPMS_NV_PUBLIC *public, struct cvm_error *error)
{
	TPMA_NV is = public->attributes;

	if (public->dataSize != CVM_REPORT_DATA_LEN)
		return cvm_set_error(error, -EIO, "the vTPM: index 0x%x, whose contents the paravisor reports, has %u bytes, not 64; somebody made it so; %s",
				     CVM_VTPM_USER_DATA, public->dataSize, UNDEFINE);
	if (!(is & TPMA_NV_OWNERREAD))
		return cvm_set_error(error, -EIO, "the vTPM: index 0x%x, whose contents the paravisor reports, cannot be read by it (no ownerread); %s",
				     CVM_VTPM_USER_DATA, UNDEFINE);
	if (!(is & TPMA_NV_OWNERWRITE))
		return cvm_set_error(error, -EIO, "the vTPM: index 0x%x, whose contents the paravisor reports, cannot be written by its owner (no ownerwrite); %s",
				     CVM_VTPM_USER_DATA, UNDEFINE);
	if (is & (TPMA_NV_WRITELOCKED | TPMA_NV_READLOCKED))
		return cvm_set_error(error, -EIO, "the vTPM: index 0x%x, whose contents the paravisor reports, is locked until the next boot, or for good; %s",
				     CVM_VTPM_USER_DATA, UNDEFINE);
	if ((is & TPMA_NV_TPM2_NT_MASK) >> TPMA_NV_TPM2_NT_SHIFT != TPM2_NT_ORDINARY)
		return cvm_set_error(error, -EIO, "the vTPM: index 0x%x, whose contents the paravisor reports, is a counter or the like; %s",
				     CVM_VTPM_USER_DATA, UNDEFINE);
	return 0;
}

int cvm_vtpm_find_user_data(struct cvm_vtpm *vtpm, ESYS_TR *index, struct cvm_error *error)
{
	TPMS_NV_PUBLIC public;
	TSS2_RC rc = find(vtpm, CVM_VTPM_USER_DATA, index, &public);
	int made = 0;

	if (is_absent(rc)) {
		made = define(vtpm, index, error);
		if (!made)
			return 0;
		if (made != -EAGAIN)
			return made;
		rc = find(vtpm, CVM_VTPM_USER_DATA, index, &public);
	}
	return rc ? cvm_tpm_error(error, rc, "index 0x1400002") : check(&public, error);
}

int cvm_vtpm_write_nv(struct cvm_vtpm *vtpm, ESYS_TR index,
		      const uint8_t user_data[CVM_REPORT_DATA_LEN], struct cvm_error *error)
{
	TPM2B_MAX_NV_BUFFER data = { .size = CVM_REPORT_DATA_LEN };

	TSS2_RC rc;

	memcpy(data.buffer, user_data, CVM_REPORT_DATA_LEN);
	rc = Esys_NV_Write(vtpm->esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			   ESYS_TR_NONE, &data, 0);
	if (rc && is_absent(rc))
		return read_error(vtpm, index, rc, error);
	return owner_error(error, rc, "leaving what is to be reported");
}
