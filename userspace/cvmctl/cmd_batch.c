// SPDX-License-Identifier: MIT
/* cvmctl batch: evidence that many nonces share, each with a proof of its own. */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "batch_output.h"
#include "common/util.h"
#include "evidence.h"

/* lines of hexadecimal for as many as share evidence at most, with room to spare */
#define MAX_LINES	65536
#define MAX_TEXT	(16U << 20)
#define RESERVED_TAG	"CVMGBAT"

enum { USER_DATA, PAD, INPUT, OUT, JSONL, CERTS, LABEL, BACKEND, TIMEOUT };

static const struct option_spec options[] = {
	[USER_DATA]	= { "user-data", "HEX|@FILE", "the 64 bytes that the proof is about, in hexadecimal or the\nraw bytes of a file" },
	[PAD]		= { "pad", NULL, "fill shorter user data with zeros" },
	[INPUT]		= { "input", "FILE", "many of them, in hexadecimal, one a line; -: the standard\ninput" },
	[OUT]		= { "out", "DIR", "write files to this directory, which is made or empty" },
	[JSONL]		= { "jsonl", NULL, "print a JSON object a line, in the order of the input" },
	[CERTS]		= { "certs", NULL, "SNP: ask for the host's certificate table too" },
	[LABEL]		= { "label", "NAME", "the proofs speak for the workload of this name; only root\nmay say so, and only with the cvm-guest driver" },
	[BACKEND]	= { "backend", ARG_BACKEND, HELP_BACKEND },
	[TIMEOUT]	= { "timeout", "MS", HELP_TIMEOUT },
	{ 0 }
};

static void free_nonces(struct nonces *nonces)
{
	for (size_t i = 0; i < nonces->count; i++)
		cvm_evidence_free(nonces->request[i].evidence);
	free(nonces->request);
}

static struct cvm_batch_request *add(struct nonces *nonces)
{
	struct cvm_batch_request *request = &nonces->request[nonces->count++];

	request->size = sizeof(*request);
	return request;
}

static int parse_line(const char *path, size_t number, const char *line, bool pad,
		      struct cvm_batch_request *request)
{
	size_t size = sizeof(request->user_data), len, where;
	int rc = cvm_hex_decode(line, request->user_data, size, &len, &where);

	if (rc == -EINVAL && line[where])
		return fail(EXIT_USAGE, "%s: line %zu: character %zu ('%c') is no hexadecimal digit",
			    path, number, where + 1, line[where]);
	if (rc == -EINVAL)
		return fail(EXIT_USAGE, "%s: line %zu: %zu hexadecimal digits, an odd number", path,
			    number, where);
	if (!len || len > size || (len < size && !pad))
		return fail(EXIT_USAGE, "%s: line %zu: %zu bytes, %zu are expected", path, number,
			    len, size);
	if (!memcmp(request->user_data, RESERVED_TAG, strlen(RESERVED_TAG)))
		return fail(EXIT_USAGE, "%s: line %zu: user data must not begin with \"%s\", which is reserved",
			    path, number, RESERVED_TAG);
	return 0;
}

static int parse_lines(const char *path, char *text, size_t len, bool pad, struct nonces *nonces)
{
	size_t number = 0;
	char *line;

	if (strlen(text) != len)
		return fail(EXIT_USAGE, "%s: not a text of hexadecimal lines", path);
	while ((line = strsep(&text, "\n"))) {
		int rc;

		number++;
		/* behind the last newline there is no line */
		if (!text && !*line)
			break;
		if (number > MAX_LINES)
			return fail(EXIT_USAGE, "%s: more than %u lines", path, MAX_LINES);
		line[strcspn(line, "\r")] = '\0';
		rc = parse_line(path, number, line, pad, add(nonces));
		if (rc)
			return rc;
	}
	return nonces->count ? 0 : fail(EXIT_USAGE, "%s: empty", path);
}

static int read_input(const char *path, bool pad, struct nonces *nonces)
{
	__cleanup_free char *text = NULL;
	size_t len, lines = 1;
	int rc;

	if (!strcmp(path, "-"))
		rc = cvm_read_fd(STDIN_FILENO, MAX_TEXT, (void **)&text, &len);
	else
		rc = cvm_read_file(path, MAX_TEXT, (void **)&text, &len);
	if (rc == -EFBIG)
		return fail(EXIT_FAILED, "%s: longer than %u bytes; ask in several parts", path,
			    MAX_TEXT);
	if (rc)
		return fail(EXIT_FAILED, "%s: cannot be read: %s", path, strerror(-rc));
	for (size_t i = 0; i < len; i++)
		lines += text[i] == '\n';
	lines = lines < MAX_LINES ? lines : MAX_LINES;
	nonces->request = calloc(lines, sizeof(*nonces->request));
	if (!nonces->request)
		return fail(EXIT_FAILED, "out of memory");
	return parse_lines(path, text, len, pad, nonces);
}

static int read_nonces(const struct arguments *args, struct nonces *nonces)
{
	const char *value = args->option[USER_DATA], *input = args->option[INPUT];

	if (!value == !input)
		return usage_error("one of --user-data and --input is needed");
	if (input)
		return read_input(input, args->option[PAD], nonces);
	nonces->request = calloc(1, sizeof(*nonces->request));
	if (!nonces->request)
		return fail(EXIT_FAILED, "out of memory");
	return parse_bytes("user-data", value, add(nonces)->user_data, CVM_USER_DATA_LEN,
			   args->option[PAD]);
}

static int ask(const struct arguments *args, struct nonces *nonces,
	       const struct cvm_batch_opts *opts)
{
	__cleanup_ctx struct cvm_ctx *ctx = NULL;
	const char *label = args->option[LABEL];
	struct cvm_error error;
	long done;
	int rc = open_source(args->option[BACKEND], &ctx);

	if (rc)
		return rc;
	if (label)
		rc = cvm_set_label(ctx, label, strlen(label), &error);
	if (rc)
		return fail_library(rc, &error);
	done = cvm_batch(ctx, nonces->request, nonces->count, opts, &error);
	if (done < 0)
		return fail_library((int)done, &error);
	for (size_t i = 0; i < nonces->count; i++)
		if (nonces->request[i].result)
			return fail_library(nonces->request[i].result, &error);
	return 0;
}

static int run(const struct arguments *args)
{
	__cleanup(free_nonces) struct nonces nonces = { 0 };
	struct cvm_batch_opts opts = { .size = sizeof(opts) };
	const char *timeout = args->option[TIMEOUT], *out = args->option[OUT];
	int rc = 0;

	if (!out == !args->option[JSONL])
		return usage_error("one of --out DIR and --jsonl is needed");
	if (timeout)
		rc = parse_number("timeout", timeout, INT_MAX, &opts.timeout_ms);
	if (args->option[CERTS])
		opts.flags |= CVM_REQUEST_CERTS;
	if (!rc)
		rc = read_nonces(args, &nonces);
	if (!rc && out)
		rc = make_directory(out);
	if (!rc)
		rc = ask(args, &nonces, &opts);
	if (rc)
		return rc;
	return out ? write_directory(out, &nonces) : write_jsonl(&nonces);
}

const struct command cmd_batch = {
	.name = "batch",
	.summary = "get evidence that many nonces share, with a proof for each",
	.options = options,
	.run = run,
};
