// SPDX-License-Identifier: MIT
/*
 * The backend vtpm: Azure without a driver. A request opens the TPM, leaves what it is
 * about, reads the report until it is about that, has all PCRs quoted about the same, and,
 * where the report has a TDREPORT, has the host quote that.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/tpm_nonce.h"
#include "driver/merkle.h"
#include "formats/hcl.h"
#include "vtpm.h"

#define DEFAULT_TIMEOUT_MS	15000

/*
 * Which hardware it is, from the report's own header; nothing is renewed, since nothing is
 * read from the beginning. It is for who wants to know: each report says it again.
 * max_evidence is there once the index is, whatever becomes of the rest.
 */
static int look(struct cvm_source *source, struct cvm_error *error)
{
	struct cvm_vtpm vtpm;
	uint8_t type[4];
	ESYS_TR index;
	size_t size;
	int rc = cvm_vtpm_open(&vtpm, source->vtpm, error);

	if (rc)
		return rc;
	rc = cvm_vtpm_find_report(&vtpm, &index, &size, error);
	if (!rc)
		source->status.max_evidence = (uint32_t)size;
	if (!rc)
		rc = cvm_vtpm_read_nv(&vtpm, index, CVM_HCL_TYPE, type, sizeof(type), error);
	cvm_vtpm_close(&vtpm);
	if (rc)
		return rc;
	if (cvm_le32(type) == CVM_HCL_TDX)
		source->status.tee = CVM_TEE_TDX;
	else if (cvm_le32(type) == CVM_HCL_SNP)
		source->status.tee = CVM_TEE_SNP;
	else
		return cvm_set_error(error, -ENODEV, "the vTPM: report 0x%x has no hardware's report (type %u): this is no confidential VM",
				     CVM_VTPM_REPORT, cvm_le32(type));
	return 0;
}

static int open_vtpm(struct cvm_source *source, const struct cvm_open_opts *opts,
		     struct cvm_error *error)
{
	int rc = cvm_vtpm_place(source, opts, error);

	if (!rc)
		rc = cvm_source_set(source, source->root, CVM_VTPM_NODE, error);
	if (!rc)
		rc = look(source, error);
	if (rc) {
		cvm_vtpm_unplace(source);
		return rc;
	}
	source->status.types = CVM_TYPE_BIT(CVM_EVIDENCE_HCL_REPORT);
	source->status.max_inflight = 1;
	source->status.default_timeout_ms = DEFAULT_TIMEOUT_MS;
	return 0;
}

static int get_report(struct cvm_vtpm *vtpm, const struct cvm_job *job, int64_t deadline,
		      struct cvm_hcl *hcl, struct cvm_error *error)
{
	/* of a batch: nobody had these salts before */
	bool unique = cvm_user_data_reserved(job->report_data);
	int rc = cvm_vtpm_lock(vtpm, deadline, error);

	if (!rc)
		rc = cvm_vtpm_report(vtpm, job->report_data, unique, deadline, hcl, error);
	cvm_vtpm_unlock(vtpm);
	return rc;
}

static int ask(const struct cvm_source *source, const struct cvm_job *job, int64_t deadline,
	       struct cvm_hcl *hcl, struct cvm_azure **azure, struct cvm_error *error)
{
	uint8_t own[CVM_REPORT_DATA_LEN];
	const uint8_t *nonce = job->tpm_nonce ? job->tpm_nonce : own;
	size_t len = job->tpm_nonce ? job->tpm_nonce_len : cvm_tpm_nonce(job->report_data, own);
	const _Atomic int64_t until = deadline;
	struct cvm_vtpm vtpm;
	int rc = cvm_vtpm_open(&vtpm, source->vtpm, error);

	if (rc)
		return rc;
	rc = get_report(&vtpm, job, deadline, hcl, error);
	cvm_vtpm_close(&vtpm);
	return rc ? rc : cvm_azure_make(source->vtpm, hcl, nonce, len, &until, azure, error);
}

static int request(const struct cvm_source *source, struct cvm_job *job, int64_t deadline)
{
	struct cvm_hcl *hcl __cleanup(cvm_hcl_free) = calloc(1, sizeof(*hcl));
	struct cvm_azure *azure = NULL;
	int rc;

	if (!hcl)
		return cvm_source_error(&job->error, -ENOMEM, source, 0);
	rc = ask(source, job, deadline, hcl, &azure, &job->error);
	if (rc)
		return rc;
	cvm_job_copy(job, source, &(struct cvm_answer) {
		.data = hcl->data, .len = hcl->len, .azure = azure });
	cvm_azure_put(azure);
	return job->result;
}

static void issue_vtpm(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
		       uint32_t timeout_ms)
{
	int64_t deadline = cvm_vtpm_clock_ms() + (timeout_ms ? timeout_ms : DEFAULT_TIMEOUT_MS);

	for (size_t i = 0; i < count; i++)
		jobs[i].result = request(source, &jobs[i], deadline);
}

const struct cvm_backend cvm_backend_vtpm = {
	.name = "vtpm",
	.open = open_vtpm,
	.close = cvm_vtpm_unplace,
	.issue = issue_vtpm,
};
