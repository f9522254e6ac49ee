// SPDX-License-Identifier: MIT
/* Evidence: checked to be about the request, then handed to the caller. */
#include <string.h>

#include "common/cleanup.h"
#include "driver/merkle.h"
#include "lib.h"
#include "vtpm.h"

/* REPORT_DATA: where it is in an ATTESTATION_REPORT, a TDREPORT, a TD quote body */
#define SNP_REPORT_DATA		0x50
#define TDREPORT_DATA		128
#define TD_BODY_REPORTDATA	520

#define QUOTE_HEADER		48
/* version 5: body type u16, body size u32, then the body */
#define QUOTE_V5_DESCRIPTOR	6

#define CERT_ENTRY		24
#define CERT_GUID		16

static void free_evidence(struct cvm_evidence **evidence)
{
	cvm_evidence_free(*evidence);
}

void cvm_evidence_free(struct cvm_evidence *evidence)
{
	if (!evidence)
		return;
	free(evidence->data);
	free(evidence->certs);
	free(evidence->proof);
	cvm_azure_put(evidence->azure);
	free(evidence);
}

uint32_t cvm_evidence_type(const struct cvm_evidence *evidence)
{
	return evidence->type;
}

const void *cvm_evidence_data(const struct cvm_evidence *evidence, size_t *len)
{
	*len = evidence->len;
	return evidence->data;
}

const void *cvm_evidence_certs(const struct cvm_evidence *evidence, size_t *len)
{
	*len = evidence->certs_len;
	return evidence->certs;
}

const void *cvm_evidence_proof(const struct cvm_evidence *evidence, size_t *len)
{
	*len = evidence->proof_len;
	return evidence->proof;
}

size_t cvm_certs_used(const void *certs, size_t size)
{
	const uint8_t *table = certs;
	uint64_t used = 0;

	/* the host wrote it: an entry that points outside makes it all of the buffer */
	for (size_t at = 0; at + CERT_ENTRY <= size; at += CERT_ENTRY) {
		const uint8_t *entry = table + at;
		uint64_t end = (uint64_t)cvm_le32(entry + CERT_GUID) +
			       cvm_le32(entry + CERT_GUID + 4);

		used = at + CERT_ENTRY > used ? at + CERT_ENTRY : used;
		if (cvm_is_zero(entry, CERT_ENTRY))
			return at ? used : 0;
		used = end > used ? end : used;
		if (used > size)
			return size;
	}
	return size;
}

/* Where REPORT_DATA is, or 0: the evidence is not of this type or cut short. */
static size_t report_data_offset(uint32_t type, const uint8_t *data, size_t len)
{
	size_t offset;

	switch (type) {
	case CVM_EVIDENCE_SNP_REPORT:
		return len == CVM_SNP_REPORT_LEN ? SNP_REPORT_DATA : 0;
	case CVM_EVIDENCE_TDREPORT:
		return len == CVM_TDREPORT_LEN ? TDREPORT_DATA : 0;
	}
	if (len < QUOTE_HEADER)
		return 0;
	switch (cvm_le16(data)) {
	case 4:
		offset = QUOTE_HEADER + TD_BODY_REPORTDATA;
		break;
	case 5:
		offset = QUOTE_HEADER + QUOTE_V5_DESCRIPTOR + TD_BODY_REPORTDATA;
		break;
	default:
		return 0;
	}
	return len >= offset + CVM_REPORT_DATA_LEN ? offset : 0;
}

/* An old paravisor's reports are about nothing, which is enough beside a quote alone. */
static bool hcl_carried(const struct cvm_job *job, const struct cvm_evidence *evidence,
			uint8_t out[CVM_REPORT_DATA_LEN])
{
	int rc = cvm_hcl_about(evidence->data, evidence->len, out);

	return !rc || (rc == -ENODATA && cvm_job_quote_alone(job));
}

/* The 64 bytes that the evidence is about; false: it is not of this type, or cut short. */
static bool carried(const struct cvm_job *job, const struct cvm_evidence *evidence,
		    uint8_t out[CVM_REPORT_DATA_LEN])
{
	size_t offset;

	if (job->type == CVM_EVIDENCE_HCL_REPORT)
		return hcl_carried(job, evidence, out);
	offset = report_data_offset(job->type, evidence->data, evidence->len);
	if (offset)
		memcpy(out, evidence->data + offset, CVM_REPORT_DATA_LEN);
	return offset;
}

/* What the hardware must have signed: the caller's bytes, or the batch that they are in. */
static int expected(const struct cvm_job *job, const struct cvm_evidence *evidence,
		    uint8_t report_data[CVM_REPORT_DATA_LEN])
{
	uint8_t scope[CVM_SCOPE_SIZE];

	if (job->batch)
		return cvm_merkle_expected(job->report_data, evidence->proof, evidence->proof_len,
					   report_data, NULL, scope);
	memcpy(report_data, job->report_data, CVM_REPORT_DATA_LEN);
	return 0;
}

static int check(const struct cvm_job *job, const struct cvm_source *source,
		 const struct cvm_evidence *evidence, struct cvm_error *error)
{
	const char *path = source->status.source;
	uint8_t report_data[CVM_REPORT_DATA_LEN], own[CVM_REPORT_DATA_LEN];

	if (expected(job, evidence, report_data))
		return cvm_set_error(error, -EBADMSG, "%s: gave a proof that is not of these user data",
				     path);
	if (!evidence->len)
		return cvm_set_error(error, -EBADMSG, "%s: gave empty evidence; on TDX, is the host's quote service too old?",
				     path);
	if (!carried(job, evidence, own))
		return cvm_set_error(error, -EBADMSG, "%s: gave %zu bytes that are not the evidence asked for",
				     path, evidence->len);
	/* what a quote alone is about was compared when it was made */
	if (!cvm_job_quote_alone(job) && memcmp(own, report_data, CVM_REPORT_DATA_LEN))
		return cvm_set_error(error, -EBADMSG, "%s: gave evidence with somebody else's REPORT_DATA; ask again",
				     path);
	return 0;
}

static void free_answer(const struct cvm_answer *answer)
{
	free(answer->data);
	free(answer->certs);
	free(answer->proof);
	cvm_azure_put(answer->azure);
}

void cvm_job_done(struct cvm_job *job, const struct cvm_source *source,
		  const struct cvm_answer *answer)
{
	__cleanup(free_evidence) struct cvm_evidence *evidence = calloc(1, sizeof(*evidence));

	if (!evidence) {
		free_answer(answer);
		job->result = cvm_set_error(&job->error, -ENOMEM, "out of memory");
		return;
	}
	*evidence = (struct cvm_evidence) {
		.type = job->type,
		.data = answer->data, .len = answer->len,
		.certs = answer->certs, .certs_len = answer->certs_len,
		.proof = answer->proof, .proof_len = answer->proof_len,
		.azure = answer->azure,
	};
	if (!answer->certs_len) {
		free(answer->certs);
		evidence->certs = NULL;
	}
	job->result = answer->known ? 0 : check(job, source, evidence, &job->error);
	if (!job->result)
		job->evidence = cvm_take_ptr(evidence);
}

static void *copy(const void *data, size_t len, bool *failed)
{
	void *to = len ? malloc(len) : NULL;

	*failed |= len && !to;
	return to ? memcpy(to, data, len) : NULL;
}

void cvm_job_copy(struct cvm_job *job, const struct cvm_source *source,
		  const struct cvm_answer *answer)
{
	bool failed = false;
	struct cvm_answer own = {
		.data = copy(answer->data, answer->len, &failed), .len = answer->len,
		.certs = copy(answer->certs, answer->certs_len, &failed),
		.certs_len = answer->certs_len,
		.proof = copy(answer->proof, answer->proof_len, &failed),
		.proof_len = answer->proof_len,
		.azure = cvm_azure_get(answer->azure),
		.known = answer->known,
	};

	if (!failed) {
		cvm_job_done(job, source, &own);
		return;
	}
	free_answer(&own);
	job->result = cvm_source_error(&job->error, -ENOMEM, source, 0);
}
