// SPDX-License-Identifier: MIT
/*
 * Part of the build: manual pages and bash completion, from the tables of cvmctl.
 *   generate page [NAME] <PROSE >PAGE     cvmctl(1), or cvmctl-NAME(1)
 *   generate completion <FRAME >SCRIPT
 *   generate findings                     doctor's table, for README.md
 * PROSE is man(7) source: what belongs to DESCRIPTION, then, behind an .SH, further
 * sections. OPTIONS goes between the two; a line @FINDINGS@ becomes doctor's table.
 * In FRAME the lines @COMMANDS@, @OPTIONS@ and @ARGUMENTS@ become the bodies of
 * case statements, or words.
 */
#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cvmctl/cvmctl.h"
#include "cvmctl/doctor.h"

#define LINE_SIZE	4096

/* what files of the library and of cvmctl want and main() would have */
const char *command_name;

static const struct command *find_command(const char *name)
{
	for (size_t i = 0; commands[i]; i++)
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	fprintf(stderr, "generate: '%s' is no command\n", name);
	exit(1);
}

/* ---- manual pages */

/* @text, of which nothing is a request or an escape; two dashes are options' */
static void print_escaped(const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (!i && (text[i] == '.' || text[i] == '\''))
			printf("\\&");
		if (text[i] == '\\')
			printf("\\e");
		else if (text[i] == '-' && (text[i + 1] == '-' || (i && text[i - 1] == '-')))
			printf("\\-");
		else
			putchar(text[i]);
	}
}

static void print_dashed(const char *name)
{
	for (; *name; name++)
		printf(*name == '-' ? "\\-" : "%c", *name);
}

/* does @text begin with one of the words of @arg, which are to be typed as they are? */
static bool begins_with_choice(const char *text, const char *arg)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyz");
	const char *at = arg ? strchr(arg, '|') : NULL;

	for (at = at ? arg : NULL; at; at = strchr(at, '|'), at += !!at)
		if (!strncmp(at, text, len) && !islower((unsigned char)at[len]))
			return true;
	return false;
}

/* help as sentences: a capital first, a period last, lines as in the table */
static void print_help(const char *help, const char *arg)
{
	size_t len = strlen(help);

	putchar(begins_with_choice(help, arg) ? *help : toupper((unsigned char)*help));
	for (const char *line = help + 1, *end; line <= help + len; line = end + 1) {
		end = strchr(line, '\n');
		if (!end)
			end = help + len;
		print_escaped(line, (size_t)(end - line));
		if (end < help + len)
			putchar('\n');
	}
	printf("%s\n", len && strchr(".:;", help[len - 1]) ? "" : ".");
}

static void print_options(const struct command *command)
{
	const struct option_spec *option = command->options;

	printf(".SH OPTIONS\n");
	for (; option && option->name; option++) {
		printf(".TP\n.B \\-\\-");
		print_dashed(option->name);
		if (option->arg) {
			printf(" \\fI");
			print_dashed(option->arg);
			printf("\\fR");
		}
		putchar('\n');
		print_help(option->help, option->arg);
	}
	printf(".TP\n.B \\-\\-help\nPrint the usage and the options.\n");
}

static void print_commands(const struct command *none)
{
	printf(".SH COMMANDS\n");
	for (size_t i = 0; commands[i]; i++) {
		printf(".TP\n.BR cvmctl\\-%s (1)\n", commands[i]->name);
		print_help(commands[i]->summary, NULL);
	}
}

static void print_findings(void)
{
	for (size_t i = 0; i < FINDINGS; i++) {
		const struct finding_kind *kind = &doctor_findings[i];

		printf(".TP\n.BR ");
		print_dashed(kind->id);
		printf(" \" (%s)\"\n", doctor_severities[kind->severity]);
		print_escaped(kind->means, strlen(kind->means));
		putchar('\n');
		print_escaped(kind->remedy, strlen(kind->remedy));
		putchar('\n');
	}
}

static void print_head(const struct command *command)
{
	char title[64];
	size_t len = (size_t)snprintf(title, sizeof(title), "cvmctl%s%s", command ? "\\-" : "",
				      command ? command->name : "");

	printf(".\\\" SPDX-License-Identifier: MIT\n.TH ");
	for (size_t i = 0; i < len; i++)
		putchar(toupper((unsigned char)title[i]));
	printf(" 1 \"%s\" \"cvm\\-guest %s\" \"User Commands\"\n.SH NAME\n%s \\- ", CVM_DATE,
	       CVM_VERSION, title);
	if (command)
		print_escaped(command->summary, strlen(command->summary));
	else
		printf("attestation evidence inside a confidential VM");
	printf("\n.SH SYNOPSIS\n");
	if (!command) {
		printf(".B cvmctl\n.I COMMAND\n.RI [ OPTIONS ]\n.br\n.B cvmctl\n.I COMMAND\n"
		       ".B \\-\\-help\n.br\n.B cvmctl \\-\\-version\n");
		return;
	}
	printf(".B cvmctl %s\n", command->name);
	if (command->options)
		printf(".RI [ OPTIONS ]\n");
	if (command->operands)
		printf(".I \"%s\"\n", command->operands);
}

/* what every page ends with, unless the prose has said more */
static void print_exit_status(const struct command *command)
{
	if (command)
		printf(".SH EXIT STATUS\nAs of every command: 0 done, 1 failed, 2 wrong usage,"
		       "\n3 evidence does not verify, 4 not supported on this machine.\n");
}

/* @command: NULL: of all of them */
static void print_page(const struct command *command)
{
	void (*const options)(const struct command *) = command ? print_options : print_commands;
	bool section = false, see_also = false;
	char line[LINE_SIZE];

	print_head(command);
	printf(".SH DESCRIPTION\n");
	while (fgets(line, sizeof(line), stdin)) {
		/* the licence, which the head has said */
		if (!strncmp(line, ".\\\"", 3))
			continue;
		if (!section && !strncmp(line, ".SH ", 4)) {
			options(command);
			section = true;
		}
		if (!strcmp(line, ".SH SEE ALSO\n")) {
			print_exit_status(command);
			see_also = true;
		}
		if (!strcmp(line, "@FINDINGS@\n"))
			print_findings();
		else
			fputs(line, stdout);
	}
	if (!section)
		options(command);
	if (!see_also) {
		print_exit_status(command);
		printf(".SH SEE ALSO\n.BR cvmctl (1)\n");
	}
}

/* ---- completion */

/* "a|b|c" or "a | b | c", in small letters or digits: something to choose from */
static bool is_choice(const char *arg)
{
	return strchr(arg, '|') && !strchr(arg, '@') &&
	       (islower((unsigned char)*arg) || isdigit((unsigned char)*arg));
}

/* the words of it: what is in brackets or in capitals is the user's to add */
static void print_choice(const char *arg)
{
	bool skip = false;

	for (; *arg; arg++) {
		if (*arg == '|')
			skip = false, putchar(' ');
		else if (*arg == '[' || isupper((unsigned char)*arg))
			skip = true;
		else if (!skip && *arg != ' ')
			putchar(*arg);
	}
}

/*
 * words, or -f for files, -d for directories, @f for files behind an @, ? for what
 * only the user knows
 */
static void print_argument(const char *arg)
{
	if (is_choice(arg))
		print_choice(arg);
	else
		printf("%s", strstr(arg, "@FILE") ? "@f" : strstr(arg, "FILE") ? "-f" :
			     !strcmp(arg, "DIR") ? "-d" : "?");
}

static void complete_options(void)
{
	for (size_t i = 0; commands[i]; i++) {
		const struct option_spec *option = commands[i]->options;

		printf("\t%s) echo '", commands[i]->name);
		for (; option && option->name; option++)
			printf("--%s ", option->name);
		printf("--help' ;;\n");
	}
}

/* of an option "command:--option", of operands "command:", behind a word "command:+" */
static void complete_arguments(void)
{
	for (size_t i = 0; commands[i]; i++) {
		const struct option_spec *option = commands[i]->options;
		const char *operands = commands[i]->operands;

		for (; option && option->name; option++) {
			if (!option->arg)
				continue;
			printf("\t%s:--%s) echo '", commands[i]->name, option->name);
			print_argument(option->arg);
			printf("' ;;\n");
		}
		if (operands) {
			printf("\t%s:) echo '", commands[i]->name);
			if (is_choice(operands))
				print_choice(operands);
			else
				printf("-f");
			printf("' ;;\n");
			if (is_choice(operands) && commands[i]->max_operands > 1)
				printf("\t%s:+) echo '-f' ;;\n", commands[i]->name);
		}
	}
}

static void print_completion(void)
{
	char line[LINE_SIZE];

	while (fgets(line, sizeof(line), stdin)) {
		if (!strcmp(line, "@OPTIONS@\n")) {
			complete_options();
		} else if (!strcmp(line, "@ARGUMENTS@\n")) {
			complete_arguments();
		} else if (!strcmp(line, "@COMMANDS@\n")) {
			for (size_t i = 0; commands[i]; i++)
				printf("\t%s\n", commands[i]->name);
		} else {
			fputs(line, stdout);
		}
	}
}

/* ---- README */

static void print_table(void)
{
	printf("| what doctor calls it | | what it means | what to do |\n|---|---|---|---|\n");
	for (size_t i = 0; i < FINDINGS; i++) {
		const struct finding_kind *kind = &doctor_findings[i];

		printf("| `%s` | %s | %s | %s |\n", kind->id, doctor_severities[kind->severity],
		       kind->means, kind->remedy);
	}
}

int main(int argc, char **argv)
{
	if (argc >= 2 && argc <= 3 && !strcmp(argv[1], "page"))
		print_page(argc == 3 ? find_command(argv[2]) : NULL);
	else if (argc == 2 && !strcmp(argv[1], "completion"))
		print_completion();
	else if (argc == 2 && !strcmp(argv[1], "findings"))
		print_table();
	else
		return fprintf(stderr, "usage: generate page [NAME] | completion | findings\n"), 2;
	return fflush(stdout) || ferror(stdout) ? 1 : 0;
}
