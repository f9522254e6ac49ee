// SPDX-License-Identifier: MIT
/* cvmctl expect: the REPORT_DATA that any verifier should find, by a batch proof. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/base64url.h"
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

/* the longest proof: a header, a path of 16 hashes */
enum { PROOF_MAX = 836 };

/* a proof as text becomes one of bytes; @data: what the file holds; 0: it is no text */
static size_t proof_bytes(const char *data, size_t len, uint8_t *proof)
{
	long bytes;

	while (len && strchr("\r\n", data[len - 1]))
		len--;
	/* "CVMGBAT" in base64: no header of bytes begins so */
	if (len < 9 || memcmp(data, "Q1ZNR0JBV", 9))
		return 0;
	bytes = cvm_base64url_decode(data, len, proof, PROOF_MAX);
	return bytes < 0 ? 0 : (size_t)bytes;
}

int input_proof(const char *path, void **data, size_t *len)
{
	uint8_t proof[PROOF_MAX];
	size_t bytes;
	int status = input_file(path, data, len);

	if (status)
		return status;
	bytes = proof_bytes(*data, *len, proof);
	if (bytes) {
		memcpy(*data, proof, bytes);
		*len = bytes;
	}
	return 0;
}

static int expected(const struct arguments *args, uint8_t *report_data)
{
	const char *path = args->option[PROOF];
	uint8_t wanted[CVM_REPORT_DATA_LEN];
	__cleanup_free void *data = NULL;
	struct cvm_error error;
	size_t len;
	int ret, status = parse_bytes("user-data", args->option[USER_DATA], wanted,
				      sizeof(wanted), false);

	if (!status)
		status = input_proof(path, &data, &len);
	if (status)
		return status;
	ret = cvm_batch_expected(wanted, data, len, args->option[SCOPE], report_data, &error);
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
	status = expected(args, report_data);
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
