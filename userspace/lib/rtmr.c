// SPDX-License-Identifier: MIT
/* The run-time measurement registers of a TD: read from evidence, and extended. */
#include <string.h>

#include "formats/quote.h"
#include "formats/tdreport.h"
#include "lib.h"

_Static_assert(sizeof(((struct cvm_tdreport *)0)->rtmr) == CVM_RTMR_COUNT * CVM_RTMR_LEN &&
	       sizeof(((struct cvm_td_body *)0)->rtmr) == CVM_RTMR_COUNT * CVM_RTMR_LEN,
	       "a TD has as many as the interface says");

static int from_evidence(const struct cvm_evidence *evidence, void *rtmr)
{
	struct cvm_format_error where;
	struct cvm_tdreport report;
	struct cvm_quote quote;
	size_t len;
	const void *data = cvm_evidence_data(evidence, &len);
	int rc;

	if (cvm_evidence_type(evidence) == CVM_EVIDENCE_TDREPORT) {
		rc = cvm_tdreport_parse(data, len, &report, &where);
		if (!rc)
			memcpy(rtmr, report.rtmr, sizeof(report.rtmr));
		return rc;
	}
	rc = cvm_quote_parse(data, len, &quote, &where);
	if (!rc && quote.body_type == CVM_QUOTE_BODY_SGX)
		rc = -EBADMSG;
	if (!rc)
		memcpy(rtmr, quote.body.rtmr, sizeof(quote.body.rtmr));
	return rc;
}

int cvm_rtmr_read(struct cvm_ctx *ctx, uint8_t rtmr[CVM_RTMR_COUNT][CVM_RTMR_LEN],
		  struct cvm_error *error)
{
	static const uint8_t nothing[CVM_REPORT_DATA_LEN];
	struct cvm_evidence *evidence;
	int rc = cvm_tdreport(ctx, nothing, NULL, &evidence, error);

	if (rc == -EOPNOTSUPP)
		rc = cvm_quote(ctx, nothing, NULL, &evidence, error);
	if (rc)
		return rc;
	rc = from_evidence(evidence, rtmr);
	cvm_evidence_free(evidence);
	return rc ? cvm_set_error(error, -EBADMSG, "the evidence is no TDREPORT or quote of a TD") : 0;
}

/* The first source that can; the others complement it. */
int cvm_rtmr_extend(struct cvm_ctx *ctx, uint32_t index, const uint8_t *digest,
		    struct cvm_error *error)
{
	if (index >= CVM_RTMR_COUNT)
		return cvm_set_error(error, -EINVAL, "there is no RTMR %u; there are 0 to %u", index,
				     CVM_RTMR_COUNT - 1);
	for (size_t i = 0; i < ctx->count; i++) {
		const struct cvm_source *source = &ctx->source[i];

		if (source->backend->extend)
			return source->backend->extend(source, index, digest, error);
	}
	return cvm_set_error(error, -EOPNOTSUPP, "%s: the backend %s has no RTMRs to extend",
			     ctx->source[0].status.source, ctx->source[0].status.backend);
}
