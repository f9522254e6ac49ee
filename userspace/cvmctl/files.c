// SPDX-License-Identifier: MIT
/* Files and values that the user names, with the messages about them. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "cvmctl.h"

int input_file(const char *path, void **data, size_t *len)
{
	int rc;

	if (!strcmp(path, "-"))
		rc = cvm_read_fd(STDIN_FILENO, MAX_INPUT_FILE, data, len);
	else
		rc = cvm_read_file(path, MAX_INPUT_FILE, data, len);
	if (rc == -EFBIG)
		return fail(EXIT_FAILED, "%s: longer than %u bytes, so it is no evidence", path,
			    MAX_INPUT_FILE);
	if (rc)
		return fail(EXIT_FAILED, "%s: cannot be read: %s", path, strerror(-rc));
	return 0;
}

static int output(const char *path, const void *data, size_t len, mode_t mode)
{
	bool to_stdout = !path || !strcmp(path, "-");
	int rc;

	if (to_stdout)
		rc = cvm_write_fd(STDOUT_FILENO, data, len);
	else
		rc = cvm_write_file(path, data, len, mode);
	if (rc)
		return fail(EXIT_FAILED, "%s: cannot be written: %s",
			    to_stdout ? "standard output" : path, strerror(-rc));
	return 0;
}

int output_binary(const char *path, const void *data, size_t len)
{
	if ((!path || !strcmp(path, "-")) && isatty(STDOUT_FILENO))
		return fail(EXIT_USAGE, "binary evidence is not for a terminal: use --out FILE or redirect it");
	return output(path, data, len, 0666);
}

int output_secret(const char *path, const void *data, size_t len)
{
	if (!strcmp(path, "-") && isatty(STDOUT_FILENO))
		return fail(EXIT_USAGE, "a key is not for a terminal: use --out FILE or redirect it");
	return output(path, data, len, 0600);
}

int output_text(const char *path, const char *text)
{
	return output(path, text, strlen(text), 0666);
}

int flush_output(void)
{
	return fflush(stdout) || ferror(stdout) ?
		fail(EXIT_FAILED, "standard output: cannot be written: %s", strerror(errno)) :
		EXIT_DONE;
}

int output_json(const char *path, json_t *json)
{
	/* what the host wrote must not steer a terminal */
	const size_t flags = JSON_INDENT(2) | JSON_ENSURE_ASCII;
	__cleanup_free char *text = json ? json_dumps(json, flags) : NULL;
	__cleanup_free char *line = NULL;

	json_decref(json);
	if (!text || asprintf(&line, "%s\n", text) < 0)
		return fail(EXIT_FAILED, "out of memory");
	return output_text(path, line);
}

static int bytes_from_hex(const char *option, const char *value, void *out, size_t size,
			  size_t *len)
{
	size_t where;
	int rc = cvm_hex_decode(value, out, size, len, &where);

	if (rc == -EINVAL && value[where])
		return usage_error("--%s: character %zu ('%c') is no hexadecimal digit", option,
				   where + 1, value[where]);
	if (rc == -EINVAL)
		return usage_error("--%s: %zu hexadecimal digits, an odd number", option, where);
	return 0;
}

static int bytes_from_file(const char *path, void *out, size_t size, size_t *len)
{
	__cleanup_free void *data = NULL;
	int rc = input_file(path, &data, len);

	if (!rc && *len <= size)
		memcpy(out, data, *len);
	return rc;
}

int parse_bytes(const char *option, const char *value, void *out, size_t size, bool pad)
{
	size_t len = 0;
	int rc;

	memset(out, 0, size);
	if (value[0] == '@')
		rc = bytes_from_file(value + 1, out, size, &len);
	else
		rc = bytes_from_hex(option, value, out, size, &len);
	if (rc)
		return rc;
	if (len > size)
		return usage_error("--%s: %zu bytes are too many, %zu are expected", option, len, size);
	if (len < size && !pad)
		return usage_error("--%s: %zu bytes, %zu are expected", option, len, size);
	return 0;
}

int parse_number(const char *option, const char *value, uint32_t max, uint32_t *number)
{
	uint64_t sum = 0;

	for (const char *p = value; *p; p++) {
		if (*p < '0' || *p > '9')
			return usage_error("--%s: '%s' is no number", option, value);
		sum = sum * 10 + (uint64_t)(*p - '0');
		if (sum > max)
			break;
	}
	if (!*value || sum > max)
		return usage_error("--%s: '%s' is not a number from 0 to %u", option, value, max);
	*number = (uint32_t)sum;
	return 0;
}
