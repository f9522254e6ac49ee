// SPDX-License-Identifier: MIT
/*
 * cvm-agent: opens what takes privileges, gives them up, serves. The order is the
 * security argument: no byte of a client is read before the filter is loaded.
 */
#include <stdlib.h>
#include <unistd.h>

#include "agent.h"

static int start(struct agent *agent)
{
	int rc = agent_listen(agent);

	if (!rc)
		rc = agent_source_open(agent);
	if (!rc)
		rc = agent_sandbox_drop(agent);
	/* a thread of the source's, where it has one, has no more rights than this one now */
	if (!rc)
		rc = agent_source_start(agent);
	if (!rc)
		rc = agent_server_start(agent);
	if (!rc)
		rc = agent_sandbox_filter(agent);
	/* the host's bytes, too */
	return rc ? rc : agent_event_log_check(agent);
}

int main(int argc, char **argv)
{
	struct agent_options options;
	struct agent agent = { .options = &options, .epoll = -1, .signals = -1 };
	int status;

	agent.waiting_end = &agent.waiting;
	if (agent_options_parse(&options, argc, argv, &status))
		return status;
	/* what tpm2-tss has to say is in what the library returns */
	setenv("TSS2_LOG", "all+none", 0);
	status = EXIT_FAILURE;
	if (!start(&agent)) {
		agent_log("info", "start", "ss ss? ss? sb", "version", CVM_VERSION,
			  "label", options.label,
			  "backend", agent.ctx ? agent.status.backend : NULL,
			  "direct", options.direct);
		status = agent_server_run(&agent);
	}
	agent_server_stop(&agent);
	/* a thread of the source's is in the kernel then, for longer than anybody waits */
	if (agent.asked)
		_exit(status);
	agent_source_close(&agent);
	return status;
}
