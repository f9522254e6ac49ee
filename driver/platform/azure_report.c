// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every byte here is whatever a TPM has answered with. The claims are looked
 * through once, from the first byte to the last, with a depth and nothing else
 * to remember: no allocation, no recursion. Pure: a test in user space compiles
 * this file.
 */
#include <linux/errno.h>
#include <linux/string.h>

#include "azure_report.h"

/* no claims of any paravisor are nested so deeply */
#define MAX_DEPTH	16

static __u32 le32(const __u8 *p)
{
	return p[0] | p[1] << 8 | p[2] << 16 | (__u32)p[3] << 24;
}

int cvm_hcl_parse(const __u8 *report, __u32 len, __u32 type, struct cvm_hcl *hcl)
{
	const __u8 *runtime = report + CVM_HCL_RUNTIME_DATA;

	if (len < CVM_HCL_CLAIMS || memcmp(report, "HCLA", 4))
		return -EBADMSG;
	/* version, type, and SHA-256 as what binds the claims */
	if (le32(report + 4) < 1 || le32(report + 4) > 2 ||
	    le32(runtime + 8) != type || le32(runtime + 12) != 1)
		return -EBADMSG;
	hcl->claims_len = le32(runtime + 16);
	if (!hcl->claims_len || hcl->claims_len > len - CVM_HCL_CLAIMS)
		return -EBADMSG;
	hcl->claims = (const char *)report + CVM_HCL_CLAIMS;
	hcl->report_data = report + (type == CVM_HCL_SNP ? CVM_HCL_SNP_DATA :
							   CVM_HCL_TDX_DATA);
	return 0;
}

int cvm_hcl_is_bound(const struct cvm_hcl *hcl, const __u8 hash[CVM_HCL_HASH_SIZE])
{
	static const __u8 zero[CVM_HCL_DATA_SIZE - CVM_HCL_HASH_SIZE];

	return !memcmp(hcl->report_data, hash, CVM_HCL_HASH_SIZE) &&
	       !memcmp(hcl->report_data + CVM_HCL_HASH_SIZE, zero, sizeof(zero));
}

/**
 * struct scan - where in the claims, and what has been seen
 * @at: the next byte
 * @end: behind the last one
 * @depth: of objects and arrays around @at
 * @objects: bit n: what is open at depth n is an object
 * @found: the value of "user-data", with @found_len bytes, or NULL
 */
struct scan {
	const char *at, *end;
	unsigned int depth;
	__u32 objects;
	const char *found;
	__u32 found_len;
};

/* behind the opening quote; -> the string's bytes as they are written */
static int string(struct scan *scan, const char **text, __u32 *len)
{
	*text = scan->at;
	for (; scan->at < scan->end; scan->at++) {
		if (*scan->at == '"') {
			*len = scan->at++ - *text;
			return 0;
		}
		if (*scan->at == '\\' && ++scan->at == scan->end)
			break;
	}
	return -EBADMSG;
}

static void blanks(struct scan *scan)
{
	while (scan->at < scan->end &&
	       (*scan->at == ' ' || *scan->at == '\t' || *scan->at == '\n' || *scan->at == '\r'))
		scan->at++;
}

static int is_wanted(const struct scan *scan, const char *text, __u32 len)
{
	static const char name[] = "user-data";

	return scan->depth == 1 && scan->objects & 2 && len == sizeof(name) - 1 &&
	       !memcmp(text, name, len);
}

/* a string: a name, if a colon follows; that of the claim has its value taken */
static int take_string(struct scan *scan)
{
	const char *text, *value;
	__u32 len, value_len;
	int err = string(scan, &text, &len);

	if (err)
		return err;
	blanks(scan);
	if (scan->at == scan->end || *scan->at != ':' || !is_wanted(scan, text, len))
		return 0;
	scan->at++;
	blanks(scan);
	/* two of a name: readers differ in which of them counts */
	if (scan->found || scan->at == scan->end || *scan->at++ != '"')
		return -EBADMSG;
	err = string(scan, &value, &value_len);
	scan->found = value;
	scan->found_len = value_len;
	return err;
}

static int open_one(struct scan *scan, char kind)
{
	if (++scan->depth > MAX_DEPTH || (scan->depth == 1 && kind != '{'))
		return -EBADMSG;
	scan->objects &= ~(1U << scan->depth);
	if (kind == '{')
		scan->objects |= 1U << scan->depth;
	return 0;
}

static int close_one(struct scan *scan, char kind)
{
	if (!scan->depth || !(scan->objects >> scan->depth & 1) != (kind == ']'))
		return -EBADMSG;
	scan->depth--;
	return 0;
}

static int step(struct scan *scan)
{
	char c = *scan->at++;

	switch (c) {
	case '{':
	case '[':
		return open_one(scan, c);
	case '}':
	case ']':
		return close_one(scan, c);
	case '"':
		return scan->depth ? take_string(scan) : -EBADMSG;
	default:
		/* numbers, words and what is between; a NUL is none of them */
		return c ? 0 : -EBADMSG;
	}
}

static int find(struct scan *scan)
{
	int err;

	do {
		if (scan->at == scan->end)
			return -EBADMSG;
		err = step(scan);
		if (err)
			return err;
	} while (scan->depth);
	blanks(scan);
	if (scan->at != scan->end)
		return -EBADMSG;
	return scan->found ? 0 : -ENODATA;
}

/* both cases are in use, and -1 is neither */
static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

int cvm_hcl_user_data(const struct cvm_hcl *hcl, __u8 data[CVM_HCL_DATA_SIZE])
{
	struct scan scan = { .at = hcl->claims, .end = hcl->claims + hcl->claims_len };
	int err, i, high, low;

	blanks(&scan);
	err = find(&scan);
	if (err)
		return err;
	if (scan.found_len != 2 * CVM_HCL_DATA_SIZE)
		return -EBADMSG;
	for (i = 0; i < CVM_HCL_DATA_SIZE; i++) {
		high = digit(scan.found[2 * i]);
		low = digit(scan.found[2 * i + 1]);
		if (high < 0 || low < 0)
			return -EBADMSG;
		data[i] = high << 4 | low;
	}
	return 0;
}
