// SPDX-License-Identifier: MIT
/* Evidence out of a file, whatever form it has there. */
#include <string.h>

#include "common/util.h"
#include "evidence_load.h"
#include "formats/detect.h"
#include "show.h"
#include "verify/boot_log.h"

int load_evidence(const char *path, struct cvm_evidence_file *file)
{
	__cleanup_free void *data = NULL;
	struct cvm_error error;
	enum cvm_format format;
	size_t len;
	int status = read_evidence(path, &data, &len);

	*file = (struct cvm_evidence_file){ 0 };
	if (status)
		return status;
	format = cvm_format_detect(data, len);
	if (format == CVM_FORMAT_JSON || format == CVM_FORMAT_CMW) {
		if (cvm_evidence_file_parse(file, data, len, &error))
			return fail(EXIT_FAILED, "%s: no evidence: %s", path, error.text);
		return 0;
	}
	file->type = cvm_evidence_type_of(data, len);
	file->report = (struct cvm_blob){ cvm_take_ptr(data), len };
	return 0;
}

int load_td_quote(const char *path, struct cvm_evidence_file *file)
{
	void *data = NULL;
	int status;

	if (file->td_quote.data)
		return usage_error("--td-quote: the evidence has one itself");
	status = read_evidence(path, &data, &file->td_quote.len);
	file->td_quote.data = data;
	return status;
}

int load_tpm_quote(const char *path, struct cvm_evidence_file *file)
{
	__cleanup_free void *data = NULL;
	struct cvm_error error;
	size_t len;
	int status;

	if (file->has_tpm)
		return usage_error("--tpm-quote: the evidence has one itself");
	status = input_file(path, &data, &len);
	if (status)
		return status;
	if (cvm_tpm_file_parse(&file->tpm, data, len, &error))
		return fail(EXIT_FAILED, "%s: %s", path, error.text);
	file->has_tpm = true;
	return 0;
}

int load_event_log(const char *path, struct cvm_evidence_file *file)
{
	struct cvm_format_error err;
	struct cvm_boot_log boot;
	char text[256];
	void *data = NULL;
	size_t len;
	int status;

	if (file->event_log.data)
		return usage_error("--event-log: the evidence has one itself");
	if (file->type != CVM_EVIDENCE_HCL_REPORT)
		return usage_error("--event-log goes with an HCL report");
	status = read_evidence(path, &data, &len);
	if (status)
		return status;
	file->event_log = (struct cvm_blob){ data, len };
	if (cvm_boot_log_replay((struct cvm_span){ data, len }, &boot, &err))
		return fail(EXIT_FAILED, "%s: no event log: %s", path,
			    cvm_format_error_text(&err, text, sizeof(text)));
	return 0;
}

/* What a verifier would refuse, as the log of an old TPM, is better left out. */
void take_event_log(struct cvm_evidence_file *file)
{
	__cleanup_free void *data = NULL;
	struct cvm_format_error err;
	struct cvm_boot_log boot;
	char text[256];
	size_t len;
	int rc = cvm_read_file(CVM_BOOT_LOG_PATH, CVM_FILE_LOG_MAX, &data, &len);

	if (rc) {
		note("without the event log: %s: %s", CVM_BOOT_LOG_PATH, strerror(-rc));
		return;
	}
	if (cvm_boot_log_replay((struct cvm_span){ data, len }, &boot, &err)) {
		note("without the event log: %s: %s", CVM_BOOT_LOG_PATH,
		     cvm_format_error_text(&err, text, sizeof(text)));
		return;
	}
	file->event_log = (struct cvm_blob){ cvm_take_ptr(data), len };
}
