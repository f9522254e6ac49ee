// SPDX-License-Identifier: MIT
/*
 * What belongs to an HCL report, whoever has got that. The report measures the paravisor
 * alone; who relies on it needs to know which system the guest runs, and, where there is
 * only a TDREPORT, a quote of it.
 */
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/tpm_nonce.h"
#include "fetch/imds.h"
#include "formats/hcl.h"
#include "formats/tdreport.h"
#include "verify/internal.h"
#include "vtpm.h"

static void put_azure(struct cvm_azure **azure)
{
	cvm_azure_put(*azure);
}

/* The host's quote must be of this very TDREPORT. */
static bool is_of_td(const struct cvm_azure *azure, const uint8_t *raw)
{
	struct cvm_format_error err;
	struct cvm_tdreport report;
	struct cvm_quote quote;

	return !cvm_tdreport_parse(raw, CVM_TDREPORT_LEN, &report, &err) &&
	       !cvm_quote_parse(azure->td_quote, azure->td_quote_len, &quote, &err) &&
	       cvm_td_same(&report, &quote.body);
}

static int quote_td(const struct cvm_vtpm_place *place, const struct cvm_hcl *hcl,
		    const _Atomic int64_t *deadline, struct cvm_azure *azure,
		    struct cvm_error *error)
{
	const uint8_t *raw = hcl->data + CVM_HCL_HEADER_SIZE;
	int rc = cvm_imds_td_quote(place->imds, raw, deadline, &azure->td_quote,
				   &azure->td_quote_len, error);

	if (rc)
		return rc;
	if (!is_of_td(azure, raw))
		return cvm_set_error(error, -EBADMSG, "%s: the host's quote is not of the TDREPORT that it was asked to quote",
				     place->imds);
	return 0;
}

int cvm_azure_make(struct cvm_vtpm_place *place, const struct cvm_hcl *hcl, const uint8_t *nonce,
		   size_t len, const _Atomic int64_t *deadline, struct cvm_azure **out,
		   struct cvm_error *error)
{
	struct cvm_azure *azure __cleanup(put_azure) = calloc(1, sizeof(*azure));
	struct cvm_vtpm vtpm;
	int rc;

	*out = NULL;
	if (!azure)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	/* members who had to wait for another one all come late: the TPM is not asked for each */
	if (cvm_vtpm_clock_ms() >= *deadline)
		return cvm_set_error(error, -ETIMEDOUT, "no time is left for a quote of the vTPM; ask again, or allow more time");
	atomic_init(&azure->users, 1);
	rc = cvm_vtpm_open(&vtpm, place, error);
	if (rc)
		return rc;
	rc = cvm_vtpm_quote(&vtpm, hcl->ak, nonce, len, azure, error);
	cvm_vtpm_close(&vtpm);
	if (!rc && hcl->td)
		rc = quote_td(place, hcl, deadline, azure, error);
	if (!rc)
		*out = cvm_take_ptr(azure);
	return rc;
}

/* ---- a quote alone, beside a report that others have made */

static int ask_alone(struct cvm_vtpm *vtpm, const struct cvm_job *job, struct cvm_hcl *hcl,
		     struct cvm_azure *azure, struct cvm_error *error)
{
	uint8_t own[CVM_REPORT_DATA_LEN];
	const uint8_t *nonce = job->tpm_nonce ? job->tpm_nonce : own;
	size_t len = job->tpm_nonce ? job->tpm_nonce_len : cvm_tpm_nonce(job->report_data, own);
	int rc = cvm_vtpm_present(vtpm, hcl, error);

	return rc ? rc : cvm_vtpm_quote(vtpm, hcl->ak, nonce, len, azure, error);
}

static int quote_alone(const struct cvm_source *source, struct cvm_job *job)
{
	struct cvm_azure *azure __cleanup(put_azure) = calloc(1, sizeof(*azure));
	struct cvm_hcl *hcl __cleanup(cvm_hcl_free) = calloc(1, sizeof(*hcl));
	struct cvm_vtpm vtpm;
	int rc;

	if (azure)
		atomic_init(&azure->users, 1);
	if (!azure || !hcl)
		return cvm_source_error(&job->error, -ENOMEM, source, 0);
	rc = cvm_vtpm_open(&vtpm, source->vtpm, &job->error);
	if (rc)
		return rc;
	rc = ask_alone(&vtpm, job, hcl, azure, &job->error);
	cvm_vtpm_close(&vtpm);
	if (rc)
		return rc;
	cvm_job_copy(job, source, &(struct cvm_answer) {
		.data = hcl->data, .len = hcl->len, .azure = azure });
	return job->result;
}

void cvm_vtpm_quote_alone(const struct cvm_source *source, struct cvm_job *jobs, size_t count,
			  uint32_t timeout_ms)
{
	int64_t deadline = cvm_vtpm_clock_ms() + timeout_ms;

	/* each takes the time of the TPM, and waits for nothing; the first one always has it */
	for (size_t i = 0; i < count; i++)
		jobs[i].result = i && timeout_ms && cvm_vtpm_clock_ms() > deadline ?
				 cvm_source_error(&jobs[i].error, -ETIMEDOUT, source, 0) :
				 quote_alone(source, &jobs[i]);
}
