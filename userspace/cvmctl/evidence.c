// SPDX-License-Identifier: MIT
/* What cvmctl report and cvmctl quote share: ask a source, write what it gave. */
#include <errno.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/json_hex.h"
#include "common/source_name.h"
#include "common/util.h"
#include "cvmctl.h"
#include "evidence.h"
#include "evidence_load.h"
#include "verify/cmw_write.h"
#include "verify/evidence_json.h"

const char *tee_name(uint32_t tee)
{
	switch (tee) {
	case CVM_TEE_SNP:	return "snp";
	case CVM_TEE_TDX:	return "tdx";
	default:		return "none";
	}
}

int open_source(const char *backend, struct cvm_ctx **ctx)
{
	return open_source_at(backend, NULL, ctx);
}

int open_source_at(const char *backend, const char *imds, struct cvm_ctx **ctx)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .imds = imds };
	struct cvm_error error;
	int rc;

	cvm_source_name(backend, &opts);
	rc = cvm_open(ctx, &opts, &error);
	if (rc == -EINVAL)
		return usage_error("--backend: %s", error.text);
	return rc ? fail_library(rc, &error) : 0;
}

int parse_format(const char *value, enum format *format)
{
	static const char *const names[] = {
		[FORMAT_RAW] = "raw", [FORMAT_JSON] = "json", [FORMAT_CMW] = "cmw",
	};

	*format = FORMAT_RAW;
	if (!value)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		*format = (enum format)i;
		if (!strcmp(value, names[i]))
			return 0;
	}
	return usage_error("--format: '%s' is neither raw nor json nor cmw", value);
}

int parse_report_data(const char *value, const char *pad, uint8_t *report_data)
{
	if (!value)
		return usage_error("--report-data is missing");
	return parse_bytes("report-data", value, report_data, CVM_REPORT_DATA_LEN, pad);
}

static int write_json(const struct cvm_evidence *evidence, const char *out)
{
	size_t len, certs_len;
	const void *data = cvm_evidence_data(evidence, &len);
	const void *certs = cvm_evidence_certs(evidence, &certs_len);
	const char *key = cvm_evidence_type(evidence) == CVM_EVIDENCE_TDX_QUOTE ? "quote" : "report";
	const char *type = cvm_evidence_type_name(cvm_evidence_type(evidence));
	json_t *json = json_object();
	int rc = json_object_set_new(json, "type", json_string(type));

	rc |= json_object_set_new(json, key, cvm_json_of_hex(data, len));
	if (certs)
		rc |= json_object_set_new(json, "certs", cvm_json_of_hex(certs, certs_len));
	if (rc) {
		json_decref(json);
		json = NULL;
	}
	return output_json(out, json);
}

/* as `cvmctl evidence` writes it, with the certificates where they were asked for */
static int write_cmw(const struct cvm_evidence *evidence, const char *out)
{
	__cleanup_evidence_file struct cvm_evidence_file file = { 0 };
	struct cvm_error error;
	json_t *json = NULL;
	int rc = cvm_evidence_file_take(&file, evidence, &error);

	if (!rc)
		rc = cvm_cmw_json(&file, NULL, &json, &error);
	return rc ? fail_library(rc, &error) : output_json(out, json);
}

static int write_certs(const struct cvm_evidence *evidence, const char *path)
{
	size_t len;
	const void *certs = cvm_evidence_certs(evidence, &len);

	if (!certs)
		return fail(EXIT_FAILED, "%s: not written: the host gave no certificates; fetch them from the vendor",
			    path);
	return output_binary(path, certs, len);
}

int write_evidence(const struct cvm_evidence *evidence, const char *out, const char *certs,
		   enum format format)
{
	size_t len;
	const void *data = cvm_evidence_data(evidence, &len);
	int rc;

	if (format == FORMAT_JSON)
		rc = write_json(evidence, out);
	else if (format == FORMAT_CMW)
		rc = write_cmw(evidence, out);
	else
		rc = output_binary(out, data, len);
	return !rc && certs ? write_certs(evidence, certs) : rc;
}
