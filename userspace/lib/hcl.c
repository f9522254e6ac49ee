// SPDX-License-Identifier: MIT
/* HCL reports, as far as who asks for one needs them: is it whole, and about what. */
#include <openssl/sha.h>
#include <string.h>

#include "common/cleanup.h"
#include "formats/hcl.h"
#include "verify/hcl_claims.h"
#include "vtpm.h"

/* REPORT_DATA in an SNP report and in a TDREPORT */
#define SNP_REPORT_DATA		0x50
#define TDREPORT_DATA		128

static int wrong(struct cvm_error *error, const char *why)
{
	return cvm_set_error(error, -EBADMSG, "the vTPM: report 0x%x: %s", CVM_VTPM_REPORT, why);
}

/* One that was renewed while it was read is half the one and half the other. */
static bool carries(const struct cvm_hcl_report *report)
{
	size_t at = report->report_type == CVM_HCL_TDX ? TDREPORT_DATA : SNP_REPORT_DATA;
	uint8_t hash[CVM_REPORT_DATA_LEN] = { 0 };

	SHA256(report->claims.data, report->claims.len, hash);
	return !memcmp(report->hw_report.data + at, hash, sizeof(hash));
}

static int take_apart(const uint8_t *data, size_t len, struct cvm_hcl_report *report,
		      struct cvm_hcl_claims *claims, struct cvm_error *error)
{
	struct cvm_format_error err;
	struct cvm_error why;
	char text[256];

	if (cvm_hcl_parse(data, len, report, &err))
		return wrong(error, cvm_format_error_text(&err, text, sizeof(text)));
	if (report->report_type != CVM_HCL_SNP && report->report_type != CVM_HCL_TDX)
		return cvm_set_error(error, -EOPNOTSUPP, "the vTPM: report 0x%x: it has no hardware's report (type %s): this is no confidential VM",
				     CVM_VTPM_REPORT, cvm_hcl_type_name(report->report_type));
	if (report->hash_type != CVM_HCL_SHA256)
		return wrong(error, "its claims are not hashed with SHA-256");
	if (!carries(report))
		return wrong(error, "its REPORT_DATA is not the hash of its claims");
	return cvm_hcl_claims_parse(report->claims, claims, &why) ? wrong(error, why.text) : 0;
}

int cvm_hcl_read(struct cvm_hcl *hcl, struct cvm_error *error)
{
	struct cvm_hcl_claims claims;
	struct cvm_hcl_report report;
	int rc = take_apart(hcl->data, hcl->len, &report, &claims, error);

	if (rc)
		return rc;
	cvm_hcl_done(hcl);
	hcl->ak = claims.ak;
	hcl->td = report.report_type == CVM_HCL_TDX;
	hcl->has_user_data = claims.has_user_data;
	memcpy(hcl->user_data, claims.user_data, sizeof(hcl->user_data));
	return 0;
}

void cvm_hcl_done(struct cvm_hcl *hcl)
{
	EVP_PKEY_free(hcl->ak);
	hcl->ak = NULL;
}

int cvm_hcl_about(const uint8_t *data, size_t len, uint8_t user_data[CVM_REPORT_DATA_LEN])
{
	struct cvm_hcl_claims claims;
	struct cvm_hcl_report report;
	int rc = take_apart(data, len, &report, &claims, NULL);

	if (rc)
		return rc;
	EVP_PKEY_free(claims.ak);
	memcpy(user_data, claims.user_data, CVM_REPORT_DATA_LEN);
	return claims.has_user_data ? 0 : -ENODATA;
}
