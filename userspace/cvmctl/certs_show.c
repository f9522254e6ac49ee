// SPDX-License-Identifier: MIT
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "certs.h"
#include "common/util.h"
#include "verify/certs.h"

static int is_entry(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return d->d_name[0] != '.' && len > 5 && !strcmp(d->d_name + len - 5, ".json");
}

/* What was kept of one item, without its contents; NULL: the file is none */
static json_t *read_entry(const char *cache, const char *name)
{
	__cleanup_free char *path = NULL;
	json_int_t fetched, fresh, expires;
	char times[3][32];
	json_t *json, *entry;
	const char *url;

	if (asprintf(&path, "%s/%s", cache, name) < 0)
		return NULL;
	json = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
	entry = json_unpack(json, "{s:s, s:I, s:I, s:I}", "url", &url, "fetched", &fetched,
			    "fresh_until", &fresh, "expires", &expires) ? NULL :
		json_pack("{s:s, s:s, s:s, s:s, s:s}", "file", name, "url", url, "fetched",
			  cvm_time_text(fetched, times[0]), "fresh_until",
			  cvm_time_text(fresh < expires ? fresh : expires, times[1]), "expires",
			  cvm_time_text(expires, times[2]));
	json_decref(json);
	return entry;
}

static void print(const json_t *entries)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(entries, i, entry)
		printf("%s\n  %s\n  fetched %s, anew from %s, expires %s\n",
		       json_string_value(json_object_get(entry, "file")),
		       json_string_value(json_object_get(entry, "url")),
		       json_string_value(json_object_get(entry, "fetched")),
		       json_string_value(json_object_get(entry, "fresh_until")),
		       json_string_value(json_object_get(entry, "expires")));
}

int certs_show(const char *path, bool as_json)
{
	struct dirent **list = NULL;
	json_t *entries, *entry;
	int count = scandir(path, &list, is_entry, alphasort);

	/* what was never filled is empty */
	if (count < 0 && errno != ENOENT)
		return fail(EXIT_FAILED, "%s: cannot be read: %s", path, strerror(errno));
	entries = json_array();
	for (int i = 0; i < count; i++) {
		entry = read_entry(path, list[i]->d_name);
		if (entry)
			json_array_append_new(entries, entry);
		else
			note("%s/%s: is no file of the cache, and will be fetched anew", path,
			     list[i]->d_name);
		free(list[i]);
	}
	free(list);
	if (as_json)
		return output_json(NULL, entries);
	print(entries);
	json_decref(entries);
	return flush_output();
}
