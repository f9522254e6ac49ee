/* SPDX-License-Identifier: MIT */
/*
 * Secure key release on Azure, the guest's half: a key vault gives a key to a VM that an
 * attestation service has vouched for, wrapped for a key that only this VM's TPM has.
 *
 *   cvm_skr_gather()	a wrapping key of the TPM, and evidence of it and of this VM
 *   cvm_skr_attest_body()	what the attestation service is asked
 *   cvm_skr_token_open()	its answer: a token
 *   cvm_skr_release_body()	what the key vault is asked
 *   cvm_skr_release_read()	its answer, whose signature is verified
 *   cvm_skr_unwrap()	the key
 *
 * Whoever sends answers is hostile: until a signature is verified nothing in one is believed,
 * and of what is to be decrypted nobody learns why it was not.
 */
#ifndef CVM_SKR_H
#define CVM_SKR_H

#include <errno.h>
#include <openssl/evp.h>
#include <tss2/tss2_esys.h>

#include "cvmguest.h"
#include "formats/format.h"
#include "keys/secret.h"

struct cvm_certs;
struct cvm_tpm;

/* ---- limits */

#define CVM_SKR_MAX_ANSWER	(256U << 10)
#define CVM_SKR_MAX_TOKEN	(64U << 10)
#define CVM_SKR_MAX_KEY		(8U << 10)	/* PKCS#8 of RSA-4096 has 2.4 KiB */
#define CVM_SKR_MAX_KID		400
#define CVM_SKR_MAX_CHAIN	8		/* certificates in a signature's header */
#define CVM_SKR_MAX_NV		4096		/* bytes of the attestation key's certificate */
#define CVM_SKR_MAX_TPM		1024		/* bytes of what a TPM says of a key */
#define CVM_SKR_MAX_AGE		3600		/* seconds from the wrapping key to the key */

#define CVM_SKR_RSA		256		/* bytes of the wrapping key's modulus */
#define CVM_SKR_UNIQUE		32
#define CVM_SKR_NONCE		32
#define CVM_SKR_NONCE_TEXT	44
#define CVM_SKR_NAME		34		/* SHA-256, and which hash it is */
#define CVM_SKR_DIGEST		32		/* SHA-256, and so a PCR */
#define CVM_SKR_PCR_COUNT	24

/* what Azure's attestation service and its clients go by */
#define CVM_SKR_PCRS		0xffU

/* ---- state.c: what must be known until the key has come */

/**
 * enum cvm_skr_form - whom the request is for
 * @CVM_SKR_AZURE_GUEST: a service that attests the guest's system as well, by the TPM
 * @CVM_SKR_SEV_SNP_VM: one that attests the platform alone: whatever has booted
 * @CVM_SKR_TDX_VM: likewise
 */
enum cvm_skr_form {
	CVM_SKR_AZURE_GUEST = 1,
	CVM_SKR_SEV_SNP_VM = 2,
	CVM_SKR_TDX_VM = 3,
};

/**
 * enum cvm_skr_phase - what has been done with a wrapping key
 * @CVM_SKR_PREPARED: nothing: it may open a token, and nothing else
 * @CVM_SKR_OPENED: it was tried on a token, and is on no other; it may unwrap
 *
 * Tokens are encrypted with the padding of PKCS #1 v1.5, which gives messages away to who may
 * try often enough: the token itself, and with that what the vault wraps for the key. So that
 * is tried once in a key's life, whatever comes of it, and the phase is written before.
 */
enum cvm_skr_phase {
	CVM_SKR_PREPARED = 1,
	CVM_SKR_OPENED = 2,
};

/**
 * struct cvm_skr_state - a release under way
 * @form: enum cvm_skr_form
 * @wrap: how the key is to be wrapped: a number for cvm_skr_wrap_name()
 * @pcrs: bits: the wrapping key is bound to them
 * @phase: enum cvm_skr_phase
 * @since: when the wrapping key was made: seconds since the boot
 * @unique: random, and secret until the TPM is reset: who knows it, and may use the TPM, has the
 *	    wrapping key, and so every key that was wrapped for it
 * @nonce: random: each answer has to have it
 * @policy: that the PCRs are what they were
 * @name: the wrapping key's
 * @kid: URL of the key, with its version
 */
struct cvm_skr_state {
	uint32_t form;
	uint32_t wrap;
	uint32_t pcrs;
	uint32_t phase;
	uint64_t since;
	uint8_t unique[CVM_SKR_UNIQUE];
	uint8_t nonce[CVM_SKR_NONCE];
	uint8_t policy[CVM_SKR_DIGEST];
	uint8_t name[CVM_SKR_NAME];
	char kid[CVM_SKR_MAX_KID];
};

#define __cleanup_skr_state	__cleanup(cvm_cleanup_skr_state)

static inline void cvm_cleanup_skr_state(struct cvm_skr_state *state)
{
	OPENSSL_cleanse(state, sizeof(*state));
}

/* Numbers and names of wrappings; 0 and NULL: there is none such. */
uint32_t cvm_skr_wrap_find(const char *name);
const char *cvm_skr_wrap_name(uint32_t wrap);

/* The hash of RSA-OAEP in it: TPM2_ALG_* */
TPMI_ALG_HASH cvm_skr_wrap_hash(uint32_t wrap);

/* A host's name in lower case, with a dot in it; no address */
bool cvm_skr_is_host(const char *text);

/*
 * https://HOST/keys/NAME/VERSION: true, and @host: out: of CVM_SKR_MAX_KID. One without a
 * version is whichever the vault likes.
 */
bool cvm_skr_kid_parse(const char *kid, char *host);

/* Seconds since the boot */
uint64_t cvm_skr_clock(void);

/* The nonce as answers have it: base64url. Returns @text. */
const char *cvm_skr_nonce_text(const struct cvm_skr_state *state, char text[CVM_SKR_NONCE_TEXT]);

#define CVM_SKR_STATE_MAX	(16 + 16 + 8 + 32 + 32 + 32 + 34 + CVM_SKR_MAX_KID)

/* Its file: bytes at @out, of which there are as many as it returns. 0 or -EBADMSG */
size_t cvm_skr_state_pack(const struct cvm_skr_state *state, uint8_t out[CVM_SKR_STATE_MAX]);
int cvm_skr_state_parse(const uint8_t *data, size_t len, struct cvm_skr_state *state,
			struct cvm_error *error);

/* For nobody else to read. 0 or -errno; -EEXIST: something is there already */
int cvm_skr_state_write(const char *path, const struct cvm_skr_state *state,
			struct cvm_error *error);

/*
 * @fd: out: while it is open nobody else can have the state. 0 or -errno; -EPERM: others could
 * have read it; -EBUSY: somebody has it.
 */
int cvm_skr_state_read(const char *path, struct cvm_skr_state *state, int *fd,
		       struct cvm_error *error);

/* A token is opened, or has been: in @state, and in its file. 0 or -errno */
int cvm_skr_state_opened(int fd, struct cvm_skr_state *state, struct cvm_error *error);

/*
 * Whether @state is in this phase, and not too old. 0; -EALREADY: it is in a later one;
 * -EINVAL: in an earlier one; -ESTALE: it is of another boot, or older than CVM_SKR_MAX_AGE.
 */
int cvm_skr_state_due(const struct cvm_skr_state *state, enum cvm_skr_phase phase,
		      struct cvm_error *error);

/* ---- wrapping.c: the TPM */

/* no password, so no use but by its policy; no other TPM; and nobody else has made it */
#define CVM_SKR_ATTRIBUTES	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | \
				 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_NODA | \
				 TPMA_OBJECT_DECRYPT)

/**
 * struct cvm_skr_bytes - something that a TPM says
 * @len: of @data
 */
struct cvm_skr_bytes {
	size_t len;
	uint8_t data[CVM_SKR_MAX_TPM];
};

/**
 * struct cvm_skr_wrapping - the wrapping key, and what its TPM says of it
 * @public: of the key
 * @packed: the same, TPM2B_PUBLIC
 * @certify: TPMS_ATTEST: that the TPM has it
 * @certify_signature: of that, RSASSA, the bare number
 * @quote: TPMS_ATTEST: of the PCRs that it is bound to
 * @quote_signature: likewise
 * @ak: the key that has signed both: TPM2B_PUBLIC
 * @ak_cert: its certificate, as its NV index has it
 * @ak_cert_len: bytes
 */
struct cvm_skr_wrapping {
	TPM2B_PUBLIC public;
	struct cvm_skr_bytes packed;
	struct cvm_skr_bytes certify, certify_signature;
	struct cvm_skr_bytes quote, quote_signature;
	struct cvm_skr_bytes ak;
	uint8_t ak_cert[CVM_SKR_MAX_NV];
	size_t ak_cert_len;
};

/* @tcti: NULL: /dev/tpmrm0; else a way that tpm2-tss knows. As cvm_tpm_open(). */
int cvm_skr_tpm_open(const char *tcti, struct cvm_tpm **tpm, struct cvm_error *error);

/*
 * A new wrapping key for @state, whose form, wrap, pcrs and kid are set; the others are set
 * here. What the TPM says is not looked at yet: cvm_skr_certified().
 */
int cvm_skr_wrapping_make(struct cvm_tpm *tpm, struct cvm_skr_state *state,
			  struct cvm_skr_wrapping *out, struct cvm_error *error);

/**
 * cvm_skr_key_load() - the wrapping key once more
 * @tpm: open
 * @state: of a release under way
 * @key: out: for cvm_tpm_flush()
 * @public: out, or NULL
 * @error: or NULL
 *
 * Return: 0; -ESTALE: the PCRs are not what they were, or the TPM has been reset; ...
 */
int cvm_skr_key_load(struct cvm_tpm *tpm, const struct cvm_skr_state *state, ESYS_TR *key,
		     TPM2B_PUBLIC *public, struct cvm_error *error);

/*
 * Decrypts by it. @scheme: RSAES or OAEP; @out: at most @size bytes, @len: how many. False:
 * the TPM refuses; why is nobody's business.
 */
bool cvm_skr_decrypt(struct cvm_tpm *tpm, ESYS_TR key, uint32_t pcrs,
		     const TPMT_RSA_DECRYPT *scheme, const uint8_t cipher[CVM_SKR_RSA],
		     uint8_t *out, size_t size, size_t *len);

/*
 * Likewise a symmetric key of @len bytes, at most CVM_SECRET_MAX. Where it is false @out is
 * random, for the caller to go on with as with a good one: whether the TPM has refused, or has
 * decrypted something of another length, must not be seen by what is done next. (The TPM's own
 * time is the TPM's.)
 */
bool cvm_skr_decrypt_key(struct cvm_tpm *tpm, ESYS_TR key, uint32_t pcrs,
			 const TPMT_RSA_DECRYPT *scheme, const uint8_t cipher[CVM_SKR_RSA],
			 uint8_t *out, size_t len);

/* ---- certified.c: pure */

/* SHA-256 of it, behind the number of that hash; false: it is none */
bool cvm_skr_key_name(const TPMT_PUBLIC *public, uint8_t name[CVM_SKR_NAME]);

/* NULL: it is as wrapping keys are, bound to @policy; or what is wrong with it */
const char *cvm_skr_key_fault(const TPMT_PUBLIC *public, const uint8_t policy[CVM_SKR_DIGEST]);

/**
 * cvm_skr_certified() - is the key in the TPM that has @ak, and as it must be
 * @w: what the TPM says
 * @state: its nonce and policy
 * @ak: the attestation key that the hardware vouches for
 * @error: or NULL
 *
 * Return: 0; -EBADMSG, and @error says what is wrong.
 */
int cvm_skr_certified(const struct cvm_skr_wrapping *w, const struct cvm_skr_state *state,
		      EVP_PKEY *ak, struct cvm_error *error);

/* The public half, DER, in @spki, and the SHA-256 of that; its length, or -EBADMSG, -ENOMEM */
int cvm_skr_spki(const TPMT_PUBLIC *public, uint8_t **spki, uint8_t hash[CVM_SKR_DIGEST]);

/* ---- gather.c */

/**
 * struct cvm_skr_parts - all that a request is made of
 * @wrapping: the TPM's part
 * @spki: the wrapping key's public half, DER
 * @spki_len: bytes
 * @evidence: of this VM, whose user-data are SHA-256 of @spki, and the nonce
 * @td: it has a TDREPORT, else an SNP report
 * @hardware: the SNP report
 * @claims: of the paravisor
 * @td_quote: of the TDREPORT
 * @pcrs: CVM_SKR_PCR_COUNT values, in which those of the quote are
 * @certs: SNP: VCEK, ASK and ARK, PEM; the caller's
 * @certs_len: bytes
 * @event_log: what was measured when; the caller's
 * @event_log_len: bytes
 * @distribution: of the system; the caller's
 * @major: of its version
 * @minor: likewise
 */
struct cvm_skr_parts {
	struct cvm_skr_wrapping wrapping;
	uint8_t *spki;
	size_t spki_len;
	struct cvm_evidence *evidence;
	bool td;
	struct cvm_span hardware, claims, td_quote;
	const uint8_t *pcrs;
	const char *certs;
	size_t certs_len;
	const void *event_log;
	size_t event_log_len;
	const char *distribution;
	uint32_t major, minor;
};

#define __cleanup_skr_parts	__cleanup(cvm_skr_parts_free)

void cvm_skr_parts_free(struct cvm_skr_parts *parts);

/*
 * user-data of the claims: SHA-256 of the wrapping key's SubjectPublicKeyInfo, and the nonce:
 * who has the evidence knows of the key without the TPM's word for it.
 */
void cvm_skr_user_data(const uint8_t spki_hash[CVM_SKR_DIGEST],
		       const uint8_t nonce[CVM_SKR_NONCE], uint8_t user_data[CVM_REPORT_DATA_LEN]);

/**
 * cvm_skr_gather() - a wrapping key, and evidence of it
 * @ctx: a source of HCL reports
 * @tpm: the TPM of the same machine
 * @state: as for cvm_skr_wrapping_make()
 * @parts: out: for cvm_skr_parts_free(), also on failure
 * @error: or NULL
 *
 * Return: 0; -EOPNOTSUPP: this is no confidential VM of Azure; -EBADMSG: what the TPM says
 * does not belong together; -EAGAIN: PCRs were extended meanwhile, or a certificate renewed;
 * or as cvm_attest().
 */
int cvm_skr_gather(struct cvm_ctx *ctx, struct cvm_tpm *tpm, struct cvm_skr_state *state,
		   struct cvm_skr_parts *parts, struct cvm_error *error);

/* ---- body.c: pure; JSON without blanks, keys in order, for free() */

/* For the attestation service, of @state's form; 0, -EINVAL, -ENOMEM */
int cvm_skr_attest_body(const struct cvm_skr_parts *parts, const struct cvm_skr_state *state,
			char **body, struct cvm_error *error);

/* For the key vault */
int cvm_skr_release_body(const char *token, const struct cvm_skr_state *state, char **body,
			 struct cvm_error *error);

/* ---- token.c */

/**
 * struct cvm_skr_envelope - a token under a key that is encrypted for the wrapping key
 * @key: RSAES
 * @key_len: bytes of what is encrypted in @key: 16 or 32
 * @iv: of AES-GCM
 * @tag: likewise
 * @token: encrypted; for free()
 * @len: bytes
 */
struct cvm_skr_envelope {
	uint8_t key[CVM_SKR_RSA];
	size_t key_len;
	uint8_t iv[12];
	uint8_t tag[16];
	uint8_t *token;
	size_t len;
};

/* Pure: the answer of a service that attests guests. 0 or -EBADMSG, -ENOMEM */
int cvm_skr_envelope_parse(const char *answer, size_t len, struct cvm_skr_envelope *envelope,
			   struct cvm_error *error);

/* Pure: is this token about this wrapping key, and this request. 0 or -EBADMSG, -ENOMEM */
int cvm_skr_token_check(const char *token, const struct cvm_skr_state *state,
			const TPMT_PUBLIC *public, struct cvm_error *error);

/**
 * cvm_skr_token_open() - the token in an attestation service's answer
 * @tpm: open
 * @state: of the release; in and out
 * @fd: of cvm_skr_state_read()
 * @answer: its body, JSON
 * @len: bytes
 * @token: out: for free()
 * @error: or NULL
 *
 * The token is for the key vault to verify; here it is seen to be about our key and request.
 * An encrypted one is decrypted once, whatever comes of it: @state is CVM_SKR_OPENED before.
 * What is not even of the form of an answer leaves it as it was.
 *
 * Return: 0; -EBADMSG; as cvm_skr_state_due(), before anything is decrypted; or as
 * cvm_skr_key_load(), cvm_skr_state_opened().
 */
int cvm_skr_token_open(struct cvm_tpm *tpm, struct cvm_skr_state *state, int fd,
		       const char *answer, size_t len, char **token, struct cvm_error *error);

/* ---- jws.c: pure */

/* What is well formed, and not what has to be signed, does not verify. */
static inline int cvm_skr_rejected(int rc)
{
	return rc == -EBADMSG ? -EKEYREJECTED : rc;
}

/**
 * struct cvm_jws_trust - whose signature is taken
 * @roots: certificates, and no others
 * @host: DNS name that the signer's certificate must have: cvm_skr_is_host()
 * @at: seconds since 1970: then all certificates must be valid
 */
struct cvm_jws_trust {
	const struct cvm_certs *roots;
	const char *host;
	int64_t at;
};

/**
 * cvm_jws_open() - what is signed
 * @text: JWS, compact form (RFC 7515), with its chain in the header (x5c)
 * @len: characters
 * @trust: whose signature is taken
 * @payload: out: for free()
 * @payload_len: out: bytes
 * @error: or NULL
 *
 * RSASSA with SHA-2, of PKCS #1 v1.5 or PSS, and nothing else, whatever the header says.
 *
 * Return: 0; -EBADMSG: malformed; -EKEYREJECTED: another's signature, or none that is taken;
 * -EINVAL: @trust names no host; -ENOMEM.
 */
int cvm_jws_open(const char *text, size_t len, const struct cvm_jws_trust *trust,
		 uint8_t **payload, size_t *payload_len, struct cvm_error *error);

/* ---- release.c */

/**
 * struct cvm_skr_wrapped - a key as it was released
 * @kek: RSA-OAEP
 * @key: wrapped by that, RFC 5649
 * @len: bytes of @key
 */
struct cvm_skr_wrapped {
	uint8_t kek[CVM_SKR_RSA];
	uint8_t key[CVM_SKR_MAX_KEY + 16];
	size_t len;
};

/**
 * struct cvm_skr_secret - the key
 * @len: of @bytes
 */
struct cvm_skr_secret {
	size_t len;
	uint8_t bytes[CVM_SKR_MAX_KEY + 16];
};

#define __cleanup_skr_secret	__cleanup(cvm_cleanup_skr_secret)

static inline void cvm_cleanup_skr_secret(struct cvm_skr_secret *secret)
{
	OPENSSL_cleanse(secret, sizeof(*secret));
}

/*
 * Pure: what is signed: the key that was asked for, in answer to this request. 0; -EBADMSG:
 * malformed; -EKEYREJECTED: an answer to something else
 */
int cvm_skr_payload_parse(const void *payload, size_t len, const struct cvm_skr_state *state,
			  struct cvm_skr_wrapped *wrapped, struct cvm_error *error);

/* Pure: the key vault's answer. As cvm_jws_open(). */
int cvm_skr_release_read(const void *answer, size_t len, const struct cvm_skr_state *state,
			 const struct cvm_jws_trust *trust, struct cvm_skr_wrapped *wrapped,
			 struct cvm_error *error);

/**
 * cvm_skr_unwrap() - the key
 * @tpm: open
 * @state: of the release: it says by which hash, whatever the answer says
 * @wrapped: the answer
 * @secret: out
 * @error: or NULL
 *
 * Return: 0; as cvm_skr_state_due() and cvm_skr_key_load(), before anything is decrypted; or
 * cvm_skr_refuse().
 */
int cvm_skr_unwrap(struct cvm_tpm *tpm, const struct cvm_skr_state *state,
		   const struct cvm_skr_wrapped *wrapped, struct cvm_skr_secret *secret,
		   struct cvm_error *error);

/*
 * What every failure to decrypt is: -EBADMSG, and the same words. Whoever could tell one
 * from another could have the TPM decrypt for him, answer by answer.
 */
int cvm_skr_refuse(struct cvm_error *error);

#endif /* CVM_SKR_H */
