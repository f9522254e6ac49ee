// SPDX-License-Identifier: MIT
#include <openssl/bn.h>

#include "../common/base64url.h"
#include "../common/cleanup.h"
#include "../common/rsa.h"
#include "hcl_claims.h"
#include "json_in.h"

#define MAX_KEYS	16
#define MAX_MODULUS	512	/* bytes: RSA-4096 */
#define MIN_MODULUS	256

static void cleanup_bn(BIGNUM **bn)
{
	BN_free(*bn);
}

/* RFC 7518, section 6.3.1: a number, big-endian, in base64url */
static int parse_number(const struct cvm_json *key, const char *name, size_t min, BIGNUM **out)
{
	uint8_t bytes[MAX_MODULUS];
	struct cvm_json member;
	const char *text;
	long len;
	int ret = cvm_json_member(key, name, &member);

	if (!ret)
		ret = cvm_json_text(&member, &text);
	if (ret)
		return ret;
	len = cvm_base64url_decode(text, strlen(text), bytes, sizeof(bytes));
	if (len < (long)min || !bytes[0])
		return cvm_json_wrong(&member, "an RSA key's number in base64url");
	*out = BN_bin2bn(bytes, (int)len, NULL);
	return *out ? 0 : -ENOMEM;
}

static int parse_key(const struct cvm_json *key, EVP_PKEY **out)
{
	BIGNUM *n __cleanup(cleanup_bn) = NULL;
	BIGNUM *e __cleanup(cleanup_bn) = NULL;
	const char *type;
	int ret = cvm_json_get_text(key, "kty", &type);

	if (!ret && strcmp(type, "RSA"))
		return cvm_json_wrong(key, "an RSA key");
	if (!ret)
		ret = parse_number(key, "n", MIN_MODULUS, &n);
	if (!ret)
		ret = parse_number(key, "e", 1, &e);
	if (ret)
		return ret;
	if (!BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e))
		return cvm_json_wrong(key, "an RSA key");
	*out = cvm_rsa_public(n, e);
	return *out ? 0 : -ENOMEM;
}

/* The one of that name: two would leave open which of them the TPM has */
static int find_ak(const struct cvm_json *in, struct cvm_hcl_claims *claims)
{
	struct cvm_json keys, key;
	size_t count;
	int ret = cvm_json_member(in, "keys", &keys);

	if (!ret)
		ret = cvm_json_array(&keys, MAX_KEYS, &count);
	for (size_t i = 0; !ret && i < count; i++) {
		const char *kid;

		cvm_json_item(&keys, i, &key);
		ret = cvm_json_get_text(&key, "kid", &kid);
		if (ret || strcmp(kid, "HCLAkPub"))
			continue;
		if (claims->ak)
			return cvm_json_wrong(&key, "one HCLAkPub, this is another");
		ret = parse_key(&key, &claims->ak);
	}
	if (!ret && !claims->ak)
		return cvm_json_wrong(&keys, "HCLAkPub to be among them");
	return ret;
}

static int parse_flags(const struct cvm_json *in, struct cvm_hcl_config *config)
{
	static const char *const names[CVM_HCL_FLAGS] = {
		[CVM_HCL_SECURE_BOOT] = "secure-boot",
		[CVM_HCL_TPM_ENABLED] = "tpm-enabled",
		[CVM_HCL_TPM_PERSISTED] = "tpm-persisted",
		[CVM_HCL_CONSOLE] = "console-enabled",
		[CVM_HCL_INTERACTIVE_CONSOLE] = "interactive-console-enabled",
		[CVM_HCL_FILTERED_VPCI] = "filtered-vpci-devices-allowed",
	};
	int ret = 0;

	for (uint32_t i = 0; !ret && i < CVM_HCL_FLAGS; i++) {
		struct cvm_json member;
		bool set = false;

		if (!cvm_json_has(in, names[i]))
			continue;
		ret = cvm_json_member(in, names[i], &member);
		if (!ret)
			ret = cvm_json_bool(&member, &set);
		config->has |= 1U << i;
		config->set |= (uint32_t)set << i;
	}
	return ret;
}

static int parse_text(const struct cvm_json *in, const char *name, char *out, size_t size,
		      bool *has)
{
	struct cvm_json member;
	const char *text;
	int ret;

	if (!cvm_json_has(in, name))
		return 0;
	ret = cvm_json_member(in, name, &member);
	if (!ret)
		ret = cvm_json_text(&member, &text);
	if (ret)
		return ret;
	if (strlen(text) >= size)
		return cvm_json_wrong(&member, "a shorter text");
	stpcpy(out, text);
	*has = true;
	return 0;
}

/* What it does not say is not for us to fill in: a rule that asks for it is broken. */
static int parse_config(const struct cvm_json *in, struct cvm_hcl_config *config)
{
	struct cvm_json object;
	int ret;

	if (!cvm_json_has(in, "vm-configuration"))
		return 0;
	ret = cvm_json_member(in, "vm-configuration", &object);
	if (!ret)
		ret = cvm_json_object(&object);
	if (!ret)
		ret = parse_flags(&object, config);
	if (!ret)
		ret = parse_text(&object, "hardware-sealing-policy", config->sealing,
				 sizeof(config->sealing), &config->has_sealing);
	if (!ret)
		ret = parse_text(&object, "root-cert-thumbprint", config->root_cert,
				 sizeof(config->root_cert), &config->has_root_cert);
	return ret;
}

int cvm_hcl_claims_parse(struct cvm_span json, struct cvm_hcl_claims *claims,
			 struct cvm_error *error)
{
	struct cvm_json in;
	int ret = cvm_json_load(json.data, json.len, "claims", &in, error);

	*claims = (struct cvm_hcl_claims){ 0 };
	if (ret)
		return ret;
	ret = find_ak(&in, claims);
	claims->has_user_data = !ret && cvm_json_has(&in, "user-data");
	if (claims->has_user_data)
		ret = cvm_json_get_hex(&in, "user-data", claims->user_data,
				       sizeof(claims->user_data));
	if (!ret)
		ret = parse_config(&in, &claims->config);
	json_decref((json_t *)in.value);
	if (ret) {
		EVP_PKEY_free(claims->ak);
		claims->ak = NULL;
	}
	return ret;
}
