// SPDX-License-Identifier: GPL-2.0
/*
 * HKDF as the module does it. The vectors were computed with Python's hmac from
 * RFC 5869 and the header's words.
 */
#include "common/util.h"
#include "keys/derive.h"
#include "tap.h"

static const struct {
	uint32_t purpose;
	size_t length, label_len, salt_len;
	const char *label, *key;
} vectors[] = {
	{ CVM_PURPOSE_KEY, 64, 9, 32, "disk data",
	  "9fe318ecfbe4689f2755a0874db4abce508f7708990e3d0db608ccb2308b6cc2"
	  "d89df48cfd974c183623ccf18d6558615c8a82cd229a3b8d8e248f872957b7cc" },
	{ CVM_PURPOSE_CHECK, 16, 9, 32, "disk data", "640b4ef2431b19c704db6ab4f95f514c" },
	{ CVM_PURPOSE_MAC, 32, 0, 0, "",
	  "392e3ca4e2e7469be5c9889026c9680d64c74f33f897e7b956e9bae475ef7af7" },
};

static const char mixed[] =
	"63121feb0c0af0f1a092c6395839cc0ad47a50ebfa1a5db171b89b0b1ff41b03"
	"b96f399f212cf7203c0fe0129229513fec0678a349cd5fa0bed6941e7301870d";

int main(void)
{
	uint8_t secret[32], salt[32], key[128];
	struct cvm_key_set both = { .tpm_secret = secret, .salt = salt, .salt_len = sizeof(salt) };
	char text[257];

	for (int i = 0; i < 32; i++)
		secret[i] = (uint8_t)i;
	memset(salt, 0x5a, sizeof(salt));
	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++) {
		struct cvm_key_set set = {
			.label = vectors[i].label, .label_len = vectors[i].label_len,
			.salt = salt, .salt_len = vectors[i].salt_len,
		};

		check_is(cvm_key_hkdf(secret, &set, vectors[i].purpose, key, vectors[i].length),
			 0, "a key");
		cvm_hex_encode(key, vectors[i].length, text);
		check(!strcmp(text, vectors[i].key), "the right one: purpose %u", vectors[i].purpose);
	}
	check_is(cvm_key_mixed_salt(&both, key), 0, "a salt that mixes a TPM's secret in");
	cvm_hex_encode(key, CVM_MAX_KEY_SALT, text);
	check(!strcmp(text, mixed), "the right one");
	both.salt_len = CVM_MAX_KEY_SALT + 1;
	check(cvm_key_mixed_salt(&both, key) < 0, "of no salt that is longer than a salt may be");
	check(cvm_key_hkdf(secret, &(struct cvm_key_set){ .label = text, .label_len = 256 },
			   CVM_PURPOSE_KEY, key, 32) < 0, "no label of more than 255 bytes");
	return tap_end();
}
