/* SPDX-License-Identifier: GPL-2.0 */
/* The forms in which a secret may lie in memory. */
#ifndef FORMS_H
#define FORMS_H

#include <stddef.h>
#include <stdint.h>

/**
 * enum form - what bytes are
 * @FORM_RAW: the secret
 * @FORM_SWAPPED64: its words of 8 bytes as a little-endian CPU holds big-endian ones:
 *	SHA-512's message schedule, wherever in a word it begins
 * @FORM_SWAPPED32: likewise of 4 bytes: SHA-256's
 * @FORM_AES: round keys of AES-256 behind the key itself, of each 32 bytes of it
 * @FORM_AES_INVERSE: those for decryption, as processors take them
 * @FORM_HMAC_PAD: xored with HMAC's ipad and opad
 * @FORM_HMAC_STATE: hash states of HMAC keyed with it, SHA-256 and SHA-512
 * @FORM_HEX: digits, small and capital
 * @FORM_BASE64: with whatever is before it; base64url, too
 */
enum form {
	FORM_RAW, FORM_SWAPPED64, FORM_SWAPPED32, FORM_AES, FORM_AES_INVERSE, FORM_HMAC_PAD,
	FORM_HMAC_STATE, FORM_HEX, FORM_BASE64, FORM_COUNT
};

extern const char *const form_names[FORM_COUNT];

/* of the bytes that are handed out, so many in a row are enough to know them by */
#define FORM_PART	8
/* and of text, where 8 characters have but half as much in them */
#define FORM_TEXT_PART	16

/**
 * forms_of() - all forms of a secret
 * @secret: at most FORM_MAX_SECRET bytes
 * @len: bytes
 * @add: is given the bytes of one, which are gone when it returns, and how many in a
 *	row are enough. Between any two calls nothing needs to be adjacent.
 * @context: handed to @add
 */
#define FORM_MAX_SECRET	128

typedef void form_add(void *context, enum form form, const uint8_t *bytes, size_t len,
		      size_t part);
void forms_of(const uint8_t *secret, size_t len, form_add *add, void *context);

#endif /* FORMS_H */
