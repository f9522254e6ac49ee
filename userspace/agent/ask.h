/* SPDX-License-Identifier: MIT */
/*
 * What a request asks for. The same fields come as arguments of the query or as members
 * of a JSON object; whoever sends them is not trusted.
 */
#ifndef CVM_AGENT_ASK_H
#define CVM_AGENT_ASK_H

#include <stdbool.h>

#include "cvmguest.h"
#include "limits.h"

/* AGENT_DEFAULT: what the endpoint does, batch evidence but for that of others' agents */
enum agent_mode { AGENT_DEFAULT, AGENT_BATCH, AGENT_DIRECT };

/* In the order in which they are hashed */
enum agent_part { AGENT_AUDIENCE, AGENT_NONCE, AGENT_CHANNEL_KEY, AGENT_PARTS };

/**
 * struct agent_ask - a request, taken apart; set to zero before the first field
 * @given: bit of each field that was there
 * @mode: direct or batch
 * @certs: the certificates, too: 1 yes, -1 no, 0 it was not said
 * @base64: runtime_data is in base64
 * @timeout_ms: or 0
 * @format: name of the format, or ""
 * @data: user_data, runtime_data or, after agent_ask_end(), what the parts come to
 * @data_len: bytes that were given of it
 * @part: bytes of each part
 * @part_len: how many
 */
struct agent_ask {
	uint32_t given;
	enum agent_mode mode;
	int certs;
	bool base64;
	uint32_t timeout_ms;
	char format[32];
	uint8_t data[CVM_USER_DATA_LEN];
	size_t data_len;
	uint8_t part[AGENT_PARTS][AGENT_MAX_CHANNEL_KEY];
	size_t part_len[AGENT_PARTS];
};

/* What an endpoint takes */
enum agent_fields { AGENT_NO_FIELDS, AGENT_OWN_FIELDS, AGENT_COCO_FIELDS };

/* Each: 0 or -EINVAL, and says which field and why, or -ENOMEM. */

/* One field; @value has @len bytes and one zero byte behind them. */
int agent_ask_field(struct agent_ask *ask, enum agent_fields fields, const char *name,
		    const char *value, size_t len, struct cvm_error *error);

/* A JSON object of fields */
int agent_ask_json(struct agent_ask *ask, enum agent_fields fields, const char *text, size_t len,
		   struct cvm_error *error);

/* There are no more: what is asked for is whole, and @data is what it is about. */
int agent_ask_end(struct agent_ask *ask, enum agent_fields fields, struct cvm_error *error);

/* Was this part given? */
bool agent_ask_has(const struct agent_ask *ask, enum agent_part part);

/* "audience", "nonce", "channel_key" */
const char *agent_part_name(enum agent_part part);

#endif /* CVM_AGENT_ASK_H */
