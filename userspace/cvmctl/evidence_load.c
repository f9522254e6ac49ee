// SPDX-License-Identifier: MIT
/* Evidence out of a file, whatever form it has there. */
#include <string.h>

#include "evidence_load.h"
#include "formats/detect.h"
#include "show.h"

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
