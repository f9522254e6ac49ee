// SPDX-License-Identifier: MIT
/* cvmctl doctor: what is missing or unsafe here, and the command that mends it. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "cvmctl.h"
#include "doctor.h"
#include "fetch/imds.h"
#include "keys/tpm.h"

enum { JSON, LIST, ROOT, TPM, IMDS_URL };

static const struct option_spec options[] = {
	[JSON]	= { "json", NULL, "one JSON object, for programs" },
	[LIST]	= { "list", NULL, "all that may be found, and what it means, instead" },
	[ROOT]	= { "root", "DIR", "examine the machine whose /dev, /proc, /sys, /lib, /etc\n"
				   "and /usr are below DIR, as a container may see them" },
	[TPM]	= { "tpm", "TCTI", "reach the TPM as libtss2 has it, such as swtpm:path=FILE,\n"
				   "in the place of " CVM_TPM_NODE },
	[IMDS_URL] = { "imds-url", "URL", "Azure: the host's service, in the place of\n" CVM_IMDS_URL },
	{ 0 }
};

static void (*const checks[])(struct doctor *d) = {
	doctor_platform,
	doctor_driver,
	doctor_module,
	doctor_signature,
	doctor_lockdown,
	doctor_secureboot,
	doctor_channel,
	doctor_tsm,
	doctor_nodes,
	doctor_dropin,
	doctor_group,
	doctor_containers,
	doctor_kernel,
	doctor_tpm,
	doctor_azure,
	doctor_credentials,
	doctor_clock,
	doctor_entropy,
};

/*
 * Names of processes, of who signed, of files: others chose those, and a terminal
 * obeys what is not text. Whether all of it was.
 */
static bool make_printable(char *text)
{
	bool was = true;

	for (; *text; text++)
		if (*text < ' ' || *text > '~') {
			*text = '?';
			was = false;
		}
	return was;
}

/* another command than what was meant is none */
static const char *printable_command(const char *command, char *copy)
{
	if (!command)
		return NULL;
	snprintf(copy, COMMAND_MAX, "%s", command);
	return make_printable(copy) ? command : NULL;
}

__attribute__((format(printf, 6, 0)))
static void add(struct doctor *d, const char *id, const char *check, enum severity severity,
		const char *command, const char *format, va_list values)
{
	__cleanup_free char *cause = NULL;
	char copy[COMMAND_MAX];

	if (vasprintf(&cause, format, values) < 0)
		cause = NULL;
	else
		make_printable(cause);
	if (severity > d->worst)
		d->worst = severity;
	/* one that is lost would look as if all were fine */
	if (json_array_append_new(d->findings,
				  json_pack("{ss? ss ss ss ss?}", "id", id, "check", check,
					    "severity", doctor_severities[severity],
					    "cause", cause, "command",
					    printable_command(command, copy))))
		d->lost = true;
}

void finding(struct doctor *d, enum finding_id id, const char *command, const char *format, ...)
{
	const struct finding_kind *kind = &doctor_findings[id];
	va_list values;

	va_start(values, format);
	add(d, kind->id, kind->check, kind->severity, command, format, values);
	va_end(values);
}

void fine(struct doctor *d, const char *check, const char *format, ...)
{
	va_list values;

	va_start(values, format);
	add(d, NULL, check, FINE, NULL, format, values);
	va_end(values);
}

static const char *text_of(const json_t *f, const char *name)
{
	return json_string_value(json_object_get(f, name));
}

static int print_text(const struct doctor *d)
{
	size_t index;
	json_t *f;

	json_array_foreach(d->findings, index, f) {
		const char *id = text_of(f, "id"), *command = text_of(f, "command");

		printf("%-8s %-22s %s\n", text_of(f, "severity"), id ? id : text_of(f, "check"),
		       text_of(f, "cause"));
		if (command)
			printf("%-31s run: %s\n", "", command);
	}
	return flush_output();
}

static int print_json(const struct doctor *d)
{
	return output_json(NULL, json_pack("{ss ss ss sO}", "kernel", d->release,
					   "platform", tee_name(d->tee),
					   "worst", doctor_severities[d->worst],
					   "findings", d->findings));
}

static int list(bool json)
{
	json_t *all = json_array();

	for (size_t i = 0; i < FINDINGS; i++) {
		const struct finding_kind *kind = &doctor_findings[i];
		const char *severity = doctor_severities[kind->severity];

		if (!json)
			printf("%-8s %-22s %s\n%-31s %s\n", severity, kind->id, kind->means, "",
			       kind->remedy);
		json_array_append_new(all, json_pack("{ss ss ss ss ss}", "id", kind->id,
						     "check", kind->check, "severity", severity,
						     "means", kind->means,
						     "remedy", kind->remedy));
	}
	if (json)
		return output_json(NULL, json_pack("{so}", "findings", all));
	json_decref(all);
	return flush_output();
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
	struct doctor d = { .root = args->option[ROOT] ? args->option[ROOT] : "",
			    .tpm = args->option[TPM], .imds = args->option[IMDS_URL] };
	int rc;

	if (args->option[LIST])
		return list(args->option[JSON]);
	rc = read_kernel(&d);
	if (rc)
		return rc;
	d.findings = json_array();
	if (!d.findings)
		return fail(EXIT_FAILED, "out of memory");
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](&d);
	if (d.lost)
		rc = fail(EXIT_FAILED, "out of memory: not all that was found can be told");
	else
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
