// SPDX-License-Identifier: MIT
/*
 * The driver's HCL reports, which say nothing of the guest's system: each gets the vTPM's
 * quote about the same request, and where it has a TDREPORT, the host's quote of that. A
 * batch's is about the batch ("Batch v1", section 2), so that all members share it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/tpm_nonce.h"
#include "vtpm.h"

/* The evidence is there, and about the request; it is not without what is made here. */
static int make(const struct cvm_source *source, struct cvm_job *job, const uint8_t *nonce,
		size_t len, const _Atomic int64_t *deadline)
{
	struct cvm_hcl *hcl __cleanup(cvm_hcl_free) = calloc(1, sizeof(*hcl));
	struct cvm_evidence *evidence = job->evidence;
	int rc;

	if (!hcl)
		return cvm_source_error(&job->error, -ENOMEM, source, 0);
	if (evidence->len > sizeof(hcl->data))
		return cvm_source_error(&job->error, -EBADMSG, source, 0);
	memcpy(hcl->data, evidence->data, evidence->len);
	hcl->len = evidence->len;
	rc = cvm_hcl_read(hcl, &job->error);
	return rc ? rc : cvm_azure_make(source->vtpm, hcl, nonce, len, deadline, &evidence->azure,
					&job->error);
}

static void copy_and_make(const struct cvm_source *source, struct cvm_job *job,
			  const struct cvm_answer *answer, const uint8_t *nonce, size_t len,
			  const _Atomic int64_t *deadline)
{
	cvm_job_copy(job, source, answer);
	if (job->result)
		return;
	job->result = make(source, job, nonce, len, deadline);
	if (!job->result)
		return;
	cvm_evidence_free(job->evidence);
	job->evidence = NULL;
}

static void take_found(const struct cvm_source *source, struct cvm_job *job,
		       struct cvm_answer *answer)
{
	answer->known = true;
	cvm_job_copy(job, source, answer);
	cvm_azure_put(answer->azure);
	answer->azure = NULL;
}

/*
 * The first member makes it. The others' proofs lead to the same tree, by its tpm48, and they
 * have the same report, byte by byte, which the first has held against the tree. What he
 * has left for them is held against both.
 */
static void find_or_make(const struct cvm_source *source, struct cvm_job *job,
			 struct cvm_answer *answer, const uint8_t *tpm48,
			 const _Atomic int64_t *deadline)
{
	struct cvm_share_key key = { .report = answer->data, .len = answer->len };

	memcpy(key.tpm48, tpm48, sizeof(key.tpm48));
	job->result = cvm_share_get(source->vtpm, &key, deadline, &answer->azure, &job->error);
	if (job->result)
		return;
	if (answer->azure) {
		take_found(source, job, answer);
		return;
	}
	copy_and_make(source, job, answer, tpm48, CVM_TPM48_SIZE, deadline);
	cvm_share_put(source->vtpm, &key, job->result ? NULL : job->evidence->azure, deadline);
}

void cvm_azure_answer(const struct cvm_source *source, struct cvm_job *job,
		      struct cvm_answer *answer, const _Atomic int64_t *deadline)
{
	uint8_t nonce[CVM_REPORT_DATA_LEN], r64[CVM_REPORT_DATA_LEN], scope[CVM_SCOPE_SIZE];
	size_t len;

	if (!job->batch) {
		len = cvm_tpm_nonce(job->report_data, nonce);
		copy_and_make(source, job, answer, nonce, len, deadline);
	} else if (cvm_merkle_expected(job->report_data, answer->proof, answer->proof_len, r64,
				       nonce, scope)) {
		/* which says what is wrong with it */
		cvm_job_copy(job, source, answer);
	} else {
		find_or_make(source, job, answer, nonce, deadline);
	}
}

bool cvm_azure_found(const struct cvm_source *source, struct cvm_job *job,
		     struct cvm_answer *answer)
{
	struct cvm_share_key key = { .report = answer->data, .len = answer->len };
	uint8_t r64[CVM_REPORT_DATA_LEN], scope[CVM_SCOPE_SIZE];

	if (!job->batch)
		return false;
	if (cvm_merkle_expected(job->report_data, answer->proof, answer->proof_len, r64,
				key.tpm48, scope)) {
		cvm_job_copy(job, source, answer);
		return true;
	}
	answer->azure = cvm_share_find(source->vtpm, &key);
	if (!answer->azure)
		return false;
	take_found(source, job, answer);
	return true;
}
