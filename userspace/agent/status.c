// SPDX-License-Identifier: MIT
#include <string.h>

#include "agent.h"
#include "common/util.h"

static const char *name_of(const char *const *names, size_t count, uint32_t value)
{
	return value < count && names[value] ? names[value] : "unknown";
}

#define NAME(value, ...) ({						\
	static const char *const names_[] = { __VA_ARGS__ };		\
	name_of(names_, ARRAY_SIZE(names_), value); })

static json_t *source_json(struct agent *agent)
{
	struct cvm_status status = { .size = sizeof(status) };
	struct cvm_error error;

	if (!agent->ctx)
		return json_null();
	if (cvm_status(agent->ctx, &status, &error))
		return json_pack("{ss}", "error", error.text);
	return json_pack("{ss ss ss ss ss}",
			 "platform", NAME(status.tee, "none", "snp", "tdx"),
			 "backend", status.backend,
			 "path", status.source,
			 "channel", NAME(status.health, "unknown", "ready", "parked", "dead"),
			 "scope", NAME(status.scope, "unprivileged", "privileged", "label"));
}

void agent_status_run(struct agent_request *request)
{
	struct agent *agent = request->agent;
	const struct agent_options *options = agent->options;

	agent_reply_json(request, json_pack(
		"{ss ss? sb sb so ss? s{si si} s{si si}}",
		"version", CVM_VERSION,
		"label", options->label,
		"batch", agent->has_batch,
		"direct", options->direct && agent->ctx,
		"source", source_json(agent),
		"trouble", *agent->trouble.text ? agent->trouble.text : NULL,
		"connections", "now", (int)agent->peers.connections,
		"max", (int)AGENT_MAX_CONNECTIONS,
		"requests", "now", (int)agent->peers.requests, "max", (int)AGENT_MAX_REQUESTS));
}
