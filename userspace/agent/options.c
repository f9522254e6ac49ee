// SPDX-License-Identifier: MIT
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"

static const char help[] =
	"usage: cvm-agent [OPTIONS]\n\n"
	"serve evidence of this confidential VM over HTTP on UNIX sockets\n\n"
	"Options:\n"
	"  --listen PATH|ADDR:PORT  a socket, beside those of systemd; TCP on loopback alone\n"
	"  --label NAME             proofs speak for this label (scope label:NAME)\n"
	"  --direct                 give direct evidence, too: every caller chooses REPORT_DATA\n"
	"  --backend cvm|tsm|native|vtpm[:TCTI]|sim[:SOCKET]\n"
	"                           where evidence comes from (default: the first that is there)\n"
	"  --certs FILE             certificates that go along where the host gives none\n"
	"  --event-log[=FILE]       Azure: with what was measured into PCRs, which names files and\n"
	"                           command lines: what the kernel has, or FILE\n"
	"  --imds-url URL           Azure: the host's service for quotes\n"
	"  --user NAME              whom to become (cvm-agent)\n"
	"  --idle SECONDS           end when nobody was connected for so long\n"
	"  --log-requests           a line for each request\n"
	"  --no-seccomp             without the filter of system calls, for debuggers\n"
	"  --help, --version\n";

enum {
	LISTEN = 256, LABEL, DIRECT, BACKEND, CERTS, EVENT_LOG, IMDS_URL, USER, IDLE,
	LOG_REQUESTS, NO_SECCOMP, HELP, VERSION,
};

static const struct option list[] = {
	{ "listen", required_argument, NULL, LISTEN },
	{ "label", required_argument, NULL, LABEL },
	{ "direct", no_argument, NULL, DIRECT },
	{ "backend", required_argument, NULL, BACKEND },
	{ "certs", required_argument, NULL, CERTS },
	{ "event-log", optional_argument, NULL, EVENT_LOG },
	{ "imds-url", required_argument, NULL, IMDS_URL },
	{ "user", required_argument, NULL, USER },
	{ "idle", required_argument, NULL, IDLE },
	{ "log-requests", no_argument, NULL, LOG_REQUESTS },
	{ "no-seccomp", no_argument, NULL, NO_SECCOMP },
	{ "help", no_argument, NULL, HELP },
	{ "version", no_argument, NULL, VERSION },
	{ 0 }
};

/* as cvmctl's */
#define EXIT_USAGE	2
#define MAX_IDLE_S	86400

static int usage(const char *what, const char *why)
{
	fprintf(stderr, "cvm-agent: %s%s; see --help\n", what, why);
	return EXIT_USAGE;
}

static int take_idle(struct agent_options *options, const char *value)
{
	char *end;
	unsigned long seconds = strtoul(value, &end, 10);

	if (!*value || *end || *value == '-' || seconds > MAX_IDLE_S)
		return usage(value, ": --idle takes a number of seconds up to a day");
	options->idle_s = (uint32_t)seconds;
	return 0;
}

static int take_listen(struct agent_options *options, const char *value)
{
	if (options->listen_count == AGENT_MAX_LISTENERS)
		return usage(value, ": one --listen too many");
	options->listen[options->listen_count++] = value;
	return 0;
}

static int take(struct agent_options *options, int option, const char *value)
{
	switch (option) {
	case LISTEN:		return take_listen(options, value);
	case LABEL:		options->label = value; break;
	case DIRECT:		options->direct = true; break;
	case BACKEND:		options->backend = value; break;
	case CERTS:		options->certs = value; break;
	case EVENT_LOG:		options->event_log = true; options->log_file = value; break;
	case IMDS_URL:		options->imds = value; break;
	case USER:		options->user = value; break;
	case IDLE:		return take_idle(options, value);
	case LOG_REQUESTS:	options->log_requests = true; break;
	case NO_SECCOMP:	options->no_seccomp = true; break;
	}
	return 0;
}

/* The driver takes any bytes, but no JSON says them. */
static bool is_text(const char *label)
{
	json_t *json = json_string(label);

	json_decref(json);
	return json && *label;
}

int agent_options_parse(struct agent_options *options, int argc, char **argv, int *status)
{
	int option;

	*options = (struct agent_options){ .user = "cvm-agent" };
	opterr = 0;
	*status = 0;
	while ((option = getopt_long(argc, argv, ":", list, NULL)) != -1) {
		if (option == HELP || option == VERSION) {
			printf("%s", option == HELP ? help : "cvm-agent " CVM_VERSION "\n");
			return -ECANCELED;
		}
		*status = option == ':' ? usage(argv[optind - 1], " needs an argument") :
			  option == '?' ? usage(argv[optind - 1], " is no option here") :
			  take(options, option, optarg);
		if (*status)
			return -EINVAL;
	}
	if (optind < argc)
		*status = usage(argv[optind], " is an operand, and there are none");
	else if (options->label && !is_text(options->label))
		*status = usage("--label", ": a name is expected, in UTF-8");
	return *status ? -EINVAL : 0;
}
