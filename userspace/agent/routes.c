// SPDX-License-Identifier: MIT
/* The endpoints. openapi.yaml describes each. */
#include <string.h>

#include "agent.h"
#include "common/util.h"

/* By its name, else what the client takes */
static const struct agent_format *format_of(struct agent_request *request)
{
	const char *accept = MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND,
							 MHD_HTTP_HEADER_ACCEPT);

	if (*request->ask.format)
		return agent_format_named(request->ask.format);
	return agent_format_accepted(accept);
}

static void run_evidence(struct agent_request *request)
{
	request->format = format_of(request);
	request->batch = request->ask.mode != AGENT_DIRECT;
	if (request->format)
		agent_source_ask(request);
	else if (*request->ask.format)
		agent_reply_error(request, MHD_HTTP_BAD_REQUEST, "bad_request",
				  "format: there is no '%s'", request->ask.format);
	else
		agent_reply_error(request, MHD_HTTP_NOT_ACCEPTABLE, "not_acceptable",
				  "evidence is not given in any form that Accept names");
}

/* Whoever was written for another agent expects the REPORT_DATA that it has asked for. */
static void run_coco(struct agent_request *request)
{
	request->format = agent_format_coco();
	request->batch = request->ask.mode == AGENT_BATCH;
	agent_source_ask(request);
}

static const struct agent_route routes[] = {
	{ "/v1/evidence", AGENT_OWN_FIELDS, true, run_evidence },
	{ "/v1/recipe", AGENT_OWN_FIELDS, true, agent_recipe_run },
	{ "/v1/status", AGENT_NO_FIELDS, false, agent_status_run },
	{ "/metrics", AGENT_NO_FIELDS, false, agent_metrics_run },
	{ "/aa/evidence", AGENT_COCO_FIELDS, false, run_coco },
};

const struct agent_route *agent_route_find(const char *path)
{
	for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
		if (!strcmp(routes[i].path, path))
			return &routes[i];
	return NULL;
}
