// SPDX-License-Identifier: MIT
/* cvmctl show: what evidence says, without a word on whether it is true. */
#include <string.h>

#include "common/cleanup.h"
#include "show.h"

enum { JSON };

static const struct option_spec options[] = {
	[JSON] = { "json", NULL, "one JSON object" },
	{ 0 }
};

int read_evidence(const char *path, void **data, size_t *len)
{
	__cleanup_free void *raw = NULL;
	long bytes;
	int status = input_file(path, &raw, len);

	if (status)
		return status;
	if (cvm_format_is_hex(raw, *len)) {
		bytes = cvm_format_from_hex(raw, *len, raw);
		if (bytes < 0)
			return fail(EXIT_FAILED, "%s: hexadecimal text of an odd number of digits",
				    path);
		*len = (size_t)bytes;
	}
	*data = cvm_take_ptr(raw);
	return 0;
}

/* 0, -EBADMSG, or -EPROTONOSUPPORT and what is certain all the same */
static int parse_and_show(const void *data, size_t len, json_t **json,
			  struct cvm_format_error *err)
{
	union {
		struct cvm_snp_report snp;
		struct cvm_tdreport tdreport;
		struct cvm_quote quote;
		struct cvm_cert_table certs;
	} u;
	int ret;

	switch (cvm_format_detect(data, len)) {
	case CVM_FORMAT_SNP_REPORT:
		ret = cvm_snp_report_parse(data, len, &u.snp, err);
		*json = ret == -EBADMSG ? NULL : show_snp_report(&u.snp);
		return ret;
	case CVM_FORMAT_TDREPORT:
		ret = cvm_tdreport_parse(data, len, &u.tdreport, err);
		*json = ret == -EBADMSG ? NULL : show_tdreport(&u.tdreport);
		return ret;
	case CVM_FORMAT_TDX_QUOTE:
		ret = cvm_quote_parse(data, len, &u.quote, err);
		*json = ret == -EBADMSG ? NULL : show_quote(&u.quote);
		return ret;
	case CVM_FORMAT_CERT_TABLE:
		ret = cvm_cert_table_parse(data, len, &u.certs, err);
		*json = ret ? NULL : show_cert_table(&u.certs);
		return ret;
	default:
		*json = NULL;
		return cvm_format_short(err, 0, "the first field",
					"an SNP attestation report, a TDX quote, a TDREPORT or a certificate table");
	}
}

static int print(json_t *json, bool as_json)
{
	__cleanup_free char *text = NULL;

	if (as_json)
		return output_json(NULL, json);
	text = json ? json_to_text(json) : NULL;
	json_decref(json);
	if (!text)
		return fail(EXIT_FAILED, "out of memory");
	return output_text(NULL, text);
}

static int run(const struct arguments *args)
{
	const char *path = args->operand[0];
	struct cvm_format_error err = { 0 };
	__cleanup_free void *data = NULL;
	char text[512];
	json_t *json;
	size_t len;
	int ret, status = read_evidence(path, &data, &len);

	if (status)
		return status;
	ret = parse_and_show(data, len, &json, &err);
	if (json || !ret)
		status = print(json, args->option[JSON] != NULL);
	if (ret)
		return fail(EXIT_FAILED, "%s: %s", path,
			    cvm_format_error_text(&err, text, sizeof(text)));
	return status;
}

const struct command cmd_show = {
	.name = "show",
	.summary = "print a report, quote, TDREPORT or certificate table; verifies nothing",
	.operands = "FILE",
	.min_operands = 1,
	.max_operands = 1,
	.options = options,
	.run = run,
};
