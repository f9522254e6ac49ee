/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The simulated vendors' certificate authorities: keys and certificates, made
 * on first use and kept as PEM in the state directory.
 *
 * Errors: functions that return int give 0 or -1; those that return a pointer
 * give NULL. The reason is then already on stderr, in one line.
 */
#ifndef CVM_FWD_PKI_H
#define CVM_FWD_PKI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

enum pki_key { PKI_RSA_4096, PKI_P384, PKI_P256 };

/* how the issuer signs; its key must fit */
enum pki_sign { PKI_PSS_SHA384, PKI_ECDSA_SHA256 };

/**
 * struct pki_name - one attribute of a subject, in DER order
 * @field: "C", "CN", "O" ... (ends a list: NULL)
 * @value: its text
 */
struct pki_name {
	const char *field, *value;
};

/**
 * struct pki_ext - one extension
 * @oid: dotted text or OpenSSL's short name (ends a list: NULL)
 * @critical: critical
 * @conf: if not NULL, the value as openssl.cnf writes it, for the extensions
 *	that OpenSSL knows ("CA:TRUE,pathlen:0", "hash", "keyid")
 * @der: else the bytes inside the OCTET STRING, as they are
 * @len: of @der
 */
struct pki_ext {
	const char *oid;
	bool critical;
	const char *conf;
	const void *der;
	size_t len;
};

/**
 * struct pki_spec - what to certify
 * @subject: list of attributes
 * @serial: serial number, 0 is allowed
 * @days: valid from 30 days ago for this many days
 * @sign: how the issuer signs
 * @exts: list of extensions; CA or leaf is said here (basicConstraints)
 */
struct pki_spec {
	const struct pki_name *subject;
	uint64_t serial;
	int days;
	enum pki_sign sign;
	const struct pki_ext *exts;
};

/**
 * struct pki_cert - a certificate and its key
 * @x509: the certificate
 * @key: its private key, or NULL
 * @der: the certificate as DER, freed by pki_free()
 * @der_len: of @der
 */
struct pki_cert {
	X509 *x509;
	EVP_PKEY *key;
	unsigned char *der;
	int der_len;
};

EVP_PKEY *pki_key_new(enum pki_key kind);

/**
 * pki_key_derive() - an EC key that depends on nothing but secret and info
 * @kind: PKI_P384 or PKI_P256
 * @secret: the secret
 * @secret_len: of @secret
 * @info: what the key is for
 * @info_len: of @info
 *
 * Hardware derives its keys likewise, so a key outlives the process without
 * being stored.
 */
EVP_PKEY *pki_key_derive(enum pki_key kind, const void *secret, size_t secret_len,
			 const void *info, size_t info_len);

/**
 * pki_issue() - certify @key (its reference is taken over, also on failure)
 * @out: the certificate; pki_free() it
 * @key: the subject's key pair
 * @issuer: certificate and key of the issuer, NULL: self-signed
 * @spec: the rest
 */
int pki_issue(struct pki_cert *out, EVP_PKEY *key, const struct pki_cert *issuer,
	      const struct pki_spec *spec);
void pki_free(struct pki_cert *cert);

/**
 * pki_crl() - a list of what an issuer has revoked, which is nothing
 * @issuer: certificate and key
 * @sign: how it signs
 *
 * Valid from yesterday for 30 days.
 *
 * Return: PEM text for free(), or NULL.
 */
char *pki_crl(const struct pki_cert *issuer, enum pki_sign sign);

/**
 * pki_lock() - one process at a time makes things in @dir
 * @dir: the state directory, made when missing
 *
 * Return: a descriptor to close() when done, or -1.
 */
int pki_lock(const char *dir);

/**
 * pki_load() - NAME.pem and, where it exists, NAME.key of the state directory
 * @out: the certificate; pki_free() it
 * @dir: the state directory
 * @name: without suffix
 *
 * Return: 0; -1 when there is none (silent) or it is unusable.
 */
int pki_load(struct pki_cert *out, const char *dir, const char *name);

/* NAME.pem (and NAME.key when there is a key), renamed into place */
int pki_save(const struct pki_cert *cert, const char *dir, const char *name);

/* any file of the state directory, 0600, renamed into place */
int pki_save_file(const char *dir, const char *name, const void *data, size_t len);

/* trust-root.pem: the roots of every simulated vendor; under pki_lock() */
int pki_add_root(const char *dir, const struct pki_cert *root);

/* the file's length, at most size bytes; -1: there is none */
long pki_load_file(const char *dir, const char *name, void *data, size_t size);

/**
 * pki_get() - load a certificate and its key, or make them on first use
 * @out: the certificate; pki_free() it
 * @dir: the state directory; the caller holds pki_lock()
 * @name: without suffix
 * @kind: the kind of key to make
 * @issuer: NULL: self-signed
 * @spec: the rest
 *
 * One that @issuer did not sign, or that has expired, is made anew.
 */
int pki_get(struct pki_cert *out, const char *dir, const char *name, enum pki_key kind,
	    const struct pki_cert *issuer, const struct pki_spec *spec);

#endif /* CVM_FWD_PKI_H */
