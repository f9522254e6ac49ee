// SPDX-License-Identifier: GPL-2.0
/* OpenSSL's functions for parts of hashes are old, and there are no others. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <openssl/evp.h>
#include <openssl/sha.h>

#include "forms.h"

const char *const form_names[FORM_COUNT] = {
	[FORM_RAW] = "raw", [FORM_SWAPPED64] = "swapped64", [FORM_SWAPPED32] = "swapped32",
	[FORM_AES] = "aes", [FORM_AES_INVERSE] = "aes-inverse", [FORM_HMAC_PAD] = "hmac-pad",
	[FORM_HMAC_STATE] = "hmac-state", [FORM_HEX] = "hex", [FORM_BASE64] = "base64",
};

/**
 * struct forms - where forms go
 * @add: see forms_of()
 * @context: likewise
 */
struct forms {
	form_add *add;
	void *context;
};

static void add(const struct forms *forms, enum form form, const void *bytes, size_t len)
{
	size_t part = form == FORM_HEX || form == FORM_BASE64 ? FORM_TEXT_PART : FORM_PART;

	if (len >= part)
		forms->add(forms->context, form, bytes, len, part);
}

/* each @word bytes in the other order */
static void add_words(const struct forms *forms, enum form form, const uint8_t *secret,
		      size_t len, size_t word)
{
	uint8_t swapped[FORM_MAX_SECRET];
	size_t i;

	len -= len % word;
	for (i = 0; i < len; i++)
		swapped[i] = secret[i - i % word + word - 1 - i % word];
	add(forms, form, swapped, len);
}

/* what is hashed before it may end inside a word: the kernel's "AUTH_KEY\0" does */
static void add_swapped(const struct forms *forms, enum form form, const uint8_t *secret,
			size_t len, size_t word)
{
	size_t skip;

	for (skip = 0; skip < word && skip < len; skip++)
		add_words(forms, form, secret + skip, len - skip, word);
}

static void add_hex(const struct forms *forms, const uint8_t *secret, size_t len)
{
	char text[2 * FORM_MAX_SECRET + 1];
	size_t i;

	for (i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", secret[i]);
	add(forms, FORM_HEX, text, 2 * len);
	for (i = 0; i < 2 * len; i++)
		text[i] = (char)toupper(text[i]);
	add(forms, FORM_HEX, text, 2 * len);
}

/* three bytes are four characters, and the secret may begin with any of the three */
static void add_base64(const struct forms *forms, const uint8_t *secret, size_t len)
{
	uint8_t shifted[FORM_MAX_SECRET + 3] = { 0 };
	char text[(sizeof(shifted) / 3 + 1) * 4 + 1];
	size_t at, whole, i;

	for (at = 0; at < 3; at++) {
		/* characters that are of the secret alone */
		whole = (at + len) / 3 * 3;
		memcpy(shifted + at, secret, len);
		EVP_EncodeBlock((unsigned char *)text, shifted, (int)whole);
		i = at ? 4 : 0;
		add(forms, FORM_BASE64, text + i, whole / 3 * 4 - i);
		for (i = 0; text[i]; i++)
			text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
		i = at ? 4 : 0;
		add(forms, FORM_BASE64, text + i, whole / 3 * 4 - i);
	}
}

/* ---- AES-256, FIPS 197 section 5.2 */

#define ROUND_KEYS	(15 * 16)

static uint8_t xtime(uint8_t x)
{
	return (uint8_t)(x << 1 ^ (x & 0x80 ? 0x1b : 0));
}

static uint8_t multiply(uint8_t x, uint8_t y)
{
	uint8_t product = 0;

	for (; y; y >>= 1, x = xtime(x))
		product ^= y & 1 ? x : 0;
	return product;
}

/* the inverse is the 254th power */
static uint8_t substitute(uint8_t x)
{
	uint8_t inverse = 1, result = 0x63;
	int i;

	for (i = 0; i < 254; i++)
		inverse = multiply(inverse, x);
	for (i = 0; i < 5; i++)
		result ^= (uint8_t)(inverse << i | inverse >> (8 - i));
	return result;
}

static void expand(const uint8_t key[32], uint8_t keys[ROUND_KEYS])
{
	uint8_t round = 1, word[4], first;
	size_t i, j;

	memcpy(keys, key, 32);
	for (i = 32; i < ROUND_KEYS; i += 4) {
		memcpy(word, keys + i - 4, 4);
		if (i % 32 == 0) {
			first = word[0];
			memmove(word, word + 1, 3);
			word[3] = first;
		}
		for (j = 0; j < 4 && i % 16 == 0; j++)
			word[j] = substitute(word[j]);
		if (i % 32 == 0) {
			word[0] ^= round;
			round = xtime(round);
		}
		for (j = 0; j < 4; j++)
			keys[i + j] = keys[i + j - 32] ^ word[j];
	}
}

/* section 5.3.5: InvMixColumns() of a round key */
static void invert(const uint8_t from[16], uint8_t to[16])
{
	static const uint8_t row[] = { 14, 11, 13, 9 };
	size_t i, j;

	memset(to, 0, 16);
	for (i = 0; i < 16; i++)
		for (j = 0; j < 4; j++)
			to[i] ^= multiply(from[i - i % 4 + j], row[(j + 4 - i % 4) % 4]);
}

static void add_aes(const struct forms *forms, const uint8_t key[32])
{
	uint8_t keys[ROUND_KEYS], inverse[16];
	size_t i;

	expand(key, keys);
	add(forms, FORM_AES, keys + 32, ROUND_KEYS - 32);
	for (i = 16; i < ROUND_KEYS - 16; i += 16) {
		invert(keys + i, inverse);
		add(forms, FORM_AES_INVERSE, inverse, 16);
	}
}

/* ---- HMAC, RFC 2104 */

/* a key that is longer than a block is hashed first; none is */
static void add_states(const struct forms *forms, const uint8_t *pad)
{
	SHA256_CTX sha256;
	SHA512_CTX sha512;

	SHA256_Init(&sha256);
	SHA256_Update(&sha256, pad, SHA256_CBLOCK);
	add(forms, FORM_HMAC_STATE, sha256.h, sizeof(sha256.h));
	SHA512_Init(&sha512);
	SHA512_Update(&sha512, pad, SHA512_CBLOCK);
	add(forms, FORM_HMAC_STATE, sha512.h, sizeof(sha512.h));
}

static void add_hmac(const struct forms *forms, const uint8_t *secret, size_t len)
{
	static const uint8_t pads[] = { 0x36, 0x5c };
	uint8_t block[SHA512_CBLOCK];
	size_t i, j;

	for (i = 0; i < sizeof(pads); i++) {
		memset(block, pads[i], sizeof(block));
		for (j = 0; j < len && j < sizeof(block); j++)
			block[j] ^= secret[j];
		add(forms, FORM_HMAC_PAD, block, len < sizeof(block) ? len : sizeof(block));
		add_states(forms, block);
	}
}

void forms_of(const uint8_t *secret, size_t len, form_add *add_form, void *context)
{
	const struct forms forms = { add_form, context };
	size_t i;

	add(&forms, FORM_RAW, secret, len);
	add_swapped(&forms, FORM_SWAPPED64, secret, len, 8);
	add_swapped(&forms, FORM_SWAPPED32, secret, len, 4);
	add_hex(&forms, secret, len);
	add_base64(&forms, secret, len);
	for (i = 0; i + 32 <= len; i += 32)
		add_aes(&forms, secret + i);
	add_hmac(&forms, secret, len);
}
