// SPDX-License-Identifier: MIT
#include <errno.h>
#include <limits.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <stdio.h>
#include <string.h>
#include <tss2/tss2_tctildr.h>

#include "common/tpm_error.h"
#include "doctor_vtpm.h"
#include "keys/tpm.h"

/* bytes of one command: every TPM takes as many */
#define CHUNK	1024U

bool doctor_vtpm_open(const struct doctor *d, struct vtpm *vtpm)
{
	char name[PATH_MAX + sizeof("device:")] = "device:";

	*vtpm = (struct vtpm){ 0 };
	doctor_path(d, name + strlen(name), CVM_TPM_NODE);
	return !Tss2_TctiLdr_Initialize(d->tpm ? d->tpm : name, &vtpm->tcti) &&
	       !Esys_Initialize(&vtpm->esys, vtpm->tcti, NULL);
}

void doctor_vtpm_close(struct vtpm *vtpm)
{
	if (vtpm->esys)
		Esys_Finalize(&vtpm->esys);
	if (vtpm->tcti)
		Tss2_TctiLdr_Finalize(&vtpm->tcti);
}

bool doctor_vtpm_permanent(struct vtpm *vtpm, TPMA_PERMANENT *attributes)
{
	__cleanup_esys TPMS_CAPABILITY_DATA *data = NULL;
	TPMI_YES_NO more;

	if (Esys_GetCapability(vtpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			       TPM2_CAP_TPM_PROPERTIES, TPM2_PT_PERMANENT, 1, &more, &data) ||
	    data->data.tpmProperties.count < 1 ||
	    data->data.tpmProperties.tpmProperty[0].property != TPM2_PT_PERMANENT)
		return false;
	*attributes = data->data.tpmProperties.tpmProperty[0].value;
	return true;
}

static int error_of(TSS2_RC rc)
{
	TSS2_RC code = cvm_tpm_code(rc);

	if (!rc)
		return 0;
	if (code == TPM2_RC_BAD_AUTH || code == TPM2_RC_AUTH_FAIL)
		return -EACCES;
	return code == TPM2_RC_HANDLE || code == TPM2_RC_NV_UNINITIALIZED ? -ENOENT : -EIO;
}

static int find(struct vtpm *vtpm, uint32_t handle, ESYS_TR *object)
{
	return error_of(Esys_TR_FromTPMPublic(vtpm->esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
					      ESYS_TR_NONE, object));
}

static int public_of(struct vtpm *vtpm, ESYS_TR index, TPMS_NV_PUBLIC *public)
{
	__cleanup_esys TPM2B_NV_PUBLIC *its = NULL;
	int rc = error_of(Esys_NV_ReadPublic(vtpm->esys, index, ESYS_TR_NONE, ESYS_TR_NONE,
					     ESYS_TR_NONE, &its, NULL));

	if (!rc)
		*public = its->nvPublic;
	return rc;
}

int doctor_vtpm_index(struct vtpm *vtpm, uint32_t handle, TPMS_NV_PUBLIC *public)
{
	ESYS_TR index;
	int rc = find(vtpm, handle, &index);

	if (rc)
		return rc;
	rc = public_of(vtpm, index, public);
	Esys_TR_Close(vtpm->esys, &index);
	return rc;
}

/* As the owner, whose authorisation nothing is counted against that is wrong */
static int read_part(struct vtpm *vtpm, ESYS_TR index, size_t offset, uint8_t *data, size_t size)
{
	__cleanup_esys TPM2B_MAX_NV_BUFFER *part = NULL;
	int rc = error_of(Esys_NV_Read(vtpm->esys, ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD,
				       ESYS_TR_NONE, ESYS_TR_NONE, (UINT16)size, (UINT16)offset,
				       &part));

	if (rc)
		return rc;
	if (part->size != size)
		return -EIO;
	memcpy(data, part->buffer, size);
	return 0;
}

static int read_from(struct vtpm *vtpm, ESYS_TR index, size_t offset, uint8_t *data, size_t size)
{
	TPMS_NV_PUBLIC public = { 0 };
	size_t done = 0, left;
	int rc = public_of(vtpm, index, &public);

	if (rc)
		return rc;
	left = public.dataSize > offset ? public.dataSize - offset : 0;
	left = left < size ? left : size;
	while (!rc && done < left) {
		size_t want = left - done < CHUNK ? left - done : CHUNK;

		rc = read_part(vtpm, index, offset + done, data + done, want);
		done += want;
	}
	return rc ? rc : (int)left;
}

int doctor_vtpm_read(struct vtpm *vtpm, uint32_t handle, size_t offset, uint8_t *data, size_t size)
{
	ESYS_TR index;
	int rc = find(vtpm, handle, &index);

	if (rc)
		return rc;
	rc = read_from(vtpm, index, offset, data, size);
	Esys_TR_Close(vtpm->esys, &index);
	return rc;
}

static bool is_key(const TPM2B_PUBLIC_KEY_RSA *modulus, const EVP_PKEY *ak)
{
	BIGNUM *n = NULL;
	uint8_t bytes[sizeof(modulus->buffer)];
	bool same = EVP_PKEY_get_bn_param(ak, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
		    (size_t)BN_num_bytes(n) == modulus->size &&
		    BN_bn2bin(n, bytes) == modulus->size &&
		    !memcmp(bytes, modulus->buffer, modulus->size);

	BN_free(n);
	return same;
}

int doctor_vtpm_has_ak(struct vtpm *vtpm, const EVP_PKEY *ak)
{
	__cleanup_esys TPM2B_PUBLIC *public = NULL;
	ESYS_TR key;
	int rc = find(vtpm, VTPM_AK, &key);

	if (rc)
		return rc;
	rc = error_of(Esys_ReadPublic(vtpm->esys, key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				      &public, NULL, NULL));
	Esys_TR_Close(vtpm->esys, &key);
	if (rc)
		return rc;
	return public->publicArea.type == TPM2_ALG_RSA &&
	       is_key(&public->publicArea.unique.rsa, ak);
}
