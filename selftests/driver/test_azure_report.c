// SPDX-License-Identifier: GPL-2.0
/*
 * What the driver takes out of an HCL report, in user space: claims as paravisors
 * write them, and as nobody should.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "platform/azure_report.h"

#define HEX8	"0102030405060708"
#define HEX64	HEX8 HEX8 HEX8 HEX8 HEX8 HEX8 HEX8 HEX8
#define UPPER8	"A1B2C3D4E5F60718"
#define UPPER64	UPPER8 UPPER8 UPPER8 UPPER8 UPPER8 UPPER8 UPPER8 UPPER8
#define UD	"\"user-data\":\"" HEX64 "\""

static int results, failures;

static void ok(bool good, const char *name)
{
	printf("%sok %d %s\n", good ? "" : "not ", ++results, name);
	failures += !good;
}

static const struct {
	const char *name, *claims;
	int result;
} cases[] = {
	{ "last", "{\"keys\":[{\"n\":\"x\"}],\"vm-configuration\":{\"a\":true}," UD "}", 0 },
	{ "first, with blanks", " {\n \"user-data\" : \"" HEX64 "\" , \"a\":[1,2,{}]}\n", 0 },
	{ "upper case", "{\"user-data\":\"" UPPER64 "\"}", 0 },
	{ "behind a string with quotes", "{\"a\":\"\\\"user-data\\\":\"," UD "}", 0 },
	{ "behind a string that ends in a backslash", "{\"a\":\"\\\\\"," UD "}", 0 },
	{ "behind brackets in a string", "{\"a\":\"}]\"," UD "}", 0 },
	{ "none", "{\"keys\":[],\"vm-configuration\":{}}", -ENODATA },
	{ "in an inner object", "{\"vm-configuration\":{" UD "}}", -ENODATA },
	{ "in an object of an array", "{\"keys\":[{" UD "}]}", -ENODATA },
	{ "as a value", "{\"a\":\"user-data\"}", -ENODATA },
	{ "in an array, with a colon", "{\"a\":[" UD "]}", -ENODATA },
	{ "inside of a string", "{\"a\":\"\\\"user-data\\\":\\\"" HEX64 "\\\"\"}", -ENODATA },
	{ "a longer name", "{\"xuser-data\":\"" HEX64 "\"}", -ENODATA },
	{ "twice", "{" UD "," UD "}", -EBADMSG },
	{ "a digit short", "{\"user-data\":\"" HEX8 "\"}", -EBADMSG },
	{ "longer", "{\"user-data\":\"" HEX64 "00\"}", -EBADMSG },
	{ "no digits", "{\"user-data\":\"" HEX8 HEX8 HEX8 HEX8 HEX8 HEX8 HEX8 "010203040506070g\"}",
	  -EBADMSG },
	{ "escaped", "{\"user-data\":\"" HEX8 HEX8 HEX8 HEX8 HEX8 HEX8 HEX8 "\\u00310203040\"}",
	  -EBADMSG },
	{ "a number", "{\"user-data\":5}", -EBADMSG },
	{ "null", "{\"user-data\":null}", -EBADMSG },
	{ "an object", "{\"user-data\":{}}", -EBADMSG },
	{ "without a value", "{\"user-data\":", -EBADMSG },
	{ "without its end", "{" UD, -EBADMSG },
	{ "with an open string", "{\"user-data\":\"" HEX64, -EBADMSG },
	{ "with a lone backslash", "{\"user-data\":\"\\", -EBADMSG },
	{ "closed by another bracket", "{" UD "]", -EBADMSG },
	{ "an array opened, an object closed", "{\"a\":[}," UD "}", -EBADMSG },
	{ "something behind it", "{" UD "}{", -EBADMSG },
	{ "an array", "[" UD "]", -EBADMSG },
	{ "a string", UD, -EBADMSG },
	{ "blanks", "   ", -EBADMSG },
	{ "deeper than anybody", "{\"a\":[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]," UD "}", -EBADMSG },
};

static int user_data(const char *claims, size_t len, __u8 data[64])
{
	/* at the end of what there is, for sanitizers and valgrind */
	char *copy = malloc(len);
	struct cvm_hcl hcl = { .claims = copy, .claims_len = (__u32)len };
	int ret;

	memcpy(copy, claims, len);
	ret = cvm_hcl_user_data(&hcl, data);
	free(copy);
	return ret;
}

static void test_cases(void)
{
	static const __u8 want[2][4] = { { 1, 2, 3, 4 }, { 0xa1, 0xb2, 0xc3, 0xd4 } };
	__u8 data[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int ret = user_data(cases[i].claims, strlen(cases[i].claims), data);

		ok(ret == cases[i].result && (ret || !memcmp(data + 56, want[i == 2], 4)),
		   cases[i].name);
	}
	ok(user_data("{\0" UD "}", sizeof("{\0" UD "}") - 1, data) == -EBADMSG, "a NUL");
}

/* whatever is cut off or changed: no claim is found that is not there */
static void test_spoilt(void)
{
	const char *whole = cases[0].claims;
	size_t len = strlen(whole), i;
	char *bytes = strdup(whole);
	int wrong = 0, n;
	__u8 data[64];

	for (i = 0; i < len; i++)
		wrong += user_data(whole, i, data) != -EBADMSG;
	ok(!wrong, "cut off anywhere");
	srand(1);
	for (n = 0, wrong = 0; n < 200000; n++) {
		size_t at = (size_t)rand() % len;
		char was = bytes[at];

		bytes[at] = (char)rand();
		/* in its digits or beside the claim it may be found, but never elsewhere */
		if (!user_data(bytes, len, data) && !memmem(bytes, len, "\"user-data\":\"", 13))
			wrong++;
		bytes[at] = was;
	}
	ok(!wrong, "any byte changed");
	free(bytes);
}

static void put32(__u8 *p, __u32 value)
{
	for (int i = 0; i < 4; i++)
		p[i] = (__u8)(value >> 8 * i);
}

static void make(__u8 report[2600], __u32 type)
{
	memset(report, 0, 2600);
	memcpy(report, "HCLA", 4);
	put32(report + 4, 2);
	put32(report + CVM_HCL_RUNTIME_DATA + 8, type);
	put32(report + CVM_HCL_RUNTIME_DATA + 12, 1);
	put32(report + CVM_HCL_RUNTIME_DATA + 16, 100);
}

static void refused(const char *name, __u32 at, __u32 value)
{
	__u8 report[2600];
	struct cvm_hcl hcl;

	make(report, CVM_HCL_SNP);
	put32(report + at, value);
	ok(cvm_hcl_parse(report, sizeof(report), CVM_HCL_SNP, &hcl) == -EBADMSG, name);
}

static void test_header(void)
{
	const __u8 hash[CVM_HCL_HASH_SIZE] = { [0 ... 31] = 0x77 };
	__u8 report[2600];
	struct cvm_hcl hcl;

	make(report, CVM_HCL_SNP);
	ok(!cvm_hcl_parse(report, sizeof(report), CVM_HCL_SNP, &hcl) && hcl.claims_len == 100 &&
	   hcl.report_data == report + 0x70, "an SNP report");
	ok(cvm_hcl_parse(report, sizeof(report), CVM_HCL_TDX, &hcl) == -EBADMSG, "not TDX");
	ok(cvm_hcl_parse(report, CVM_HCL_CLAIMS + 99, CVM_HCL_SNP, &hcl) == -EBADMSG,
	   "claims that are longer than what there is");
	ok(cvm_hcl_parse(report, CVM_HCL_CLAIMS - 1, CVM_HCL_SNP, &hcl) == -EBADMSG, "short");
	ok(!cvm_hcl_is_bound(&hcl, hash), "REPORT_DATA is no hash of the claims");
	memcpy(report + 0x70, hash, sizeof(hash));
	ok(cvm_hcl_is_bound(&hcl, hash), "it is");
	report[0x70 + 63] = 1;
	ok(!cvm_hcl_is_bound(&hcl, hash), "and something behind it");
	make(report, CVM_HCL_TDX);
	ok(!cvm_hcl_parse(report, sizeof(report), CVM_HCL_TDX, &hcl) &&
	   hcl.report_data == report + 0xa0, "a TDREPORT");
	refused("another signature", 0, 0x41424344);
	refused("version 0", 4, 0);
	refused("version 3", 4, 3);
	refused("SHA-384", CVM_HCL_RUNTIME_DATA + 12, 2);
	refused("claims of no length", CVM_HCL_RUNTIME_DATA + 16, 0);
	refused("claims of 4 GiB", CVM_HCL_RUNTIME_DATA + 16, 0xffffffff);
}

int main(void)
{
	test_cases();
	test_spoilt();
	test_header();
	printf("1..%d\n", results);
	return failures ? 1 : 0;
}
