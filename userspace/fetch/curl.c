// SPDX-License-Identifier: MIT
#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

#include "../common/util.h"
#include "curl.h"

static struct cvm_curl curl;
static bool loaded;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void load(void)
{
	const struct { const char *name; void *slot; } symbols[] = {
		{ "curl_global_init", &curl.global_init },
		{ "curl_easy_init", &curl.easy_init },
		{ "curl_easy_setopt", &curl.easy_setopt },
		{ "curl_easy_perform", &curl.easy_perform },
		{ "curl_easy_getinfo", &curl.easy_getinfo },
		{ "curl_easy_header", &curl.easy_header },
		{ "curl_easy_unescape", &curl.easy_unescape },
		{ "curl_easy_cleanup", &curl.easy_cleanup },
		{ "curl_slist_append", &curl.slist_append },
		{ "curl_slist_free_all", &curl.slist_free_all },
		{ "curl_free", &curl.free },
	};
	void *library = dlopen("libcurl.so.4", RTLD_NOW | RTLD_LOCAL);

	if (!library)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(symbols); i++) {
		/* POSIX, dlsym(): a function's address through a pointer to it */
		*(void **)symbols[i].slot = dlsym(library, symbols[i].name);
		if (!*(void **)symbols[i].slot)
			return;
	}
	loaded = curl.global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

const struct cvm_curl *cvm_curl(void)
{
	pthread_once(&once, load);
	return loaded ? &curl : NULL;
}
