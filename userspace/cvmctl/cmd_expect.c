// SPDX-License-Identifier: MIT
/* cvmctl expect: the REPORT_DATA that any verifier should find, by a batch proof. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <openssl/evp.h>

#include "common/cleanup.h"
#include "evidence.h"

enum { USER_DATA, PROOF, SCOPE };

static const struct option_spec options[] = {
	[USER_DATA]	= { "user-data", "HEX|@FILE", "the 64 bytes that were asked for" },
	[PROOF]		= { "proof", "FILE", "the proof, raw or as base64url" },
	[SCOPE]		= { "scope", ARG_SCOPE,
			    "for whom the proof must speak: privileged (default),\n"
			    "unprivileged, label:NAME or any" },
	{ 0 }
};

/* the longest proof: a header, a path of 16 hashes; RFC 4648 makes 4 of 3 */
enum { PROOF_MAX = 836, TEXT_MAX = (PROOF_MAX + 2) / 3 * 4 };

/* base64url without padding in place of @text; its bytes, 0: it is none */
static size_t decode(char *text, size_t len, uint8_t *out)
{
	size_t padded = (len + 3) / 4 * 4, i;
	int n;

	for (i = 0; i < len; i++)
		text[i] = text[i] == '-' ? '+' : text[i] == '_' ? '/' : text[i];
	memset(text + len, '=', padded - len);
	n = EVP_DecodeBlock(out, (const unsigned char *)text, (int)padded);
	return n < 0 ? 0 : (size_t)n - (padded - len);
}

/* a proof as text becomes one of bytes; @data: what the file holds */
static size_t proof_bytes(const void *data, size_t len, uint8_t *proof)
{
	char text[TEXT_MAX + 4];

	while (len && strchr("\r\n", ((const char *)data)[len - 1]))
		len--;
	/* "CVMGBAT" in base64: no header of bytes begins so */
	if (len < 9 || len > TEXT_MAX || memcmp(data, "Q1ZNR0JBV", 9))
		return 0;
	memcpy(text, data, len);
	return decode(text, len, proof);
}

int expected_report_data(const char *user_data, const char *path, const char *scope,
			 uint8_t *report_data)
{
	uint8_t wanted[CVM_REPORT_DATA_LEN], proof[TEXT_MAX];
	__cleanup_free void *data = NULL;
	struct cvm_error error;
	size_t len, text;
	int ret, status = parse_bytes("user-data", user_data, wanted, sizeof(wanted), false);

	if (!status)
		status = input_file(path, &data, &len);
	if (status)
		return status;
	text = proof_bytes(data, len, proof);
	ret = cvm_batch_expected(wanted, text ? proof : data, text ? text : len, scope,
				 report_data, &error);
	if (!ret)
		return 0;
	if (ret == -EINVAL)
		return usage_error("%s", error.text);
	return fail(EXIT_NOT_VERIFIED, "%s: %s", path, error.text);
}

static int run(const struct arguments *args)
{
	uint8_t report_data[CVM_REPORT_DATA_LEN];
	char text[2 * CVM_REPORT_DATA_LEN + 2] = "";
	int status;

	if (!args->option[USER_DATA] || !args->option[PROOF])
		return usage_error("--user-data and --proof are needed");
	status = expected_report_data(args->option[USER_DATA], args->option[PROOF],
				      args->option[SCOPE], report_data);
	if (status)
		return status;
	for (size_t i = 0; i < sizeof(report_data); i++)
		sprintf(text + 2 * i, "%02x", report_data[i]);
	strcat(text, "\n");
	return output_text(NULL, text);
}

const struct command cmd_expect = {
	.name = "expect",
	.summary = "print the REPORT_DATA that evidence must carry for a batch proof",
	.options = options,
	.run = run,
};
