/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The other side of a key release, by OpenSSL: an attestation service and a key vault, honest
 * but for one thing at a time that they are told to do wrong.
 */
#ifndef SKR_SERVICE_H
#define SKR_SERVICE_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SERVICE_HOST	"vault.simulated.example"
#define SERVICE_KID	"https://" SERVICE_HOST "/keys/disk/0123456789abcdef"
#define SERVICE_ROOT	"Simulated Vault Root"
#define SERVICE_SECRET	8200	/* more than there may be */

/**
 * struct service - both services
 * @token_key: signs tokens
 * @root_key, @root: whom the guest trusts
 * @middle_key, @middle: whom the root does, and nobody else
 * @key, @cert: sign releases
 * @secret: the key that is released
 * @secret_len: bytes
 * @kek: what that is wrapped by
 * @wrong: what is done wrong, or NULL
 */
struct service {
	EVP_PKEY *token_key, *root_key, *middle_key, *key;
	X509 *root, *middle, *cert;
	uint8_t secret[SERVICE_SECRET];
	size_t secret_len;
	uint8_t kek[32];
	const char *wrong;
};

/* New keys, and a secret of 32 random bytes. Each ends the program where it cannot. */
void service_make(struct service *s);
void service_free(struct service *s);

/* The same from a directory, where it is made the first time. */
void service_at(struct service *s, const char *dir);

/* What the guest pins, PEM, for free() */
char *service_roots(const struct service *s);

/* ---- attest.c, release.c: answers to requests, for free(); NULL: refused, and stderr says why */

char *service_attest(const struct service *s, const char *body);

/* @public: PEM of the wrapping key, where the token does not have it; or NULL */
char *service_release(const struct service *s, const char *body, const char *public);

/* ---- what they share */

bool service_is_wrong(const struct service *s, const char *what);
void *service_need(void *pointer);

/* base64 of both alphabets, padded or not; with a zero behind; for free() */
uint8_t *service_decode(const char *text, size_t *len);
char *service_encode(const void *data, size_t len, bool url);

/* The RSA key with this modulus */
EVP_PKEY *service_public_key(const uint8_t *n, size_t len);

/* Of a key of 2048 bits, as a JSON Web Key has it; for free() */
char *service_modulus(EVP_PKEY *key);

/**
 * struct service_cert - a certificate
 * @name: of its subject
 * @key: in it
 * @issuer: NULL: itself
 * @by: signs it
 * @ca: of a CA
 * @usage: of @key
 * @host: DNS name, "DNS:..." or NULL
 * @from: seconds from now
 * @until: likewise
 * @md: of the signature
 */
struct service_cert {
	const char *name;
	EVP_PKEY *key;
	X509 *issuer;
	EVP_PKEY *by;
	bool ca;
	const char *usage, *host;
	long from, until;
	const EVP_MD *md;
};

X509 *service_issue(const struct service_cert *spec);

/*
 * RFC 7515, by RS256, or by PS256 with a salt of so many bytes, whatever @header says; where
 * @key is no RSA key, as such a key signs; for free()
 */
#define SERVICE_RS256	(-1)
#define SERVICE_PS256	32

char *service_sign(const char *header, const void *payload, size_t len, EVP_PKEY *key, int salt);

#endif /* SKR_SERVICE_H */
