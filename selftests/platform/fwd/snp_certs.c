// SPDX-License-Identifier: GPL-2.0
/*
 * ARK -> ASK -> VCEK and ARK -> ASVK -> VLEK, with the names and extensions
 * of AMD's, and the table in which a host hands them to its guest. What tells
 * them from AMD's is the root key: no verifier has pinned this one.
 */
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "cleanup.h"
#include "snp.h"

#define AMD_OID "1.3.6.1.4.1.3704.1."
#define YEAR 365

bool snp_certs_enabled = true;
uint32_t snp_certs_pages;
bool snp_certs_crl;

static struct fwd *shared;		/* NULL before snp_certs_init() */
static char csp_id[64] = "CN=cvm-fwd.invalid";

/* of one product; another product drops them */
static struct {
	unsigned int product;
	struct pki_cert ark, ask, asvk, leaf[2];
	char *crl;		/* by the root, PEM */
} chain = { .product = SNP_PRODUCTS };

int snp_set_csp_id(const struct fw_option *opt, const char *value, char *err)
{
	if (!*value || strlen(value) >= sizeof(csp_id))
		return opt_fail(err, "1 to %zu characters are expected", sizeof(csp_id) - 1);
	strcpy(csp_id, value);
	return 0;
}

/* a subject as AMD writes it; the strings must outlive the use */
#define SUBJECT(cn) {							\
	{ "OU", "Engineering" }, { "C", "US" }, { "L", "Santa Clara" },	\
	{ "ST", "CA" }, { "O", "Advanced Micro Devices" }, { "CN", cn }, { }	\
}

static int get_ca(struct pki_cert *out, const char *what, const char *cn_form, uint64_t serial,
		  const struct pki_cert *issuer)
{
	char cn[40], name[40], url[120];
	const struct pki_name subject[] = SUBJECT(cn);
	const struct pki_ext root[] = {
		{ "keyUsage", true, "keyCertSign,cRLSign" },
		{ "subjectKeyIdentifier", false, "hash" },
		{ "basicConstraints", true, "CA:TRUE" },
		{ "crlDistributionPoints", false, url },
		{ }
	};
	const struct pki_ext middle[] = {
		{ "subjectKeyIdentifier", false, "hash" },
		{ "authorityKeyIdentifier", false, "keyid" },
		{ "basicConstraints", true, "CA:TRUE,pathlen:0" },
		{ "keyUsage", true, "keyCertSign" },
		{ "crlDistributionPoints", false, url },
		{ }
	};
	const struct pki_spec spec = {
		.subject = subject, .serial = serial, .days = 25 * YEAR, .sign = PKI_PSS_SHA384,
		.exts = issuer ? middle : root,
	};

	snprintf(cn, sizeof(cn), "%s%s", cn_form, snp_product_name());
	snprintf(name, sizeof(name), "%s-%s", snp_product_name(), what);
	snprintf(url, sizeof(url), "URI:https://kds.invalid/%s/v1/%s/crl",
		 strcmp(what, "asvk") ? "vcek" : "vlek", snp_product_name());
	name[0] |= 0x20;
	return pki_get(out, shared->state_dir, name, PKI_RSA_4096, issuer, &spec);
}

/* PRODUCT-collateral.json of the state directory, for whoever verifies */
static int save_collateral(void)
{
	json_t *json = json_pack("{s:i, s:[s]}", "version", 1, "amd_crls", chain.crl);
	char *text = json ? json_dumps(json, JSON_INDENT(1)) : NULL;
	char name[40];
	int ret = -1;

	snprintf(name, sizeof(name), "%s-collateral.json", snp_product_name());
	name[0] |= 0x20;
	if (text)
		ret = pki_save_file(shared->state_dir, name, text, strlen(text));
	free(text);
	json_decref(json);
	return ret;
}

static int get_root(uint64_t serial)
{
	if (chain.ark.x509)
		return 0;
	if (get_ca(&chain.ark, "ark", "ARK-", serial, NULL) ||
	    pki_add_root(shared->state_dir, &chain.ark))
		return -1;
	chain.crl = pki_crl(&chain.ark, PKI_PSS_SHA384);
	return chain.crl ? save_collateral() : -1;
}

/* the root and what signs this kind of leaf, made on first use */
static int get_authorities(enum snp_key kind)
{
	int lock __clean(fd) = pki_lock(shared->state_dir);
	struct pki_cert *middle = kind == SNP_VLEK ? &chain.asvk : &chain.ask;
	uint64_t serial = 0x10000ULL << snp.product;

	if (lock < 0)
		return -1;
	if (get_root(serial))
		return -1;
	if (middle->x509)
		return 0;
	return kind == SNP_VLEK ?
	       get_ca(middle, "asvk", "SEV-VLEK-", serial + 0x101, &chain.ark) :
	       get_ca(middle, "ask", "SEV-", serial + 1, &chain.ark);
}

/* DER of a small INTEGER or of an IA5String */
static size_t der_integer(uint8_t *out, uint8_t value)
{
	size_t pad = value >> 7;

	out[0] = 0x02;
	out[1] = (uint8_t)(1 + pad);
	out[2] = 0;
	out[2 + pad] = value;
	return 3 + pad;
}

static size_t der_ia5(uint8_t *out, const char *text)
{
	size_t len = strlen(text);	/* below 128: one length byte */

	out[0] = 0x16;
	out[1] = (uint8_t)len;
	memcpy(out + 2, text, len);
	return 2 + len;
}

#define MAX_EXTS 14

struct leaf_exts {
	struct pki_ext ext[MAX_EXTS + 1];
	unsigned int n;
	uint8_t der[MAX_EXTS][80];
};

static void add_bytes(struct leaf_exts *list, const char *oid, const uint8_t *bytes, size_t len)
{
	list->ext[list->n] = (struct pki_ext){ .oid = oid, .der = list->der[list->n], .len = len };
	memmove(list->der[list->n++], bytes, len);
}

static void add_integer(struct leaf_exts *list, const char *oid, unsigned int value)
{
	uint8_t der[4];

	add_bytes(list, oid, der, der_integer(der, (uint8_t)value));
}

static void add_text(struct leaf_exts *list, const char *oid, const char *text)
{
	uint8_t der[80];

	add_bytes(list, oid, der, der_ia5(der, text));
}

/*
 * The TCB's parts, in AMD's order. Where the product has a reserved byte its
 * SPL is there and 0; Turin's FMC has taken the place of spl4.
 */
static void add_tcb(struct leaf_exts *list)
{
	uint64_t tcb = snp_reported_tcb();
	bool fmc = snp_tcb_part(tcb, TCB_FMC) >= 0;

	if (fmc)
		add_integer(list, AMD_OID "3.9", (unsigned int)snp_tcb_part(tcb, TCB_FMC));
	add_integer(list, AMD_OID "3.1", (unsigned int)snp_tcb_part(tcb, TCB_BOOTLOADER));
	add_integer(list, AMD_OID "3.2", (unsigned int)snp_tcb_part(tcb, TCB_TEE));
	if (!fmc)
		add_integer(list, AMD_OID "3.4", 0);
	add_integer(list, AMD_OID "3.5", 0);
	add_integer(list, AMD_OID "3.6", 0);
	add_integer(list, AMD_OID "3.7", 0);
	add_integer(list, AMD_OID "3.3", (unsigned int)snp_tcb_part(tcb, TCB_SNP));
	add_integer(list, AMD_OID "3.8", (unsigned int)snp_tcb_part(tcb, TCB_UCODE));
}

static void leaf_exts(struct leaf_exts *list, enum snp_key kind)
{
	char product[16];
	uint8_t chip_id[64];

	snprintf(product, sizeof(product), "%s%s", snp_product_name(),
		 kind == SNP_VCEK && snp.product == SNP_MILAN ? "-B0" : "");
	add_integer(list, AMD_OID "1", snp.product == SNP_TURIN);
	add_text(list, AMD_OID "2", product);
	add_tcb(list);
	if (kind == SNP_VLEK) {
		add_text(list, AMD_OID "5", csp_id);
		return;
	}
	snp_chip_id(chip_id);
	add_bytes(list, AMD_OID "4", chip_id, snp_chip_id_len());
}

/*
 * As in the chip, the key follows from a secret and the TCB. So whoever has
 * an older TCB's certificate can still match it to that TCB's reports.
 */
static EVP_PKEY *leaf_key(enum snp_key kind)
{
	struct {
		uint32_t kind, product;
		uint64_t tcb;
		uint8_t chip_id[64];
	} info = { kind, snp.product, snp_reported_tcb(), { 0 } };

	if (kind == SNP_VCEK)
		snp_chip_id(info.chip_id);
	return pki_key_derive(PKI_P384, shared->chip_secret, sizeof(shared->chip_secret), &info,
			      sizeof(info));
}

static int make_leaf(enum snp_key kind)
{
	const struct pki_name subject[] = SUBJECT(kind == SNP_VLEK ? "SEV-VLEK" : "SEV-VCEK");
	struct leaf_exts exts = { 0 };
	const struct pki_spec spec = {
		.subject = subject, .days = (kind == SNP_VLEK ? 1 : 7) * YEAR,
		.sign = PKI_PSS_SHA384, .exts = exts.ext,
	};
	char name[40];

	if (get_authorities(kind))
		return -1;
	leaf_exts(&exts, kind);
	if (pki_issue(&chain.leaf[kind], leaf_key(kind),
		      kind == SNP_VLEK ? &chain.asvk : &chain.ask, &spec))
		return -1;
	snprintf(name, sizeof(name), "%s-%s", snp_product_name(),
		 kind == SNP_VLEK ? "vlek" : "vcek");
	name[0] |= 0x20;
	/* for people who look; nothing reads it back */
	return pki_save(&chain.leaf[kind], shared->state_dir, name);
}

const struct pki_cert *snp_leaf(enum snp_key kind)
{
	if (!chain.leaf[kind].x509 && make_leaf(kind))
		return NULL;
	return &chain.leaf[kind];
}

static void drop_all(void)
{
	pki_free(&chain.ark);
	pki_free(&chain.ask);
	pki_free(&chain.asvk);
	free(chain.crl);
	chain.crl = NULL;
	chain.product = snp.product;
}

void snp_certs_stale(struct fwd *fwd)
{
	if (!shared)
		return;
	pki_free(&chain.leaf[SNP_VCEK]);
	pki_free(&chain.leaf[SNP_VLEK]);
	if (chain.product != snp.product)
		drop_all();
	/* now, so that no request waits for the keys of a new product */
	snp_leaf(snp.signing_key);
}

int snp_certs_init(struct fwd *fwd)
{
	shared = fwd;
	chain.product = snp.product;
	return snp_leaf(snp.signing_key) ? 0 : -1;
}

/* in the order of their text form */
static const uint8_t guid_ark[16] = { 0xc0, 0xb4, 0x06, 0xa4, 0xa8, 0x03, 0x49, 0x52,
				      0x97, 0x43, 0x3f, 0xb6, 0x01, 0x4c, 0xd0, 0xae };
static const uint8_t guid_ask[16] = { 0x4a, 0xb7, 0xb3, 0x79, 0xbb, 0xac, 0x4f, 0xe4,
				      0xa0, 0x2f, 0x05, 0xae, 0xf3, 0x27, 0xc7, 0x82 };
static const uint8_t guid_leaf[2][16] = {
	[SNP_VCEK] = { 0x63, 0xda, 0x75, 0x8d, 0xe6, 0x64, 0x45, 0x64,
		       0xad, 0xc5, 0xf4, 0xb9, 0x3b, 0xe8, 0xac, 0xcd },
	[SNP_VLEK] = { 0xa8, 0x07, 0x4b, 0xc2, 0xa2, 0x5a, 0x48, 0x3e,
		       0xaa, 0xe6, 0x39, 0xc0, 0x45, 0xa0, 0xb8, 0xa1 },
};

static const uint8_t guid_crl[16] = { 0x92, 0xf8, 0x1b, 0xc3, 0x58, 0x11, 0x4d, 0x3d,
				      0x97, 0xff, 0xd1, 0x9f, 0x88, 0xdc, 0x67, 0xea };

struct table_entry {
	uint8_t guid[16];
	uint32_t offset, length;
};

static uint32_t put_bytes(uint8_t *out, unsigned int n, const uint8_t guid[16], uint32_t offset,
			  const void *bytes, size_t len)
{
	struct table_entry entry = { .offset = offset, .length = (uint32_t)len };

	memcpy(entry.guid, guid, sizeof(entry.guid));
	memcpy(out + n * sizeof(entry), &entry, sizeof(entry));
	memcpy(out + offset, bytes, len);
	return offset + entry.length;
}

static uint32_t put_cert(uint8_t *out, unsigned int n, const uint8_t guid[16], uint32_t offset,
			 const struct pki_cert *cert)
{
	return put_bytes(out, n, guid, offset, cert->der, (size_t)cert->der_len);
}

uint32_t snp_cert_table(uint8_t *out, uint32_t size)
{
	enum snp_key kind = snp.signing_key;
	const struct pki_cert *leaf = snp_leaf(kind), *middle;
	uint32_t end = (4 + snp_certs_crl) * sizeof(struct table_entry);

	if (!snp_certs_enabled || !leaf)
		return 0;
	middle = kind == SNP_VLEK ? &chain.asvk : &chain.ask;
	memset(out, 0, size);	/* the entry that ends the table, and the padding */
	end = put_cert(out, 0, guid_ark, end, &chain.ark);
	/* the table has no name of its own for the ASVK: it is the ASK of a VLEK */
	end = put_cert(out, 1, guid_ask, end, middle);
	end = put_cert(out, 2, guid_leaf[kind], end, leaf);
	if (snp_certs_crl)
		end = put_bytes(out, 3, guid_crl, end, chain.crl, strlen(chain.crl));
	return end > snp_certs_pages * FW_PAGE ? end : snp_certs_pages * FW_PAGE;
}
