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

static void parse_flags(const struct cvm_json *in, struct cvm_hcl_config *config)
{
	static const char *const names[CVM_HCL_FLAGS] = {
		[CVM_HCL_SECURE_BOOT] = "secure-boot",
		[CVM_HCL_TPM_ENABLED] = "tpm-enabled",
		[CVM_HCL_TPM_PERSISTED] = "tpm-persisted",
		[CVM_HCL_CONSOLE] = "console-enabled",
		[CVM_HCL_INTERACTIVE_CONSOLE] = "interactive-console-enabled",
		[CVM_HCL_FILTERED_VPCI] = "filtered-vpci-devices-allowed",
	};

	for (uint32_t i = 0; i < CVM_HCL_FLAGS; i++) {
		const json_t *flag = json_object_get(in->value, names[i]);

		if (!json_is_boolean(flag))
			continue;
		config->has |= 1U << i;
		config->set |= (uint32_t)json_is_true(flag) << i;
	}
}

/* It is cited on terminals: it may be the text of whoever has sent the evidence. */
static bool is_printable(const char *text)
{
	while (*text >= ' ' && *text <= '~')
		text++;
	return !*text;
}

/* False: it is no text, not there, or none that there is room for */
static bool parse_text(const struct cvm_json *in, const char *name, char *out, size_t size)
{
	const char *text = json_string_value(json_object_get(in->value, name));

	if (!text || strlen(text) >= size || !is_printable(text))
		return false;
	stpcpy(out, text);
	return true;
}

/*
 * What it does not say is not for us to fill in, nor is a value of a kind that is not known:
 * a rule that asks for it is broken, and no other. A word of sealing that is not known is one.
 */
static void parse_config(const struct cvm_json *in, struct cvm_hcl_config *config)
{
	parse_flags(in, config);
	config->has_sealing = cvm_json_has(in, "hardware-sealing-policy");
	parse_text(in, "hardware-sealing-policy", config->sealing, sizeof(config->sealing));
	config->has_root_cert = parse_text(in, "root-cert-thumbprint", config->root_cert,
					   sizeof(config->root_cert));
}

void cvm_hcl_config_parse(struct cvm_span json, struct cvm_hcl_config *config)
{
	struct cvm_json in, object;

	*config = (struct cvm_hcl_config){ 0 };
	if (cvm_json_load(json.data, json.len, "claims", &in, NULL))
		return;
	if (!cvm_json_member(&in, "vm-configuration", &object))
		parse_config(&object, config);
	json_decref((json_t *)in.value);
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
	json_decref((json_t *)in.value);
	if (ret) {
		EVP_PKEY_free(claims->ak);
		claims->ak = NULL;
	}
	return ret;
}
