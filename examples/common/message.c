// SPDX-License-Identifier: MIT
#include <stdlib.h>
#include <string.h>

#include "message.h"

int message_write(FILE *to, json_t *json)
{
	int rc = json ? json_dumpf(json, to, JSON_COMPACT) : -1;

	json_decref(json);
	return rc || fputc('\n', to) == EOF || fflush(to) ? -1 : 0;
}

/* Bounded: whoever sends a line without end is not waited for. */
json_t *message_read(FILE *from)
{
	char *line = malloc(MESSAGE_MAX);
	json_t *json = NULL;

	if (line && fgets(line, MESSAGE_MAX, from) && strchr(line, '\n'))
		json = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
	free(line);
	return json;
}
