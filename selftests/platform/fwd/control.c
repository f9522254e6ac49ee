// SPDX-License-Identifier: GPL-2.0
/* KEY=VALUE: every property of the simulated machine, at start and at run time. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "azure_front.h"
#include "cleanup.h"
#include "fwd.h"

static const struct fw_option *const tables[] = {
	core_options, model_options, host_options, snp_options, svsm_options, tdx_options,
	azure_options,
};

int opt_fail(char *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(err, FWD_ERR, fmt, args);
	va_end(args);
	return -1;
}

static int number(const struct fw_option *opt, const char *value, int base, uint64_t *out,
		  char *err)
{
	uint64_t max = opt->max ? opt->max : UINT64_MAX;
	char *end;

	errno = 0;
	*out = strtoull(value, &end, base);
	/* strtoull() takes signs and leading space; a value here has neither */
	if (!isxdigit((unsigned char)*value) || *end || errno)
		return opt_fail(err, "'%.40s' is not a %snumber", value, base == 16 ? "hex " : "");
	if (*out < opt->min || *out > max)
		return opt_fail(err, "%s is not between %llu and %llu", value,
				(unsigned long long)opt->min, (unsigned long long)max);
	return 0;
}

int opt_u64(const struct fw_option *opt, const char *value, char *err)
{
	uint64_t number_;

	/* a leading 0 does not mean octal */
	if (number(opt, value, strncmp(value, "0x", 2) ? 10 : 16, &number_, err))
		return -1;
	*(uint64_t *)opt->var = number_;
	return 0;
}

int opt_u32(const struct fw_option *opt, const char *value, char *err)
{
	struct fw_option wide = *opt;
	uint64_t number_;

	wide.var = &number_;
	if (!wide.max)
		wide.max = UINT32_MAX;
	if (opt_u64(&wide, value, err))
		return -1;
	*(uint32_t *)opt->var = (uint32_t)number_;
	return 0;
}

int opt_bool(const struct fw_option *opt, const char *value, char *err)
{
	if (strcmp(value, "0") && strcmp(value, "1"))
		return opt_fail(err, "'%.40s' is neither 0 nor 1", value);
	*(bool *)opt->var = *value == '1';
	return 0;
}

int opt_hex64(const struct fw_option *opt, const char *value, char *err)
{
	return number(opt, value, 16, opt->var, err);
}

static int nibble(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int opt_hex(const struct fw_option *opt, const char *value, char *err)
{
	size_t len = strlen(value), i;
	uint8_t bytes[256] = { 0 };

	if (len % 2 || len / 2 > opt->max)
		return opt_fail(err, "%zu hex digits; an even number up to %llu is expected", len,
				(unsigned long long)opt->max * 2);
	for (i = 0; i < len; i++) {
		if (nibble(value[i]) < 0)
			return opt_fail(err, "digit %zu, '%c', is not a hex digit", i + 1, value[i]);
		bytes[i / 2] = (uint8_t)(bytes[i / 2] << 4 | nibble(value[i]));
	}
	memcpy(opt->var, bytes, opt->max);
	return 0;
}

int opt_ms(const struct fw_option *opt, const char *value, char *err)
{
	const double longest = 3600 * 1000.0;
	char *end;
	double ms = strtod(value, &end);

	if (!isdigit((unsigned char)*value) || *end || !(ms >= 0 && ms <= longest))
		return opt_fail(err, "'%.40s' is not a time in ms up to an hour", value);
	*(uint64_t *)opt->var = (uint64_t)(ms * 1e6);
	return 0;
}

int opt_choice(const struct fw_option *opt, const char *value, char *err)
{
	const char *word = opt->choices;
	size_t len = strlen(value);
	unsigned int i;

	for (i = 0; word; i++) {
		const char *bar = strchrnul(word, '|');

		if (len == (size_t)(bar - word) && !memcmp(word, value, len)) {
			*(unsigned int *)opt->var = i;
			return 0;
		}
		word = *bar ? bar + 1 : NULL;
	}
	return opt_fail(err, "'%.40s' is none of %s", value, opt->choices);
}

static const struct fw_option *find(const char *key, size_t len)
{
	const struct fw_option *opt;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (opt = tables[i]; opt->key; opt++)
			if (strlen(opt->key) == len && !memcmp(opt->key, key, len))
				return opt;
	return NULL;
}

int control_set(struct fwd *fwd, const char *text, char *err)
{
	const char *equals = strchr(text, '=');
	const struct fw_option *opt;
	char why[FWD_ERR];

	if (!equals)
		return opt_fail(err, "'%.60s' is not KEY=VALUE", text);
	opt = find(text, (size_t)(equals - text));
	if (!opt)
		return opt_fail(err, "unknown key '%.*s'; --help lists them",
				(int)(equals - text < 60 ? equals - text : 60), text);
	if (opt->set(opt, equals + 1, why))
		return opt_fail(err, "%s: %.200s (%s)", opt->key, why, opt->help);
	if (opt->changed)
		opt->changed(fwd);
	return 0;
}

void control_help(FILE *out)
{
	const struct fw_option *opt;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(tables); i++)
		for (opt = tables[i]; opt->key; opt++)
			fprintf(out, "  %-19s %s\n", opt->key, opt->help);
}

void control_frame(struct fwd *fwd, const uint8_t *text, uint32_t len, struct answer *reply)
{
	char *copy __clean(mem) = strndup((const char *)text, len);
	char *save = NULL, *word;

	for (word = strtok_r(copy, " \t\r\n", &save); word; word = strtok_r(NULL, " \t\r\n", &save)) {
		if (!control_set(fwd, word, (char *)reply->data))
			continue;
		reply->len = (uint32_t)strlen((char *)reply->data);
		reply->status = EINVAL;
		return;
	}
}

void control_status(struct fwd *fwd, struct answer *reply)
{
	FILE *out __clean(file) = fmemopen(reply->data, FW_MAX_PAYLOAD, "w");

	if (!out)
		return;
	fprintf(out, "platform=%s%s\nviolations=%llu\nlogged_violations=%llu\n",
		fwd->paravisor ? "azure-" : "", fwd->platform == FW_PLATFORM_SNP ? "snp" : "tdx",
		(unsigned long long)fwd->violations, (unsigned long long)fwd->logged_violations);
	model_status(out);
	if (fwd->platform == FW_PLATFORM_SNP)
		snp_status(out);
	else
		tdx_status(out);
	if (fwd->paravisor)
		azure_status(out);
	fflush(out);
	reply->len = (uint32_t)ftell(out);
}
