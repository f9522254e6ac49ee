// SPDX-License-Identifier: MIT
#include "json_in.h"
#include "tpm_file.h"

static int parse_pcrs(const struct cvm_json *in, struct cvm_tpm_file *file)
{
	struct cvm_json list, item;
	size_t count = 0;
	int ret = cvm_json_member(in, "pcrs", &list);

	if (!ret)
		ret = cvm_json_array(&list, CVM_TPM_PCRS, &count);
	if (!ret && !count)
		ret = cvm_json_wrong(&list, "a value of each PCR from PCR 0 on");
	for (size_t i = 0; !ret && i < count; i++) {
		cvm_json_item(&list, i, &item);
		ret = cvm_json_hex(&item, file->pcrs + 32 * i, 32);
	}
	file->quote.pcrs = file->pcrs;
	file->quote.pcr_count = count;
	return ret;
}

int cvm_tpm_file_read(struct cvm_tpm_file *file, const struct cvm_json *in)
{
	struct cvm_tpm_quote *q = &file->quote;
	int ret;

	*q = (struct cvm_tpm_quote){ .size = sizeof(*q), .message = file->message,
				     .signature = file->signature };
	ret = cvm_json_get_bytes(in, "message", file->message, sizeof(file->message),
				 &q->message_len);
	if (!ret)
		ret = cvm_json_get_bytes(in, "signature", file->signature,
					 sizeof(file->signature), &q->signature_len);
	return ret ? ret : parse_pcrs(in, file);
}

int cvm_tpm_file_parse(struct cvm_tpm_file *file, const void *data, size_t len,
		       struct cvm_error *error)
{
	struct cvm_json in;
	int ret = cvm_json_load(data, len, "", &in, error);

	if (ret)
		return ret;
	ret = cvm_tpm_file_read(file, &in);
	json_decref((json_t *)in.value);
	return ret;
}
