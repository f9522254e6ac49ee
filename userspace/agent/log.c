// SPDX-License-Identifier: MIT
/* What the agent says, in lines of JSON for the journal. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent.h"
#include "common/cleanup.h"
#include "common/util.h"

uint64_t agent_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* As the journal reads it at the beginning of a line: sd-daemon(3) */
static const char *priority(const char *level)
{
	if (!getenv("JOURNAL_STREAM"))
		return "";
	return !strcmp(level, "error") ? "<3>" : !strcmp(level, "warning") ? "<4>" : "<6>";
}

void agent_log(const char *level, const char *event, const char *format, ...)
{
	json_t *json = json_pack("{ss ss}", "level", level, "event", event), *more;
	__cleanup_free char *text = NULL, *line = NULL;
	char object[64];
	va_list values;
	int len;

	snprintf(object, sizeof(object), "{%s}", format);
	va_start(values, format);
	more = json_vpack_ex(NULL, 0, object, values);
	va_end(values);
	json_object_update(json, more);
	json_decref(more);
	text = json ? json_dumps(json, JSON_COMPACT | JSON_ENSURE_ASCII) : NULL;
	json_decref(json);
	len = text ? asprintf(&line, "%s%s\n", priority(level), text) : -1;
	/* in one piece, whoever else writes there; nobody is told that nobody listens */
	if (len > 0)
		(void)!write(STDERR_FILENO, line, (size_t)len);
}
