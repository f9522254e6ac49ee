// SPDX-License-Identifier: MIT
/* What belongs to an HCL report: the vTPM's quote, and that of the TDREPORT. */
#include <stdlib.h>
#include <string.h>

#include "lib.h"

#define TPM_QUOTE_MIN	CVM_STRUCT_UP_TO(struct cvm_tpm_quote, flags)

struct cvm_azure *cvm_azure_get(struct cvm_azure *azure)
{
	if (azure)
		atomic_fetch_add(&azure->users, 1);
	return azure;
}

void cvm_azure_put(struct cvm_azure *azure)
{
	if (!azure || atomic_fetch_sub(&azure->users, 1) > 1)
		return;
	free(azure->td_quote);
	free(azure);
}

int cvm_evidence_tpm_quote(const struct cvm_evidence *evidence, struct cvm_tpm_quote *quote)
{
	const struct cvm_azure *azure = evidence->azure;
	size_t size = quote->size;
	struct cvm_tpm_quote own;

	if (size < TPM_QUOTE_MIN)
		return -EINVAL;
	if (!azure || !azure->message_len)
		return -ENODATA;
	own = (struct cvm_tpm_quote){
		.size = size, .message = azure->message, .message_len = azure->message_len,
		.signature = azure->signature, .signature_len = azure->signature_len,
		.pcrs = azure->pcrs, .pcr_count = CVM_PCR_COUNT,
	};
	memset(quote, 0, size);
	memcpy(quote, &own, size < sizeof(own) ? size : sizeof(own));
	return 0;
}

const void *cvm_evidence_td_quote(const struct cvm_evidence *evidence, size_t *len)
{
	const struct cvm_azure *azure = evidence->azure;

	*len = azure ? azure->td_quote_len : 0;
	return *len ? azure->td_quote : NULL;
}
