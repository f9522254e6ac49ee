// SPDX-License-Identifier: MIT
/* cvmctl certs: what verifying a piece of evidence needs, from those who publish it. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "certs.h"
#include "common/util.h"

enum {
	OUT, FROM, PRODUCT, CACHE, KDS_URL, PCS_URL, THIM_URL, TIMEOUT, OFFLINE, REFRESH, JSON,
};

static const struct option_spec options[] = {
	[OUT] = { "out", "FILE", "fetch: write it there (default: standard output)" },
	[FROM] = { "from", "kds|thim",
		   "fetch: the VCEK from AMD (default), or, in an Azure guest, from\n"
		   "its own host" },
	[PRODUCT] = { "product", "NAME",
		      "fetch: Milan or Genoa, which a report of version 2 does not say" },
	[CACHE] = { "cache", "DIR",
		    "the cache (default: $XDG_CACHE_HOME/cvm-guest, or\n"
		    "~/.cache/cvm-guest)" },
	[KDS_URL] = { "kds-url", "URL", "fetch: in the place of " CVM_KDS_URL },
	[PCS_URL] = { "pcs-url", "URL", "fetch: a PCCS, in the place of\n" CVM_PCS_URL },
	[THIM_URL] = { "thim-url", "URL", "fetch: in the place of " CVM_THIM_URL },
	[TIMEOUT] = { "timeout", "S",
		      "fetch: seconds for each part, waiting for a busy server included\n"
		      "(default: 60)" },
	[OFFLINE] = { "offline", NULL, "fetch: from the cache alone" },
	[REFRESH] = { "refresh", NULL, "fetch: whatever the cache has" },
	[JSON] = { "json", NULL, "show: one JSON array" },
	{ 0 }
};

/* Each user's own: nobody has to trust what another one put there. */
int certs_cache(char *path, size_t size)
{
	const char *base = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
	bool given = base && *base == '/';
	int len;

	if (!given && (!home || *home != '/'))
		return usage_error("there is no HOME to keep a cache in: give --cache DIR");
	len = snprintf(path, size, "%s%s/cvm-guest", given ? base : home, given ? "" : "/.cache");
	return (size_t)len < size ? 0 : usage_error("the cache's path is too long");
}

static int cache_path(const struct arguments *args, char *path, size_t size)
{
	const char *given = args->option[CACHE];

	if (!given)
		return certs_cache(path, size);
	if (!*given || strlen(given) >= size)
		return usage_error("--cache: '%s' is no directory's name", given);
	strcpy(path, given);
	return 0;
}

/* A slash at its end would be there twice in the requests. */
static int set_url(const struct arguments *args, int option, const char *otherwise,
		   const char **url)
{
	const char *given = args->option[option];

	*url = given ? given : otherwise;
	if ((strncmp(*url, "https://", 8) && strncmp(*url, "http://", 7)) || strlen(*url) > 256 ||
	    (*url)[strlen(*url) - 1] == '/')
		return usage_error("--%s: '%s' is no http or https URL without a slash at its end",
				   options[option].name, *url);
	return 0;
}

static int set_fetch(const struct arguments *args, struct cvm_fetch *f)
{
	uint32_t timeout = 60;
	int status = 0;

	*f = (struct cvm_fetch){ .now = time(NULL), .offline = args->option[OFFLINE] != NULL,
				 .refresh = args->option[REFRESH] != NULL };
	if (f->offline && f->refresh)
		return usage_error("either --offline or --refresh");
	if (args->option[TIMEOUT])
		status = parse_number("timeout", args->option[TIMEOUT], 3600, &timeout);
	f->timeout = timeout;
	if (!status)
		status = set_url(args, KDS_URL, CVM_KDS_URL, &f->kds);
	if (!status)
		status = set_url(args, PCS_URL, CVM_PCS_URL, &f->pcs);
	return status ? status : set_url(args, THIM_URL, CVM_THIM_URL, &f->thim);
}

static int set_wish(const struct arguments *args, struct certs_wish *wish)
{
	const char *from = args->option[FROM], *product = args->option[PRODUCT];

	*wish = (struct certs_wish){ .thim = from && !strcmp(from, "thim") };
	if (from && !wish->thim && strcmp(from, "kds"))
		return usage_error("--from: '%s' is none of kds, thim", from);
	if (!product)
		return 0;
	for (enum cvm_snp_product p = CVM_SNP_MILAN; p <= CVM_SNP_TURIN; p++)
		if (!strcmp(product, cvm_snp_product_name(p)))
			wish->product = p;
	return wish->product ? 0 :
	       usage_error("--product: '%s' is none of Milan, Genoa, Turin", product);
}

static int fetch(const struct arguments *args)
{
	__cleanup_free char *text = NULL;
	struct certs_wish wish;
	struct cvm_fetch f;
	char cache[512];
	int status;

	if (!args->operand[1])
		return usage_error("certs fetch needs EVIDENCE");
	if (args->option[JSON])
		return usage_error("--json is for certs show");
	status = set_fetch(args, &f);
	if (!status)
		status = set_wish(args, &wish);
	if (!status)
		status = cache_path(args, cache, sizeof(cache));
	f.cache = cache;
	if (!status)
		status = certs_for(args->operand[1], &f, &wish, &text);
	return status ? status : output_text(args->option[OUT], text);
}

static int show(const struct arguments *args)
{
	char cache[512];
	int status;

	for (size_t i = 0; i < args->given_count; i++)
		if (args->given[i].option != CACHE && args->given[i].option != JSON)
			return usage_error("--%s is for certs fetch",
					   options[args->given[i].option].name);
	if (args->operand[1])
		return usage_error("'%s' is one operand too many", args->operand[1]);
	status = cache_path(args, cache, sizeof(cache));
	return status ? status : certs_show(cache, args->option[JSON] != NULL);
}

static int run(const struct arguments *args)
{
	const char *what = args->operand[0];

	if (!strcmp(what, "fetch"))
		return fetch(args);
	if (!strcmp(what, "show"))
		return show(args);
	return usage_error("'%s' is none of fetch, show", what);
}

const struct command cmd_certs = {
	.name = "certs",
	.summary = "fetch what verifying needs: certificates, revocation lists, collateral",
	.operands = "fetch EVIDENCE | show",
	.min_operands = 1,
	.max_operands = 2,
	.options = options,
	.run = run,
};
