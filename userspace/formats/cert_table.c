// SPDX-License-Identifier: MIT
#include "cert_table.h"

static const struct {
	enum cvm_cert_kind kind;
	const char *name;
	uint8_t guid[16];
} known[] = {
	{ CVM_CERT_VCEK, "VCEK",
	  { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
	    0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd } },
	{ CVM_CERT_VLEK, "VLEK",
	  { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
	    0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1 } },
	{ CVM_CERT_ASK, "ASK",
	  { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
	    0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 } },
	{ CVM_CERT_ARK, "ARK",
	  { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
	    0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae } },
	{ CVM_CERT_CRL, "CRL",
	  { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d,
	    0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea } },
};

const char *cvm_cert_kind_name(enum cvm_cert_kind kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (known[i].kind == kind)
			return known[i].name;
	return "other";
}

enum cvm_cert_kind cvm_cert_kind_of(const uint8_t guid[16])
{
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!memcmp(known[i].guid, guid, 16))
			return known[i].kind;
	return CVM_CERT_OTHER;
}

static bool is_terminator(const uint8_t *p)
{
	return cvm_is_zero(p, CVM_CERT_ENTRY_SIZE);
}

static int parse_entry(const uint8_t *data, size_t len, size_t at,
		       struct cvm_cert_entry *e, struct cvm_format_error *err)
{
	memcpy(e->guid, data + at, sizeof(e->guid));
	e->kind = cvm_cert_kind_of(e->guid);
	e->offset = cvm_le32(data + at + 16);
	e->length = cvm_le32(data + at + 20);
	if (e->offset > len)
		return cvm_format_bad(err, at + 16, "certificate offset",
				      "an offset within the table", e->offset);
	if (e->length > len - e->offset)
		return cvm_format_bad(err, at + 20, "certificate length",
				      "a length that ends within the table",
				      e->length);
	e->cert = (struct cvm_span){ data + e->offset, e->length };
	return 0;
}

static bool overlap(const struct cvm_cert_entry *a, const struct cvm_cert_entry *b)
{
	return a->offset < (uint64_t)b->offset + b->length &&
	       b->offset < (uint64_t)a->offset + a->length;
}

/*
 * Each kind once, each byte in one certificate: the host could otherwise have one
 * range of bytes read in two ways, or many times over. What stands under a GUID that
 * is not known is not read, and may be there as often as the host likes.
 */
static int check_pairs(const struct cvm_cert_table *t, struct cvm_format_error *err)
{
	for (size_t i = 0; i < t->count; i++)
		for (size_t j = 0; j < i; j++) {
			if (t->entry[i].kind != CVM_CERT_OTHER &&
			    t->entry[i].kind == t->entry[j].kind)
				return cvm_format_bad(err, i * CVM_CERT_ENTRY_SIZE,
						      "certificate GUID",
						      "one that no entry before it has", i);
			if (overlap(&t->entry[i], &t->entry[j]))
				return cvm_format_bad(err, i * CVM_CERT_ENTRY_SIZE + 16,
						      "certificate offset",
						      "bytes of no other certificate",
						      t->entry[i].offset);
		}
	return 0;
}

/* No certificate may lie on the entries, either. */
static int check_overlap(const struct cvm_cert_table *t, size_t header,
			 struct cvm_format_error *err)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->entry[i].offset < header)
			return cvm_format_bad(err, i * CVM_CERT_ENTRY_SIZE + 16,
					      "certificate offset",
					      "an offset after the entries",
					      t->entry[i].offset);
	return 0;
}

int cvm_cert_table_parse(const void *data, size_t len,
			 struct cvm_cert_table *table,
			 struct cvm_format_error *err)
{
	const uint8_t *p = data;
	size_t at = 0;
	int ret;

	table->count = 0;
	for (;; at += CVM_CERT_ENTRY_SIZE) {
		if (len - at < CVM_CERT_ENTRY_SIZE)
			return cvm_format_short(err, len, "certificate table",
						"an entry of 24 zero bytes that ends the table");
		if (is_terminator(p + at))
			break;
		if (table->count == CVM_CERT_TABLE_MAX)
			return cvm_format_bad(err, at, "certificate table",
					      "at most 64 entries",
					      table->count + 1);
		ret = parse_entry(p, len, at, &table->entry[table->count], err);
		if (ret)
			return ret;
		table->count++;
	}
	ret = check_overlap(table, at + CVM_CERT_ENTRY_SIZE, err);
	return ret ? ret : check_pairs(table, err);
}
