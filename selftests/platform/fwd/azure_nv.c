// SPDX-License-Identifier: GPL-2.0
/*
 * The indices that the paravisor fills. swtpm has each of them, and says who may
 * read it; their contents, and lengths that are more than swtpm takes (2048), are
 * put into its answers here. An answer that a session authenticates would not be
 * authentic any more: the guest has to say passwords, as everybody does.
 */
#include <string.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <tss2/tss2_mu.h>

#include "azure.h"
#include "cleanup.h"

#define SWTPM_INDEX_MAX	2048

struct azure_index azure_report_index = { .handle = AZURE_REPORT_INDEX };
struct azure_index azure_cert_index = { .handle = AZURE_CERT_INDEX, .size = AZURE_CERT_SIZE };

static int complain(const char *what, uint32_t handle, TSS2_RC rc)
{
	fprintf(stderr, "cvm-fwd: NV index %08xh: %s: %08xh\n", handle, what, rc);
	return -1;
}

static bool exists(uint32_t handle, ESYS_TR *index)
{
	return !Esys_TR_FromTPMPublic(azure_esys, handle, ESYS_TR_NONE, ESYS_TR_NONE,
				      ESYS_TR_NONE, index);
}

/* ---- what the guest finds at boot ---- */

/* anew at each boot, with an authorisation that nobody knows: the owner reads it */
int azure_nv_define(const struct azure_index *index)
{
	size_t size = index->size < SWTPM_INDEX_MAX ? index->size : SWTPM_INDEX_MAX;
	TPM2B_NV_PUBLIC public = { .nvPublic = {
		.nvIndex = index->handle, .nameAlg = TPM2_ALG_SHA256, .dataSize = (UINT16)size,
		.attributes = TPMA_NV_AUTHREAD | TPMA_NV_AUTHWRITE | TPMA_NV_OWNERREAD |
			      TPMA_NV_PLATFORMCREATE | TPMA_NV_NO_DA,
	} };
	TPM2B_MAX_NV_BUFFER first = { .size = 1 };
	TPM2B_AUTH auth = { .size = 8 };
	ESYS_TR nv;
	TSS2_RC rc;

	if (exists(index->handle, &nv) &&
	    Esys_NV_UndefineSpace(azure_esys, ESYS_TR_RH_PLATFORM, nv, ESYS_TR_PASSWORD,
				  ESYS_TR_NONE, ESYS_TR_NONE))
		Esys_TR_Close(azure_esys, &nv);
	/* the certificate is for everybody */
	if (index->handle == AZURE_CERT_INDEX)
		auth.size = 0;
	RAND_bytes(auth.buffer, auth.size);
	rc = Esys_NV_DefineSpace(azure_esys, ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				 ESYS_TR_NONE, &auth, &public, &nv);
	if (rc)
		return complain("cannot be defined", index->handle, rc);
	Esys_TR_SetAuth(azure_esys, nv, &auth);
	rc = Esys_NV_Write(azure_esys, nv, nv, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
			   &first, 0);
	Esys_TR_Close(azure_esys, &nv);
	return rc ? complain("cannot be written", index->handle, rc) : 0;
}

int azure_nv_leave_input(void)
{
	TPM2B_NV_PUBLIC public = { .nvPublic = {
		.nvIndex = AZURE_INPUT_INDEX, .nameAlg = TPM2_ALG_SHA256,
		.dataSize = AZURE_USER_DATA,
		.attributes = TPMA_NV_OWNERREAD | TPMA_NV_OWNERWRITE | TPMA_NV_AUTHREAD |
			      TPMA_NV_AUTHWRITE,
	} };
	TPM2B_AUTH auth = { 0 };
	ESYS_TR nv;
	TSS2_RC rc;

	if (azure_config.input == INPUT_NONE || exists(AZURE_INPUT_INDEX, &nv))
		return 0;
	if (azure_config.input == INPUT_SHORT)
		public.nvPublic.dataSize = 32;
	if (azure_config.input == INPUT_LONG)
		public.nvPublic.dataSize = 128;
	if (azure_config.input == INPUT_UNREADABLE)
		public.nvPublic.attributes &= ~(TPMA_NV)TPMA_NV_OWNERREAD;
	rc = Esys_NV_DefineSpace(azure_esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				 ESYS_TR_NONE, &auth, &public, &nv);
	if (rc)
		return complain("cannot be defined", AZURE_INPUT_INDEX, rc);
	Esys_TR_Close(azure_esys, &nv);
	return 0;
}

/* ---- the guest's reads ---- */

/* behind the handles: size of the authorisations, and these; 0: not well-formed */
static size_t parameters(const uint8_t *command, size_t len)
{
	size_t at = TPM_HEADER + 8 + 4;

	if (len < at || get_be(command, 2) != TPM2_ST_SESSIONS)
		return 0;
	at += get_be(command + at - 4, 4);
	return len >= at + 4 ? at : 0;
}

/* the first byte of the data in the answer to a TPM2_NV_Read */
#define NV_DATA_AT	(TPM_HEADER + 4 + 2)

size_t azure_nv_read(const struct azure_index *index, const uint8_t *command, size_t len,
		     uint8_t answer[TPM_MAX])
{
	size_t at = parameters(command, len), size, offset, n;
	uint8_t instead[TPM_MAX];

	if (!at)
		return azure_swtpm_ask(command, len, answer);
	size = get_be(command + at, 2);
	offset = get_be(command + at + 2, 2);
	memcpy(instead, command, len);
	put_be(instead + at + 2, 0, 2);
	n = azure_swtpm_ask(instead, len, answer);
	if (!n || get_be(answer + 6, 4))
		return n;
	if (offset + size > index->size)
		return azure_refuse(answer, TPM2_RC_NV_RANGE);
	if (n < NV_DATA_AT + size)
		return 0;
	memcpy(answer + NV_DATA_AT, index->data + offset, size);
	if (fault(&azure_faults.nv_length))
		put_be(answer + NV_DATA_AT - 2, 0xffff, 2);
	if (size && fault(&azure_faults.nv_short)) {
		memmove(answer + NV_DATA_AT + size - 1, answer + NV_DATA_AT + size,
			n - NV_DATA_AT - size);
		put_be(answer + NV_DATA_AT - 2, (uint32_t)size - 1, 2);
		put_be(answer + TPM_HEADER, get_be(answer + TPM_HEADER, 4) - 1, 4);
		put_be(answer + 2, (uint32_t)--n, 4);
	}
	return n;
}

/* its length is not what swtpm knows, so its name, which is a hash, is another too */
size_t azure_nv_read_public(const struct azure_index *index, const uint8_t *command,
			    size_t len, uint8_t answer[TPM_MAX])
{
	size_t n = azure_swtpm_ask(command, len, answer), at = TPM_HEADER;
	TPM2B_NV_PUBLIC public = { 0 };
	TPM2B_NAME name = { .size = 2 + 32 };
	uint8_t *plain = answer + TPM_HEADER + 2;

	if (!n || get_be(answer + 6, 4) || get_be(answer, 2) != TPM2_ST_NO_SESSIONS ||
	    Tss2_MU_TPM2B_NV_PUBLIC_Unmarshal(answer, n, &at, &public))
		return n;
	public.nvPublic.dataSize = (UINT16)index->size;
	if (fault(index == &azure_report_index ? &azure_faults.nv_said_n : &azure_faults.cert_said))
		public.nvPublic.dataSize = (UINT16)azure_faults.nv_said;
	at = TPM_HEADER;
	if (Tss2_MU_TPM2B_NV_PUBLIC_Marshal(&public, answer, TPM_MAX, &at))
		return 0;
	put_be(name.name, TPM2_ALG_SHA256, 2);
	EVP_Digest(plain, at - TPM_HEADER - 2, name.name + 2, NULL, EVP_sha256(), NULL);
	return Tss2_MU_TPM2B_NAME_Marshal(&name, answer, TPM_MAX, &at) ? 0 : n;
}

/* ---- the paravisor's read ---- */

/* as the owner, whose password is empty or it fails */
static int read_input(ESYS_TR nv, uint8_t user_data[AZURE_USER_DATA])
{
	TPM2B_MAX_NV_BUFFER *data = NULL;
	TPM2B_NV_PUBLIC *public = NULL;
	TSS2_RC rc;
	int ret = -1;

	rc = Esys_NV_ReadPublic(azure_esys, nv, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				&public, NULL);
	if (!rc && public->nvPublic.dataSize == AZURE_USER_DATA)
		rc = Esys_NV_Read(azure_esys, ESYS_TR_RH_OWNER, nv, ESYS_TR_PASSWORD,
				  ESYS_TR_NONE, ESYS_TR_NONE, AZURE_USER_DATA, 0, &data);
	if (data) {
		memcpy(user_data, data->buffer, AZURE_USER_DATA);
		ret = 0;
	} else if (rc == TPM2_RC_NV_UNINITIALIZED) {
		ret = 0;
	}
	Esys_Free(public);
	Esys_Free(data);
	return ret;
}

int azure_nv_input(uint8_t user_data[AZURE_USER_DATA])
{
	ESYS_TR nv;
	int ret;

	memset(user_data, 0, AZURE_USER_DATA);
	if (!exists(AZURE_INPUT_INDEX, &nv))
		return 0;
	ret = read_input(nv, user_data);
	Esys_TR_Close(azure_esys, &nv);
	return ret;
}
