// SPDX-License-Identifier: MIT
/*
 * Intel's extension of a PCK certificate, a tree of (OID, value) pairs: "Intel
 * SGX PCK Certificate and CRL Profile Specification". Pairs that are not known
 * are passed over; those that are must be there once.
 */
#include <limits.h>

#include <openssl/asn1t.h>
#include <openssl/objects.h>

#include "certs.h"

#define OID_SGX	"1.2.840.113741.1.13.1"

enum {
	HAS_TCB = 1 << 0,
	HAS_PCEID = 1 << 1,
	HAS_FMSPC = 1 << 2,
	HAS_ALL = HAS_TCB | HAS_PCEID | HAS_FMSPC,
};

static void cleanup_sequence(ASN1_SEQUENCE_ANY **sequence)
{
	sk_ASN1_TYPE_pop_free(*sequence, ASN1_TYPE_free);
}

static ASN1_SEQUENCE_ANY *parse_sequence(const uint8_t *data, size_t len)
{
	const uint8_t *p = data;
	ASN1_SEQUENCE_ANY *sequence = NULL;

	if (len <= LONG_MAX)
		sequence = d2i_ASN1_SEQUENCE_ANY(NULL, &p, (long)len);
	if (sequence && p == data + len)
		return sequence;
	cleanup_sequence(&sequence);
	return NULL;
}

static ASN1_SEQUENCE_ANY *parse_nested(const ASN1_TYPE *value)
{
	if (value->type != V_ASN1_SEQUENCE)
		return NULL;
	return parse_sequence(value->value.sequence->data, (size_t)value->value.sequence->length);
}

/* The dotted tail below Intel's OID, such as "2.17"; false: no pair, or no such OID */
static bool take_pair(const ASN1_TYPE *item, char *tail, size_t size, ASN1_TYPE **value,
		      ASN1_SEQUENCE_ANY **pair)
{
	const size_t prefix = strlen(OID_SGX);
	const ASN1_TYPE *oid;
	char text[80];

	*pair = parse_nested(item);
	if (sk_ASN1_TYPE_num(*pair) != 2)
		return false;
	oid = sk_ASN1_TYPE_value(*pair, 0);
	*value = sk_ASN1_TYPE_value(*pair, 1);
	if (oid->type != V_ASN1_OBJECT ||
	    OBJ_obj2txt(text, sizeof(text), oid->value.object, 1) >= (int)sizeof(text) ||
	    strncmp(text, OID_SGX ".", prefix + 1) || strlen(text) - prefix > size)
		return false;
	memcpy(tail, text + prefix + 1, strlen(text) - prefix);
	return true;
}

static bool take_octets(const ASN1_TYPE *value, uint8_t *out, size_t len)
{
	if (value->type != V_ASN1_OCTET_STRING ||
	    (size_t)value->value.octet_string->length != len)
		return false;
	memcpy(out, value->value.octet_string->data, len);
	return true;
}

static bool take_number(const ASN1_TYPE *value, uint64_t max, uint64_t *out)
{
	return value->type == V_ASN1_INTEGER &&
	       ASN1_INTEGER_get_uint64(out, value->value.integer) == 1 && *out <= max;
}

/* "2.1" to "2.16": components; "2.17": PCESVN; "2.18": CPUSVN. @seen: bits of them */
static bool take_tcb_item(const char *tail, const ASN1_TYPE *value, struct cvm_pck_cert *out,
			  uint32_t *seen)
{
	int index = strncmp(tail, "2.", 2) ? 0 : atoi(tail + 2);
	uint64_t number;

	if (index < 1 || index > 18 || *seen & 1U << index)
		return false;
	*seen |= 1U << index;
	if (index == 18)
		return take_octets(value, out->cpusvn, sizeof(out->cpusvn));
	if (!take_number(value, index == 17 ? UINT16_MAX : UINT8_MAX, &number))
		return false;
	if (index == 17)
		out->pcesvn = (uint16_t)number;
	else
		out->tcb[index - 1] = (uint8_t)number;
	return true;
}

static bool take_tcb(const ASN1_TYPE *value, struct cvm_pck_cert *out)
{
	ASN1_SEQUENCE_ANY *list __cleanup(cleanup_sequence) = parse_nested(value);
	uint32_t seen = 0;

	for (int i = 0; i < sk_ASN1_TYPE_num(list); i++) {
		ASN1_SEQUENCE_ANY *pair __cleanup(cleanup_sequence) = NULL;
		ASN1_TYPE *item;
		char tail[16];

		if (!take_pair(sk_ASN1_TYPE_value(list, i), tail, sizeof(tail), &item, &pair) ||
		    !take_tcb_item(tail, item, out, &seen))
			return false;
	}
	return seen == 0x7fffe;
}

static bool take_item(const char *tail, const ASN1_TYPE *value, struct cvm_pck_cert *out,
		      unsigned int *seen)
{
	unsigned int what = !strcmp(tail, "2") ? HAS_TCB : !strcmp(tail, "3") ? HAS_PCEID :
			    !strcmp(tail, "4") ? HAS_FMSPC : 0;

	if (!what)
		return true;
	if (*seen & what)
		return false;
	*seen |= what;
	switch (what) {
	case HAS_TCB:
		return take_tcb(value, out);
	case HAS_PCEID:
		return take_octets(value, out->pceid, sizeof(out->pceid));
	default:
		return take_octets(value, out->fmspc, sizeof(out->fmspc));
	}
}

bool cvm_pck_is(const char *name, X509 *cert)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(OID_SGX, 1);
	bool found = oid && X509_get_ext_by_OBJ(cert, oid, -1) >= 0;

	ASN1_OBJECT_free(oid);
	return found || strstr(name, CVM_PCK_NAME);
}

const char *cvm_pck_cert_parse(X509 *cert, struct cvm_pck_cert *out)
{
	ASN1_SEQUENCE_ANY *list __cleanup(cleanup_sequence) = NULL;
	unsigned int seen = 0;
	struct cvm_span der;

	*out = (struct cvm_pck_cert){ 0 };
	if (!cvm_cert_extension(cert, OID_SGX, &der))
		return "Intel's SGX extension is missing, or there twice";
	list = parse_sequence(der.data, der.len);
	for (int i = 0; i < sk_ASN1_TYPE_num(list); i++) {
		ASN1_SEQUENCE_ANY *pair __cleanup(cleanup_sequence) = NULL;
		ASN1_TYPE *value;
		char tail[16];

		if (!take_pair(sk_ASN1_TYPE_value(list, i), tail, sizeof(tail), &value, &pair) ||
		    !take_item(tail, value, out, &seen))
			return "Intel's SGX extension is broken";
	}
	return seen == HAS_ALL ? NULL : "Intel's SGX extension has no TCB, PCE id or FMSPC";
}
