// SPDX-License-Identifier: MIT
/* cvmctl status: the platform, where evidence comes from, and how that is. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/util.h"
#include "evidence.h"
#include "status.h"
#include "verify/evidence_file.h"

#define SYSFS_FILE_MAX	4096

#define DEFAULT_INTERVAL_MS	1000
#define MIN_INTERVAL_MS		50
#define MAX_INTERVAL_MS		3600000

enum { JSON, BACKEND, WATCH, INTERVAL, COUNT, ROOT };

static const struct option_spec options[] = {
	[JSON]		= { "json", NULL, "one JSON object, for programs; with --watch one a line" },
	[BACKEND]	= { "backend", ARG_BACKEND, HELP_BACKEND },
	[WATCH]		= { "watch", NULL,
			    "what the driver does, again and again: rate, latency, batches,\n"
			    "throttling; until ^C" },
	[INTERVAL]	= { "interval", "S", "with --watch: seconds from one look to the next (1);\n"
					     "0.05 and more" },
	[COUNT]		= { "count", "N", "with --watch: end after so many intervals" },
	[ROOT]		= { "root", "DIR", "with --watch: of the machine whose /sys is below DIR" },
	{ 0 }
};

static const char *health_name(uint32_t health)
{
	switch (health) {
	case CVM_HEALTH_READY:		return "ready";
	case CVM_HEALTH_PARKED:	return "parked";
	case CVM_HEALTH_DEAD:		return "dead";
	default:			return "unknown";
	}
}

static json_t *json_types(uint32_t types)
{
	json_t *list = json_array();

	for (uint32_t type = CVM_EVIDENCE_SNP_REPORT; type <= CVM_EVIDENCE_HCL_REPORT; type++)
		if (types & (1U << type))
			json_array_append_new(list, json_string(cvm_evidence_type_name(type)));
	return list;
}

/* What a source does not know is null, so that 0 always means zero. */
static json_t *json_limit(uint32_t value)
{
	return value ? json_integer(value) : json_null();
}

static json_t *json_limits(const struct cvm_status *status)
{
	return json_pack("{so so so so so so so}",
			 "max_requests", json_limit(status->max_requests),
			 "max_inflight", json_limit(status->max_inflight),
			 "max_leaves", json_limit(status->max_leaves),
			 "max_evidence", json_limit(status->max_evidence),
			 "max_certs", json_limit(status->max_certs),
			 "default_timeout_ms", json_limit(status->default_timeout_ms),
			 "max_timeout_ms", json_limit(status->max_timeout_ms));
}

/* A number where the file is one; a list of lines where it has several; else text. */
static json_t *json_value(char *text)
{
	char *line = strtok(text, "\n"), *end;
	json_t *list;
	long long number;

	if (!line)
		return json_string("");
	errno = 0;
	number = strtoll(line, &end, 10);
	text = strtok(NULL, "\n");
	if (!text)
		return *end || errno ? json_string(line) : json_integer(number);
	list = json_array();
	json_array_append_new(list, json_string(line));
	for (; text; text = strtok(NULL, "\n"))
		json_array_append_new(list, json_string(text));
	return list;
}

static void add_file(json_t *group, const char *directory, const char *name)
{
	__cleanup_free char *text = NULL;
	char path[2 * NAME_MAX];
	size_t len;

	if (snprintf(path, sizeof(path), "%s/%s", directory, name) >= (int)sizeof(path))
		return;
	/* a file that is for root alone is left out, not an error */
	if (!cvm_read_file(path, SYSFS_FILE_MAX, (void **)&text, &len))
		json_object_set_new(group, name, json_value(text));
}

/* All files of a directory that the driver keeps in sysfs; null without the driver. */
static json_t *json_sysfs(const char *name)
{
	char path[NAME_MAX];
	struct dirent **entries;
	json_t *group;
	int count;

	snprintf(path, sizeof(path), "%s/%s", STATUS_SYSFS, name);
	count = scandir(path, &entries, NULL, alphasort);
	if (count < 0)
		return json_null();
	group = json_object();
	for (int i = 0; i < count; i++) {
		if (entries[i]->d_name[0] != '.')
			add_file(group, path, entries[i]->d_name);
		free(entries[i]);
	}
	free(entries);
	return group;
}

/* for whom the proofs of a batch would speak, if this process asked */
static const char *scope_name(const struct cvm_status *status)
{
	static const char *const names[] = { "unprivileged", "privileged", "label" };

	if (!status->max_leaves)
		return "none";
	return status->scope < ARRAY_SIZE(names) ? names[status->scope] : "unknown";
}

static json_t *json_status(const struct cvm_status *status)
{
	bool driver = !strcmp(status->backend, "cvm");

	return json_pack("{ss ss ss ss so si ss so so so}",
			 "platform", tee_name(status->tee),
			 "backend", status->backend,
			 "source", status->source,
			 "channel", health_name(status->health),
			 "evidence", json_types(status->types),
			 "vmpl", (int)status->vmpl,
			 "batch_scope", scope_name(status),
			 "limits", json_limits(status),
			 "driver_channel", driver ? json_sysfs("channel") : json_null(),
			 "statistics", driver ? json_sysfs("stats") : json_null());
}

static void print_value(const char *name, json_t *value)
{
	size_t index;
	json_t *line;

	if (json_is_integer(value))
		printf("  %-22s %lld\n", name, (long long)json_integer_value(value));
	else if (json_is_string(value))
		printf("  %-22s %s\n", name, json_string_value(value));
	else if (json_is_array(value))
		json_array_foreach(value, index, line)
			printf("  %-22s %s\n", index ? "" : name, json_string_value(line));
}

static void print_group(const char *title, json_t *group)
{
	const char *name;
	json_t *value;

	if (!json_object_size(group))
		return;
	printf("%s\n", title);
	json_object_foreach(group, name, value)
		print_value(name, value);
}

static int print_text(json_t *json)
{
	static const char *const lines[] = {
		"platform", "backend", "source", "channel", "batch_scope",
	};
	size_t index;
	json_t *type;

	for (size_t i = 0; i < ARRAY_SIZE(lines); i++)
		printf("%-11s %s\n", lines[i], json_string_value(json_object_get(json, lines[i])));
	printf("%-11s", "evidence");
	json_array_foreach(json_object_get(json, "evidence"), index, type)
		printf(" %s", json_string_value(type));
	printf("\n");
	print_group("limits", json_object_get(json, "limits"));
	print_group("driver", json_object_get(json, "driver_channel"));
	print_group("statistics", json_object_get(json, "statistics"));
	json_decref(json);
	return flush_output();
}

/* Seconds, with a fraction or not */
static int parse_interval(const char *value, uint32_t *ms)
{
	const char *digits = "0123456789";
	size_t whole = strspn(value, digits);
	size_t fraction = value[whole] == '.' ? strspn(value + whole + 1, digits) : 0;
	double seconds = strtod(value, NULL);

	if (!whole || value[whole + (fraction ? fraction + 1 : 0)])
		return usage_error("--interval: '%s' is no number of seconds", value);
	if (seconds * 1000 < MIN_INTERVAL_MS || seconds * 1000 > MAX_INTERVAL_MS)
		return usage_error("--interval: 0.05 to 3600 seconds");
	*ms = (uint32_t)(seconds * 1000 + 0.5);
	return 0;
}

static int watch(const struct arguments *args)
{
	struct watch w = { .root = args->option[ROOT] ? args->option[ROOT] : "",
			   .interval_ms = DEFAULT_INTERVAL_MS, .json = args->option[JSON] };
	int status = 0;

	if (args->option[BACKEND])
		return usage_error("--watch is of the driver: without --backend");
	if (args->option[INTERVAL])
		status = parse_interval(args->option[INTERVAL], &w.interval_ms);
	if (!status && args->option[COUNT])
		status = parse_number("count", args->option[COUNT], UINT32_MAX, &w.count);
	return status ? status : status_watch(&w);
}

static int run(const struct arguments *args)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	struct cvm_status status = { .size = sizeof(status) };
	struct cvm_error error;
	json_t *json;
	int rc;

	if (args->option[WATCH])
		return watch(args);
	if (args->option[INTERVAL] || args->option[COUNT] || args->option[ROOT])
		return usage_error("--interval, --count and --root go with --watch");
	rc = open_source(args->option[BACKEND], &ctx);
	if (rc)
		return rc;
	rc = cvm_status(ctx, &status, &error);
	if (rc)
		return fail_library(rc, &error);
	json = json_status(&status);
	if (!json)
		return fail(EXIT_FAILED, "out of memory");
	return args->option[JSON] ? output_json(NULL, json) : print_text(json);
}

const struct command cmd_status = {
	.name = "status",
	.summary = "show the platform, where evidence comes from, and how that is",
	.options = options,
	.run = run,
};
