/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the tests of the parsers: inputs with no byte like its neighbour, cut at
 * each length and mutated. They are copied to allocations of exactly their
 * length, so that a build with SAN=1 sees a read of one byte too many.
 */
#ifndef PARSE_H
#define PARSE_H

#include <stdlib.h>

#include "formats/cert_table.h"
#include "formats/detect.h"
#include "formats/hcl.h"
#include "formats/proof.h"
#include "formats/quote.h"
#include "formats/snp_report.h"
#include "formats/tdreport.h"
#include "tap.h"

union parsed {
	struct cvm_snp_report snp;
	struct cvm_tdreport tdreport;
	struct cvm_quote quote;
	struct cvm_cert_table certs;
	struct cvm_hcl_report hcl;
	struct cvm_proof proof;
};

typedef int (*parser)(const void *data, size_t len, union parsed *out,
		      struct cvm_format_error *err);

#define SAME(field, at) (!memcmp(field, p + (at), sizeof(field)))

static inline int parse_copy(parser parse, const void *data, size_t len,
		      struct cvm_format_error *err)
{
	void *copy = malloc(len ? len : 1);
	union parsed *out = malloc(sizeof(*out));
	char text[256];
	int ret;

	memset(err, 0, sizeof(*err));
	memcpy(copy, data, len);
	ret = parse(len ? copy : (char *)copy + 1, len, out, err);
	if (ret)
		cvm_format_error_text(err, text, sizeof(text));
	cvm_format_detect(copy, len);
	free(out);
	free(copy);
	return ret;
}

/* No byte is twice at a distance below 251, so a shifted field is noticed. */
static inline void fill(uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		p[i] = (uint8_t)(i * 7 % 251 + 1);
}

static inline void put16(uint8_t *p, uint16_t v)
{
	p[0] = (uint8_t)v;
	p[1] = (uint8_t)(v >> 8);
}

static inline void put32(uint8_t *p, uint32_t v)
{
	put16(p, (uint16_t)v);
	put16(p + 2, (uint16_t)(v >> 16));
}

/* Cut short anywhere, it is refused, at an offset that is in the input. */
static inline void test_truncation(const char *name, parser parse,
			    const uint8_t *data, size_t len)
{
	struct cvm_format_error err;
	size_t wrong = 0;

	for (size_t n = 0; n < len; n++)
		if (parse_copy(parse, data, n, &err) != -EBADMSG ||
		    err.offset > n || !err.field || !err.expected)
			wrong++;
	check(wrong == 0, "%s: cut short at each of %zu lengths, refused", name, len);
	check(parse_copy(parse, data, len, &err) == 0, "%s: whole, parsed", name);
}

static inline uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

/* It only has to end, within the input. */
static inline void test_mutations(const char *name, parser parse,
			   const uint8_t *data, size_t len)
{
	uint8_t *copy = malloc(len);
	uint32_t state = 1;
	size_t wrong = 0;

	for (int round = 0; round < 5000; round++) {
		struct cvm_format_error err;
		int ret;

		memcpy(copy, data, len);
		for (uint32_t n = next_random(&state) % 4 + 1; n; n--)
			copy[next_random(&state) % len] = (uint8_t)next_random(&state);
		ret = parse_copy(parse, copy, len, &err);
		if (ret && (err.offset > len || !err.field))
			wrong++;
	}
	check(wrong == 0, "%s: 5000 random mutations", name);
	free(copy);
}

#endif /* PARSE_H */
