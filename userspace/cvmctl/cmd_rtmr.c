// SPDX-License-Identifier: MIT
/* cvmctl rtmr: the run-time measurement registers of a TD, read and extended. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/json_hex.h"
#include "common/util.h"
#include "evidence.h"

enum { DATA, JSON, BACKEND };

static const struct option_spec options[] = {
	[DATA]		= { "data", "FILE", "extend: with the SHA-384 of this file instead of DIGEST" },
	[JSON]		= { "json", NULL, "read: one JSON object, for programs" },
	[BACKEND]	= { "backend", ARG_BACKEND, HELP_BACKEND },
	{ 0 }
};

static int print_json(uint8_t rtmr[CVM_RTMR_COUNT][CVM_RTMR_LEN])
{
	json_t *list = json_array();

	for (int i = 0; i < CVM_RTMR_COUNT; i++)
		json_array_append_new(list, cvm_json_of_hex(rtmr[i], CVM_RTMR_LEN));
	return output_json(NULL, json_pack("{so}", "rtmr", list));
}

static int print_text(uint8_t rtmr[CVM_RTMR_COUNT][CVM_RTMR_LEN])
{
	char text[2 * CVM_RTMR_LEN + 1];

	for (int i = 0; i < CVM_RTMR_COUNT; i++) {
		cvm_hex_encode(rtmr[i], CVM_RTMR_LEN, text);
		printf("%d %s\n", i, text);
	}
	return flush_output();
}

static int read_all(const struct arguments *args)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	uint8_t rtmr[CVM_RTMR_COUNT][CVM_RTMR_LEN];
	struct cvm_error error;
	int rc;

	if (args->operand[1] || args->option[DATA])
		return usage_error("rtmr read takes no register and no --data");
	rc = open_source(args->option[BACKEND], &ctx);
	if (rc)
		return rc;
	rc = cvm_rtmr_read(ctx, rtmr, &error);
	if (rc)
		return fail_library(rc, &error);
	return args->option[JSON] ? print_json(rtmr) : print_text(rtmr);
}

static int digest_of(const char *path, uint8_t digest[CVM_RTMR_LEN])
{
	__cleanup_free void *data = NULL;
	size_t len;
	int rc = input_file(path, &data, &len);

	if (!rc && !EVP_Digest(data, len, digest, NULL, EVP_sha384(), NULL))
		rc = fail(EXIT_FAILED, "%s: OpenSSL cannot hash it", path);
	return rc;
}

static int find_digest(const struct arguments *args, uint8_t digest[CVM_RTMR_LEN])
{
	const char *given = args->operand[2], *path = args->option[DATA];
	size_t len, where;

	if (!given == !path)
		return usage_error("rtmr extend needs a DIGEST or --data FILE, one of them");
	if (path)
		return digest_of(path, digest);
	if (cvm_hex_decode(given, digest, CVM_RTMR_LEN, &len, &where) || len != CVM_RTMR_LEN)
		return usage_error("'%s' is no SHA-384 digest, %d hexadecimal digits", given,
				   2 * CVM_RTMR_LEN);
	return 0;
}

static int find_register(const char *given, uint32_t *index)
{
	if (!given || given[0] < '0' || given[0] >= '0' + CVM_RTMR_COUNT || given[1])
		return usage_error("rtmr extend needs the number of a register, 0 to %d",
				   CVM_RTMR_COUNT - 1);
	*index = (uint32_t)(given[0] - '0');
	return 0;
}

static int extend(const struct arguments *args)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	uint8_t digest[CVM_RTMR_LEN];
	struct cvm_error error;
	uint32_t index = 0;
	int rc;

	if (args->option[JSON])
		return usage_error("rtmr extend takes no --json");
	rc = find_register(args->operand[1], &index);
	if (!rc)
		rc = find_digest(args, digest);
	if (!rc)
		rc = open_source(args->option[BACKEND], &ctx);
	if (rc)
		return rc;
	rc = cvm_rtmr_extend(ctx, index, digest, &error);
	return rc ? fail_library(rc, &error) : EXIT_DONE;
}

static int run(const struct arguments *args)
{
	if (!strcmp(args->operand[0], "read"))
		return read_all(args);
	if (!strcmp(args->operand[0], "extend"))
		return extend(args);
	return usage_error("'%s' is neither read nor extend", args->operand[0]);
}

const struct command cmd_rtmr = {
	.name = "rtmr",
	.summary = "show the measurement registers of a TD, or extend one",
	.operands = "read | extend N [DIGEST]",
	.min_operands = 1,
	.max_operands = 3,
	.options = options,
	.run = run,
};
