// SPDX-License-Identifier: MIT
/* cvmctl: command lines, and their help. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cvmctl.h"

const char *command_name;

static void print_help(const struct command *command)
{
	const struct option_spec *option = command->options;
	bool takes_options = option && option->name;

	printf("usage: cvmctl %s%s%s%s\n\n%s\n", command->name, takes_options ? " [OPTIONS]" : "",
	       command->operands ? " " : "", command->operands ? command->operands : "",
	       command->summary);
	printf("\nOptions:\n");
	for (; option && option->name; option++) {
		const char *arg = option->arg ? option->arg : "", *line = option->help;
		int used = printf("  --%s%s%s", option->name, *arg ? " " : "", arg);

		/* the help stands in a column of its own, below what is too long */
		if (used > 28)
			printf("\n%29s", "");
		else
			printf("%*s", 29 - used, "");
		for (const char *end; (end = strchr(line, '\n')); line = end + 1)
			printf("%.*s\n%29s", (int)(end - line), line, "");
		printf("%s\n", line);
	}
	printf("  %-26s this text\n", "--help");
}

static int print_commands(FILE *stream)
{
	fprintf(stream, "usage: cvmctl COMMAND [OPTIONS]\n\nCommands:\n");
	for (size_t i = 0; commands[i]; i++)
		fprintf(stream, "  %-10s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(stream, "\ncvmctl COMMAND --help shows the options of a command, cvmctl --version the version.\n"
		"Exit status: 0 done, 1 failed, 2 wrong usage, 3 evidence does not verify,\n"
		"4 not supported on this machine.\n");
	return stream == stdout ? EXIT_DONE : EXIT_USAGE;
}

/* getopt's own list, made from ours: the value of an option is its position */
static size_t long_options(const struct command *command, struct option *list)
{
	const struct option_spec *spec = command->options;
	size_t count = 0;

	for (; spec && spec->name; spec++, count++)
		list[count] = (struct option) {
			.name = spec->name,
			.has_arg = spec->arg ? required_argument : no_argument,
			.val = (int)count,
		};
	list[count] = (struct option) { .name = "help", .val = (int)count };
	list[count + 1] = (struct option) { 0 };
	return count;
}

static int parse_operands(const struct command *command, struct arguments *args, int argc,
			  char **argv)
{
	if (argc > command->max_operands)
		return usage_error("'%s' is one operand too many", argv[command->max_operands]);
	if (argc < command->min_operands)
		return usage_error("%s is missing", command->operands);
	for (int i = 0; i < argc; i++)
		args->operand[i] = argv[i];
	return 0;
}

static int take_option(const struct command *command, struct arguments *args, int chosen,
		       const char *value)
{
	const struct option_spec *option = &command->options[chosen];

	if (args->option[chosen] && !option->many)
		return usage_error("--%s is given twice", option->name);
	if (args->given_count == MAX_GIVEN)
		return usage_error("more than %d options", MAX_GIVEN);
	args->option[chosen] = value;
	args->given[args->given_count].option = chosen;
	args->given[args->given_count++].value = value;
	return 0;
}

static int run_command(const struct command *command, int argc, char **argv)
{
	struct option list[MAX_OPTIONS + 1];
	struct arguments args = { 0 };
	size_t help = long_options(command, list);
	int chosen, rc;

	command_name = command->name;
	opterr = 0;
	while ((chosen = getopt_long(argc, argv, ":", list, NULL)) != -1) {
		if (chosen == ':')
			return usage_error("%s needs an argument", argv[optind - 1]);
		if (chosen == '?')
			return usage_error("%s is no option here", argv[optind - 1]);
		if ((size_t)chosen == help) {
			print_help(command);
			return EXIT_DONE;
		}
		rc = take_option(command, &args, chosen, optarg ? optarg : "");
		if (rc)
			return rc;
	}
	rc = parse_operands(command, &args, argc - optind, argv + optind);
	return rc ? rc : command->run(&args);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return print_commands(stderr);
	/* what tpm2-tss has to say is in what the library returns */
	setenv("TSS2_LOG", "all+none", 0);
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "help"))
		return print_commands(stdout);
	if (!strcmp(argv[1], "--version")) {
		printf("cvmctl %s\n", CVM_VERSION);
		return EXIT_DONE;
	}
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(argv[1], commands[i]->name))
			return run_command(commands[i], argc - 1, argv + 1);
	return usage_error("'%s' is no command", argv[1]);
}
