// SPDX-License-Identifier: MIT
/*
 * What an Azure guest's firmware and boot loaders have measured into the TPM, for who has a policy
 * about that. The kernel's copy ends with the boot, and root alone may read it: so it is read once,
 * before the agent is nobody. The firmware is the host's: it is looked at when the agent is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "common/api.h"
#include "common/util.h"
#include "verify/boot_log.h"

_Static_assert(AGENT_MAX_EVENT_LOG <= CVM_FILE_LOG_MAX, "a verifier reads what is sent");

/* Of a TPM that is named nobody knows whether the kernel has its log. */
static bool is_known(const struct agent *agent)
{
	const char *backend = agent->options->backend;

	return agent->azure && (!backend || !strchr(backend, ':'));
}

/* One that is named is meant; else evidence goes without. */
static int refuse(const struct agent *agent, int rc, const struct cvm_error *error)
{
	bool given = agent->options->log_file;

	agent_log(given ? "error" : "warning", "event log", "ss", "message", error->text);
	return given ? rc : 0;
}

static const char *path_of(const struct agent *agent)
{
	const char *given = agent->options->log_file;

	return given ? given : CVM_BOOT_LOG_PATH;
}

int agent_event_log_read(struct agent *agent)
{
	const char *path = path_of(agent);
	struct cvm_error error;
	void *data;
	int rc;

	if (!agent->options->event_log || (!agent->options->log_file && !is_known(agent)))
		return 0;
	rc = cvm_read_file(path, AGENT_MAX_EVENT_LOG, &data, &agent->event_log.len);
	if (!rc) {
		agent->event_log.data = data;
		return 0;
	}
	cvm_path_error(&error, rc, path, "read");
	return refuse(agent, rc, &error);
}

/* What a verifier would refuse, as the log of an old TPM, is better left out. */
int agent_event_log_check(struct agent *agent)
{
	struct cvm_blob *log = &agent->event_log;
	struct cvm_format_error err;
	struct cvm_boot_log boot;
	struct cvm_error error;
	char text[256];

	if (!log->data)
		return 0;
	if (!cvm_boot_log_replay((struct cvm_span){ log->data, log->len }, &boot, &err))
		return 0;
	free(log->data);
	*log = (struct cvm_blob){ 0 };
	cvm_set_error(&error, -EBADMSG, "%s: no event log: %s", path_of(agent),
		      cvm_format_error_text(&err, text, sizeof(text)));
	return refuse(agent, -EBADMSG, &error);
}
