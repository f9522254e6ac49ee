// SPDX-License-Identifier: MIT
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "status.h"

#define FILE_MAX	4096

const char *const status_counters[STATUS_COUNTERS] = {
	[STATUS_COMPLETED] = "completed", [STATUS_FAILED] = "failed",
	[STATUS_REFUSED] = "refused", [STATUS_TIMEOUTS] = "timeouts",
	[STATUS_ISSUED] = "issued", [STATUS_BATCHES] = "batches", [STATUS_LEAVES] = "leaves",
	[STATUS_THROTTLED] = "throttled", [STATUS_RETRIES] = "retries", [STATUS_LATE] = "late",
};

static char *read_text(const char *root, const char *group, const char *name)
{
	char path[PATH_MAX];
	void *text = NULL;
	size_t len;

	if (snprintf(path, sizeof(path), "%s" STATUS_SYSFS "/%s/%s", root, group, name) >=
	    (int)sizeof(path) || cvm_read_file(path, FILE_MAX, &text, &len))
		return NULL;
	return text;
}

static bool read_number(const char *root, const char *name, uint64_t *number)
{
	__cleanup_free char *text = read_text(root, "stats", name);

	return text && sscanf(text, "%" SCNu64, number) == 1;
}

/* A word of letters: whatever is in the file, it is shown on a terminal. */
static bool read_state(const char *root, char state[16])
{
	__cleanup_free char *text = read_text(root, "channel", "state");

	return text && sscanf(text, "%15[a-z]", state) == 1;
}

/* Lines of a bound in us and a count; the last bound is "inf" */
static bool read_latency(const char *root, struct status_sample *s)
{
	__cleanup_free char *text = read_text(root, "stats", "latency_us");
	char *rest, *line = text ? strtok_r(text, "\n", &rest) : NULL;

	for (; line && s->buckets < STATUS_BUCKETS; line = strtok_r(NULL, "\n", &rest)) {
		size_t i = s->buckets++;

		s->bound_us[i] = UINT64_MAX;
		if (sscanf(line, "inf %" SCNu64, &s->bucket[i]) != 1 &&
		    sscanf(line, "%" SCNu64 " %" SCNu64, &s->bound_us[i], &s->bucket[i]) != 2)
			return false;
	}
	return s->buckets > 0;
}

void status_take(const char *root, struct status_sample *s)
{
	*s = (struct status_sample){ .loaded = true };
	for (size_t i = 0; i < STATUS_COUNTERS; i++)
		s->loaded &= read_number(root, status_counters[i], &s->counter[i]);
	s->loaded &= read_latency(root, s);
	if (!read_state(root, s->state) || !s->loaded)
		*s = (struct status_sample){ .state = "unloaded" };
}

/* Counters only rise: a lower one is another driver's. */
static bool goes_on(const struct status_sample *before, const struct status_sample *now)
{
	bool on = before->loaded && now->loaded && before->buckets == now->buckets;

	for (size_t i = 0; i < STATUS_COUNTERS; i++)
		on &= before->counter[i] <= now->counter[i];
	for (size_t i = 0; i < now->buckets; i++)
		on &= before->bucket[i] <= now->bucket[i];
	return on;
}

void status_since(const struct status_sample *before, const struct status_sample *now,
		  struct status_sample *then)
{
	bool on = goes_on(before, now);

	*then = *now;
	for (size_t i = 0; i < STATUS_COUNTERS; i++)
		then->counter[i] = on ? now->counter[i] - before->counter[i] : 0;
	for (size_t i = 0; i < now->buckets; i++)
		then->bucket[i] = on ? now->bucket[i] - before->bucket[i] : 0;
}

uint64_t status_percentile_us(const struct status_sample *then, unsigned int percent)
{
	uint64_t all = 0, seen = 0;

	for (size_t i = 0; i < then->buckets; i++)
		all += then->bucket[i];
	for (size_t i = 0; all && i < then->buckets; i++) {
		seen += then->bucket[i];
		if (seen * 100 >= all * percent)
			return then->bound_us[i];
	}
	return 0;
}
