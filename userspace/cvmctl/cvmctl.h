/* SPDX-License-Identifier: MIT */
/*
 * What the subcommands of cvmctl share.
 *
 * A subcommand NAME is one file cmd_NAME.c that defines one struct command,
 * declared below and listed in the table of commands.c. Options, their parsing,
 * --help, the manual's SYNOPSIS and OPTIONS and bash completion all come from that
 * struct (man/generate.c), so no option can be undocumented: a new one is a row in
 * its table, and nothing else. What the manual says in sentences is in
 * man/cvmctl-NAME.man, which a new subcommand needs as well.
 */
#ifndef CVMCTL_H
#define CVMCTL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cvmguest.h"

/* the same words in each table that has them */
#define ARG_BACKEND	"cvm|tsm|native|vtpm[:TCTI]|sim[:SOCKET]"
#define ARG_SCOPE	"privileged|unprivileged|label:NAME|any"

#define MAX_OPTIONS	24
#define MAX_OPERANDS	4
#define MAX_GIVEN	64

/* no file that a user names may cost more memory */
#define MAX_INPUT_FILE	(4U << 20)

/* exit status; scripts depend on it */
enum {
	EXIT_DONE		= 0,
	EXIT_FAILED		= 1,
	EXIT_USAGE		= 2,
	EXIT_NOT_VERIFIED	= 3,
	EXIT_NOT_SUPPORTED	= 4,
};

/**
 * struct option_spec - an option of a subcommand
 * @name: without the dashes; NULL ends the list
 * @arg: what its argument is called in the help; NULL: it takes none. Completion
 *	goes by it: FILE, DIR and @FILE are names of such, words in small letters
 *	with | between them are words to choose from ("label:NAME": what is before
 *	the capitals); anything else is the user's to know
 * @help: what it does; a newline continues below
 * @many: it may be given more than once
 */
struct option_spec {
	const char *name;
	const char *arg;
	const char *help;
	bool many;
};

/**
 * struct arguments - a command line, parsed
 * @option: by the position of the option in its list: NULL where it was not
 *	given, else its argument ("" for an option without), the last one
 * @given: the options in the order of the command line, each with its position
 *	in the list and its argument; what an option of which there may be many
 *	is read from
 * @given_count: how many
 * @operand: what is not an option, in order; NULL behind the last
 */
struct arguments {
	const char *option[MAX_OPTIONS];
	struct {
		int option;
		const char *value;
	} given[MAX_GIVEN];
	size_t given_count;
	const char *operand[MAX_OPERANDS + 1];
};

/**
 * struct command - a subcommand
 * @name: what the user types
 * @summary: one line
 * @operands: the operands as the help shows them; NULL: it takes none. Completed as
 *	an option's argument is, where it is words, else names of files
 * @min_operands: how many must be given
 * @max_operands: how many may be given, at most MAX_OPERANDS
 * @options: at most MAX_OPTIONS - 1 of them, besides --help; NULL: none
 * @run: does it; returns the exit status
 */
struct command {
	const char *name;
	const char *summary;
	const char *operands;
	int min_operands;
	int max_operands;
	const struct option_spec *options;
	int (*run)(const struct arguments *args);
};

/* commands.c: all of them; NULL is behind the last */
extern const struct command *const commands[];

extern const struct command cmd_batch, cmd_bench, cmd_certs, cmd_disk, cmd_doctor, cmd_evidence,
			    cmd_expect, cmd_key, cmd_module, cmd_policy, cmd_quote, cmd_report,
			    cmd_rtmr, cmd_selftest, cmd_show, cmd_skr, cmd_status, cmd_verify;

/* cvmctl.c: the subcommand that runs, for messages; NULL before there is one */
extern const char *command_name;

/* message.c: 'cvmctl NAME: ...' on stderr, one line, no newline in @format */

/* Returns @status, which is one of EXIT_*. */
int fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* What is worth knowing and no failure */
void note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Says how to get help as well; returns EXIT_USAGE. */
int usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A failed call of the library: @rc is its result. Returns the exit status. */
int fail_library(int rc, const struct cvm_error *error);

/* files.c: 0 or an exit status; what went wrong has been said */

/* @data is the caller's to free; one zero byte is behind its @len bytes. */
int input_file(const char *path, void **data, size_t *len);

/* @path: NULL or "-" is the standard output, which must not be a terminal. */
int output_binary(const char *path, const void *data, size_t len);

/* As output_binary(), for nobody but the owner to read. */
int output_secret(const char *path, const void *data, size_t len);

/* As output_binary(), but a terminal is welcome. */
int output_text(const char *path, const char *text);

/* What was printed has arrived, or that it has not is said. */
int flush_output(void);

/* Takes over @json. */
int output_json(const char *path, json_t *json);

/**
 * parse_bytes() - the value of an option that is HEX or @FILE (its raw bytes)
 * @option: its name, for messages
 * @value: what the user gave
 * @out: where the bytes go
 * @size: how many are wanted
 * @pad: fewer than @size are filled up with zero bytes; else they are an error
 *
 * Return: 0 or an exit status; what went wrong has been said.
 */
int parse_bytes(const char *option, const char *value, void *out, size_t size, bool pad);

/* cmd_expect.c: as input_file(), for a proof that may be base64url text */
int input_proof(const char *path, void **data, size_t *len);

/* A decimal number from 0 to @max. As parse_bytes(). */
int parse_number(const char *option, const char *value, uint32_t max, uint32_t *number);

/* evidence.c */

/* Open the source that --backend names (@backend: NULL: the best one). */
int open_source(const char *backend, struct cvm_ctx **ctx);

/* @imds: URL of Azure's host's service, or NULL for the usual one */
int open_source_at(const char *backend, const char *imds, struct cvm_ctx **ctx);

/* "snp", "tdx" or "none" */
const char *tee_name(uint32_t tee);

#endif /* CVMCTL_H */
