// SPDX-License-Identifier: MIT
/*
 * The extensions of a VCEK or VLEK certificate: "Versioned Chip Endorsement Key
 * (VCEK) Certificate and KDS Interface Specification" (AMD publication 57230).
 */
#include <openssl/asn1.h>
#include <openssl/objects.h>

#include "certs.h"

#define OID_PRODUCT	"1.3.6.1.4.1.3704.1.2"
#define OID_BOOT_LOADER	"1.3.6.1.4.1.3704.1.3.1"
#define OID_TEE		"1.3.6.1.4.1.3704.1.3.2"
#define OID_SNP		"1.3.6.1.4.1.3704.1.3.3"
#define OID_MICROCODE	"1.3.6.1.4.1.3704.1.3.8"
#define OID_FMC		"1.3.6.1.4.1.3704.1.3.9"
#define OID_HWID	"1.3.6.1.4.1.3704.1.4"
#define OID_CSP_ID	"1.3.6.1.4.1.3704.1.5"

static void cleanup_object(ASN1_OBJECT **object)
{
	ASN1_OBJECT_free(*object);
}

static void cleanup_integer(ASN1_INTEGER **integer)
{
	ASN1_INTEGER_free(*integer);
}

static void cleanup_string(ASN1_STRING **string)
{
	ASN1_STRING_free(*string);
}

bool cvm_cert_extension(X509 *cert, const char *oid, struct cvm_span *out)
{
	ASN1_OBJECT *object __cleanup(cleanup_object) = OBJ_txt2obj(oid, 1);
	const ASN1_OCTET_STRING *value;
	int at;

	if (!object)
		return false;
	at = X509_get_ext_by_OBJ(cert, object, -1);
	if (at < 0 || X509_get_ext_by_OBJ(cert, object, at) >= 0)
		return false;
	value = X509_EXTENSION_get_data(X509_get_ext(cert, at));
	*out = (struct cvm_span){ ASN1_STRING_get0_data(value),
				  (size_t)ASN1_STRING_length(value) };
	return true;
}

/* A security patch level is an INTEGER from 0 to 255. */
static bool find_spl(X509 *cert, const char *oid, uint8_t *out)
{
	ASN1_INTEGER *integer __cleanup(cleanup_integer) = NULL;
	struct cvm_span value;
	const uint8_t *p;
	uint64_t number;

	if (!cvm_cert_extension(cert, oid, &value))
		return false;
	p = value.data;
	integer = d2i_ASN1_INTEGER(NULL, &p, (long)value.len);
	if (!integer || p != value.data + value.len ||
	    !ASN1_INTEGER_get_uint64(&number, integer) || number > UINT8_MAX)
		return false;
	*out = (uint8_t)number;
	return true;
}

static bool find_text(X509 *cert, const char *oid, char *out, size_t size)
{
	ASN1_STRING *string __cleanup(cleanup_string) = NULL;
	struct cvm_span value;
	const uint8_t *p;
	size_t len;

	if (!cvm_cert_extension(cert, oid, &value))
		return false;
	p = value.data;
	string = d2i_ASN1_IA5STRING(NULL, &p, (long)value.len);
	if (!string || p != value.data + value.len)
		return false;
	len = (size_t)ASN1_STRING_length(string);
	if (len >= size)
		return false;
	for (size_t i = 0; i < len; i++) {
		out[i] = (char)ASN1_STRING_get0_data(string)[i];
		if (out[i] < ' ' || out[i] > '~')
			return false;
	}
	out[len] = '\0';
	return true;
}

/*
 * The bare number, or an OCTET STRING with it: certificates of both forms are
 * in use. Told apart by their length and never by their first byte, which in
 * the bare form is any byte. 64 bytes up to Genoa, 8 from Turin on.
 */
static bool find_hwid(X509 *cert, uint8_t out[64])
{
	struct cvm_span value;

	if (!cvm_cert_extension(cert, OID_HWID, &value))
		return false;
	if (value.len == 66 || value.len == 10) {
		if (value.data[0] != V_ASN1_OCTET_STRING ||
		    value.data[1] != value.len - 2)
			return false;
		value.data += 2;
		value.len -= 2;
	}
	if (value.len != 64 && value.len != 8)
		return false;
	memset(out, 0, 64);
	memcpy(out, value.data, value.len);
	return true;
}

/* "Milan-B0" as well as "Milan" */
static enum cvm_snp_product product_of(const char *name)
{
	static const struct {
		const char *name;
		enum cvm_snp_product product;
	} products[] = {
		{ "Milan", CVM_SNP_MILAN },
		{ "Genoa", CVM_SNP_GENOA },
		{ "Bergamo", CVM_SNP_GENOA },
		{ "Siena", CVM_SNP_GENOA },
		{ "Turin", CVM_SNP_TURIN },
	};
	size_t len = strcspn(name, "-");

	for (size_t i = 0; i < ARRAY_SIZE(products); i++)
		if (strlen(products[i].name) == len &&
		    !strncmp(products[i].name, name, len))
			return products[i].product;
	return CVM_SNP_PRODUCT_UNKNOWN;
}

static bool find_tcb(X509 *cert, enum cvm_snp_product product,
		     struct cvm_snp_tcb *tcb)
{
	*tcb = (struct cvm_snp_tcb){ .has_fmc = product == CVM_SNP_TURIN };
	return find_spl(cert, OID_BOOT_LOADER, &tcb->boot_loader) &&
	       find_spl(cert, OID_TEE, &tcb->tee) &&
	       find_spl(cert, OID_SNP, &tcb->snp) &&
	       find_spl(cert, OID_MICROCODE, &tcb->microcode) &&
	       (!tcb->has_fmc || find_spl(cert, OID_FMC, &tcb->fmc));
}

const char *cvm_amd_cert_parse(X509 *cert, bool vlek, struct cvm_amd_cert *out)
{
	struct cvm_span unused;
	char name[CVM_NAME_SIZE];

	*out = (struct cvm_amd_cert){ 0 };
	if (!find_text(cert, OID_PRODUCT, name, sizeof(name)))
		return "no product name, or a broken one";
	out->product = product_of(name);
	if (out->product == CVM_SNP_PRODUCT_UNKNOWN)
		return "a product name that is not known";
	if (!find_tcb(cert, out->product, &out->tcb))
		return "a TCB component is missing or not a number from 0 to 255";
	/* A chip's key names the chip, a provider's key the provider. */
	if (!vlek)
		return find_hwid(cert, out->hwid) ? NULL :
		       "no hardware id, or not one of 64 or 8 bytes";
	if (!find_text(cert, OID_CSP_ID, out->csp_id, sizeof(out->csp_id)) ||
	    cvm_cert_extension(cert, OID_HWID, &unused))
		return "a VLEK must name its provider and no chip";
	return NULL;
}

/* Publication 57230, of subjects: ARK-, SEV- and SEV-VLEK-, each with the product */
static const char ark_prefix[] = "ARK-", ask_prefix[] = "SEV-", asvk_prefix[] = "SEV-VLEK-";

static bool begins_with(const char *text, const char *prefix)
{
	return !strncmp(text, prefix, strlen(prefix));
}

bool cvm_amd_ca_issues(X509 *ca, bool vlek)
{
	char name[CVM_NAME_SIZE];

	cvm_cert_name(ca, name, sizeof(name));
	return begins_with(name, ask_prefix) && begins_with(name, asvk_prefix) == vlek;
}

bool cvm_amd_name_is_of(X509 *cert, enum cvm_snp_product product)
{
	const char *const prefixes[] = { asvk_prefix, ask_prefix, ark_prefix };
	char name[CVM_NAME_SIZE];

	cvm_cert_name(cert, name, sizeof(name));
	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (begins_with(name, prefixes[i]))
			return !strcmp(name + strlen(prefixes[i]), cvm_snp_product_name(product));
	return false;
}
