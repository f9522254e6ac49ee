// SPDX-License-Identifier: GPL-2.0
/*
 * What a TPM says of a wrapping key is taken if all of it is as it must be, and not if one
 * thing is otherwise; and requests are, byte for byte, what body.c says they are: the texts
 * here are its author's, since none has been sent to Azure.
 */
#include <errno.h>
#include <string.h>
#include <tss2/tss2_mu.h>

#include "common/util.h"
#include "service.h"
#include "skr/skr.h"
#include "tap.h"

/* ---- certification, with a key of our own in the place of the TPM's */

/**
 * struct statement - a key, what is said of it, and by whom
 * @state: what was asked for
 * @w: what came
 */
struct statement {
	struct cvm_skr_state state;
	struct cvm_skr_wrapping w;
	TPMS_ATTEST attest;
	EVP_PKEY *signer;
};

static EVP_PKEY *ak, *other;

static void good_statement(struct statement *s)
{
	TPMT_PUBLIC *public = &s->w.public.publicArea;

	memset(s, 0, sizeof(*s));
	memset(s->state.nonce, 0x11, sizeof(s->state.nonce));
	memset(s->state.policy, 0x22, sizeof(s->state.policy));
	public->type = TPM2_ALG_RSA;
	public->nameAlg = TPM2_ALG_SHA256;
	public->objectAttributes = TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT |
				   TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_NODA |
				   TPMA_OBJECT_DECRYPT;
	public->authPolicy.size = 32;
	memset(public->authPolicy.buffer, 0x22, 32);
	public->parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_NULL;
	public->parameters.rsaDetail.scheme.scheme = TPM2_ALG_NULL;
	public->parameters.rsaDetail.keyBits = 2048;
	public->unique.rsa.size = 256;
	memset(public->unique.rsa.buffer, 0xc5, 256);
	s->attest.magic = TPM2_GENERATED_VALUE;
	s->attest.type = TPM2_ST_ATTEST_CERTIFY;
	s->attest.extraData.size = 32;
	memset(s->attest.extraData.buffer, 0x11, 32);
	s->signer = ak;
}

static void sign(struct statement *s)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t len = sizeof(s->w.certify_signature.data);

	if (EVP_DigestSignInit(md, NULL, EVP_sha256(), NULL, s->signer) != 1 ||
	    EVP_DigestSign(md, s->w.certify_signature.data, &len, s->w.certify.data,
			   s->w.certify.len) != 1)
		exit(1);
	s->w.certify_signature.len = len;
	EVP_MD_CTX_free(md);
}

/* The name is that of the key as it is, unless @attest says another */
static void finish(struct statement *s, void (*attest)(struct statement *))
{
	TPM2B_NAME *name = &s->attest.attested.certify.name;

	name->size = CVM_SKR_NAME;
	cvm_skr_key_name(&s->w.public.publicArea, name->name);
	if (attest)
		attest(s);
	s->w.certify.len = 0;
	if (Tss2_MU_TPMS_ATTEST_Marshal(&s->attest, s->w.certify.data, sizeof(s->w.certify.data),
					&s->w.certify.len))
		exit(1);
	sign(s);
}

#define KEY_OF(s)	((s)->w.public.publicArea)
#define KEY	KEY_OF(s)
#define SPOIL(name, what)	static void name(struct statement *s) { what; }

SPOIL(with_password, KEY.objectAttributes |= TPMA_OBJECT_USERWITHAUTH)
SPOIL(movable, KEY.objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_FIXEDTPM)
SPOIL(duplicable, KEY.objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_FIXEDPARENT)
SPOIL(imported, KEY.objectAttributes &= ~(TPMA_OBJECT)TPMA_OBJECT_SENSITIVEDATAORIGIN)
SPOIL(restricted, KEY.objectAttributes |= TPMA_OBJECT_RESTRICTED)
SPOIL(signing, KEY.objectAttributes |= TPMA_OBJECT_SIGN_ENCRYPT)
SPOIL(by_policy, KEY.objectAttributes |= TPMA_OBJECT_ADMINWITHPOLICY)
SPOIL(other_policy, KEY.authPolicy.buffer[31] ^= 1)
SPOIL(no_policy, KEY.authPolicy.size = 0)
SPOIL(short_key, KEY.parameters.rsaDetail.keyBits = 1024)
SPOIL(short_modulus, KEY.unique.rsa.size = 128)
SPOIL(with_scheme, KEY.parameters.rsaDetail.scheme.scheme = TPM2_ALG_RSAES)
SPOIL(with_cipher, KEY.parameters.rsaDetail.symmetric.algorithm = TPM2_ALG_XOR)
SPOIL(with_exponent, KEY.parameters.rsaDetail.exponent = 3)
SPOIL(other_hash, KEY.nameAlg = TPM2_ALG_SHA384)
SPOIL(other_type, KEY.type = TPM2_ALG_KEYEDHASH)

SPOIL(no_magic, s->attest.magic ^= 1)
SPOIL(a_quote, s->attest.type = TPM2_ST_ATTEST_QUOTE;
      memset(&s->attest.attested, 0, sizeof(s->attest.attested)))
SPOIL(a_creation, s->attest.type = TPM2_ST_ATTEST_CREATION;
      memset(&s->attest.attested, 0, sizeof(s->attest.attested)))
SPOIL(other_nonce, s->attest.extraData.buffer[0] ^= 1)
SPOIL(no_nonce, s->attest.extraData.size = 0)
SPOIL(longer_nonce, s->attest.extraData.size = 33)
SPOIL(other_name, s->attest.attested.certify.name.name[20] ^= 1)
SPOIL(short_name, s->attest.attested.certify.name.size = 33)
SPOIL(long_name, s->attest.attested.certify.name.size = 35)
SPOIL(other_signer, s->signer = other)

static const struct {
	const char *name;
	void (*key)(struct statement *s);
	void (*attest)(struct statement *s);
	const char *says;
} statements[] = {
	{ "a password", with_password, NULL, "other attributes" },
	{ "movable to another TPM", movable, NULL, "other attributes" },
	{ "movable to another parent", duplicable, NULL, "other attributes" },
	{ "not made by the TPM", imported, NULL, "other attributes" },
	{ "restricted", restricted, NULL, "other attributes" },
	{ "a key that signs too", signing, NULL, "other attributes" },
	{ "an administrator by policy", by_policy, NULL, "other attributes" },
	{ "other PCRs", other_policy, NULL, "other PCRs" },
	{ "no PCRs", no_policy, NULL, "other PCRs" },
	{ "1024 bits", short_key, NULL, "2048 bits" },
	{ "a short modulus", short_modulus, NULL, "2048 bits" },
	{ "a scheme of its own", with_scheme, NULL, "another scheme" },
	{ "a cipher of its own", with_cipher, NULL, "another scheme" },
	{ "another exponent", with_exponent, NULL, "another scheme" },
	{ "another hash in its name", other_hash, NULL, "2048 bits" },
	{ "no RSA key", other_type, NULL, "2048 bits" },
	{ "not made by a TPM", NULL, no_magic, "no TPM" },
	{ "a quote", NULL, a_quote, "certifies nothing" },
	{ "a certified creation", NULL, a_creation, "certifies nothing" },
	{ "another nonce", NULL, other_nonce, "another nonce" },
	{ "no nonce", NULL, no_nonce, "another nonce" },
	{ "a longer nonce", NULL, longer_nonce, "another nonce" },
	{ "another key's name", NULL, other_name, "another key" },
	{ "a shorter name", NULL, short_name, "another key" },
	{ "a longer name", NULL, long_name, "another key" },
	{ "another attestation key", NULL, other_signer, "HCLAkPub" },
};

static void test_statements(void)
{
	struct cvm_error error = { 0 };
	struct statement s;

	good_statement(&s);
	finish(&s, NULL);
	check_is(cvm_skr_certified(&s.w, &s.state, ak, &error), 0, "a wrapping key as it must be");
	good_statement(&s);
	KEY_OF(&s).parameters.rsaDetail.exponent = 65537;
	finish(&s, NULL);
	check_is(cvm_skr_certified(&s.w, &s.state, ak, &error), 0, "whose exponent is said");
	for (size_t i = 0; i < ARRAY_SIZE(statements); i++) {
		good_statement(&s);
		if (statements[i].key)
			statements[i].key(&s);
		finish(&s, statements[i].attest);
		check_is(cvm_skr_certified(&s.w, &s.state, ak, &error), -EBADMSG,
			 statements[i].name);
		check_says(error.text, statements[i].says, "and the message says so");
	}
}

static void test_names(void)
{
	uint8_t name[CVM_SKR_NAME];
	struct statement s;

	good_statement(&s);
	check(cvm_skr_key_name(&s.w.public.publicArea, name), "a name");
	other_hash(&s);
	check(!cvm_skr_key_name(&s.w.public.publicArea, name), "none by another hash");
}

/* One bit anywhere, of what is said or of the signature */
static void test_bits(void)
{
	struct statement s;
	size_t taken = 0;

	good_statement(&s);
	finish(&s, NULL);
	for (size_t i = 0; i < s.w.certify.len; i++) {
		s.w.certify.data[i] ^= 4;
		taken += !cvm_skr_certified(&s.w, &s.state, ak, NULL);
		s.w.certify.data[i] ^= 4;
	}
	for (size_t i = 0; i < s.w.certify_signature.len; i++) {
		s.w.certify_signature.data[i] ^= 4;
		taken += !cvm_skr_certified(&s.w, &s.state, ak, NULL);
		s.w.certify_signature.data[i] ^= 4;
	}
	check(!taken, "no byte of it may be changed");
	s.w.certify.len--;
	check_is(cvm_skr_certified(&s.w, &s.state, ak, NULL), -EBADMSG, "cut: refused");
	good_statement(&s);
	finish(&s, NULL);
	s.w.certify.data[s.w.certify.len++] = 0;
	sign(&s);
	check_is(cvm_skr_certified(&s.w, &s.state, ak, NULL), -EBADMSG,
		 "something behind it, and signed: refused");
}

/* ---- requests */

static void put(struct cvm_skr_bytes *bytes, const char *text)
{
	bytes->len = strlen(text);
	memcpy(bytes->data, text, bytes->len);
}

static uint8_t pcrs[CVM_SKR_PCR_COUNT * CVM_SKR_DIGEST];

static void fill(struct cvm_skr_parts *parts, struct cvm_skr_state *state)
{
	memset(parts, 0, sizeof(*parts));
	put(&parts->wrapping.ak, "ak");
	put(&parts->wrapping.packed, "key");
	put(&parts->wrapping.certify, "certify");
	put(&parts->wrapping.certify_signature, "by ak");
	put(&parts->wrapping.quote, "quote?");
	put(&parts->wrapping.quote_signature, "\xff\xfe?");
	memcpy(parts->wrapping.ak_cert, "DER\0", 4);
	parts->wrapping.ak_cert_len = 4;
	parts->hardware = (struct cvm_span){ (const uint8_t *)"\xff\xfe\xfd>", 4 };
	parts->claims = (struct cvm_span){ (const uint8_t *)"{\"?\":\">~\"}", 10 };
	parts->td_quote = (struct cvm_span){ (const uint8_t *)"\xfb\xff", 2 };
	parts->certs = "VCEK>?";
	parts->certs_len = 6;
	parts->event_log = "log";
	parts->event_log_len = 3;
	parts->distribution = "Debian";
	parts->major = 12;
	parts->minor = 4;
	parts->pcrs = pcrs;
	pcrs[7 * CVM_SKR_DIGEST] = 0xff;
	*state = (struct cvm_skr_state){ .form = CVM_SKR_AZURE_GUEST, .wrap = 1, .pcrs = 0x81,
					 .kid = SERVICE_KID };
}

#define ZEROS	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
/* base64 of that */
#define NONCE	"QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQQ=="
#define PCR_7	"/wAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
/* {"SnpReport":"__79Pg","VcekCertChain":"VkNFSz4/"} */
#define PROOF	"eyJTbnBSZXBvcnQiOiJfXzc5UGciLCJWY2VrQ2VydENoYWluIjoiVmtORlN6NC8ifQ=="

#define INFO(evidence, type) \
	"{\"AttestationProtocolVersion\":\"2.0\",\"ClientPayload\":{\"nonce\":\"" NONCE "\"}," \
	"\"IsolationInfo\":{\"Evidence\":{\"Proof\":\"" evidence "\",\"RunTimeData\":\"eyI/IjoiPn4ifQ==\"}," \
	"\"Type\":\"" type "\"},\"OSBuild\":\"Tm90QXBwbGljYWJsZQ==\",\"OSDistro\":\"RGViaWFu\"," \
	"\"OSType\":\"TGludXg=\",\"OSVersionMajor\":12,\"OSVersionMinor\":4,\"TcgLogs\":\"bG9n\"," \
	"\"TpmInfo\":{\"AikCert\":\"REVSAA==\",\"AikPub\":\"YWs=\",\"EncKeyCertifyInfo\":\"Y2VydGlmeQ==\"," \
	"\"EncKeyCertifyInfoSignature\":\"YnkgYWs=\",\"EncKeyPub\":\"a2V5\"," \
	"\"PCRs\":[{\"Digest\":\"" ZEROS "=\",\"Index\":0},{\"Digest\":\"" PCR_7 "\",\"Index\":7}]," \
	"\"PcrQuote\":\"cXVvdGU/\",\"PcrSet\":[0,7],\"PcrSignature\":\"//4/\"}}"

static void is_body(const struct cvm_skr_parts *parts, const struct cvm_skr_state *state,
		    const char *want, const char *name)
{
	struct cvm_error error = { 0 };
	char *body;
	int rc = cvm_skr_attest_body(parts, state, &body, &error);

	if (!check(!rc && !strcmp(body, want), "%s", name))
		printf("# %s\n# got    %s\n# wanted %s\n", error.text, body, want);
	free(body);
}

static void is_guest_body(const struct cvm_skr_parts *parts, const struct cvm_skr_state *state,
			  const char *info, const char *name)
{
	char *encoded = service_encode(info, strlen(info), true), *want;

	if (asprintf(&want, "{\"AttestationInfo\":\"%s\"}", encoded) < 0)
		exit(1);
	is_body(parts, state, want, name);
	free(encoded);
	free(want);
}

static void test_bodies(void)
{
	struct cvm_skr_parts parts;
	struct cvm_skr_state state;
	struct cvm_error error = { 0 };
	char *body;

	fill(&parts, &state);
	is_guest_body(&parts, &state, INFO(PROOF, "SevSnp"), "AzureGuest, SEV-SNP");
	state.form = CVM_SKR_SEV_SNP_VM;
	is_body(&parts, &state, "{\"report\":\"eyJTbnBSZXBvcnQiOiJfXzc5UGciLCJWY2VrQ2VydENoYWluIjoiVmtORlN6NF8ifQ\",\"runtimeData\":{\"data\":\"eyI_IjoiPn4ifQ\",\"dataType\":\"JSON\"}}",
		"SevSnpVm");
	parts.td = true;
	check_is(cvm_skr_attest_body(&parts, &state, &body, &error), -EINVAL, "of a TDX VM it is none");
	state.form = CVM_SKR_TDX_VM;
	is_body(&parts, &state, "{\"quote\":\"-_8\",\"runtimeData\":{\"data\":\"eyI_IjoiPn4ifQ\",\"dataType\":\"JSON\"}}",
		"TdxVm");
	state.form = CVM_SKR_AZURE_GUEST;
	is_guest_body(&parts, &state, INFO("+/8=", "Tdx"), "AzureGuest, TDX");
	parts.td_quote.len = 0;
	check_is(cvm_skr_attest_body(&parts, &state, &body, &error), -EINVAL, "not without a quote");
	check(!cvm_skr_release_body("a.b.c", &state, &body, &error) &&
	      !strcmp(body, "{\"enc\":\"RSA_AES_KEY_WRAP_256\",\"nonce\":\"" ZEROS "\",\"target\":\"a.b.c\"}"),
	      "the request to the vault");
	free(body);
}

/* ---- tokens, and what they are in */

static char *base64_of(size_t len)
{
	static const uint8_t zeros[512];

	return service_encode(zeros, len, false);
}

/**
 * struct sealed - an envelope: bytes of each field, or what it is instead
 * @params: of the parameters, instead of them
 */
struct sealed {
	const char *name;
	int key, iv, bits, tag, token;
	const char *params, *text, *says;
};

/* JSON in base64url in JSON, for free() */
static char *seal(const struct sealed *s)
{
	char *key = base64_of((size_t)s->key), *iv = base64_of((size_t)s->iv);
	char *tag = base64_of((size_t)s->tag), *token = base64_of((size_t)s->token);
	char *params, *json, *encoded, *answer;

	if (asprintf(&params, "{\"Iv\":\"%s\",\"KeySizeInBits\":%d}", iv, s->bits) < 0 ||
	    asprintf(&json, "{\"EncryptedInnerKey\":\"%s\",\"EncryptionParams\":%s,\"AuthenticationData\":\"%s\",\"Jwt\":\"%s\"}",
		     key, s->params ? s->params : params, tag, s->text ? s->text : token) < 0)
		exit(1);
	encoded = service_encode(json, strlen(json), true);
	if (asprintf(&answer, "{\"token\":\"%s\"}", encoded) < 0)
		exit(1);
	free(key);
	free(iv);
	free(tag);
	free(token);
	free(params);
	free(json);
	free(encoded);
	return answer;
}

static void is_sealed(const char *answer, int rc, const char *says, const char *name)
{
	struct cvm_skr_envelope envelope;
	struct cvm_error error = { 0 };

	check_is(cvm_skr_envelope_parse(answer, strlen(answer), &envelope, &error), rc, name);
	check_says(error.text, says, "and the message says so");
	check(!rc == !!envelope.token, "and it has a token, or none");
	free(envelope.token);
}

static void test_envelopes(void)
{
	static const struct sealed all[] = {
		{ "an envelope", 256, 12, 256, 16, 100, NULL, NULL, NULL },
		{ "a shorter key", 255, 12, 256, 16, 100, NULL, NULL, "token.EncryptedInnerKey" },
		{ "a longer key", 257, 12, 256, 16, 100, NULL, NULL, "token.EncryptedInnerKey" },
		{ "a shorter IV", 256, 11, 256, 16, 100, NULL, NULL, "token.EncryptionParams.Iv" },
		{ "a longer IV", 256, 13, 256, 16, 100, NULL, NULL, "token.EncryptionParams.Iv" },
		{ "192 bits", 256, 12, 192, 16, 100, NULL, NULL, "KeySizeInBits: expected 128 or 256" },
		{ "a shorter tag", 256, 12, 128, 15, 100, NULL, NULL, "token.AuthenticationData" },
		{ "a longer tag", 256, 12, 128, 17, 100, NULL, NULL, "token.AuthenticationData" },
		{ "no token", 256, 12, 128, 16, 0, NULL, NULL, "token.Jwt: expected a token" },
		{ "no base64", 256, 12, 128, 16, 0, NULL, "!", "token.Jwt: expected a token" },
		{ "no parameters", 256, 12, 128, 16, 1, "\"\"", NULL,
		  "token.EncryptionParams: expected an object" },
	};
	static char longest[2 * CVM_SKR_MAX_TOKEN + 32];

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		char *answer = seal(&all[i]);

		is_sealed(answer, all[i].says ? -EBADMSG : 0, all[i].says ? all[i].says : "",
			  all[i].name);
		free(answer);
	}
	is_sealed("{}", -EBADMSG, "answer.token", "nothing");
	is_sealed("{\"token\":\"\"}", -EBADMSG, "answer.token: expected a token", "an empty one");
	is_sealed("{\"token\":\"!\"}", -EBADMSG, "token: expected base64url", "one in no base64url");
	snprintf(longest, sizeof(longest), "{\"token\":\"%0*d\"}", 2 * CVM_SKR_MAX_TOKEN + 1, 0);
	is_sealed(longest, -EBADMSG, "answer.token: expected a token", "one that is too long");
}

static void test_token_forms(void)
{
	const TPMT_PUBLIC public = { .unique.rsa.size = CVM_SKR_RSA };
	const struct cvm_skr_state state = { .form = CVM_SKR_AZURE_GUEST };
	struct cvm_error error = { 0 };

	/* {"x-ms-runtime":1} */
	check_is(cvm_skr_token_check("a.eyJ4LW1zLXJ1bnRpbWUiOjF9.b", &state, &public, &error), -EBADMSG,
		 "a token whose claims are none");
	check_says(error.text, "token.x-ms-runtime: expected an object", "and the message says so");
}

int main(void)
{
	tap_make_dir();
	setenv("TSS2_LOG", "all+none", 0);
	ak = EVP_RSA_gen(2048);
	other = EVP_RSA_gen(2048);
	test_statements();
	test_names();
	test_bits();
	test_bodies();
	test_envelopes();
	test_token_forms();
	EVP_PKEY_free(ak);
	EVP_PKEY_free(other);
	return tap_end();
}
