// SPDX-License-Identifier: GPL-2.0
#include <string.h>
#include <tss2/tss2_mu.h>

#include "forge.h"

bool forge(struct cvm_tpm *tpm, const struct forgery *f, struct cvm_sealed *sealed)
{
	const TPM2B_SENSITIVE_CREATE sensitive = { .sensitive.data = { 32, "known to its maker" } };
	const TPM2B_PUBLIC template = {
		.publicArea = { .type = TPM2_ALG_KEYEDHASH, .nameAlg = TPM2_ALG_SHA256,
				.objectAttributes = f->attributes, .authPolicy = f->policy,
				.parameters.keyedHashDetail.scheme.scheme = TPM2_ALG_NULL },
	};
	TPM2B_DATA outside = { .size = (UINT16)(strlen(f->use) + 1) };
	__cleanup_esys TPM2B_PRIVATE *private = NULL;
	__cleanup_esys TPM2B_PUBLIC *public = NULL;
	__cleanup_esys TPM2B_CREATION_DATA *creation = NULL;
	__cleanup_esys TPMT_TK_CREATION *ticket = NULL;
	size_t at = 0, size = sizeof(sealed->bytes);
	TPML_PCR_SELECTION selection;

	strcpy((char *)outside.buffer, f->use);
	cvm_tpm_selection(f->pcrs, &selection);
	if (cvm_tpm_parent(tpm, NULL, NULL) ||
	    Esys_Create(tpm->esys, tpm->parent, cvm_tpm_session(tpm, TPMA_SESSION_DECRYPT),
			ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &template, &outside, &selection,
			&private, &public, &creation, NULL, &ticket))
		return false;
	*sealed = (struct cvm_sealed){ .pcrs = f->said };
	Tss2_MU_TPM2B_PUBLIC_Marshal(public, sealed->bytes, size, &at);
	Tss2_MU_TPM2B_PRIVATE_Marshal(private, sealed->bytes, size, &at);
	Tss2_MU_TPM2B_CREATION_DATA_Marshal(creation, sealed->bytes, size, &at);
	Tss2_MU_TPMT_TK_CREATION_Marshal(ticket, sealed->bytes, size, &at);
	sealed->len = (uint32_t)at;
	return true;
}

void splice(const struct cvm_sealed *object, const struct cvm_sealed *said,
	    struct cvm_sealed *out)
{
	const struct cvm_sealed *from[] = { object, said };
	size_t at[2] = { 0 };

	for (int i = 0; i < 2; i++) {
		TPM2B_PRIVATE private = { 0 };
		TPM2B_PUBLIC public = { 0 };

		Tss2_MU_TPM2B_PUBLIC_Unmarshal(from[i]->bytes, from[i]->len, &at[i], &public);
		Tss2_MU_TPM2B_PRIVATE_Unmarshal(from[i]->bytes, from[i]->len, &at[i], &private);
	}
	*out = (struct cvm_sealed){ .pcrs = said->pcrs };
	memcpy(out->bytes, object->bytes, at[0]);
	memcpy(out->bytes + at[0], said->bytes + at[1], said->len - at[1]);
	out->len = (uint32_t)(at[0] + said->len - at[1]);
}
