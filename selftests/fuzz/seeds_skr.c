// SPDX-License-Identifier: GPL-2.0
/* First inputs of fuzz_skr.c: good answers, to a request whose random numbers are zeros. */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "seeds.h"
#include "skr/service.h"

#define NONCE	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* Takes over @json. */
static char *text_of(json_t *json)
{
	char *text = service_need(json_dumps(json, JSON_COMPACT));

	json_decref(json);
	return text;
}

static char *zeros(size_t len)
{
	static const uint8_t none[256];

	return service_encode(none, len, false);
}

/* The key's number is the one that the fuzzer has */
static char *make_claims(void)
{
	char *sent = service_encode(NONCE, strlen(NONCE), false), *n, *text;
	uint8_t modulus[256];

	memset(modulus, 0xc5, sizeof(modulus));
	n = service_encode(modulus, sizeof(modulus), true);
	text = text_of(json_pack("{s:{s:{s:s}, s:[{s:s, s:s}], s:s}}", "x-ms-runtime",
				 "client-payload", "nonce", sent, "keys",
				 "kid", "TpmEphemeralEncryptionKey", "n", n, "user-data", "00"));
	free(sent);
	free(n);
	return text;
}

static void seed_envelope(void)
{
	char *key = zeros(256), *iv = zeros(12), *tag = zeros(16), *inner, *token, *answer;

	inner = text_of(json_pack("{s:s, s:{s:s, s:i}, s:s, s:s}", "EncryptedInnerKey", key,
				  "EncryptionParams", "Iv", iv, "KeySizeInBits", 256,
				  "AuthenticationData", tag, "Jwt", tag));
	token = service_encode(inner, strlen(inner), true);
	answer = text_of(json_pack("{s:s}", "token", token));
	seed_text("skr_envelope", "good", answer);
	free(key);
	free(iv);
	free(tag);
	free(inner);
	free(token);
	free(answer);
}

static void seed_release(const struct service *s, const char *claims)
{
	char *token = service_sign("{\"alg\":\"RS256\"}", claims, strlen(claims), s->token_key,
				   SERVICE_RS256);
	char *body = text_of(json_pack("{s:s, s:s, s:s}", "target", token, "nonce", NONCE, "enc",
				       "RSA_AES_KEY_WRAP_256"));
	char *answer = service_need(service_release(s, body, NULL)), *payload;
	uint8_t *bytes;
	size_t len;

	seed_text("skr_release", "good", answer);
	payload = strchr(answer, '.') + 1;
	payload[strcspn(payload, ".")] = '\0';
	bytes = service_decode(payload, &len);
	seed("skr_payload", "good", bytes, len);
	free(bytes);
	free(answer);
	free(body);
	free(token);
}

static void seed_state(void)
{
	static const char magic[16] = "cvm-guest skr 2";
	char state[16 + 24 + 32 + 32 + 32 + 34 + sizeof(SERVICE_KID) - 1] = { 0 };

	memcpy(state, magic, sizeof(magic));
	state[16] = state[20] = state[28] = 1;
	state[24] = (char)0xff;
	memcpy(state + sizeof(state) - strlen(SERVICE_KID), SERVICE_KID, strlen(SERVICE_KID));
	seed("skr_state", "good", state, sizeof(state));
}

void seed_skr(void)
{
	char *claims = make_claims(), *encoded = service_encode(claims, strlen(claims), true);
	struct service s;

	service_make(&s);
	seed_text("skr_token", "good", encoded);
	seed_envelope();
	seed_release(&s, claims);
	seed_state();
	service_free(&s);
	free(encoded);
	free(claims);
}
