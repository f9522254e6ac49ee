// SPDX-License-Identifier: MIT
/* cvmctl doctor: what is missing or unsafe here, and the command that mends it. */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "cvmctl.h"
#include "doctor.h"

#define FILE_MAX	(1U << 20)

enum { JSON, ROOT };

static const struct option_spec options[] = {
	[JSON]	= { "json", NULL, "one JSON object, for programs" },
	[ROOT]	= { "root", "DIR", "examine the machine whose /dev, /proc, /sys, /lib and\n"
				   "/etc are below DIR, as a container may see them" },
	{ 0 }
};

static void (*const checks[])(struct doctor *d) = {
	doctor_platform,
	doctor_driver,
	doctor_module,
	doctor_signature,
	doctor_channel,
	doctor_nodes,
	doctor_group,
	doctor_containers,
	doctor_kernel,
	doctor_tpm,
	doctor_clock,
	doctor_entropy,
};

static const char *const severities[] = { "fine", "note", "warning", "unsafe" };

void finding(struct doctor *d, const char *check, enum severity severity, const char *command,
	     const char *format, ...)
{
	__cleanup_free char *cause = NULL;
	va_list values;

	va_start(values, format);
	if (vasprintf(&cause, format, values) < 0)
		cause = NULL;
	va_end(values);
	if (severity > d->worst)
		d->worst = severity;
	json_array_append_new(d->findings,
			      json_pack("{ss ss ss ss?}", "check", check,
					"severity", severities[severity],
					"cause", cause ? cause : "out of memory",
					"command", command));
}

const char *doctor_path(const struct doctor *d, char *path, const char *format, ...)
{
	int used = snprintf(path, PATH_MAX, "%s", d->root);
	va_list values;

	va_start(values, format);
	if (used < PATH_MAX)
		used += vsnprintf(path + used, (size_t)(PATH_MAX - used), format, values);
	va_end(values);
	/* a name cut short would be another file's */
	if (used >= PATH_MAX)
		path[0] = '\0';
	return path;
}

bool doctor_exists(const struct doctor *d, const char *path)
{
	char full[PATH_MAX];

	return !access(doctor_path(d, full, "%s", path), F_OK);
}

static char *contents(const struct doctor *d, const char *path)
{
	char full[PATH_MAX];
	void *data;
	size_t len;

	if (cvm_read_file(doctor_path(d, full, "%s", path), FILE_MAX, &data, &len))
		return NULL;
	return data;
}

char *doctor_line(const struct doctor *d, const char *path)
{
	char *text = contents(d, path);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	return text;
}

bool doctor_word(const struct doctor *d, const char *path, const char *word)
{
	__cleanup_free char *text = contents(d, path);
	char *state, *at;

	if (!text)
		return false;
	for (at = strtok_r(text, " \t\n", &state); at; at = strtok_r(NULL, " \t\n", &state))
		if (!strcmp(at, word))
			return true;
	return false;
}

static int print_text(const struct doctor *d)
{
	size_t index;
	json_t *f;

	json_array_foreach(d->findings, index, f) {
		const char *command = json_string_value(json_object_get(f, "command"));

		printf("%-8s %-11s %s\n", json_string_value(json_object_get(f, "severity")),
		       json_string_value(json_object_get(f, "check")),
		       json_string_value(json_object_get(f, "cause")));
		if (command)
			printf("%-20s run: %s\n", "", command);
	}
	return flush_output();
}

static int print_json(const struct doctor *d)
{
	return output_json(NULL, json_pack("{ss ss ss sO}", "kernel", d->release,
					   "platform", tee_name(d->tee),
					   "worst", severities[d->worst],
					   "findings", d->findings));
}

static int read_kernel(struct doctor *d)
{
	__cleanup_free char *release = doctor_line(d, "/proc/sys/kernel/osrelease");
	__cleanup_free char *version = doctor_line(d, "/proc/sys/kernel/version");

	if (!release || !version)
		return fail(EXIT_FAILED, "%s/proc/sys/kernel/osrelease cannot be read: is /proc mounted there?",
			    d->root);
	snprintf(d->release, sizeof(d->release), "%s", release);
	snprintf(d->version, sizeof(d->version), "%s", version);
	return 0;
}

static int run(const struct arguments *args)
{
	struct doctor d = { .root = args->option[ROOT] ? args->option[ROOT] : "" };
	int rc = read_kernel(&d);

	if (rc)
		return rc;
	d.findings = json_array();
	if (!d.findings)
		return fail(EXIT_FAILED, "out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](&d);
	rc = args->option[JSON] ? print_json(&d) : print_text(&d);
	json_decref(d.findings);
	if (rc)
		return rc;
	if (d.worst == UNSAFE)
		return fail(EXIT_FAILED, "what is called unsafe above has to be mended");
	return EXIT_DONE;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = "what is missing or unsafe on this machine, and the command that mends it",
	.options = options,
	.run = run,
};
