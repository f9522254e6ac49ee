// SPDX-License-Identifier: MIT
/*
 * How a relying party comes from what it knows (its name, its nonce, the key of the
 * channel) to what the proof must be about: "Batch v1", sections 1 to 3. Nothing is asked
 * of the platform.
 */
#include "agent.h"
#include "common/json_hex.h"

static json_t *part_json(const struct agent_ask *ask, enum agent_part part)
{
	json_t *hex = cvm_json_of_hex(ask->part[part], ask->part_len[part]);

	return json_pack("{ss so}", "name", agent_part_name(part), "hex", hex);
}

/* NULL where user_data was given whole */
static json_t *parts_json(const struct agent_ask *ask)
{
	if (!agent_ask_has(ask, AGENT_NONCE))
		return json_null();
	return json_pack("[ooo]", part_json(ask, AGENT_AUDIENCE), part_json(ask, AGENT_NONCE),
			 part_json(ask, AGENT_CHANNEL_KEY));
}

void agent_recipe_run(struct agent_request *request)
{
	const struct agent_ask *ask = &request->ask;
	const char *label = request->agent->options->label;

	agent_reply_json(request, json_pack(
		"{ss so ss so ss ss}",
		"recipe", "SHA-512(\"CVMGUD1\" || 00 || for each part: u32 LE length || part)",
		"parts", parts_json(ask),
		"order", "audience, nonce, channel_key; one that is left out has length 0",
		"user_data", cvm_json_of_hex(ask->data, sizeof(ask->data)),
		/* a relying party knows whom it wants to hear: it does not take this for it */
		"scope", label ? "label" : "unprivileged",
		"label", label ? label : ""));
}
