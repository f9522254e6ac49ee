// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../common/api.h"
#include "cmw.h"

#define EVIDENCE	CVM_CMW_LABEL_EVIDENCE
#define CERTS		"certs"
#define TD_QUOTE	"td_quote"
#define TPM_QUOTE	"tpm_quote"
#define PROOF		"proof"
#define EVENT_LOG	"event_log"

/* AMD's: draft-deeglaze-amd-sev-snp-corim-profile; of vnd.cvm-guest none is registered */
const struct cvm_cmw_type cvm_cmw_types[CVM_CMW_TYPES + 1] = {
	{ "snp-report", EVIDENCE, "application/vnd.amd.sev-snp.attestation-report",
	  CVM_CMW_EVIDENCE },
	{ "tdx-quote", EVIDENCE, "application/vnd.cvm-guest.tdx-quote", CVM_CMW_EVIDENCE },
	{ "tdreport", EVIDENCE, "application/vnd.cvm-guest.tdreport", CVM_CMW_EVIDENCE },
	{ "hcl-report", EVIDENCE, "application/vnd.cvm-guest.hcl-report", CVM_CMW_EVIDENCE },
	{ "certs-table", CERTS, "application/vnd.amd.ghcb.guid-table", CVM_CMW_ENDORSEMENTS },
	{ "certs-pem", CERTS, "application/pem-certificate-chain", CVM_CMW_ENDORSEMENTS },
	{ "certs-der", CERTS, "application/pkix-cert", CVM_CMW_ENDORSEMENTS },
	{ "td-quote", TD_QUOTE, "application/vnd.cvm-guest.tdx-quote", CVM_CMW_EVIDENCE },
	{ "tpm-quote", TPM_QUOTE, "application/vnd.cvm-guest.tpm-quote+json", CVM_CMW_EVIDENCE },
	{ "event-log", EVENT_LOG, "application/vnd.cvm-guest.event-log", CVM_CMW_EVIDENCE },
	{ "proof", PROOF, "application/vnd.cvm-guest.batch-proof", CVM_CMW_EVIDENCE },
	{ NULL, NULL, NULL, 0 }
};

bool cvm_cmw_span_is(struct cvm_span span, const char *text)
{
	return span.len == strlen(text) && !memcmp(span.data, text, span.len);
}

/* By the label first: the media type may have been set to another one. */
const char *cvm_cmw_part_of(struct cvm_span label, struct cvm_span media_type)
{
	for (const struct cvm_cmw_type *t = cvm_cmw_types; t->name; t++)
		if (cvm_cmw_span_is(label, t->label))
			return t->label;
	for (const struct cvm_cmw_type *t = cvm_cmw_types; t->name; t++)
		if (cvm_cmw_span_is(media_type, t->media_type))
			return t->label;
	return NULL;
}

static int wrong(struct cvm_error *error, const char *part, const char *expected)
{
	return cvm_set_error(error, -EBADMSG, "%s: expected %s", part, expected);
}

static int take_tpm_quote(struct cvm_evidence_file *file, const struct cvm_blob *value,
			  struct cvm_error *error)
{
	int ret = file->has_tpm ? wrong(error, TPM_QUOTE, "one of them") :
		  cvm_tpm_file_parse(&file->tpm, value->data, value->len, error);

	file->has_tpm |= !ret;
	return ret;
}

static struct cvm_blob *place_of(struct cvm_evidence_file *file, const char *part, size_t *max)
{
	*max = !strcmp(part, CERTS) ? CVM_FILE_CERTS_MAX :
	       !strcmp(part, EVENT_LOG) ? CVM_FILE_LOG_MAX : CVM_FILE_REPORT_MAX;
	if (!strcmp(part, CERTS))
		return &file->certs;
	if (!strcmp(part, EVENT_LOG))
		return &file->event_log;
	if (!strcmp(part, TD_QUOTE))
		return &file->td_quote;
	return !strcmp(part, PROOF) ? &file->proof : &file->report;
}

int cvm_cmw_take(struct cvm_evidence_file *file, const char *part, uint64_t ind,
		struct cvm_blob value, struct cvm_error *error)
{
	size_t max;
	struct cvm_blob *to = place_of(file, part, &max);
	int ret = 0;

	if (value.len > max)
		ret = wrong(error, part, "fewer bytes");
	else if (!strcmp(part, EVIDENCE) && ind && !(ind & CVM_CMW_EVIDENCE))
		ret = wrong(error, part, "an indicator that says so");
	else if (!strcmp(part, TPM_QUOTE))
		ret = take_tpm_quote(file, &value, error);
	else if (to->data)
		ret = wrong(error, part, "one of them");
	if (ret || !strcmp(part, TPM_QUOTE)) {
		free(value.data);
		return ret;
	}
	*to = value;
	if (strcmp(part, EVIDENCE))
		return 0;
	file->type = cvm_evidence_type_of(value.data, value.len);
	return file->type ? 0 : wrong(error, part, "an SNP report, a quote, a TDREPORT or an HCL report");
}

int cvm_cmw_finish(const struct cvm_evidence_file *file, struct cvm_error *error)
{
	return file->report.data ? 0 : wrong(error, "CMW", "evidence of a kind that is known");
}
