// SPDX-License-Identifier: GPL-2.0
/* Intel's certificates as the simulated platform has them: root, CA and PCK. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/asn1.h>
#include <openssl/bio.h>
#include <openssl/conf.h>
#include <openssl/pem.h>

#include "cleanup.h"
#include "tdx_state.h"

#define SGX_OID		"1.2.840.113741.1.13.1"
#define YEAR		365
#define PCS		"URI:https://pcs.invalid"

enum { CERT_ROOT, CERT_PLATFORM, CERT_PCK, CERT_SIGNING, CERTS };

static const char *const file_names[CERTS] = {
	"tdx-root", "tdx-platform", "tdx-pck", "tdx-tcb-signing",
};

/*
 * The extension is a tree of (OID, value) pairs. It is written in the language
 * of ASN1_generate_nconf(3), in which each SEQUENCE is a section of its own.
 */
static void pair(BIO *conf, const char *oid, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void pair(BIO *conf, const char *oid, const char *fmt, ...)
{
	va_list args;

	BIO_printf(conf, "[p%s]\noid=OID:" SGX_OID ".%s\nvalue=", oid, oid);
	va_start(args, fmt);
	BIO_vprintf(conf, fmt, args);
	va_end(args);
	BIO_puts(conf, "\n");
}

static void bytes(BIO *conf, const char *oid, const uint8_t *value, size_t len)
{
	char hex[2 * 16 + 1];
	size_t i;

	for (i = 0; i < len; i++)
		snprintf(hex + 2 * i, 3, "%02x", value[i]);
	pair(conf, oid, "FORMAT:HEX,OCTETSTRING:%s", hex);
}

/* the section @name: the pairs prefix1 ... prefixN, or 1 ... N without prefix */
static void list(BIO *conf, const char *name, const char *prefix, unsigned int n)
{
	unsigned int i;

	BIO_printf(conf, "[%s]\n", name);
	for (i = 1; i <= n; i++)
		BIO_printf(conf, "i%u=SEQUENCE:p%s%u\n", i, prefix, i);
}

static void write_tcb(BIO *conf)
{
	const uint8_t *svn = tdx_config.pck_svn;
	char oid[8];
	unsigned int i;

	for (i = 1; i <= 16; i++) {
		snprintf(oid, sizeof(oid), "2.%u", i);
		pair(conf, oid, "INTEGER:%u", svn[i - 1]);
	}
	pair(conf, "2.17", "INTEGER:%u", tdx_config.pcesvn);
	bytes(conf, "2.18", svn, 16);
	list(conf, "tcb", "2.", 18);
	pair(conf, "2", "SEQUENCE:tcb");
}

static void write_extension(BIO *conf, const struct fwd *fwd)
{
	uint8_t ppid[16], instance[16];

	fwd_derive(fwd->chip_secret, "tdx ppid", ppid, sizeof(ppid));
	fwd_derive(fwd->chip_secret, "tdx platform instance", instance, sizeof(instance));
	list(conf, "sgx", "", 7);
	bytes(conf, "1", ppid, sizeof(ppid));
	write_tcb(conf);
	bytes(conf, "3", tdx_config.pceid, sizeof(tdx_config.pceid));
	bytes(conf, "4", tdx_config.fmspc, sizeof(tdx_config.fmspc));
	pair(conf, "5", "ENUMERATED:1");	/* scalable */
	bytes(conf, "6", instance, sizeof(instance));
	list(conf, "configuration", "7.", 3);
	pair(conf, "7", "SEQUENCE:configuration");
	pair(conf, "7.1", "BOOLEAN:TRUE");	/* dynamic platform */
	pair(conf, "7.2", "BOOLEAN:FALSE");	/* cached keys */
	pair(conf, "7.3", "BOOLEAN:TRUE");	/* SMT */
}

/* the DER of the extension's value; NULL: OpenSSL refuses it */
static uint8_t *make_extension(const struct fwd *fwd, size_t *len)
{
	BIO *text = BIO_new(BIO_s_mem());
	CONF *conf = NCONF_new(NULL);
	ASN1_TYPE *tree = NULL;
	uint8_t *der = NULL;
	long line;
	int n = -1;

	if (text && conf) {
		write_extension(text, fwd);
		if (NCONF_load_bio(conf, text, &line) > 0)
			tree = ASN1_generate_nconf("SEQUENCE:sgx", conf);
	}
	if (tree)
		n = i2d_ASN1_TYPE(tree, &der);
	ASN1_TYPE_free(tree);
	NCONF_free(conf);
	BIO_free(text);
	*len = n > 0 ? (size_t)n : 0;
	return n > 0 ? der : NULL;
}

static int get_ca(const struct fwd *fwd, unsigned int which, struct pki_cert *out,
		  const struct pki_cert *issuer)
{
	const struct pki_name subject[] = {
		{ "CN", issuer ? "Intel SGX PCK Platform CA" : "Intel SGX Root CA" },
		{ "O", "Intel Corporation" }, { "L", "Santa Clara" }, { "ST", "CA" },
		{ "C", "US" }, { }
	};
	/* the key's identifier first: a self-signed certificate refers to its own */
	const struct pki_ext exts[] = {
		{ "subjectKeyIdentifier", false, "hash" },
		{ "authorityKeyIdentifier", false, "keyid:always" },
		{ "crlDistributionPoints", false, PCS "/IntelSGXRootCA.der" },
		{ "keyUsage", true, "keyCertSign,cRLSign" },
		{ "basicConstraints", true, issuer ? "CA:TRUE,pathlen:0" : "CA:TRUE,pathlen:1" },
		{ }
	};
	const struct pki_spec spec = {
		.subject = subject, .serial = 0x5c00 + which, .days = (issuer ? 15 : 31) * YEAR,
		.sign = PKI_ECDSA_SHA256, .exts = exts,
	};

	return pki_get(out, fwd->state_dir, file_names[which], PKI_P256, issuer, &spec);
}

/* who signs TCB info and QE identity */
static int get_signing(const struct fwd *fwd, struct pki_cert *out, const struct pki_cert *root)
{
	const struct pki_name subject[] = {
		{ "CN", "Intel SGX TCB Signing" }, { "O", "Intel Corporation" },
		{ "L", "Santa Clara" }, { "ST", "CA" }, { "C", "US" }, { }
	};
	const struct pki_ext exts[] = {
		{ "authorityKeyIdentifier", false, "keyid" },
		{ "crlDistributionPoints", false, PCS "/IntelSGXRootCA.der" },
		{ "subjectKeyIdentifier", false, "hash" },
		{ "keyUsage", true, "digitalSignature,nonRepudiation" },
		{ "basicConstraints", true, "CA:FALSE" },
		{ }
	};
	const struct pki_spec spec = {
		.subject = subject, .serial = 0x5c00 + CERT_SIGNING, .days = 7 * YEAR,
		.sign = PKI_ECDSA_SHA256, .exts = exts,
	};

	return pki_get(out, fwd->state_dir, file_names[CERT_SIGNING], PKI_P256, root, &spec);
}

/* does it certify the platform that is simulated now? */
static bool fits(const struct pki_cert *pck, const uint8_t *der, size_t len)
{
	ASN1_OBJECT *oid __clean(object) = OBJ_txt2obj(SGX_OID, 1);
	int at = oid ? X509_get_ext_by_OBJ(pck->x509, oid, -1) : -1;
	const ASN1_OCTET_STRING *value;

	if (at < 0)
		return false;
	value = X509_EXTENSION_get_data(X509_get_ext(pck->x509, at));
	return (size_t)ASN1_STRING_length(value) == len &&
	       !memcmp(ASN1_STRING_get0_data(value), der, len);
}

static int get_pck(const struct fwd *fwd, struct pki_cert *out, const struct pki_cert *issuer,
		   const uint8_t *der, size_t len)
{
	const struct pki_name subject[] = {
		{ "CN", "Intel SGX PCK Certificate" }, { "O", "Intel Corporation" },
		{ "L", "Santa Clara" }, { "ST", "CA" }, { "C", "US" }, { }
	};
	const struct pki_ext exts[] = {
		{ "authorityKeyIdentifier", false, "keyid" },
		{ "crlDistributionPoints", false,
		  PCS "/sgx/certification/v4/pckcrl?ca=platform&encoding=der" },
		{ "subjectKeyIdentifier", false, "hash" },
		{ "keyUsage", true, "digitalSignature,nonRepudiation" },
		{ "basicConstraints", true, "CA:FALSE" },
		{ SGX_OID, false, NULL, der, len },
		{ }
	};
	const struct pki_spec spec = {
		.subject = subject, .serial = 0x5c00 + CERT_PCK, .days = 7 * YEAR,
		.sign = PKI_ECDSA_SHA256, .exts = exts,
	};
	struct pki_cert old;

	if (pki_get(&old, fwd->state_dir, file_names[CERT_PCK], PKI_P256, issuer, &spec))
		return -1;
	if (fits(&old, der, len)) {
		*out = old;
		return 0;
	}
	EVP_PKEY_up_ref(old.key);
	if (pki_issue(out, old.key, issuer, &spec)) {
		pki_free(&old);
		return -1;
	}
	pki_free(&old);
	return pki_save(out, fwd->state_dir, file_names[CERT_PCK]);
}

static int make_chain(struct tdx_pki *pki, const struct pki_cert certs[CERTS])
{
	BIO *pem = BIO_new(BIO_s_mem());
	char *text;
	long len = 0;

	if (pem && PEM_write_bio_X509(pem, certs[CERT_PCK].x509) &&
	    PEM_write_bio_X509(pem, certs[CERT_PLATFORM].x509) &&
	    PEM_write_bio_X509(pem, certs[CERT_ROOT].x509))
		len = BIO_get_mem_data(pem, &text);
	pki->chain = len > 0 ? strndup(text, (size_t)len) : NULL;
	pki->chain_len = (size_t)len + 1;
	BIO_free(pem);
	return pki->chain ? 0 : -1;
}

static int get_all(const struct fwd *fwd, struct pki_cert certs[CERTS])
{
	int lock __clean(fd) = pki_lock(fwd->state_dir);
	size_t len;
	uint8_t *der;
	int ret;

	if (lock < 0 || get_ca(fwd, CERT_ROOT, &certs[CERT_ROOT], NULL) ||
	    pki_add_root(fwd->state_dir, &certs[CERT_ROOT]) ||
	    get_ca(fwd, CERT_PLATFORM, &certs[CERT_PLATFORM], &certs[CERT_ROOT]) ||
	    get_signing(fwd, &certs[CERT_SIGNING], &certs[CERT_ROOT]))
		return -1;
	der = make_extension(fwd, &len);
	if (!der) {
		fprintf(stderr, "cvm-fwd: cannot write the PCK certificate's SGX extension\n");
		return -1;
	}
	ret = get_pck(fwd, &certs[CERT_PCK], &certs[CERT_PLATFORM], der, len);
	OPENSSL_free(der);
	return ret;
}

int tdx_pki_make(const struct fwd *fwd, struct tdx_pki *pki)
{
	struct pki_cert certs[CERTS] = { 0 };
	int ret = get_all(fwd, certs);

	if (!ret)
		ret = make_chain(pki, certs);
	if (!ret)
		ret = tdx_collateral_save(fwd, &certs[CERT_ROOT], &certs[CERT_PLATFORM],
					  &certs[CERT_SIGNING]);
	pki->pck = certs[CERT_PCK];
	pki_free(&certs[CERT_ROOT]);
	pki_free(&certs[CERT_PLATFORM]);
	pki_free(&certs[CERT_SIGNING]);
	if (ret)
		tdx_pki_free(pki);
	return ret;
}

void tdx_pki_free(struct tdx_pki *pki)
{
	pki_free(&pki->pck);
	free(pki->chain);
	memset(pki, 0, sizeof(*pki));
}
